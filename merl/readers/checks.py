"""What every reader asks of a signal before it becomes a record: a voltage unit, named leads, no gaps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from merl.errors import RecordError
from merl.records import ECGRecord, canonical_lead

#: Millivolts in one unit. The PTB records of the PhysioNet Challenge write "mv"; both signs of micro occur.
_MILLIVOLTS = {
    "mV": 1.0,
    "mv": 1.0,
    "uV": 1e-3,
    "uv": 1e-3,
    "\N{MICRO SIGN}V": 1e-3,
    "\N{GREEK SMALL LETTER MU}V": 1e-3,
    "nV": 1e-6,
    "V": 1e3,
}


def millivolts(unit: str, where: str) -> float:
    """Return how many millivolts one ``unit`` is.

    Raises:
        RecordError: the unit is missing or is not one of mV, uV, nV and V; ``where`` opens the sentence.
    """
    if unit not in _MILLIVOLTS:
        given = f"has the unit {unit!r}" if unit else "has no unit"
        raise RecordError(f"{where} {given}, but a voltage is needed; write mV, uV or V into the file")
    return _MILLIVOLTS[unit]


def make_record(
    signal: NDArray[np.float64], sampling_rate: float, leads: Sequence[str], name: str
) -> ECGRecord:
    """Build the record from a signal of shape (leads, samples) in millivolts, refusing gaps.

    Raises:
        RecordError: samples are marked invalid, a lead is named twice, or there is no signal.
    """
    names = tuple(canonical_lead(lead) for lead in leads)
    gaps = ~np.isfinite(signal)
    if gaps.any():
        shares = [f"{lead} ({row.mean():.1%})" for lead, row in zip(names, gaps, strict=True) if row.any()]
        raise RecordError(
            f"record {name!r} has samples marked invalid in {', '.join(shares)};"
            " cut the record to a stretch without gaps"
        )
    return ECGRecord(np.ascontiguousarray(signal, np.float32), float(sampling_rate), names, name)
