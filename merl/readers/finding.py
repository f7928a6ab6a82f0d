"""Which files of a folder are records."""

from __future__ import annotations

import os
from pathlib import Path

from merl.readers.dicom import is_dicom
from merl.readers.formats import FORMATS

_SUFFIXES = {suffix for item in FORMATS for suffix in item.suffixes} - {".dat"}  # its header stands for it


def find_records(folder: str | Path) -> list[Path]:
    """Find the records in a folder and the folders below it, hidden ones left out, in order of their paths.

    A record is a file with the suffix of a format that is read, a WFDB record its header alone, or a file
    without a suffix that bears DICOM's mark. Whether it can be read shows when it is.
    """
    found, seen = [], set()
    for place, below, names in os.walk(folder, followlinks=True):
        here = Path(place)
        if here.resolve() in seen:  # links may lead back up
            below.clear()
            continue
        seen.add(here.resolve())
        below[:] = sorted(name for name in below if not name.startswith("."))
        found += [here / name for name in names if _is_record(here / name, set(names))]
    return sorted(found)


def _is_record(path: Path, beside: set[str]) -> bool:
    suffix = path.suffix.lower()
    if path.name.startswith(".") or (suffix == ".mat" and f"{path.stem}.hea" in beside):
        return False
    return suffix in _SUFFIXES or (not suffix and path.is_file() and is_dicom(path))
