"""ECG embeddings kept on disk, so that a second prompt set or task on the same records costs no encoding."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from merl.errors import RecordError
from merl.files import atomic_path, cache_dir

if TYPE_CHECKING:
    from merl.datasets.tasks import TaskData

_log = logging.getLogger(__name__)
_KEPT_AFTER = 1024  # records: what Ctrl-C can cost
_FORMAT = 5  # raise it when preprocessing, readers or encoders change what they compute
_SUFFIXES = ("", ".hea", ".dat", ".mat")  # record paths come without suffix, but for HDF5


@dataclass(frozen=True, eq=False)
class Embedded:
    """Embeddings of a task's records.

    Attributes:
        rows: of unit length, shape (records, embed_dim), in the order of the task; nan for a faulty record.
        faults: why a record cannot be used, by its name.
    """

    rows: NDArray[np.float32]
    faults: Mapping[str, str]


def record_embeddings(
    model: Any, data: TaskData, *, progress: Callable[[int, int], None] | None = None
) -> Embedded:
    """Embed a task's records, encoding only those that this checkpoint has not met before.

    The store is one file for each checkpoint, signal specification, data set, split and version of merl and
    torch, so that all tasks of a split share it; it is written every few thousand records. A record is known
    by its path and by the size and time of change of its files. A model without a hash (one in training) is
    not cached.

    Args:
        model: with ``name``, ``sha256`` and ``spec``, as ``merl.load_model`` returns it.
        data: the task's records.
        progress: called with the records done and the records to encode.
    """
    path = cache_dir() / "embeddings" / f"{_store_key(model, data)}.npy" if model.sha256 else None
    known = _read(path) if path else {}
    keys = _record_keys(data)
    missing = [i for i, key in enumerate(keys) if key not in known]
    faults: dict[str, str] = {}
    for start in range(0, len(missing), _KEPT_AFTER):
        part = missing[start : start + _KEPT_AFTER]
        step = partial(_report, progress, start, len(missing)) if progress else None
        known |= _encode(model, data, {i: keys[i] for i in part}, faults, step)
        if path and known:
            _write(path, known)
    width = len(next(iter(known.values()))) if known else 0
    nothing = np.full(width, np.nan, np.float32)
    return Embedded(np.stack([known.get(key, nothing) for key in keys]), faults)


def _report(progress: Callable[[int, int], None], start: int, total: int, done: int) -> None:
    progress(start + done, total)


def _encode(
    model: Any,
    data: TaskData,
    keys: Mapping[int, bytes],
    faults: dict[str, str],
    progress: Callable[[int], None] | None,
) -> dict[bytes, NDArray[np.float32]]:
    """Encode some records by their numbers; those that cannot be are added to the faults."""
    from merl.embedding import embed_windows

    good: list[bytes] = []

    def windows() -> Iterator[NDArray[np.float32]]:
        for i, key in keys.items():
            try:
                found = model.spec.windows(data.read(i))
            except RecordError as problem:
                faults[data.names[i]] = str(problem)
            else:
                good.append(key)
                yield found

    rows = embed_windows(model, windows(), progress=progress)
    return dict(zip(good, rows, strict=True))


def model_hash(model: Any) -> str:
    """Hash all of a model that its embeddings depend on, the software and precision with it."""
    from importlib.metadata import version

    from merl import __version__
    from merl.model import cpu_has_bf16

    spec = model.spec.model_dump_json() if hasattr(model.spec, "model_dump_json") else repr(model.spec)
    config = model.config.model_dump_json() if hasattr(model, "config") else spec
    precision = "bf16" if cpu_has_bf16() else "fp32"
    return _hash([_FORMAT, model.sha256, spec, config, precision, __version__, version("torch")])


def data_hash(data: TaskData) -> str:
    """Hash a task's records: which files, whose, with which labels, and how they are read."""
    digest = hashlib.sha256(data.labels.tobytes() + data.patients.tobytes() + data.split_patients.tobytes())
    keys = [key.decode() for key in _record_keys(data)]
    facts = [data.task, data.dataset, data.split, data.classes, data.leads, sorted(data.lead_as.items())]
    return _hash([digest.hexdigest(), *facts, data.truth, data.missing, keys])


def _store_key(model: Any, data: TaskData) -> str:
    return _hash([model_hash(model), data.dataset, data.split, data.leads, sorted(data.lead_as.items())])


def _hash(facts: list[Any]) -> str:
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _record_keys(data: TaskData) -> list[bytes]:
    """Hash each record's name, path, and the size and time of change of its files."""
    folders = {folder: str(folder.resolve()) for folder in {path.parent for path in data.paths}}
    keys = []
    for name, path in zip(data.names, data.paths, strict=True):
        place = f"{folders[path.parent]}/{path.name}"  # plain strings: there are tens of thousands
        stats = [(suffix, _stat(place + suffix)) for suffix in _SUFFIXES]
        facts = [name, place, [(suffix, *found) for suffix, found in stats if found]]
        keys.append(hashlib.sha256(json.dumps(facts).encode()).hexdigest().encode())
    return keys


def _stat(file: str) -> tuple[int, int] | None:
    try:
        found = os.stat(file)  # noqa: PTH116
    except OSError:
        return None
    return (found.st_size, found.st_mtime_ns) if stat.S_ISREG(found.st_mode) else None


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
