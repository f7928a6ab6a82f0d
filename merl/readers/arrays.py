"""NumPy files: an array of leads by samples or samples by leads, or one array for each lead."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from merl.errors import RecordError
from merl.readers.checks import make_record, millivolts, reader
from merl.readers.stated import Stated, beside
from merl.records import STANDARD_LEADS, ECGRecord, canonical_lead

_SIGNAL = "signal"


@reader(
    "NumPy numbers",
    f"give an array, or an .npz of {_SIGNAL} and leads or of one array a lead, saved without pickle",
)
def read_array(path: str | Path, given: Stated = Stated()) -> ECGRecord:  # noqa: B008 - it is frozen
    """Read an ``.npy`` or ``.npz`` file; pickled objects are refused.

    An ``.npy`` holds one array, whose rows or columns ``leads`` name. An ``.npz`` holds ``signal`` with
    ``leads``, or one array under each lead's name, and may state ``sampling_rate`` and ``unit``.

    Raises:
        RecordError: the file is missing or damaged, or rate, unit or leads are not stated or contradict the
            file's shape or one another.
    """
    path = Path(path)
    signal, said = _read(path)
    stated = given.agreeing(beside(path), path).agreeing(said, path)
    for name in ("sampling_rate", "unit", "leads"):
        if getattr(stated, name) is None:
            raise RecordError(f"{path} does not say its {name}; give it, or write it into {path.stem}.json")
    leads = stated.leads or ()
    if signal.ndim != 2 or signal.dtype.kind not in "iuf" or len(leads) not in signal.shape:
        raise RecordError(
            f"{path} holds {signal.dtype} of shape {signal.shape} for {len(leads)} leads;"
            " give numbers of shape (leads, samples)"
        )
    if signal.shape[0] == signal.shape[1]:
        raise RecordError(f"{path} has as many samples as leads, so which is which is unknown; give an .npz")
    rows = signal if signal.shape[0] == len(leads) else signal.T
    rows = rows.astype(np.float64) * millivolts(stated.unit or "", str(path))
    return make_record(rows, stated.sampling_rate or 0.0, leads, path.stem)


def _read(path: Path) -> tuple[NDArray[Any], Stated]:
    """Return the array, and what the file states about it."""
    with path.open("rb") as handle:  # NumPy leaves a damaged archive open
        loaded = np.load(handle, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return loaded, Stated()
        parts = {name: loaded[name] for name in loaded.files}
    rate = float(parts["sampling_rate"]) if "sampling_rate" in parts else None
    unit = str(parts["unit"].astype(str)) if "unit" in parts else None  # also of bytes
    named = {name: part for name, part in parts.items() if canonical_lead(name) in STANDARD_LEADS}
    if _SIGNAL not in parts:
        return np.stack(list(named.values())), Stated(rate, unit, tuple(named))
    if named:
        raise RecordError(f"{path} has {_SIGNAL} and also arrays named as leads; leave one of them out")
    leads = tuple(parts["leads"].astype(str).tolist()) if "leads" in parts else None
    return parts[_SIGNAL], Stated(rate, unit, leads)
