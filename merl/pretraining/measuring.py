"""Measuring the waveforms of prepared pairs, once for a run."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import fields
from functools import partial
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from merl.errors import UsageError
from merl.files import atomic_path
from merl.measurements import LEADS, Measurements, measure
from merl.preprocessing import SignalSpec
from merl.pretraining.pairs import Progress
from merl.pretraining.prepared import PreparedPairs
from merl.pretraining.processes import processes

_PART = 256  # records that one process measures at a time
_OF = "measured"
_VERSION = 1  # raise it when merl.measurements measures otherwise


def measure_pairs(
    pairs: PreparedPairs, kept: Path, *, workers: int = 1, progress: Progress | None = None
) -> Measurements:
    """Measure every record and keep the table for a run that goes on.

    Args:
        pairs: prepared with the twelve leads; what the model reads of them does not matter.
        kept: an .npz file; one of the same pairs is read and nothing is measured again.
        workers: processes that measure.
        progress: called with (done, of, what).

    Raises:
        UsageError: a lead was not prepared, or at too low a sampling rate.
        MerlError: a measuring process died.
    """
    if (known := _read(kept, pairs)) is not None:
        return known
    made = pairs.manifest.spec
    if missing := missing_leads(made):
        raise UsageError(
            f"findings are measured on twelve leads and {pairs.folder} was prepared without"
            f" {', '.join(missing)}; prepare the data with them, or leave findings_share out"
        )
    spec = made.model_copy(update={"leads": LEADS, "scaling": "millivolt"})
    parts = [range(start, min(start + _PART, len(pairs))) for start in range(0, len(pairs), _PART)]
    measure_part = partial(_measure_part, pairs.folder, spec)
    found: list[Measurements] = []
    for rows, part in zip(parts, _spread(measure_part, parts, workers), strict=True):
        found.append(part)
        if progress:
            progress(rows.stop, len(pairs), "measuring records")
    columns = {
        field.name: np.concatenate([getattr(part, field.name) for part in found])
        for field in fields(Measurements)
    }
    table = Measurements(**columns)
    with atomic_path(kept) as unfinished, unfinished.open("wb") as handle:
        np.savez(handle, allow_pickle=False, **columns | {_OF: np.array(_identity(pairs))})
    return table


def missing_leads(spec: SignalSpec) -> list[str]:
    """Return which of the twelve leads that findings are measured on ``spec`` lacks."""
    return [lead for lead in LEADS if lead not in spec.leads]


def _spread(measure_part: partial[Measurements], parts: list[range], workers: int) -> Iterator[Measurements]:
    """Measure parts in order, in this process or in several."""
    if min(workers, len(parts)) <= 1:
        yield from map(measure_part, parts)
        return
    with processes(workers, "nothing is kept, start again") as pool:
        yield from pool.map(measure_part, parts)


def _measure_part(folder: Path, spec: SignalSpec, rows: range) -> Measurements:
    signals = PreparedPairs.open(folder, spec).signals(rows)
    return Measurements.stack([measure(signal, spec.sampling_rate) for signal in signals])


def _identity(pairs: PreparedPairs) -> str:
    """Say what was measured: the signals of every shard, and by which version."""
    shards = "".join(f"{shard.number} {sorted(shard.sha256.items())}" for shard in pairs.manifest.shards)
    return hashlib.sha256(f"{_VERSION} {pairs.manifest.spec} {shards}".encode()).hexdigest()


def _read(kept: Path, pairs: PreparedPairs) -> Measurements | None:
    """Read what an earlier start of the run measured on the same pairs."""
    try:
        with np.load(kept, allow_pickle=False) as stored:
            if str(stored[_OF]) != _identity(pairs):
                return None
            return Measurements(**{field.name: stored[field.name] for field in fields(Measurements)})
    except (OSError, EOFError, ValueError, KeyError, BadZipFile):  # none, of another version, damaged
        return None
