"""SPH: 25,770 12-lead ECGs of 10-60 s at 500 Hz of 24,666 patients of Shandong Provincial Hospital.

Liu et al., A large-scale multi-label 12-lead electrocardiogram database with standardized diagnostic
statements, Scientific Data 9:272 (2022), doi:10.1038/s41597-022-01403-5; on figshare as
doi:10.6084/m9.figshare.c.5779802, licence CC BY 4.0. ``metadata.csv`` gives patient and AHA/ACC/HRS codes
(Mason et al. 2007), statements parted by ";" and their modifiers added with "+"; ``records/A00001.h5`` holds
``ecg`` (12 leads, samples) in millivolts. A primary statement counts whatever its modifiers. Folds are ours,
by a hash of the patient.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from merl.datasets.hdf5 import open_file
from merl.datasets.published import HASHED, Published, Records, Statements, hashed_folds
from merl.datasets.tables import reading
from merl.errors import DataError, RecordError
from merl.label_sets import LabelSet
from merl.readers.checks import make_record
from merl.records import STANDARD_LEADS, ECGRecord

METADATA, CODES = "metadata.csv", "code.csv"
SAMPLING_RATE = 500.0
LEADS = STANDARD_LEADS


def find(data: Path) -> Path | None:
    """Return the folder with ``metadata.csv`` and ``records``, given that or one that holds it as ``sph``."""
    folders = (data, data / "sph")
    return next((f for f in folders if (f / METADATA).is_file() and _names_aha(f / METADATA)), None)


def _names_aha(table: Path) -> bool:
    with table.open(encoding="utf-8-sig", errors="replace") as handle:
        return "AHA_Code" in handle.readline()


def _records(root: Path, _sampling_rate: int) -> Records:
    import pandas as pd

    columns = ["ECG_ID", "Patient_ID"]
    with reading(root / METADATA, columns, "SPH"):
        table = pd.read_csv(root / METADATA, usecols=columns, dtype=str)
    if table.isna().any().any() or table["ECG_ID"].duplicated().any():
        raise DataError(f"{root / METADATA} has records without a patient or twice; get it again")
    folder = root / "records" if (root / "records").is_dir() else root
    return Records(
        names=tuple(table["ECG_ID"]),
        paths=tuple(folder / f"{name}.h5" for name in table["ECG_ID"]),
        patients=np.unique(table["Patient_ID"], return_inverse=True)[1].astype(np.int64),
        folds=hashed_folds("sph", table["Patient_ID"]),
        rows=np.zeros(len(table), np.int64),
    )


def _statements(root: Path, records: Records) -> Statements:
    import pandas as pd

    columns = ["ECG_ID", "AHA_Code"]
    with reading(root / METADATA, columns, "SPH"):
        table = pd.read_csv(root / METADATA, usecols=columns, dtype=str, keep_default_na=False)
    codes = dict(zip(table["ECG_ID"], table["AHA_Code"], strict=True))
    return tuple(_primary(codes[name]) for name in records.names)


def _primary(codes: str) -> frozenset[str]:
    """Return the primary statements of, say, ``60+310;22``: here 60 and 22."""
    return frozenset(part.split("+")[0].strip() for part in codes.split(";") if part.strip())


def classes(root: Path, label_set: LabelSet) -> dict[str, str]:
    """Return the class of each code, compared with the data set's own table of codes where that is there.

    Raises:
        DataError: the table lacks a class of the label set.
    """
    import pandas as pd

    if (root / CODES).is_file():
        with reading(root / CODES, ["Code"], "SPH"):
            known = {
                code.strip()
                for code in pd.read_csv(root / CODES, usecols=["Code"], dtype=str)["Code"].dropna()
            }
        if odd := [label for label in label_set.classes if label not in known]:
            raise DataError(
                f"{root / CODES} lacks the codes {', '.join(odd[:3])} of the label set {label_set.name};"
                " use the file as published"
            )
    return {label: label for label in label_set.classes}


def read_h5(path: Path, _row: int) -> ECGRecord:
    """Read one record.

    Raises:
        RecordError: the file is missing or damaged, or has no ``ecg`` of 12 leads.
    """
    with open_file(path, "ecg") as file:
        signal = file["ecg"][:]
    if signal.ndim != 2 or len(signal) != len(LEADS):
        raise RecordError(f"{path}: ecg has shape {signal.shape} and not (12, samples); get it again")
    return make_record(signal.astype(np.float64), SAMPLING_RATE, LEADS, path.stem)


DATASET = Published(
    key="sph",
    name="SPH",
    version="1",
    records_in_all=25770,
    licence="CC BY 4.0",
    doi="10.6084/m9.figshare.c.5779802",
    url="https://doi.org/10.6084/m9.figshare.c.5779802",
    folds=HASHED,
    find=find,
    records=_records,
    statements=_statements,
    read=read_h5,
    suffixes=("",),
)
