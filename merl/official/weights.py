"""The released files as they are: what their keys mean, and which encoder they hold."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from merl.encoders.registry import PUBLISHED
from merl.errors import CheckpointError, wrong_use
from merl.model import TextIdentity
from merl.preprocessing import SignalSpec

#: What the published models read; MIMIC-IV-ECG, which they were trained on, has aVF before aVL.
SPEC = SignalSpec(
    leads=("I", "II", "III", "aVR", "aVF", "aVL", "V1", "V2", "V3", "V4", "V5", "V6"),
    sampling_rate=500,
    seconds=10,
    scaling="minmax",
)
EMBED_DIM = 256
#: Their text encoder; its tokenizer is not in the files.
TEXT = TextIdentity(
    name="MedCPT-Query-Encoder", sha256="", dim=768, pooling="pooler", lowercase=True, place="absent"
)
ECG, LANGUAGE = "ecg_encoder.", "lm_model."
POSITIONS = "att_pool_head.positional_embedding"


def read_state(path: Path) -> dict[str, Tensor]:
    """Read the tensors of a ``.pth`` file without running what is in it.

    Returns:
        Tensors by name, ``module.`` prefixes removed.

    Raises:
        CheckpointError: there is no such file, it holds code, or it is no dictionary of tensors.
    """
    remedy = "save it again as a plain state dict: torch.save(model.state_dict(), file)"
    if not path.is_file():
        raise wrong_use(CheckpointError(f"there is no file {path}"))
    try:
        with warnings.catch_warnings(action="ignore"):  # torch's own words on foreign pickles; ours follow
            state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as problem:  # damaged bytes raise anything
        if named := re.search(r"GLOBAL (\S+)", str(problem)):
            raise CheckpointError(
                f"{path} wants to run code ({named[1]}) when read and was not run; {remedy}"
            ) from None
        raise CheckpointError(f"{path} is damaged or no PyTorch checkpoint; fetch it again") from None
    for wrapper in ("state_dict", "model_state_dict", "model"):
        if isinstance(state, dict) and isinstance(state.get(wrapper), dict):
            state = state[wrapper]
    if (
        not isinstance(state, dict)
        or not state
        or not all(isinstance(value, Tensor) for value in state.values())
    ):
        raise CheckpointError(f"{path} is no dictionary of tensors; {remedy}")
    return {str(key).removeprefix("module."): tensor for key, tensor in state.items()}


@dataclass(frozen=True)
class OfficialWeights:
    """A file's weights, sorted.

    Attributes:
        whole: a whole model, not an ECG encoder alone.
        ecg: all but the text encoder, by our names and in our shapes.
        words: the text encoder's, by the names of transformers.
        converted: keys that came in another shape.
        unused: keys of what the release never calls: the ResNet's classifier, and the positions 0, 1, 2 ...
            that older releases of transformers stored.
    """

    whole: bool
    ecg: dict[str, Tensor]
    words: dict[str, Tensor]
    converted: list[str]
    unused: list[str]

    @property
    def text_dim(self) -> int:
        """Length of the text embeddings that its projection takes."""
        weight = self.ecg.get("proj_t.0.weight")
        return weight.shape[1] if weight is not None and weight.ndim == 2 else TEXT.dim

    @classmethod
    def of(cls, state: Mapping[str, Tensor]) -> OfficialWeights:
        """Sort the weights of a file as ``read_state`` returns them."""
        whole = any(key.startswith(ECG) for key in state)
        prefix = "" if whole else ECG
        idle = (f"{ECG}linear." if whole else "linear.", f"{LANGUAGE}embeddings.position_ids")
        unused = [key for key in state if key.startswith(idle)]
        called = {key: tensor for key, tensor in state.items() if key not in unused}
        words = {key.removeprefix(LANGUAGE): called[key] for key in called if key.startswith(LANGUAGE)}
        ecg = {prefix + key: called[key] for key in called if not key.startswith(LANGUAGE)}
        converted = [key for key in ecg if key == POSITIONS and ecg[key].ndim == 3 and len(ecg[key]) == 1]
        ecg |= {key: ecg[key][0] for key in converted}  # (1, positions, dim) -> (positions, dim)
        return cls(whole, ecg, words, converted, unused)


def shapes(encoder: str) -> tuple[int, dict[str, torch.Size]]:
    """Return the width of a published encoder and the shapes of its weights, without making them."""
    with torch.device("meta"):
        network = PUBLISHED[encoder](leads=len(SPEC.leads), samples=SPEC.samples)
    return network.width, {ECG + key: tensor.shape for key, tensor in network.state_dict().items()}


def recognise(ecg: Mapping[str, Tensor]) -> str | None:
    """Return the published encoder that has exactly these weights, or ``None``."""
    found = {key: tensor.shape for key, tensor in ecg.items() if key.startswith(ECG)}
    return next((name for name in PUBLISHED if shapes(name)[1] == found), None)
