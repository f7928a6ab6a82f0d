"""What every reader asks of a signal before it becomes a record: a voltage unit, named leads, no gaps.

And how each fails: in one sentence of ours, for what libraries raise, warn of and log may quote the file, and
with it the patient.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Concatenate, ParamSpec

import numpy as np
from numpy.typing import NDArray

from merl.errors import MerlError, RecordError
from merl.files import printable
from merl.records import ECGRecord, canonical_lead

#: Millivolts in one unit, in lower case: "mv" and "MV" are written, and no ECG has megavolts.
_MILLIVOLTS = {
    "mv": 1.0,
    "uv": 1e-3,
    "\N{MICRO SIGN}v": 1e-3,
    "\N{GREEK SMALL LETTER MU}v": 1e-3,
    "nv": 1e-6,
    "v": 1e3,
}

_Stated = ParamSpec("_Stated")
_Reader = Callable[Concatenate[str | Path, _Stated], ECGRecord]


def reader(what: str, or_else: str) -> Callable[[_Reader[_Stated]], _Reader[_Stated]]:
    """Make a function that reads a file raise ``RecordError``, whatever is in the file, and warn of nothing.

    Args:
        what: the file should be, for the sentence.
        or_else: what it is if it is not, and what to do.
    """

    def decorate(read: _Reader[_Stated]) -> _Reader[_Stated]:
        @wraps(read)
        def read_or_refuse(path: str | Path, *stated: _Stated.args, **named: _Stated.kwargs) -> ECGRecord:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    return read(path, *stated, **named)
            except MerlError:
                raise
            except FileNotFoundError as problem:
                raise RecordError(f"there is no file {problem.filename or path}") from None
            except Exception as problem:  # damaged files raise anything, from a wrong number to a full memory
                if isinstance(problem, OSError) and problem.strerror:
                    raise RecordError(f"cannot read {path}: {problem.strerror}") from None
                kind = type(problem).__name__
                raise RecordError(f"cannot read {path} as {what} ({kind}); {or_else}") from None

        return read_or_refuse

    return decorate


def millivolts(unit: str, where: str) -> float:
    """Return how many millivolts one ``unit`` is.

    Raises:
        RecordError: the unit is missing or is not one of mV, uV, nV and V; ``where`` opens the sentence.
    """
    if unit.lower() not in _MILLIVOLTS:
        given = f"has the unit {unit!r}" if unit else "has no unit"
        raise RecordError(f"{where} {given}, but a voltage is needed; write mV, uV or V into the file")
    return _MILLIVOLTS[unit.lower()]


def make_record(
    signal: NDArray[np.float64], sampling_rate: float, leads: Sequence[str], name: str
) -> ECGRecord:
    """Build the record from a signal of shape (leads, samples) in millivolts, refusing gaps.

    Raises:
        RecordError: samples are marked invalid or beyond all measure, a lead is named twice, the rate is no
            rate, or there is no signal.
    """
    names, name = tuple(canonical_lead(lead) for lead in leads), printable(name)
    with np.errstate(over="ignore"):
        single = np.ascontiguousarray(signal, np.float32)  # what is too large for it becomes infinite
    gaps = ~np.isfinite(single)
    if gaps.any():
        shares = [f"{lead} ({row.mean():.1%})" for lead, row in zip(names, gaps, strict=True) if row.any()]
        raise RecordError(
            f"record {name!r} has samples marked invalid in {', '.join(shares)};"
            " cut the record to a stretch without gaps"
        )
    return ECGRecord(single, float(sampling_rate), names, name)
