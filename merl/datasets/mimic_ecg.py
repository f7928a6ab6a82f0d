"""MIMIC-IV-ECG 1.0: some 800,000 12-lead ECGs of 10 s at 500 Hz with the reports of the machines.

Gow et al., MIMIC-IV-ECG: Diagnostic Electrocardiogram Matched Subset, version 1.0, PhysioNet (2023),
doi:10.13026/4nqg-sb35; open access, licence ODbL 1.0 (what is derived from the database is shared alike).
There are no folds. The leads are stored as I, II, III, aVR, aVF, aVL, V1-V6 and taken by name. Of the tables
only the study, the path and the report are read: who the patient is stays in them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from merl.datasets.published import Published, Records, Statements
from merl.datasets.tables import reading
from merl.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

VERSION = "1.0"
LICENCE = "ODbL 1.0"
DOI = "10.13026/4nqg-sb35"
RECORDS, MACHINE = "record_list.csv", "machine_measurements.csv"
REPORT_COLUMNS = [f"report_{number}" for number in range(18)]

_MIN_WORDS = 4
_CHUNK_ROWS = 50_000


def find(data: Path) -> Path | None:
    """Return the folder with the machines' measurements, given that or the one around it."""
    return next((p for p in (data, data / "mimic-iv-ecg") if (p / MACHINE).is_file()), None)


@dataclass(frozen=True)
class MIMICECG:
    """The data set in a folder; the tables are read piece by piece.

    Attributes:
        root: the folder that holds ``record_list.csv``, ``machine_measurements.csv`` and ``files``; one that
            holds such a folder as ``mimic-iv-ecg`` may be given too.

    Raises:
        DataError: there is no MIMIC-IV-ECG at ``root``.
    """

    root: Path

    def __post_init__(self) -> None:
        root = Path(self.root)
        found = find(root)
        if found is None:
            raise DataError(
                f"there is no MIMIC-IV-ECG in {root}; give the folder that holds {RECORDS} and {MACHINE},"
                f" or download it from https://doi.org/{DOI}"
            )
        object.__setattr__(self, "root", found)

    def reports(self) -> tuple[list[tuple[int, str, str]], dict[str, int]]:
        """Match records and reports by study, as MERL does (Liu et al., ICML 2024).

        A report is what the machine printed in ``report_0`` to ``report_17``, joined with ". ", "EKG" written
        as "ECG"; one of fewer than four words is left out.

        Returns:
            For each record the row of ``record_list.csv`` it stands in (from 0), its path without suffix and
            its report, in the order of that table; and how many were left out for which reason.

        Raises:
            DataError: a table or a column is missing or damaged, or names a study twice.
        """
        reports = self._machine_reports()
        pairs: list[tuple[int, str, str]] = []
        left_out: Counter[str] = Counter()
        seen: set[int] = set()
        for chunk in self._chunks(RECORDS, ["study_id", "path"]):
            for row, study, path in zip(chunk.index, chunk["study_id"], chunk["path"], strict=True):
                seen.add(study)
                report = reports.get(study)
                if report is None:
                    left_out["record without a report"] += 1
                elif len(report.split()) < _MIN_WORDS:
                    left_out[f"report of fewer than {_MIN_WORDS} words"] += 1
                else:
                    pairs.append((int(row), f"{self.root}/{path}", report))
        self._no_study_twice(RECORDS, len(pairs) + left_out.total() - len(seen))
        if alone := len(reports.keys() - seen):
            left_out["report without a record"] = alone
        return pairs, dict(left_out)

    def _machine_reports(self) -> dict[int, str]:
        """Return the report of each study; equal reports are one string, which saves most of the memory."""
        reports: dict[int, str] = {}
        distinct: dict[str, str] = {}
        rows = 0
        for chunk in self._chunks(MACHINE, ["study_id", *REPORT_COLUMNS]):
            rows += len(chunk)
            lines = zip(*(chunk[column] for column in REPORT_COLUMNS), strict=True)
            for study, parts in zip(chunk["study_id"], lines, strict=True):
                report = _join(parts)
                reports[study] = distinct.setdefault(report, report)
        self._no_study_twice(MACHINE, rows - len(reports))
        return reports

    def _no_study_twice(self, name: str, repeated: int) -> None:
        if repeated:
            raise DataError(
                f"{self.root / name} has {repeated} rows of a study that another row has; get it again"
            )

    def _chunks(self, name: str, columns: list[str]) -> Iterator[pd.DataFrame]:
        import pandas as pd

        path = self.root / name
        types = {column: "int64" if column == "study_id" else "str" for column in columns}
        with (
            reading(path, columns, f"MIMIC-IV-ECG {VERSION}"),
            pd.read_csv(
                path, usecols=columns, dtype=types, keep_default_na=False, chunksize=_CHUNK_ROWS
            ) as chunks,
        ):
            yield from chunks


def _join(parts: tuple[str, ...]) -> str:
    said = (" ".join(part.split()).rstrip(". ") for part in parts)
    return ". ".join(part for part in said if part).replace("EKG", "ECG")


def _list(root: Path, _sampling_rate: int) -> Records:
    import pandas as pd

    with reading(root / RECORDS, ["path"], f"MIMIC-IV-ECG {VERSION}"):
        paths = pd.read_csv(root / RECORDS, usecols=["path"], dtype=str)["path"]
    return Records(
        names=tuple(path.rpartition("/")[2] for path in paths),
        paths=tuple(root / path for path in paths),
        patients=np.arange(len(paths)),
        folds=np.zeros(len(paths), np.int64),
        rows=np.zeros(len(paths), np.int64),
    )


def _no_statements(_root: Path, records: Records) -> Statements:
    return (frozenset(),) * len(records)


DATASET = Published(
    key="mimic-iv-ecg",
    name="MIMIC-IV-ECG",
    version=VERSION,
    records_in_all=800035,
    licence=LICENCE,
    doi=DOI,
    url="https://physionet.org/content/mimic-iv-ecg/1.0/",
    files_url="https://physionet.org/files/mimic-iv-ecg/1.0/",
    folds="none; it has reports and no labels, and is for pretraining",
    find=find,
    records=_list,
    statements=_no_statements,
    suffixes=(".hea", ".dat"),
)
