"""EDF and BDF (https://www.edfplus.info/specs), also with annotations (EDF+C, BDF+C); read by edfio."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from merl.errors import RecordError
from merl.readers.checks import make_record, millivolts
from merl.records import STANDARD_LEADS, ECGRecord, canonical_lead


def read_edf(path: str | Path) -> ECGRecord:
    """Read the ECG leads of an EDF or BDF file: labels of a standard lead, or that begin with ECG or EKG.

    Signals of other kinds are left, and patient and recording fields are not looked at.

    Raises:
        RecordError: the file is missing, damaged, truncated or interrupted, has no ECG lead, or its leads
            lack a voltage unit or a calibration, or differ in rate.
    """
    import edfio

    path = Path(path)
    read = edfio.read_bdf if path.suffix.lower() == ".bdf" else edfio.read_edf
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # it warns where a file is shorter than it announces
            data: Any = read(path, header_encoding="latin-1")
            interrupted = data.reserved.startswith(("EDF+D", "BDF+D"))
            signals = [item for item in data.signals if _is_ecg(item.label)]
            leads = [canonical_lead(item.label) for item in signals]
            ranges = [(*item.digital_range, *item.physical_range) for item in signals]
            units = [item.physical_dimension for item in signals]
            rates = {float(item.sampling_frequency) for item in signals}
    except FileNotFoundError:
        raise RecordError(f"there is no file {path}") from None
    except Exception as problem:  # damaged files raise anything, and the text may quote the header
        raise RecordError(
            f"cannot read {path} as EDF or BDF ({type(problem).__name__});"
            " it is truncated or damaged, get it again"
        ) from None
    if interrupted:
        raise RecordError(f"{path} was interrupted while recording (EDF+D); give a record without gaps")
    if not signals:
        raise RecordError(f"{path} has no ECG lead; label the leads ECG I, ECG II, ... as EDF+ does")
    if len(rates) != 1:
        raise RecordError(
            f"the leads of {path} have the rates {', '.join(f'{rate:g}' for rate in sorted(rates))} Hz;"
            " export them with one"
        )
    rows = []
    for lead, signal, unit, (low, high, least, most) in zip(leads, signals, units, ranges, strict=True):
        if low == high or least == most:
            raise RecordError(f"{path}: lead {lead} has no calibration; export it with its ranges")
        rows.append(signal.data * millivolts(unit, f"{path}: lead {lead}"))
    return make_record(np.stack(rows), rates.pop(), leads, path.stem)


def _is_ecg(label: str) -> bool:
    return canonical_lead(label) in STANDARD_LEADS or label.upper().startswith(("ECG", "EKG"))
