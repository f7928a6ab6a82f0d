"""Readers, one file a kind of format; :func:`read_record` tells the format from the files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from merl.errors import RecordError, UsageError
from merl.readers.arrays import read_array
from merl.readers.carts import is_cart_export, read_cart_export
from merl.readers.checks import reader
from merl.readers.cpsc2018 import read_cpsc2018
from merl.readers.dicom import is_dicom, read_dicom
from merl.readers.edf import read_edf
from merl.readers.formats import FORMATS
from merl.readers.stated import Stated
from merl.readers.tables import read_table
from merl.readers.wfdb import read_wfdb
from merl.records import ECGRecord

__all__ = [
    "FORMATS",
    "read_array",
    "read_cart_export",
    "read_cpsc2018",
    "read_dicom",
    "read_edf",
    "read_record",
    "read_table",
    "read_wfdb",
]

_WFDB_SUFFIXES = {".hea", ".dat", ".mat"}
_BY_SUFFIX = {suffix: item for item in FORMATS for suffix in item.suffixes if suffix not in _WFDB_SUFFIXES}


@reader("an ECG", "it is damaged, get it again")
def read_record(
    path: str | Path,
    *,
    sampling_rate: float | None = None,
    unit: str | None = None,
    leads: Sequence[str] | None = None,
) -> ECGRecord:
    """Read one recording, whatever its format; docs/readers.md lists them.

    Args:
        path: a record (``X``, ``X.hea``, ``X.dat`` or ``X.mat`` of WFDB and the PhysioNet Challenge) or a
            file of another format.
        sampling_rate: in hertz, of tables and arrays that do not say it.
        unit: mV, uV, nV or V, of tables and arrays that do not say it.
        leads: the signals' names in the file's order, of tables and arrays that do not say them.

    Returns:
        The record: signal (leads, samples) in millivolts, leads in standard spelling and the file's order.
        III, aVR, aVL and aVF are added where they are absent and I and II are there; ``derived`` names them.

    Raises:
        RecordError: the file is missing, unreadable, damaged, truncated, of unknown format, or its unit is no
            voltage; or what is stated contradicts what the file says.
        UsageError: something is stated about a file that says everything itself.
    """
    path = Path(path)
    stated = Stated(sampling_rate, unit, tuple(leads) if leads is not None else None)
    if path.is_dir():
        next(path.iterdir(), None)  # fails where it may not be looked into
        raise RecordError(f"{path} is a folder; give one record in it, such as {path / 'X.hea'}")
    known = _BY_SUFFIX.get(path.suffix.lower())
    if known is not None and known.read_stated is not None:
        return known.read_stated(path, stated).with_limb_leads()
    if stated != Stated():
        raise UsageError(
            f"{path} says its own sampling rate, unit and leads; they can be stated of tables and arrays only"
        )
    return _read_described(path).with_limb_leads()


def _read_described(path: Path) -> ECGRecord:
    """Read a file of a format that says its rate, unit and leads."""
    suffix = path.suffix.lower()
    stem = path.with_suffix("") if suffix in _WFDB_SUFFIXES else path
    header = stem.parent / f"{stem.name}.hea"
    if suffix == ".hea" and path.is_file():
        return read_wfdb(path)
    if suffix in _WFDB_SUFFIXES or not path.exists():
        if header.is_file():
            return read_wfdb(header)
        for found in (path, stem.parent / f"{stem.name}.mat"):
            if found.suffix.lower() == ".mat" and found.is_file():
                return read_cpsc2018(found)
    if suffix == ".dat" and path.is_file():
        raise RecordError(f"{path} has no header; put {header.name} beside it")
    for found in (path, stem.parent / f"{stem.name}.dcm"):
        if found.is_file():
            known = _BY_SUFFIX.get(found.suffix.lower())
            if is_dicom(found):
                return read_dicom(found)
            if known is not None and known.read is not None and found.suffix.lower() != ".xml":
                return known.read(found)
            if is_cart_export(found):
                return read_cart_export(found)
    formats = "WFDB, CPSC2018, DICOM, EDF, aECG, MUSE or Philips XML, SCP-ECG, a table or a NumPy file"
    if path.is_file():
        raise RecordError(f"{path} is in no format merl reads; give {formats}")
    raise RecordError(f"there is no record at {path}; give the path of a record: {formats}")
