"""WFDB records: PTB-XL, MIT-BIH, and the PhysioNet Challenge's ``.hea`` with ``.mat``.

The header is the one of https://physionet.org/physiotools/wag/header-5.htm and is read here: the wfdb library
takes a missing gain for 200, drops the micro sign (so that microvolts become volts) and needs ten times the
time of everything else. It reads the signal files, except the plainest and by far most frequent ones. The
Challenge's ``.mat`` files are such plain files after a prefix of 24 bytes, so one reader serves both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from merl.errors import RecordError
from merl.readers.checks import make_record, millivolts, reader
from merl.records import ECGRecord

_CALIBRATION = re.compile(
    r"(?P<gain>[-+]?\d+\.?\d*(?:[eE][-+]?\d+)?)(?:\((?P<baseline>[-+]?\d+)\))?(?:/(?P<unit>\S+))?"
)
_FORMAT = re.compile(r"(?P<code>\d+)(?:x(?P<frame>\d+))?(?::(?P<skew>\d+))?(?:\+(?P<prefix>\d+))?")
_INVALID_16 = -32768  # how format 16 marks a sample that was not recorded


@dataclass(frozen=True)
class _Signal:
    """One signal line of a header; millivolts are (sample - baseline) * scale."""

    file: str
    format: str  # 16, 212 and so on; with ":" where the signal is skewed
    prefix: int  # bytes before the samples
    scale: float
    baseline: int
    checksum: int
    lead: str


@dataclass(frozen=True)
class _Header:
    path: Path
    sampling_rate: float
    samples: int | None
    signals: tuple[_Signal, ...]


@reader("a WFDB record", "it is truncated, damaged or in an unknown format, get it again")
def read_wfdb(path: str | Path) -> ECGRecord:
    """Read a WFDB record from its header; the signal file it names must lie beside it.

    A signal without a unit is in millivolts, as the format says; one without a gain is refused.

    Raises:
        RecordError: a file is missing, damaged or truncated (lengths and checksums are compared), samples are
            marked invalid, or a signal has no rate, gain, voltage unit or lead name.
    """
    path = Path(path)
    path = path if path.suffix.lower() == ".hea" else path.parent / f"{path.name}.hea"
    record_line, *lines = _header_lines(path)
    if "/" in record_line[0]:
        return _read_segments(path, record_line, lines)
    header = _parse(path, record_line, lines)
    plain = len({(item.file, item.format, item.prefix) for item in header.signals}) == 1
    if plain and header.signals[0].format == "16":
        raw = _read_format_16(header)
        invalid = raw == _INVALID_16
    else:
        raw, invalid = _read_by_library(header)
    _compare_checksums(header, raw)
    baselines = np.array([[item.baseline] for item in header.signals], np.int64)
    signal = (raw - baselines) * np.array([[item.scale] for item in header.signals])  # (leads, samples)
    signal[invalid] = np.nan
    return make_record(signal, header.sampling_rate, [item.lead for item in header.signals], path.stem)


def _header_lines(path: Path) -> list[list[str]]:
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise RecordError(f"there is no header {path}; put it beside its signal file") from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")  # what older recorders write the micro sign in
    lines = [line.split() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if not lines or len(lines[0]) < 2:
        raise RecordError(
            f"{path} is no WFDB header; its first line must name the record and count its signals"
        )
    return lines


def _parse(path: Path, record_line: list[str], lines: list[list[str]]) -> _Header:
    if record_line[1] != str(len(lines)) or not lines:
        raise RecordError(
            f"{path} describes {len(lines)} signals and announces another number;"
            " the header is cut short or damaged, get it again"
        )
    if len(record_line) < 3:
        raise RecordError(f"{path} gives no sampling rate; write it into the first line, in Hz")
    try:
        rate = float(record_line[2].partition("/")[0])
        samples = int(record_line[3]) if len(record_line) > 3 else None
    except ValueError:
        raise RecordError(f"{path} is damaged in its first line; get it again") from None
    signals = tuple(_parse_signal(path, number, line) for number, line in enumerate(lines, 1))
    if samples is not None and samples < 0:
        raise RecordError(f"{path} announces {samples} samples; the header is damaged, get it again")
    return _Header(path, rate, samples or None, signals)  # 0 is how the format says that it is unknown


def _parse_signal(path: Path, number: int, line: list[str]) -> _Signal:
    where = f"{path}: signal {number}"
    if len(line) < 9:
        raise RecordError(
            f"{where} has no lead name; write it at the end of its line, after the eight fields"
        )
    where += f" ({' '.join(line[8:])})"
    form, calibration = _FORMAT.fullmatch(line[1]), _CALIBRATION.fullmatch(line[2])
    if form is None or calibration is None or float(calibration["gain"]) == 0:
        raise RecordError(
            f"{where} has no calibration, or one that is not understood; write format, gain and unit"
        )
    if int(form["frame"] or 1) != 1:
        raise RecordError(f"{where} has another rate than the record; give a record with one rate")
    if not _beside(path, line[0]).is_file():
        raise RecordError(f"{path} names the signal file {line[0]}, which is not there; put it beside it")
    try:
        zero, checksum = int(line[4]), int(line[6])
    except ValueError:
        raise RecordError(f"{where} has damaged fields; get the header again") from None
    return _Signal(
        file=line[0],
        format=form["code"] + (":" if form["skew"] else ""),
        prefix=int(form["prefix"] or 0),
        scale=millivolts(calibration["unit"] or "mV", where) / float(calibration["gain"]),
        baseline=int(calibration["baseline"]) if calibration["baseline"] else zero,
        checksum=checksum,
        lead=" ".join(line[8:]),
    )


def _beside(path: Path, name: str) -> Path:
    """Return the file of a bare name in the header's folder.

    Raises:
        RecordError: the name leads out of the folder.
    """
    if "/" in name or "\\" in name:
        raise RecordError(
            f"{path} names a file in another folder; put it beside the header, and its name in it"
        )
    return path.parent / name


def _read_format_16(header: _Header) -> NDArray[np.int64]:
    """Read interleaved little-endian 16-bit samples; returns shape (leads, samples)."""
    file = header.path.parent / header.signals[0].file
    raw = np.frombuffer(file.read_bytes()[header.signals[0].prefix :], np.uint8)
    frame = 2 * len(header.signals)
    expected = frame * header.samples if header.samples else raw.size - raw.size % frame
    if raw.size < expected or not expected or (header.samples is None and raw.size != expected):
        raise RecordError(
            f"{file} is truncated: {raw.size // frame} complete samples a lead, its header announces"
            f" {header.samples or 'whole ones'}; get it again"
        )
    return raw[:expected].view("<i2").reshape(-1, len(header.signals)).T.astype(np.int64)


def _read_by_library(header: _Header) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Read any other format; returns the samples, shape (leads, samples), and which are marked invalid."""
    import wfdb

    record = wfdb.rdrecord(str(header.path.with_name(header.path.stem)), physical=False, return_res=64)
    raw = np.asarray(record.d_signal, np.int64).T
    invalid = np.isnan(record.dac(return_res=64)).T
    if header.samples and raw.shape[1] != header.samples:
        raise RecordError(
            f"{header.path} announces {header.samples} samples and has {raw.shape[1]}; get it again"
        )
    return raw, invalid


def _compare_checksums(header: _Header, raw: NDArray[np.int64]) -> None:
    if not any(item.checksum for item in header.signals):
        return  # writers that compute none fill in zeros
    sums = raw.sum(axis=1)
    wrong = [
        item.lead for item, total in zip(header.signals, sums, strict=True) if (total - item.checksum) % 65536
    ]
    if wrong:
        raise RecordError(
            f"the samples of {header.path} do not add up to its checksums in {', '.join(wrong)};"
            " the file is damaged, get it again"
        )


def segments(path: Path) -> list[str]:
    """Return the headers' names of the segments of a multi-segment record, none of any other.

    Raises:
        RecordError: the header is damaged.
    """
    record_line, *lines = _header_lines(path)
    return [f"{line[0]}.hea" for line in lines] if "/" in record_line[0] else []


def _read_segments(path: Path, record_line: list[str], lines: list[list[str]]) -> ECGRecord:
    """Join the segments of a multi-segment record; they must share leads and rate and leave no gap."""
    parts = []
    for line in lines:
        if line[-1] == "0":  # the layout segment of a record of variable layout
            continue
        if line[0] == "~":
            raise RecordError(f"{path} has gaps between its segments; give the segments one by one")
        segment = _beside(path, f"{line[0]}.hea")
        if "/" in _header_lines(segment)[0][0]:
            raise RecordError(
                f"the segment {segment} is made of segments itself; {path} is damaged, get it again"
            )
        parts.append(read_wfdb(segment))
        if line[1:] != [str(parts[-1].signal.shape[1])]:
            raise RecordError(f"{path} and its segment {segment.name} differ in length; get both again")
    if len({(part.leads, part.sampling_rate) for part in parts}) != 1:
        raise RecordError(f"the segments of {path} differ in leads or rate; give the segments one by one")
    signal = np.concatenate([part.signal for part in parts], axis=1)
    announced = [record_line[0].partition("/")[2], *record_line[3:4]]
    if announced != [str(len(lines)), str(signal.shape[1])][: len(announced)]:
        raise RecordError(f"{path} announces other segments or samples than it has; get it again")
    return make_record(signal.astype(np.float64), parts[0].sampling_rate, parts[0].leads, path.stem)
