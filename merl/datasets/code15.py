"""CODE-15%: 345,779 12-lead ECGs of 7 or 10 s at 400 Hz of 233,770 patients, with six abnormalities.

Ribeiro et al. (2021), doi:10.5281/zenodo.4916206, licence CC BY 4.0; Nature Communications 11:1760 (2020),
doi:10.1038/s41467-020-15432-4. ``exams.csv`` names patient, labels and file; ``exams_part0.hdf5`` to
``exams_part17.hdf5`` hold ``exam_id`` (records) and ``tracings`` (records, 4096 samples, 12 leads), padded
with zeros at both ends, which are taken off again. They are read as millivolts, as the PhysioNet/CinC
Challenge 2025 reads them; the data set itself does not state the unit. Folds are ours, by a hash of the
patient.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from merl.datasets.hdf5 import open_file
from merl.datasets.published import HASHED, Published, Records, Statements, hashed_folds
from merl.datasets.tables import reading
from merl.errors import DataError, RecordError
from merl.readers.checks import make_record
from merl.records import STANDARD_LEADS, ECGRecord

EXAMS = "exams.csv"
ABNORMALITIES = ("1dAVb", "RBBB", "LBBB", "SB", "ST", "AF")
SAMPLING_RATE = 400.0
LEADS = STANDARD_LEADS  # DI DII DIII AVR AVL AVF V1-V6


def find(data: Path) -> Path | None:
    """Return the folder with ``exams.csv``, given that or one that holds it as ``code15``."""
    return next((folder for folder in (data, data / "code15") if (folder / EXAMS).is_file()), None)


def _records(root: Path, _sampling_rate: int) -> Records:
    import pandas as pd

    columns = ["exam_id", "patient_id", "trace_file"]
    with reading(root / EXAMS, columns, "CODE-15%"):
        table = pd.read_csv(root / EXAMS, usecols=columns)
    if table["trace_file"].isna().any() or table["exam_id"].duplicated().any():
        raise DataError(f"{root / EXAMS} has exams without a file or twice; get it again")
    row_of: dict[int, int] = {}
    for name in sorted(set(table["trace_file"])):
        if (path := root / name).is_file():
            with open_file(path, "exam_id", "tracings") as file:
                row_of.update({int(exam): row for row, exam in enumerate(file["exam_id"][:])})
    return Records(
        names=tuple(str(exam) for exam in table["exam_id"]),
        paths=tuple(root / name for name in table["trace_file"]),
        patients=table["patient_id"].to_numpy(np.int64),
        folds=hashed_folds("code15", table["patient_id"]),
        rows=np.array([row_of.get(exam, -1) for exam in table["exam_id"]], np.int64),
    )


def _statements(root: Path, records: Records) -> Statements:
    import pandas as pd

    columns = ["exam_id", *ABNORMALITIES]
    with reading(root / EXAMS, columns, "CODE-15%"):
        table = pd.read_csv(root / EXAMS, usecols=columns).set_index("exam_id")
    present = {column: table[column].astype(str).str.strip().str.lower() for column in ABNORMALITIES}
    if odd := sorted(
        {value for column in present.values() for value in set(column)} - {"true", "false", "1", "0"}
    ):
        raise DataError(
            f"{root / EXAMS} has the label value {odd[0]!r}; true or false is meant, get it again"
        )
    true = {column: values.isin(["true", "1"]) for column, values in present.items()}
    marked = {column: set(table.index[values]) for column, values in true.items()}
    return tuple(
        frozenset(column for column in ABNORMALITIES if int(name) in marked[column]) for name in records.names
    )


def read_exam(path: Path, row: int) -> ECGRecord:
    """Read one exam without its padding.

    Raises:
        RecordError: the file is missing or damaged, lacks the exam, or the exam is all zeros.
    """
    if row < 0:
        raise RecordError(f"{path} does not hold an exam that {EXAMS} places there; get the file again")
    with open_file(path, "exam_id", "tracings") as file:
        tracing, exam = file["tracings"][row], int(file["exam_id"][row])  # (samples, leads)
    if tracing.ndim != 2 or tracing.shape[1] != len(LEADS):
        raise RecordError(f"{path}: tracings have shape {tracing.shape} and not (samples, 12); get it again")
    filled = np.flatnonzero(tracing.any(axis=1))
    if not filled.size:
        raise RecordError(f"exam {exam} in {path} is zero in every lead; leave it out")
    return make_record(
        tracing[filled[0] : filled[-1] + 1].T.astype(np.float64), SAMPLING_RATE, LEADS, str(exam)
    )


DATASET = Published(
    key="code15",
    name="CODE-15%",
    version="1.0.0",
    records_in_all=345779,
    licence="CC BY 4.0",
    doi="10.5281/zenodo.4916206",
    url="https://doi.org/10.5281/zenodo.4916206",
    folds=HASHED,
    find=find,
    records=_records,
    statements=_statements,
    read=read_exam,
    suffixes=("",),
)
