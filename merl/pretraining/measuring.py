"""Measuring the waveforms of prepared pairs, once for a run."""

from __future__ import annotations

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
_OF = "pairs_sha256"


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
    if missing := [lead for lead in LEADS if lead not in made.leads]:
        raise UsageError(
            f"findings are measured on twelve leads and {pairs.folder} was prepared without"
            f" {', '.join(missing)}; prepare the data with them, or leave findings_share out"
        )
    spec = made.model_copy(update={"leads": LEADS, "scaling": "millivolt"})
    parts = [range(start, min(start + _PART, len(pairs))) for start in range(0, len(pairs), _PART)]
    measure_part = partial(_measure_part, pairs.folder, spec)
    found: list[Measurements] = []
    for part in _spread(measure_part, parts, workers):
        found += part
        if progress:
            progress(len(found), len(pairs), "measuring records")
    table = Measurements.stack(found)
    with atomic_path(kept) as unfinished, unfinished.open("wb") as handle:
        columns = {field.name: getattr(table, field.name) for field in fields(Measurements)}
        columns[_OF] = np.array(pairs.manifest.pairs_sha256)
        np.savez(handle, allow_pickle=False, **columns)
    return table


def _spread(
    measure_part: partial[list[Measurements]], parts: list[range], workers: int
) -> Iterator[list[Measurements]]:
    """Measure parts in order, in this process or in several."""
    if workers <= 1:
        yield from map(measure_part, parts)
        return
    with processes(workers) as pool:
        yield from pool.map(measure_part, parts)


def _measure_part(folder: Path, spec: SignalSpec, rows: range) -> list[Measurements]:
    signals = PreparedPairs.open(folder, spec).signals(rows)
    return [measure(signal, spec.sampling_rate) for signal in signals.astype(np.float64)]


def _read(kept: Path, pairs: PreparedPairs) -> Measurements | None:
    """Read what an earlier start of the run measured on the same pairs."""
    try:
        with np.load(kept, allow_pickle=False) as stored:
            if str(stored[_OF]) != pairs.manifest.pairs_sha256:
                return None
            return Measurements(**{field.name: stored[field.name] for field in fields(Measurements)})
    except (OSError, EOFError, ValueError, KeyError, BadZipFile):  # none, of another version, damaged
        return None
