"""What a checkpoint is, of ours or of the release, told without scoring anything."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from merl.checkpoints import load_model
from merl.files import sha256
from merl.official.weights import SPEC, OfficialWeights, read_state, recognise

_BUFFERS = ("running_mean", "running_var", "num_batches_tracked")


def describe(name: str) -> dict[str, Any]:
    """Say what a checkpoint is: one of ours, by path or shipped name, or a file of the release.

    Returns:
        Ready for JSON: ``name``, ``kind``, ``encoder``, ``parameters`` by part, ``input``, ``text_encoder``,
        ``training`` and ``sha256``; what a file does not tell is ``None``.

    Raises:
        UsageError: neither a folder, nor a file, nor a shipped name.
        CheckpointError: it is damaged, or the file is no checkpoint.
    """
    path = Path(name)
    if path.is_file():
        parts = OfficialWeights.of(read_state(path))
        encoder = recognise(parts.ecg)
        return {
            "name": path.name,
            "kind": "published MERL, " + ("whole model" if parts.whole else "ECG encoder"),
            "encoder": encoder,
            "parameters": _parameters(parts.ecg) | ({"lm_model": _count(parts.words)} if parts.words else {}),
            "input": SPEC.model_dump(mode="json") if encoder else None,
            "text_encoder": None,
            "training": None,
            "sha256": sha256(path),
        }
    model = load_model(name)
    config = model.config.model_dump(mode="json")
    return {
        "name": model.name,
        "kind": "merl checkpoint" if model.config.projection != "none" else "merl checkpoint, ECG encoder",
        "encoder": model.config.encoder,
        "parameters": _parameters(model.state_dict()),
        "input": config["spec"],
        "text_encoder": config["text"] if model.config.projection != "none" else None,
        "training": config["training"],
        "sha256": model.sha256,
    }


def _parameters(state: Mapping[str, Tensor]) -> dict[str, int]:
    parts = dict.fromkeys(key.partition(".")[0] for key in state)
    return {
        part: _count({key: state[key] for key in state if key.partition(".")[0] == part}) for part in parts
    }


def _count(state: Mapping[str, Tensor]) -> int:
    return sum(tensor.numel() for key, tensor in state.items() if not key.endswith(_BUFFERS))
