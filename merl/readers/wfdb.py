"""WFDB records: PTB-XL, MIT-BIH, and the PhysioNet Challenge's ``.hea`` with ``.mat``.

The header format is the one of https://physionet.org/physiotools/wag/header-5.htm. The Challenge's ``.mat`` files
are WFDB signal files with a 24-byte prefix, so one reader serves both.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from merl.errors import RecordError
from merl.readers.checks import make_record, millivolts
from merl.records import ECGRecord

_CALIBRATION = re.compile(r"(?P<gain>[-+\d.eE]+)(\([-+\d]+\))?/(?P<unit>\S+)")


def read_wfdb(path: str | Path) -> ECGRecord:
    """Read a WFDB record from its header; the signal file it names is looked for beside it.

    Raises:
        RecordError: a file is missing, damaged or truncated, samples are invalid, or a signal has no rate, gain,
            voltage unit or lead name. Checksums are compared where the header gives them.
    """
    path = Path(path)
    header = path if path.suffix == ".hea" else path.parent / f"{path.name}.hea"
    record_line, lines = _header_lines(header)
    if "/" in record_line[0]:
        return _read_segments(header, record_line, lines)
    _check_header(header, record_line, lines)
    scales = [_scale(header, number, line) for number, line in enumerate(lines, 1)]
    record = _samples(header)
    _check_sums(header, record)
    signal = record.dac(return_res=64).T * np.asarray(scales)[:, None]  # (leads, samples), invalid samples as NaN
    return make_record(signal, record.fs, [name.strip() for name in record.sig_name], header.stem)


def _header_lines(header: Path) -> tuple[list[str], list[list[str]]]:
    try:
        raw = header.read_bytes()
    except FileNotFoundError:
        raise RecordError(f"there is no header {header}; put it beside its signal file") from None
    except OSError as problem:
        raise RecordError(f"cannot read {header}: {problem.strerror}") from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")  # what older recorders write the micro sign in
    lines = [line.split() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if not lines or len(lines[0]) < 2:
        raise RecordError(f"{header} is not a WFDB header; its first line must name the record and its signals")
    return lines[0], lines[1:]


def _check_header(header: Path, record_line: list[str], lines: list[list[str]]) -> None:
    if record_line[1] != str(len(lines)) or not lines:
        raise RecordError(
            f"{header} announces {record_line[1]} signals and describes {len(lines)};"
            " the header is cut short or damaged, get it again"
        )
    if len(record_line) < 3:
        raise RecordError(f"{header} gives no sampling rate; write it into the first line, in Hz")
    for number, line in enumerate(lines, 1):
        if len(line) < 9:
            raise RecordError(f"{header}: signal {number} has no lead name; write it at the end of its line")
        if "x" in line[1].split("+")[0]:
            frame = line[1].split("x")[1].split("+")[0].split(":")[0]
            if frame != "1":
                raise RecordError(
                    f"{header}: signal {number} has {frame} samples a frame, so leads have different rates;"
                    " give a record with one rate"
                )
        if not (header.parent / line[0]).is_file():
            raise RecordError(f"{header} names the signal file {line[0]}, which is not there; put it beside it")


def _scale(header: Path, number: int, line: list[str]) -> float:
    """Return millivolts per unit of one signal.

    Read here and not by the wfdb library: it takes a missing unit for mV, a missing gain for 200, and drops the
    micro sign, which turns microvolts into volts.
    """
    where = f"{header}: signal {number} ({' '.join(line[8:])})"
    found = _CALIBRATION.fullmatch(line[2])
    if found is None:
        return millivolts(line[2].partition("/")[2], where)
    try:
        gain = float(found["gain"])
    except ValueError:
        gain = 0.0
    if gain == 0:
        raise RecordError(f"{where} is not calibrated (gain {found['gain']}); write its gain into the header")
    return millivolts(found["unit"], where)


def _samples(header: Path) -> Any:
    import wfdb

    try:
        record = wfdb.rdrecord(str(header.with_name(header.stem)), physical=False, return_res=64)
    except Exception as problem:  # damaged files raise anything, from IndexError to MemoryError's kin
        raise RecordError(
            f"cannot read the record {header}: its signal file is truncated or damaged"
            f" ({type(problem).__name__}: {problem}); get it again"
        ) from None
    if record.d_signal is None or not record.fs or record.fs <= 0:
        raise RecordError(f"{header} has no signal or no sampling rate above 0 Hz; get it again")
    return record


def _check_sums(header: Path, record: Any) -> None:
    actual = record.calc_checksum()
    wrong = [
        name
        for name, given, computed in zip(record.sig_name, record.checksum, actual, strict=True)
        if given is not None and (given - computed) % 65536
    ]
    if wrong:
        raise RecordError(
            f"the samples of {header} do not add up to the checksums of its header in {', '.join(wrong)};"
            " the file is damaged, get it again"
        )


def _read_segments(header: Path, record_line: list[str], lines: list[list[str]]) -> ECGRecord:
    """Join the segments of a multi-segment record; they must share leads and rate and leave no gap."""
    parts = []
    for line in lines:
        if line[-1] == "0":  # the layout segment of a record of variable layout
            continue
        if line[0] == "~":
            raise RecordError(f"{header} has gaps between its segments; give the segments one by one")
        if "/" in line[0] or line[0] == header.stem:
            raise RecordError(f"{header} names itself or a path as a segment; the header is damaged")
        parts.append(read_wfdb(header.parent / f"{line[0]}.hea"))
    if not parts or any(
        (part.leads, part.sampling_rate) != (parts[0].leads, parts[0].sampling_rate) for part in parts
    ):
        raise RecordError(f"the segments of {header} differ in leads or rate; give the segments one by one")
    signal = np.concatenate([part.signal for part in parts], axis=1)
    return make_record(signal.astype(np.float64), parts[0].sampling_rate, parts[0].leads, header.stem)
