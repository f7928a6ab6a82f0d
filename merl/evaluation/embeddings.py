"""ECG embeddings kept on disk, so that a second prompt set or task on the same records costs no encoding."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from merl.files import atomic_path, cache_dir

if TYPE_CHECKING:
    from merl.datasets.tasks import TaskData

_log = logging.getLogger(__name__)
_FORMAT = 4  # raise it when preprocessing, readers or encoders change what they compute
_PART = 512  # records encoded together, a multiple of the batch; what Ctrl-C can lose
_SUFFIXES = ("", ".hea", ".dat", ".mat")  # record paths come without suffix, but for HDF5


def record_embeddings(
    model: Any, data: TaskData, *, progress: Callable[[int, int], None] | None = None
) -> NDArray[np.float32]:
    """Embed a task's records, encoding only those that this checkpoint has not met before.

    The store is one file for each checkpoint, signal specification, data set, split and version of merl and
    torch, so that all tasks of a split share it. A record is known by its path and by the size and time of
    change of its files. A model without a hash (one in training) is not cached.

    Args:
        model: with ``name``, ``sha256`` and ``spec``, as ``merl.load_model`` returns it.
        data: the task's records.
        progress: called with the records done and the records to encode.

    Returns:
        Unit-length embeddings, shape (records, embed_dim), in the order of ``data``.

    Raises:
        RecordError: a record cannot be read or does not meet the model's contract.
    """
    everything = list(range(len(data.paths)))
    if not model.sha256:
        return np.concatenate(list(_encode(model, data, everything, progress)))
    path = cache_dir() / "embeddings" / f"{_store_key(model, data)}.npy"
    known = _read(path)
    keys = [_record_key(name, record) for name, record in zip(data.names, data.paths, strict=True)]
    missing = [i for i in everything if keys[i] not in known]
    done = 0
    try:
        for rows in _encode(model, data, missing, progress):
            known |= {keys[i]: row for i, row in zip(missing[done:], rows, strict=False)}
            done += len(rows)
    finally:  # what is done when Ctrl-C is pressed need not be done again
        if done:
            _write(path, known)
    return np.stack([known[key] for key in keys])


def _encode(
    model: Any, data: TaskData, indices: list[int], progress: Callable[[int, int], None] | None
) -> Iterator[NDArray[np.float32]]:
    from merl.zeroshot import embed_records

    for start in range(0, len(indices), _PART):
        part = (data.read(i) for i in indices[start : start + _PART])
        step = partial(_step, progress, start, len(indices)) if progress else None
        yield np.asarray(embed_records(model, part, progress=step), np.float32)


def _step(progress: Callable[[int, int], None], start: int, total: int, done: int) -> None:
    progress(start + done, total)


def _store_key(model: Any, data: TaskData) -> str:
    from importlib.metadata import version

    from merl import __version__
    from merl.model import cpu_has_bf16

    spec = model.spec.model_dump_json() if hasattr(model.spec, "model_dump_json") else repr(model.spec)
    config = model.config.model_dump_json() if hasattr(model, "config") else spec
    precision = "bf16" if cpu_has_bf16() else "fp32"
    parts = [
        _FORMAT,
        model.sha256,
        spec,
        config,
        data.dataset,
        data.split,
        data.leads,
        sorted(data.lead_as.items()),
        precision,
        __version__,
        version("torch"),
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _record_key(name: str, path: Path) -> bytes:
    files = [(suffix, path.with_name(path.name + suffix)) for suffix in _SUFFIXES]
    stats = [(suffix, file.stat()) for suffix, file in files if file.is_file()]
    facts = [name, str(path.resolve()), [(suffix, stat.st_size, stat.st_mtime_ns) for suffix, stat in stats]]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest().encode()


def _read(path: Path) -> dict[bytes, NDArray[np.float32]]:
    try:
        stored = np.load(path, allow_pickle=False)
        return dict(zip(stored["key"].tolist(), stored["row"], strict=True))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, EOFError, IndexError) as problem:
        _log.warning("the embedding cache %s is damaged and is made anew: %s", path, problem)
        return {}


def _write(path: Path, known: dict[bytes, NDArray[np.float32]]) -> None:
    rows = np.stack(list(known.values()))
    stored = np.empty(len(known), dtype=[("key", "S64"), ("row", np.float32, (rows.shape[1],))])
    stored["key"], stored["row"] = list(known), rows
    with atomic_path(path) as part, part.open("wb") as handle:
        np.save(handle, stored, allow_pickle=False)
