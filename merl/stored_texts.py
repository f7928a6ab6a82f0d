"""Texts in the shared space, kept on disk: scoring with known prompts loads no text encoder."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from merl.files import atomic_path, cache_dir
from merl.model import MERL

_log = logging.getLogger(__name__)
_FORMAT = 1  # raise it when what is computed of a text changes


@torch.inference_mode()
def embed_texts(model: MERL, texts: Sequence[str]) -> Tensor:
    """Embed texts into the shared space, from disk where this checkpoint has embedded the same ones before.

    One small file holds one list of texts of one checkpoint, as a prompt set's phrases are. A model without a
    hash, one in training, is not kept.

    Returns:
        Unit-length embeddings, shape (texts, embed_dim).

    Raises:
        PromptError: a text is longer than the text encoder reads.
        CheckpointError: the model has no text encoder, or another one is found.
    """
    if not isinstance(model, MERL) or not model.sha256:
        return model.encode_text(texts, normalize=True)
    known = [_FORMAT, model.sha256, model.config.model_dump_json(), list(texts)]
    name = hashlib.sha256(json.dumps(known).encode()).hexdigest()
    path = cache_dir() / "prompts" / f"{name}.npy"
    found = _read(path, (len(texts), model.config.embed_dim))
    if found is None:
        found = model.encode_text(texts, normalize=True)
        _write(path, found)
    return found


def _read(path: Path, shape: tuple[int, int]) -> Tensor | None:
    try:
        rows = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    sound = rows.shape == shape and rows.dtype == np.float32 and np.isfinite(rows).all()
    return torch.from_numpy(rows) if sound else None


def _write(path: Path, rows: Tensor) -> None:
    try:
        with atomic_path(path) as part, part.open("wb") as handle:
            np.save(handle, rows.numpy(), allow_pickle=False)
    except OSError as problem:  # a cache that cannot be written costs time, not the result
        _log.warning("%s could not be written (%s); the texts will be embedded again", path, problem.strerror)
