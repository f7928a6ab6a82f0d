"""CPSC2018 as published: MATLAB 5 files with a struct ``ECG`` of sex, age and data (Liu et al. 2018).

Twelve leads in the order below, 500 Hz, millivolts; the files themselves say none of this. Their few elements
are read here (MAT-File Format, The MathWorks, level 5): SciPy's reader is fast and trusts every byte, so that
a damaged file ends not the reading but the process.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from merl.errors import RecordError
from merl.readers.checks import make_record, reader
from merl.records import STANDARD_LEADS, ECGRecord

SAMPLING_RATE = 500.0
LEADS = STANDARD_LEADS  # I II III aVR aVL aVF V1-V6, the order the challenge's description gives

_HEADER = 128  # bytes, of which the last two tell the byte order
_COMPRESSED = 15
_NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_MAX_BYTES = 64 * 2**20  # unpacked; the longest record of the challenge has 7 MB


class _Element(NamedTuple):
    kind: int
    body: bytes


@reader("a CPSC2018 record", "it is truncated or damaged, or another MATLAB file; get it again")
def read_cpsc2018(path: str | Path) -> ECGRecord:
    """Read one original CPSC2018 record; sex and age are left behind.

    Raises:
        RecordError: the file is missing, damaged, or holds no ``ECG.data`` of 12 leads.
    """
    path = Path(path)
    raw = path.read_bytes()
    if 0 in raw[:4]:  # MATLAB 4 begins with a number, and 5 with text
        raise RecordError(f"{path} is no CPSC2018 record; put its header {path.stem}.hea beside it")
    signal = _read_data(raw)
    if signal.ndim != 2 or len(signal) != len(LEADS):
        raise RecordError(
            f"{path}: ECG.data has shape {signal.shape} and not (12, samples); give an unchanged file"
        )
    return make_record(signal.astype(np.float64), SAMPLING_RATE, LEADS, path.stem)


def _read_data(raw: bytes) -> NDArray[np.generic]:
    """Return the field ``data`` of the one variable ``ECG``, a struct.

    Raises:
        ValueError: the file is something else.
    """
    order = "<" if raw[_HEADER - 2 : _HEADER] == b"IM" else ">"
    (variable,) = _elements(raw[_HEADER:], order)
    if variable.kind == _COMPRESSED:
        unpacking = zlib.decompressobj()
        (variable,) = _elements(unpacking.decompress(variable.body, _MAX_BYTES), order)
        if not unpacking.eof:
            raise ValueError("cut short, or too long")
    _, _, name, width, names, *values = _elements(variable.body, order)
    if name.body != b"ECG":
        raise ValueError("another variable")
    (step,) = struct.unpack(f"{order}i", width.body)
    fields = [names.body[at : at + step].rstrip(b"\0") for at in range(0, len(names.body), step)]
    data = dict(zip(fields, values, strict=True))[b"data"]
    _, shape, _, numbers = _elements(data.body, order)  # complex ones have a fifth part
    found = np.frombuffer(numbers.body, order + _NUMBERS[numbers.kind])
    return found.reshape(np.frombuffer(shape.body, f"{order}i4"), order="F")


def _elements(data: bytes, order: str) -> Iterator[_Element]:
    at = 0
    while at < len(data):
        kind, size = struct.unpack_from(f"{order}II", data, at)
        begin = at + 8
        if kind >> 16:  # up to four bytes share the tag's eight with their size and type
            kind, size, begin = kind & 0xFFFF, kind >> 16, at + 4
        body = data[begin : begin + size]
        if len(body) != size or (begin == at + 4 and size > 4):
            raise ValueError("cut short")
        yield _Element(kind, body)
        at = begin + size
        if kind != _COMPRESSED:
            at += -at % 8
