"""What ECG carts export: HL7 aECG, GE MUSE and Philips XML, and SCP-ECG; decoded by ecgdatakit.

The library decodes; here is what must be true of the result before it counts as a recording. It warns where
this project refuses, and rounds rates that are taken exactly here. Patients' names and numbers are in every
such file: nothing of what the library says or raises is passed on in its words.
"""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from merl.errors import RecordError
from merl.readers.checks import make_record, reader
from merl.records import ECGRecord

MAX_BYTES = 64 * 2**20  # ten minutes of twelve leads at 500 Hz are some 20 MB of aECG
_FORMATS = {"hl7_aecg", "ge_muse_xml", "sierra_xml", "scp_ecg"}
_ROOTS = ("AnnotatedECG", "RestingECG", "restingecgdata")
#: What the library warns of, and what that means here; the rest contradicts itself.
_BESIDE_THE_POINT = re.compile(
    r"representative beat|repbeats|median|reference beat length|value ignored|Unrecognised sequences|"
    r"rounded to|Section (?:1 has|4 QRS|5|12)"
)
_DOUBTS = {
    r"rhythm series found|in the rhythm series; only|Additional rhythm": "it holds several recordings",
    r"raw counts|unscaled|no signal resolution|raw ADC|no voltage": "a lead has no gain in volts",
    r"was not applied": "a lead has an offset of which nobody says what it means",
}
_SCP_POINTER = slice(22, 32)  # the first pointer of an SCP-ECG file describes section 0 itself
_CALIBRATION_SECONDS = 0.1  # leads that are equal for so long were not recorded


def is_cart_export(path: Path) -> bool:
    """Tell whether a file is XML of a kind that is read here, or SCP-ECG, by how it begins."""
    with path.open("rb") as handle:
        start = handle.read(4096)
    pointer = start[_SCP_POINTER]
    if len(pointer) == 10 and pointer[:2] == b"\0\0" and pointer[6:] == b"\x07\0\0\0":
        return True
    text = start.replace(b"\0", b"").decode("latin-1")  # Philips also writes UTF-16
    return any(re.search(rf"<(?:\w+:)?{root}[\s>]", text) for root in _ROOTS)


@reader("an ECG cart's export", "it is damaged or in a variant that is not read, export it again")
def read_cart_export(path: str | Path) -> ECGRecord:
    """Read the rhythm recording of an aECG, MUSE or Philips XML or SCP-ECG file, not its median beats.

    A lead that MUSE marks as off is left out. The second of calibration that Philips carts append, the same
    in every lead, is cut off.

    Raises:
        RecordError: the file is missing, damaged or larger than 64 MB, its checksums do not fit, or a lead
            lacks its unit or gain, begins later than another, or is named twice; or ecgdatakit is missing.
    """
    path = Path(path)
    found = _decode(path)
    if found.source_format not in _FORMATS:
        raise RecordError(f"{path} is in no format merl reads; give HL7 aECG, MUSE or Philips XML or SCP-ECG")
    leads = [lead for lead in found.leads if lead.annotations.get("LeadOff", "").upper() != "TRUE"]
    names = [lead.label for lead in leads]
    twice = [name for name in names if re.sub(r"_\d+$", "", name) in set(names) - {name}]
    if not leads or twice or len({len(lead.samples) for lead in leads}) != 1:
        raise RecordError(f"{path} has no leads, or they differ in length or name; export it again")
    for lead in leads:
        if lead.units != "mV" or not lead.adc_resolution:
            raise RecordError(f"{path}: lead {lead.label} has no gain in volts; export it with its gain")
        if {"start_sample", "LeadTimeOffset"} & lead.annotations.keys():
            raise RecordError(f"{path}: lead {lead.label} begins later than others; export leads in parallel")
    signal = np.stack([lead.samples for lead in leads])
    rate = _sampling_rate(found)
    if found.source_format == "sierra_xml":
        signal = _without_calibration(signal, rate)
    return make_record(signal, rate, names, path.stem)


def _decode(path: Path) -> Any:
    try:
        from ecgdatakit import FileParser
        from ecgdatakit.exceptions import ChecksumWarning
    except ImportError:
        raise RecordError(
            f"reading {path} needs ecgdatakit; run `pip install 'merl-ckepe[readers]'`"
        ) from None
    if path.stat().st_size > MAX_BYTES:
        raise RecordError(f"{path} has more than {MAX_BYTES >> 20} MB; export ten minutes at most")
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        found = FileParser.parse(path, units="mV")
    for warning in told:
        if issubclass(warning.category, ChecksumWarning):
            raise RecordError(f"the checksums of {path} do not fit; the file is damaged, get it again")
        text = str(warning.message)
        doubt = next((said for sign, said in _DOUBTS.items() if re.search(sign, text)), None)
        if doubt or not _BESIDE_THE_POINT.search(text):
            raise RecordError(
                f"{path} cannot be read without doubt: {doubt or 'it contradicts itself'}; export it again"
            )
    return found


def _sampling_rate(found: Any) -> float:
    """The exact rate, which the library rounds to whole hertz."""
    told = found.raw_metadata
    if "sampling_rate_exact" in told.get("rhythm_time", {}):
        return round(told["rhythm_time"]["sampling_rate_exact"], 6)  # 1 / 0.002 s is not quite 500
    if "rhythm_sample_interval_us" in told:
        return round(1e6 / told["rhythm_sample_interval_us"], 6)
    return float(found.leads[0].sampling_rate)


def _without_calibration(signal: NDArray[np.float64], rate: float) -> NDArray[np.float64]:
    """Cut off a pulse that all leads share at their end: no heart makes I, II and III equal."""
    differ = np.flatnonzero((signal != signal[0]).any(axis=0))
    end = int(differ[-1]) + 1 if len(differ) else 0
    shared = signal[0, end:]
    return signal[:, :end] if end and len(shared) > _CALIBRATION_SECONDS * rate and shared.any() else signal
