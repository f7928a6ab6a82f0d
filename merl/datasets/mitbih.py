"""MIT-BIH Arrhythmia Database 1.0.0: 48 half-hour recordings, two leads at 360 Hz, every beat annotated.

Moody and Mark, The impact of the MIT-BIH Arrhythmia Database, IEEE Eng. in Med. and Biol. 20:45 (2001),
doi:10.1109/51.932724; on PhysioNet as doi:10.13026/C2F305, licence ODC-By 1.0. A record here is a window of
10 s, 180 in a recording (the 5.6 s that remain are left out); it has every AAMI group (ANSI/AAMI EC57) of
which a beat lies in it, and every rhythm that holds in any part of it. Recordings with paced beats (102,
104, 107 and 217) are left out, as EC57 asks. Test is DS2 of de Chazal et al., IEEE Trans. Biomed. Eng.
51:1196 (2004), doi:10.1109/TBME.2004.827359; DS1 is halved into train and validation by recordings (DS11
and DS12, as several authors do), so that both have every group. Recordings 201 (validation) and 202 (test)
are of one patient. The upper lead is mostly MLII, which is not lead II: it stands in for II only where that
is asked for by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

import numpy as np

from merl.datasets.published import Published, Records, Split, Statements
from merl.errors import DataError
from merl.label_sets import LabelSet
from merl.readers import read_record
from merl.records import ECGRecord

PACED = (102, 104, 107, 217)
DS11 = (101, 106, 108, 109, 114, 115, 116, 119, 122, 209, 223)
DS12 = (112, 118, 124, 201, 203, 205, 207, 208, 215, 220, 230)
DS2 = (
    100,
    103,
    105,
    111,
    113,
    117,
    121,
    123,
    200,
    202,
    210,
    212,
    213,
    214,
    219,
    221,
    222,
    228,
    231,
    232,
    233,
    234,
)
WINDOW = 3600  # samples, 10 s at 360 Hz
WINDOWS = 180  # in the 650,000 samples of a recording

#: Annotation symbol -> AAMI group; what is no beat (rhythm, noise, flutter waves, blocked P waves) has none.
AAMI = MappingProxyType(
    dict.fromkeys("NLRBejn", "N") | dict.fromkeys("AaJS", "S") | dict.fromkeys("VEr", "V") | {"F": "F"}
    | dict.fromkeys("/fQ?", "Q")
)  # fmt: skip


def find(data: Path) -> Path | None:
    """Return the folder with the recordings, given that or one that holds it as ``mitbih`` or ``mitdb``."""
    folders = (data, data / "mitbih", data / "mitdb")
    return next((f for f in folders if (f / "101.atr").is_file() or (f / "100.atr").is_file()), None)


def _records(root: Path, _sampling_rate: int) -> Records:
    numbers = [*DS11, *DS12, *DS2]
    folds = [1] * len(DS11) + [2] * len(DS12) + [3] * len(DS2)
    return Records(
        names=tuple(f"{number}/{window:03d}" for number in numbers for window in range(WINDOWS)),
        paths=tuple(root / str(number) for number in numbers for _ in range(WINDOWS)),
        patients=np.repeat([201 if number == 202 else number for number in numbers], WINDOWS),
        folds=np.repeat(folds, WINDOWS),
        rows=np.tile(np.arange(WINDOWS), len(numbers)),
    )


def _statements(_root: Path, records: Records) -> Statements:
    """Return, say, ``beat:V`` and ``rhythm:AFIB`` for all that occurs in each window."""
    return _said(records, AAMI)


def beat_symbols(_root: Path, records: Records) -> Statements:
    """Return the same with the beats' own symbols, ``beat:E``, before they are grouped."""
    return _said(records, {symbol: symbol for symbol in AAMI})


def _said(records: Records, groups: Mapping[str, str]) -> Statements:
    windows = {path: _annotated(path, groups) for path in dict.fromkeys(records.paths)}
    return tuple(
        None if (found := windows[path]) is None else frozenset(found[row])
        for path, row in zip(records.paths, records.rows, strict=True)
    )


def _annotated(path: Path, groups: Mapping[str, str]) -> list[set[str]] | None:
    import wfdb

    if not path.with_name(f"{path.name}.atr").is_file():
        return None
    try:
        marks = wfdb.rdann(str(path), "atr")
    except Exception as problem:  # on damaged files the library raises anything
        raise DataError(
            f"cannot read the annotations {path}.atr ({type(problem).__name__}); get them again"
        ) from None
    windows: list[set[str]] = [set() for _ in range(WINDOWS)]
    rhythm, since = "", 0
    for sample, symbol, note in zip(marks.sample, marks.symbol, marks.aux_note, strict=True):
        window = int(sample) // WINDOW
        if symbol in groups and window < WINDOWS:
            windows[window].add(f"beat:{groups[symbol]}")
        if symbol == "+" and note.startswith("("):
            _spread(windows, rhythm, since, int(sample))
            rhythm, since = note.strip("(\0 "), int(sample)
    _spread(windows, rhythm, since, WINDOWS * WINDOW)
    return windows


def _spread(windows: list[set[str]], rhythm: str, start: int, end: int) -> None:
    """Add a rhythm to every window that samples ``start`` to ``end``, the last excluded, lie in."""
    if rhythm and end > start:
        for window in windows[start // WINDOW : (end - 1) // WINDOW + 1]:
            window.add(f"rhythm:{rhythm}")


@lru_cache(maxsize=1)  # windows are read in order, and a recording takes 5 MB
def _recording(path: Path) -> ECGRecord:
    return read_record(path)


def read_window(path: Path, row: int) -> ECGRecord:
    """Read one window of 10 s.

    Raises:
        RecordError: the recording's files are missing or damaged.
    """
    recording = _recording(path)
    return ECGRecord(
        np.ascontiguousarray(recording.signal[:, row * WINDOW : (row + 1) * WINDOW]),
        recording.sampling_rate,
        recording.leads,
        f"{path.name}/{row:03d}",
    )


def beats(_root: Path, label_set: LabelSet) -> dict[str, str]:
    """Return the class of each AAMI group, or of each symbol."""
    return {f"beat:{label}": label for label in label_set.classes}


def rhythms(_root: Path, label_set: LabelSet) -> dict[str, str]:
    """Return the class of each rhythm annotation."""
    return {f"rhythm:{label}": label for label in label_set.classes}


_SPLITS: dict[Split, tuple[int, ...]] = {"train": (1,), "val": (2,), "test": (3,), "all": (1, 2, 3)}

DATASET = Published(
    key="mitbih",
    name="MIT-BIH",
    version="1.0.0",
    records_in_all=44 * WINDOWS,
    licence="ODC-By 1.0",
    doi="10.13026/C2F305",
    url="https://physionet.org/content/mitdb/1.0.0/",
    files_url="https://physionet.org/files/mitdb/1.0.0/",
    folds="recordings: DS11 train, DS12 validation, DS2 test (de Chazal 2004), without the paced",
    find=find,
    records=_records,
    statements=_statements,
    read=read_window,
    suffixes=(".hea", ".dat", ".atr"),
    splits=MappingProxyType(_SPLITS),
)
