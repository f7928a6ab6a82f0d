"""EDF and BDF (https://www.edfplus.info/specs), also with annotations (EDF+C, BDF+C); read by edfio."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from merl.errors import RecordError
from merl.readers.checks import make_record, millivolts, reader
from merl.records import STANDARD_LEADS, ECGRecord, canonical_lead

#: Leads beside the standard ones whose names are kept; other labels are free text, in which a patient may be.
_OTHER_LEADS = re.compile(r"-?aVR|V\d{1,2}R?|M?V\d|ML?I{1,3}|C[CMS]\d|[XYZ]|ES|AS|AI|(?:E[CK]G)?\d{0,2}")


@reader("EDF or BDF", "it is truncated or damaged, get it again")
def read_edf(path: str | Path) -> ECGRecord:
    """Read the ECG leads of an EDF or BDF file: labels of a standard lead, or that begin with ECG or EKG.

    Signals of other kinds are left, and patient and recording fields are not looked at. A lead whose name is
    not known is called ECG and its number among the signals.

    Raises:
        RecordError: the file is missing, damaged, truncated or interrupted, has no ECG lead, or its leads
            lack a voltage unit or a calibration, or differ in rate.
    """
    import edfio

    path = Path(path)
    read = edfio.read_bdf if path.suffix.lower() == ".bdf" else edfio.read_edf
    warnings.simplefilter("error")  # of a file that is shorter than it announces; for this function alone
    data: Any = read(path, header_encoding="latin-1")
    if data.reserved.startswith(("EDF+D", "BDF+D")):
        raise RecordError(f"{path} was interrupted while recording (EDF+D); give a record without gaps")
    named = {number: item for number, item in enumerate(data.signals, 1) if _is_ecg(item.label)}
    signals, leads = list(named.values()), [_lead(item.label, number) for number, item in named.items()]
    rates = {float(item.sampling_frequency) for item in signals}
    if not signals:
        raise RecordError(f"{path} has no ECG lead; label the leads ECG I, ECG II, ... as EDF+ does")
    if len(rates) != 1:
        raise RecordError(
            f"the leads of {path} have the rates {', '.join(f'{rate:g}' for rate in sorted(rates))} Hz;"
            " export them with one"
        )
    rows = []
    for lead, signal in zip(leads, signals, strict=True):
        (low, high), (least, most) = signal.digital_range, signal.physical_range
        if low == high or least == most:
            raise RecordError(f"{path}: lead {lead} has no calibration; export it with its ranges")
        rows.append(signal.data * millivolts(signal.physical_dimension, f"{path}: lead {lead}"))
    return make_record(np.stack(rows), rates.pop(), leads, path.stem)


def _is_ecg(label: str) -> bool:
    return canonical_lead(label) in STANDARD_LEADS or label.upper().startswith(("ECG", "EKG"))


def _lead(label: str, number: int) -> str:
    lead = canonical_lead(label)
    return lead if lead in STANDARD_LEADS or _OTHER_LEADS.fullmatch(lead) else f"ECG{number}"
