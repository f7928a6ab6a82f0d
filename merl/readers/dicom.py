"""DICOM 12-lead ECG waveforms (PS3.3 A.34.3 and C.10.9, PS3.16 CID 3001).

Only the waveforms are read from the file: no name, birth date or identifier of the patient is loaded.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from merl.errors import RecordError
from merl.readers.checks import make_record, millivolts
from merl.records import STANDARD_LEADS, ECGRecord, canonical_lead

#: Lead numbers of SCP-ECG (EN 1064), which the codes of SCPECG (5.6.3-9-N) and MDC (2:N) both end in.
_LEAD_NUMBERS = {1: "I", 2: "II", 3: "V1", 4: "V2", 5: "V3", 6: "V4", 7: "V5", 8: "V6"} | {
    61: "III",
    62: "aVR",
    63: "aVL",
    64: "aVF",
}
_LEAD_CODE = re.compile(r"(?:5\.6\.3-9-|2:)(\d+)")
_TYPES = {("SS", 16), ("US", 16), ("SB", 8), ("UB", 8), ("SL", 32), ("UL", 32)}


def is_dicom(path: Path) -> bool:
    """Tell whether a file carries DICOM's mark, ``DICM`` after 128 bytes."""
    with path.open("rb") as handle:
        return handle.read(132)[128:] == b"DICM"


def read_dicom(path: str | Path) -> ECGRecord:
    """Read the recording of a DICOM ECG: the group with most leads, measured not derived, longest.

    Groups such as the median beat are passed over. The record is called by the file's stem.

    Raises:
        RecordError: the file is missing, damaged or truncated, has no ECG waveform, or a channel lacks its
            sensitivity or a voltage unit.
    """
    import pydicom

    path = Path(path)
    try:
        data = pydicom.dcmread(path, specific_tags=["WaveformSequence"])
        groups = list(data.get("WaveformSequence") or [])
    except FileNotFoundError:
        raise RecordError(f"there is no file {path}") from None
    except Exception as problem:  # the text of the problem may quote the file, so only its kind is told
        raise RecordError(
            f"cannot read {path} as DICOM ({type(problem).__name__});"
            " it is truncated or damaged, get it again"
        ) from None
    if not groups:
        raise RecordError(f"{path} has no waveforms; give a DICOM 12-lead ECG, complete")
    try:
        index = max(range(len(groups)), key=lambda number: _preference(groups[number]))
        group = groups[index]
        raw = _samples(path, data, index)
        leads = [_lead_name(channel) for channel in group.ChannelDefinitionSequence]
        signal = _to_millivolts(path, group, raw, leads)
        rate = float(group.SamplingFrequency)
    except (AttributeError, KeyError, IndexError, TypeError, ValueError) as problem:
        raise RecordError(
            f"{path} lacks something a DICOM ECG must have ({type(problem).__name__}); export it again"
        ) from None
    return make_record(signal, rate, leads, path.stem)


def _preference(group: Any) -> tuple[int, bool, float]:
    leads = {_lead_name(channel) for channel in group.ChannelDefinitionSequence} & set(STANDARD_LEADS)
    measured = group.get("WaveformOriginality", "ORIGINAL") == "ORIGINAL"
    return len(leads), measured, int(group.NumberOfWaveformSamples) / float(group.SamplingFrequency)


def _lead_name(channel: Any) -> str:
    source = channel.ChannelSourceSequence[0]
    code = _LEAD_CODE.fullmatch(str(source.get("CodeValue", "")))
    if code and int(code[1]) in _LEAD_NUMBERS:
        return _LEAD_NUMBERS[int(code[1])]
    return canonical_lead(re.sub(r"\(.*\)", "", str(source.get("CodeMeaning", ""))))


def _samples(path: Path, data: Any, index: int) -> NDArray[np.float64]:
    """Return the raw numbers of one group, shape (leads, samples), padding as NaN."""
    from pydicom.waveforms import multiplex_array

    group = data.WaveformSequence[index]
    bits = int(group.WaveformBitsAllocated)
    kind = str(group.WaveformSampleInterpretation)
    if (kind, bits) not in _TYPES:
        raise RecordError(
            f"{path}: samples of type {kind} with {bits} bits are not read; export linear 16-bit samples"
        )
    expected = int(group.NumberOfWaveformChannels) * int(group.NumberOfWaveformSamples) * bits // 8
    if not expected <= len(group.WaveformData) <= expected + 1:  # one byte may pad to even length
        raise RecordError(
            f"{path} holds {len(group.WaveformData)} bytes of waveform and announces {expected};"
            " it is truncated or damaged, get it again"
        )
    raw = multiplex_array(data, index, as_raw=True).T.astype(np.float64)
    padding = group.get("WaveformPaddingValue")
    if padding is not None:
        if isinstance(padding, bytes):
            padding = int.from_bytes(padding[: bits // 8], "little", signed=kind.startswith("S"))
        raw[raw == float(padding)] = np.nan
    return raw


def _to_millivolts(path: Path, group: Any, raw: NDArray[np.float64], leads: list[str]) -> NDArray[np.float64]:
    """Apply sensitivity, its correction and the baseline, channel by channel."""
    rows = []
    for lead, channel, row in zip(leads, group.ChannelDefinitionSequence, raw, strict=True):
        if "ChannelSensitivity" not in channel:
            raise RecordError(
                f"{path}: lead {lead} has no channel sensitivity; export it with calibrated channels"
            )
        units = channel.get("ChannelSensitivityUnitsSequence")
        unit = str(units[0].CodeValue) if units else ""
        factor = float(channel.ChannelSensitivity) * float(
            channel.get("ChannelSensitivityCorrectionFactor") or 1.0
        )
        baseline = float(channel.get("ChannelBaseline") or 0.0)  # in the sensitivity's unit
        rows.append((row * factor + baseline) * millivolts(unit, f"{path}: lead {lead}"))
    return np.stack(rows)
