"""Which files of a folder are records."""

from __future__ import annotations

import os
from pathlib import Path

from merl.errors import RecordError
from merl.readers.dicom import is_dicom
from merl.readers.formats import FORMATS
from merl.readers.wfdb import segments

_SUFFIXES = {suffix for item in FORMATS for suffix in item.suffixes} - {".dat"}  # its header stands for it


def find_records(folder: str | Path) -> list[Path]:
    """Find the records in a folder and the folders below it, hidden ones left out, in order of their paths.

    A record is a file with the suffix of a format that is read, a WFDB record its header alone and not those
    of its segments, or a file without a suffix that bears DICOM's mark. A Parquet file that merl has written
    is none. Whether a record can be read shows when it is; a folder that cannot be listed is returned in its
    records' place.
    """
    found: list[Path] = []
    seen = set()

    def unlisted(problem: OSError) -> None:
        found.append(Path(problem.filename))

    for place, below, names in os.walk(folder, followlinks=True, onerror=unlisted):
        here = Path(place)
        if here.resolve() in seen:  # links may lead back up
            below.clear()
            continue
        seen.add(here.resolve())
        below[:] = sorted(name for name in below if not name.startswith("."))
        records = [here / name for name in names if _is_record(here / name, set(names))]
        parts = {here / name for path in records if path.suffix == ".hea" for name in _segments(path)}
        found += [path for path in records if path not in parts]
    return sorted(found)


def _segments(header: Path) -> list[str]:
    try:
        return segments(header)
    except (RecordError, OSError):  # reading it will say so
        return []


def _is_record(path: Path, beside: set[str]) -> bool:
    suffix = path.suffix.lower()
    if path.name.startswith(".") or (suffix == ".mat" and f"{path.stem}.hea" in beside):
        return False
    if not path.is_file():
        return suffix in _SUFFIXES and path.is_symlink()  # a broken link will be listed; a pipe has no end
    if suffix == ".parquet":
        return not _is_ours(path)
    try:
        return suffix in _SUFFIXES or (not suffix and is_dicom(path))
    except OSError:  # it may not be read, and nothing says that it is a record
        return False


def _is_ours(path: Path) -> bool:
    """Tell whether merl has written a Parquet file: embeddings or scores of an earlier run."""
    import pyarrow
    from pyarrow import parquet

    try:
        with path.open("rb") as handle:
            return b"merl" in (parquet.read_schema(handle).metadata or {})
    except (pyarrow.ArrowException, OSError):  # reading it will say so
        return False
