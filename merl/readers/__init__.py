"""Readers, one file a format; :func:`read_record` tells the format from the files."""

from __future__ import annotations

from pathlib import Path

from merl.errors import RecordError
from merl.readers.cpsc2018 import read_cpsc2018
from merl.readers.dicom import is_dicom, read_dicom
from merl.readers.wfdb import read_wfdb
from merl.records import ECGRecord

__all__ = ["read_cpsc2018", "read_dicom", "read_record", "read_wfdb"]

_WFDB_SUFFIXES = {".hea", ".dat", ".mat"}
_DICOM_SUFFIXES = {".dcm", ".dicom"}


def read_record(path: str | Path) -> ECGRecord:
    """Read one recording, whatever its format.

    Args:
        path: a WFDB or PhysioNet Challenge record (``X``, ``X.hea``, ``X.dat`` or ``X.mat``, with the header
            beside the signal file), an original CPSC2018 ``.mat``, or a 12-lead DICOM waveform.

    Returns:
        The record: signal (leads, samples) in millivolts, leads in standard spelling and the file's order.

    Raises:
        RecordError: the file is missing, damaged, truncated, of unknown format, or its unit is no voltage.
    """
    path = Path(path)
    if path.is_dir():
        raise RecordError(f"{path} is a folder; give one record in it, such as {path / 'X.hea'}")
    suffix = path.suffix.lower()
    stem = path.with_suffix("") if suffix in _WFDB_SUFFIXES else path
    header = stem.parent / f"{stem.name}.hea"
    if suffix in _WFDB_SUFFIXES or not path.exists():
        if header.is_file():
            return read_wfdb(header)
        for found in (path, stem.parent / f"{stem.name}.mat"):
            if found.suffix.lower() == ".mat" and found.is_file():
                return read_cpsc2018(found)
    if suffix == ".dat" and path.is_file():
        raise RecordError(f"{path} has no header; put {header.name} beside it")
    for found in (path, stem.parent / f"{stem.name}.dcm"):
        if found.is_file() and (found.suffix.lower() in _DICOM_SUFFIXES or is_dicom(found)):
            return read_dicom(found)
    formats = "WFDB (.hea with .dat or .mat), CPSC2018 (.mat) or DICOM (.dcm)"
    if path.is_file():
        raise RecordError(f"{path} is in no format merl reads; give {formats}")
    raise RecordError(f"there is no record at {path}; give the path of a record in {formats}")
