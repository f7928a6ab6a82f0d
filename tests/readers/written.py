"""ECG files in other formats, written byte by byte from the formats' descriptions.

Each function takes millivolts, shape (leads, samples), and puts a patient into the header whom no reader may
mention. Each is as short as the format allows a whole file to be.
"""

from __future__ import annotations

import base64
import binascii
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from merl.records import STANDARD_LEADS

LAST, FIRST, NUMBER = "Mustermann", "Eulalia", "PID-4711-X"  # the patient
SECRETS = (LAST, FIRST, NUMBER)

Signal = NDArray[np.float64]


def counts(signal: Signal, microvolts: float) -> NDArray[np.int64]:
    return np.round(signal * 1000 / microvolts).astype(np.int64)


def write_aecg(
    path: Path,
    signal: Signal,
    leads: Sequence[str] = STANDARD_LEADS,
    *,
    scale: str = '<scale value="2.5" unit="uV"/>',
    origin: str = '<origin value="0" unit="uV"/>',
    increment: str = '<increment value="0.002" unit="s"/>',
) -> Path:
    """Write HL7 aECG (ANSI/HL7 V3 ECG R1): rhythm series, one sequence of time and one for each lead."""
    sequences = "".join(
        f'<component><sequence><code code="MDC_ECG_LEAD_{lead.upper()}" codeSystem="2.16.840.1.113883.6.24"/>'
        f'<value xsi:type="SLIST_PQ">{origin}{scale}<digits>{" ".join(map(str, row))}</digits></value>'
        "</sequence></component>"
        for lead, row in zip(leads, counts(signal, 2.5), strict=True)
    )
    path.write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n<AnnotatedECG xmlns="urn:hl7-org:v3"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" type="Observation">'
        '<id root="61d1a24f-b47e-41aa-ae95-f8ac302f4eeb"/><code code="93000"/>'
        '<effectiveTime><low value="20260101101500"/></effectiveTime>'
        "<componentOf><timepointEvent><componentOf><subjectAssignment><subject><trialSubject>"
        f'<id root="1.2.3" extension="{NUMBER}"/><subjectDemographicPerson>'
        f"<name><given>{FIRST}</given><family>{LAST}</family></name>"
        "</subjectDemographicPerson></trialSubject></subject></subjectAssignment></componentOf>"
        "</timepointEvent></componentOf><component><series>"
        '<code code="RHYTHM" codeSystem="2.16.840.1.113883.5.4"/><component><sequenceSet>'
        '<component><sequence><code code="TIME_ABSOLUTE"/><value xsi:type="GLIST_TS">'
        f'<head value="20260101101500.000"/>{increment}</value></sequence></component>'
        f"{sequences}</sequenceSet></component></series></component></AnnotatedECG>\n",
        encoding="utf-8",
    )
    return path


def write_muse(
    path: Path,
    signal: Signal,
    leads: Sequence[str] = ("I", "II", *STANDARD_LEADS[6:]),
    *,
    unit: str = "MICROVOLTS",
    sample_base: str = "<SampleBase>500</SampleBase><SampleExponent>0</SampleExponent>",
    crc_error: int = 0,
    off: Sequence[str] = (),
    baseline: int = 0,
) -> Path:
    """Write a GE MUSE export (restecg.dtd): a median beat of one lead, then the rhythm of eight leads."""

    def lead_data(lead: str, row: NDArray[np.int64]) -> str:
        raw = row.astype("<i2").tobytes()
        return (
            f"<LeadData><LeadByteCountTotal>{len(raw)}</LeadByteCountTotal>"
            f"<LeadTimeOffset>0</LeadTimeOffset><LeadSampleCountTotal>{len(row)}</LeadSampleCountTotal>"
            "<LeadAmplitudeUnitsPerBit>4.88</LeadAmplitudeUnitsPerBit>"
            f"<LeadAmplitudeUnits>{unit}</LeadAmplitudeUnits><LeadID>{lead}</LeadID>"
            f"<FirstSampleBaseline>{baseline}</FirstSampleBaseline><LeadSampleSize>2</LeadSampleSize>"
            f"<LeadOff>{str(lead in off).upper()}</LeadOff>"
            f"<LeadDataCRC32>{zlib.crc32(raw) + crc_error}</LeadDataCRC32>"
            f"<WaveFormData>{base64.encodebytes(raw).decode()}</WaveFormData></LeadData>"
        )

    rows = counts(signal, 4.88)
    median = f"<WaveformType>Median</WaveformType>{sample_base}{lead_data('I', rows[0][:600])}"
    rhythm = "".join(lead_data(lead, row) for lead, row in zip(leads, rows, strict=True))
    path.write_text(
        '<?xml version="1.0" encoding="ISO-8859-1"?>\n<!DOCTYPE RestingECG SYSTEM "restecg.dtd">\n'
        "<RestingECG>"
        f"<MuseInfo><MuseVersion>9.0.9.18167</MuseVersion></MuseInfo><PatientDemographics>"
        f"<PatientID>{NUMBER}</PatientID><PatientLastName>{LAST}</PatientLastName>"
        f"<PatientFirstName>{FIRST}</PatientFirstName></PatientDemographics>"
        f"<Waveform>{median}</Waveform><Waveform><WaveformType>Rhythm</WaveformType>{sample_base}"
        f"<NumberofLeads>{len(leads)}</NumberofLeads>{rhythm}</Waveform></RestingECG>\n",
        encoding="iso-8859-1",
    )
    return path


def write_philips(
    path: Path,
    signal: Signal,
    leads: Sequence[str] = STANDARD_LEADS,
    *,
    resolution: str = "<resolution>5</resolution>",
    offset: int = 0,
    version: str = "1.04",
    encoding: str = "utf-8",
) -> Path:
    """Write a Philips export without compression: leads one after the other, 16 bits, little-endian."""
    raw = (counts(signal, 5) + offset).astype("<i2").tobytes()
    path.write_text(
        f'<?xml version="1.0" encoding="{encoding.upper()}"?>\n'
        '<restingecgdata xmlns="http://www3.medical.philips.com"><documentinfo>'
        f"<documenttype>PhilipsECG</documenttype><documentversion>{version}</documentversion></documentinfo>"
        f"<patient><generalpatientdata><patientid>{NUMBER}</patientid><name><lastname>{LAST}</lastname>"
        f"<firstname>{FIRST}</firstname></name></generalpatientdata></patient>"
        "<dataacquisition><signalcharacteristics><samplingrate>500</samplingrate>"
        f"{resolution}<signaloffset>{offset}</signaloffset><signalsigned>True</signalsigned>"
        f"<numberchannelsallocated>{len(leads)}</numberchannelsallocated></signalcharacteristics>"
        f'</dataacquisition><waveforms><parsedwaveforms dataencoding="Base64" numberofleads="{len(leads)}"'
        f' leadlabels="{" ".join(leads)}" durationperchannel="{signal.shape[1] * 2}">'
        f"{base64.b64encode(raw).decode()}</parsedwaveforms></waveforms></restingecgdata>\n",
        encoding=encoding,
    )
    return path


SCP_LEADS = {"I": 1, "II": 2, "III": 61, "aVR": 62, "aVL": 63, "aVF": 64} | {
    f"V{number}": number + 2 for number in range(1, 7)
}


def write_scp(
    path: Path,
    signal: Signal,
    leads: Sequence[str] = STANDARD_LEADS,
    *,
    interval: int = 2000,
    nanovolts: int = 2500,
    huffman: bool = True,
) -> Path:
    """Write SCP-ECG (EN 1064): sections 0, 1, 2, 3 and 6, amplitudes as they are or, by Huffman's code,
    as second differences."""
    rows = counts(signal, nanovolts / 1000)
    name = b"".join(
        struct.pack("<BH", tag, len(text) + 1) + text.encode() + b"\0"
        for tag, text in ((0, LAST), (1, FIRST), (2, NUMBER))
    )
    bodies = {1: name + struct.pack("<BH", 255, 0)}
    if huffman:
        bodies[2] = struct.pack("<H", 19999)  # the code of the standard's appendix C
    each = b"".join(struct.pack("<IIB", 1, rows.shape[1], SCP_LEADS[lead]) for lead in leads)
    bodies[3] = struct.pack("<BB", len(leads), 4 | len(leads) << 3) + each  # 4: recorded in parallel
    data = [huffman_code(second_differences(row)) if huffman else row.astype("<i2").tobytes() for row in rows]
    sizes = b"".join(struct.pack("<H", len(item)) for item in data)
    bodies[6] = struct.pack("<HHBB", nanovolts, interval, 2 * huffman, 0) + sizes + b"".join(data)
    path.write_bytes(_scp_record(bodies))
    return path


def second_differences(row: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([row[:2], np.diff(row, 2)])


def huffman_code(values: NDArray[np.int64]) -> bytes:
    """Encode by the default table: 0 is 0, +-1 to +-8 are n ones, 0 and a sign, the rest 8 or 16 bits raw."""
    bits = []
    for value in values.tolist():
        if value == 0:
            bits.append("0")
        elif abs(value) <= 8:
            bits.append("1" * abs(value) + "0" + ("1" if value < 0 else "0"))
        elif -128 <= value <= 127:
            bits.append("1111111110" + format(value & 0xFF, "08b"))
        else:
            bits.append("1111111111" + format(value & 0xFFFF, "016b"))
    text = "".join(bits)
    text += "0" * (-len(text) % 16)
    return int(text, 2).to_bytes(len(text) // 8, "big")


def _scp_record(bodies: dict[int, bytes]) -> bytes:
    def section(number: int, body: bytes, reserved: bytes = bytes(6)) -> bytes:
        body += bytes(len(body) % 2)  # sections have even lengths
        rest = struct.pack("<HIBB", number, 16 + len(body), 20, 20) + reserved + body
        return struct.pack("<H", binascii.crc_hqx(rest, 0xFFFF)) + rest

    sections = {number: section(number, body) for number, body in bodies.items()}
    sizes = {0: 16 + 10 * 12} | {number: len(item) for number, item in sections.items()}
    pointers, at = b"", 7  # bytes are counted from 1, after checksum and size of the record
    for number in range(12):
        size = sizes.get(number, 0)
        pointers += struct.pack("<HII", number, size, at if size else 0)
        at += size
    body = section(0, pointers, b"SCPECG") + b"".join(sections.values())
    rest = struct.pack("<I", 6 + len(body)) + body
    return struct.pack("<H", binascii.crc_hqx(rest, 0xFFFF)) + rest


def write_bdf(
    path: Path,
    signal: Signal,
    labels: Sequence[str],
    *,
    rate: int = 500,
    unit: str = "uV",
    digital: tuple[int, int] = (-8388608, 8388607),
    physical: tuple[int, int] = (-8388608, 8388607),
    kind: str = "24BIT",
) -> Path:
    """Write BDF: EDF's header with 24-bit samples, one record a second; a signal may have fewer samples."""
    seconds = signal.shape[1] // rate
    steps = (digital[1] - digital[0]) / (physical[1] - physical[0])
    rows = np.round((signal * 1000 - physical[0]) * steps + digital[0]).astype(np.int64)

    def fields(width: int, *values: object) -> bytes:
        return b"".join(str(value).ljust(width).encode("latin-1") for value in values)

    n = len(labels)
    header = b"\xffBIOSEMI" + fields(80, f"{NUMBER} F 01-JAN-1950 {FIRST}_{LAST}", "Startdate X")
    header += fields(8, "01.01.26", "10.15.00", 256 * (n + 1)) + fields(44, kind) + fields(8, seconds, 1)
    header += fields(4, n) + fields(16, *labels) + fields(80, *[""] * n) + fields(8, *[unit] * n)
    for value in (physical[0], physical[1], digital[0], digital[1]):
        header += fields(8, *[value] * n)
    header += fields(80, *[""] * n) + fields(8, *[rate] * n) + fields(32, *[""] * n)
    blocks = rows.reshape(n, seconds, rate).transpose(1, 0, 2)  # (seconds, signals, samples)
    path.write_bytes(header + blocks.astype("<i4").reshape(-1, 1).view(np.uint8)[:, :3].tobytes())
    return path
