"""DICOM 12-lead ECG waveforms (PS3.3 A.34.3 and C.10.9, PS3.16 CID 3001).

Only the waveforms are read from the file: no name, birth date or identifier of the patient is loaded.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from merl.errors import RecordError
from merl.readers.checks import make_record, millivolts, reader
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


@reader(
    "a DICOM ECG", "it is truncated or damaged, or lacks something such an ECG must have; export it again"
)
def read_dicom(path: str | Path) -> ECGRecord:
    """Read the recording of a DICOM ECG: its one group of leads that was measured.

    Derived groups such as the median beat are passed over; without a measured one a derived one is read. The
    record is called by the file's stem.

    Raises:
        RecordError: the file is missing, damaged or truncated, has no ECG waveform or several, or a channel
            begins later than others or lacks its sensitivity or a voltage unit.
    """
    import pydicom

    path = Path(path)
    with _silent():
        data = pydicom.dcmread(path, specific_tags=["WaveformSequence"])
        groups = list(data.get("WaveformSequence") or [])
        if not groups:
            raise RecordError(f"{path} has no waveforms; give a DICOM 12-lead ECG, complete")
        kinds = [_preference(group) for group in groups]
        if kinds.count(max(kinds)) != 1:
            raise RecordError(f"{path} holds several recordings; export the one that is meant")
        index = kinds.index(max(kinds))
        group = groups[index]
        raw = _samples(path, data, index)
        leads = [_lead_name(channel) for channel in group.ChannelDefinitionSequence]
        signal = _to_millivolts(path, group, raw, leads)
        return make_record(signal, float(group.SamplingFrequency), leads, path.stem)


@contextmanager
def _silent() -> Iterator[None]:
    """Keep pydicom from logging, which it does with the bytes of what is damaged."""
    logger = logging.getLogger("pydicom")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)


def _preference(group: Any) -> tuple[bool, bool]:
    """Whether a group has standard leads, and was measured; never how many or long: a beat may have more."""
    leads = {_lead_name(channel) for channel in group.ChannelDefinitionSequence} & set(STANDARD_LEADS)
    return bool(leads), group.get("WaveformOriginality", "ORIGINAL") == "ORIGINAL"


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
        if _begins_late(channel, float(group.SamplingFrequency)):
            raise RecordError(f"{path}: lead {lead} begins later than others; export leads in parallel")
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


def _begins_late(channel: Any, rate: float) -> bool:
    """Tell whether a channel is shifted by a sample or more, before or after the others."""
    samples = float(channel.get("ChannelSampleSkew") or 0)
    seconds = [float(channel.get(name) or 0) for name in ("ChannelTimeSkew", "ChannelOffset")]
    return max(abs(samples), *(abs(value) * rate for value in seconds)) >= 1
