"""From a released file to our checkpoint folder and back."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import torch

from merl.checkpoints import TEXT_FOLDER, fill, save_checkpoint
from merl.encoders.registry import PUBLISHED
from merl.errors import CheckpointError, UsageError, unknown
from merl.files import atomic_path
from merl.model import MERL, MERLConfig
from merl.official.text import write_text_encoder
from merl.official.weights import (
    ECG,
    EMBED_DIM,
    LANGUAGE,
    POSITIONS,
    SPEC,
    TEXT,
    OfficialWeights,
    read_state,
    recognise,
    shapes,
)


@dataclass(frozen=True)
class Imported:
    """What became of every key of an official file.

    Attributes:
        used: taken as they are.
        converted: taken in another shape.
        left: not taken: what the release never calls, and the text encoder if ``text`` was not given.
    """

    used: list[str]
    converted: list[str]
    left: list[str]


def import_official(path: Path, encoder: str, out: Path, *, text: Path | None = None) -> Imported:
    """Write our checkpoint folder from a ``*_ckpt.pth`` (whole model) or ``*_encoder.pth`` of the release.

    Args:
        path: the file; wrappers as training loops write them and ``module.`` prefixes are taken off.
        encoder: which published encoder it holds.
        out: the folder to make, with the official input contract in its configuration.
        text: folder of the text encoder it was trained with, as transformers saves it; its weights are
            checked against the file's, or taken from the file where the folder has none.

    Raises:
        UsageError: the encoder is none of the published ones, or ``text`` is given for an encoder alone.
        CheckpointError: ``out`` exists; the file is no checkpoint, holds code, or does not fit the encoder.
    """
    if encoder not in PUBLISHED:
        raise UsageError(unknown("encoder", encoder, PUBLISHED, "merl models"))
    if out.exists():
        raise CheckpointError(f"{out} exists already; name a new folder, or delete it")
    state = read_state(path)
    parts = OfficialWeights.of(state)
    if text and not parts.whole:
        raise UsageError(f"{path} is an ECG encoder alone, which reads no text; leave --text out")
    config = MERLConfig(
        name=out.name,
        encoder=encoder,
        embed_dim=EMBED_DIM if parts.whole else shapes(encoder)[0],
        projection="merl" if parts.whole else "none",
        spec=SPEC,
        text=TEXT.model_copy(update={"dim": parts.text_dim}),
    )
    model = MERL(config)
    found = recognise(parts.ecg)
    hint = f", it holds {found}" if found not in {None, encoder} else ""
    fill(model, parts.ecg, f"{path} does not fit {encoder}{hint}")
    try:
        if text:
            model.text_folder = out / TEXT_FOLDER
            identity = write_text_encoder(text, parts, model.text_folder, path)
            model.config = config.model_copy(update={"text": identity})
        save_checkpoint(model, out, half=False)
    except BaseException:  # out is ours: it did not exist
        shutil.rmtree(out, ignore_errors=True)
        raise
    left = [*parts.unused, *([] if text else [LANGUAGE + key for key in parts.words])]
    apart = {*left, *parts.converted}
    return Imported([key for key in state if key not in apart], parts.converted, left)


def export_official(model: MERL, path: Path) -> None:
    """Write a model under the names of the release, as a plain dictionary of tensors.

    The ResNet's classifier, which the release has and never calls, is zeros. Of the text encoders, only those
    that pool as the release does are written, with what was trained of them.

    Raises:
        CheckpointError: the release has no such encoder, or no such heads.
    """
    if model.config.encoder not in PUBLISHED:
        raise CheckpointError(
            f"the release has no encoder {model.config.encoder}; it has {', '.join(PUBLISHED)}"
        )
    if model.config.projection not in {"merl", "none"}:
        raise CheckpointError(
            f"the release has MERL's heads and cannot hold those of {model.name}, {model.config.projection};"
            " to export a model train it with projection: merl"
        )
    state = {key: tensor for key, tensor in model.state_dict().items() if not key.startswith("text_layers.")}
    if model.ecg_encoder.steps:
        state[f"{ECG}linear.weight"] = torch.zeros(10, model.ecg_encoder.width)
        state[f"{ECG}linear.bias"] = torch.zeros(10)
    if POSITIONS in state:
        state[POSITIONS] = state[POSITIONS][None]  # (1, positions, dim)
    if writes_text(model):
        state |= {LANGUAGE + key: tensor for key, tensor in model.text_encoder.model.state_dict().items()}
    if model.config.projection == "none":
        state = {key.removeprefix(ECG): tensor for key, tensor in state.items()}
    try:
        with atomic_path(path) as part:
            torch.save(state, part)
    except RuntimeError as problem:  # how torch's writer reports a full disk
        reason = str(problem).splitlines()[0]
        raise CheckpointError(f"cannot write {path}: {reason}; make room and try again") from None


def writes_text(model: MERL) -> bool:
    """Tell whether ``export_official`` writes the model's text encoder."""
    return model.config.text.place != "absent" and model.config.text.pooling == "pooler"
