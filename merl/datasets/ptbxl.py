"""PTB-XL 1.0.3: 21,799 12-lead ECGs of 10 s, 18,869 patients, 100 and 500 Hz, with reports and statements.

Wagner et al., PTB-XL, a large publicly available electrocardiography dataset, Scientific Data 7:154 (2020),
doi:10.1038/s41597-020-0495-6; on PhysioNet as doi:10.13026/kfzx-aw45, licence CC BY 4.0. The ten folds keep
each patient in one fold; 9 and 10 hold the records a human has checked. The authors recommend 1-8 for
training, 9 for validation and 10 for testing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from merl.datasets.published import FOLDS, Published, Records, Statements
from merl.datasets.tables import reading
from merl.errors import DataError, UsageError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DATASET", "FOLDS", "PTBXL"]

VERSION = "1.0.3"
LICENCE = "CC BY 4.0"
DOI = "10.13026/kfzx-aw45"
URL = "https://physionet.org/content/ptb-xl/1.0.3/"

_FILENAMES = {100: "filename_lr", 500: "filename_hr"}


def find(data: Path) -> Path | None:
    """Return the folder with ``ptbxl_database.csv``, given that or the one around it."""
    return next((p for p in (data, data / "ptb-xl") if (p / "ptbxl_database.csv").is_file()), None)


@dataclass(frozen=True)
class PTBXL:
    """The data set in a folder; every table is read anew from its published file.

    Attributes:
        root: the folder that holds ``ptbxl_database.csv``, ``scp_statements.csv`` and ``records100``; one
            that holds such a folder as ``ptb-xl`` may be given too.

    Raises:
        DataError: there is no PTB-XL at ``root``.
    """

    root: Path

    def __post_init__(self) -> None:
        root = Path(self.root)
        found = find(root)
        if found is None:
            raise DataError(
                f"there is no PTB-XL in {root}; give the folder that holds ptbxl_database.csv,"
                f" or download it from https://doi.org/{DOI}"
            )
        object.__setattr__(self, "root", found)

    def reports(
        self, folds: Iterable[int], sampling_rate: int = 100
    ) -> tuple[tuple[Path, ...], tuple[str, ...]]:
        """Return the records of some folds and their reports, without ever loading a label.

        Only the columns with the file name, ``strat_fold`` and ``report`` are read from the table.

        Returns:
            Paths without suffix and report texts as published (empty where none), in the table's order.

        Raises:
            UsageError: PTB-XL is not published at this rate.
            DataError: the table is damaged, a fold has no records, or waveforms are missing.
        """
        filename = _filename(sampling_rate)
        table = self.records(folds, [filename, "strat_fold", "report"])
        return self.paths(table[filename]), tuple(table["report"].fillna("").astype(str))

    def labelled(self, folds: Iterable[int], sampling_rate: int = 100) -> pd.DataFrame:
        """Return patient, path and SCP codes of the records of some folds, indexed by ``ecg_id``.

        Returns:
            Columns ``patient_id`` (int), ``filename`` (relative, without suffix) and ``scp_codes`` (a
            dictionary of statement to likelihood in percent, 0 where none was given).

        Raises:
            UsageError: PTB-XL is not published at this rate.
            DataError: the table is damaged or a fold has no records.
        """
        filename = _filename(sampling_rate)
        table = self.records(folds, ["ecg_id", "patient_id", "scp_codes", "strat_fold", filename])
        table = table.rename(columns={filename: "filename"}).set_index("ecg_id")
        if table["patient_id"].isna().any():
            raise DataError(f"records of {self.root} name no patient; get ptbxl_database.csv again")
        table["patient_id"] = table["patient_id"].astype(int)
        table["scp_codes"] = table["scp_codes"].map(_scp_codes)
        return table[["patient_id", "filename", "scp_codes"]]

    def records(self, folds: Iterable[int] | None, columns: list[str]) -> pd.DataFrame:
        """Read columns of ``ptbxl_database.csv``, ``strat_fold`` among them, and keep the rows of some folds.

        Without ``folds`` every row is kept.

        Raises:
            DataError: the table or a column is missing, or a fold has no records.
        """
        table = self._table("ptbxl_database.csv", columns)
        if folds is None:
            return table
        wanted = sorted(set(folds))
        present = set(table["strat_fold"])
        if absent := [str(fold) for fold in wanted if fold not in present]:
            raise DataError(
                f"no records of fold {', '.join(absent)} in {self.root};"
                f" it has the folds {', '.join(str(int(fold)) for fold in sorted(present))}"
            )
        return table[table["strat_fold"].isin(wanted)]

    def statements(self) -> pd.DataFrame:
        """Return the table of SCP statements, indexed by code: description and groups.

        Raises:
            DataError: the table or a column is missing.
        """
        columns = ["description", "form", "rhythm", "diagnostic_class", "diagnostic_subclass"]
        table = self._table("scp_statements.csv", ["Unnamed: 0", *columns])
        return table.rename(columns={"Unnamed: 0": "code"}).set_index("code")

    def paths(self, filenames: Iterable[str]) -> tuple[Path, ...]:
        """Return the records' paths without suffix, in order, once their files are known to be there.

        Raises:
            DataError: waveform files are missing; the first three are named and all are counted.
        """
        names = [str(name) for name in filenames]
        present = {
            path.relative_to(self.root).as_posix()
            for folder in {name.rpartition("/")[0] for name in names}
            for path in (self.root / folder).glob("*")
        }
        missing = [name for name in names if not {f"{name}.hea", f"{name}.dat"} <= present]
        if missing:
            raise DataError(
                f"{len(missing)} of {len(names)} records have no .hea or .dat in {self.root}, such as"
                f" {', '.join(missing[:3])}; complete the download"
            )
        return tuple(self.root / name for name in names)

    def _table(self, name: str, columns: list[str]) -> pd.DataFrame:
        import pandas as pd

        path = self.root / name
        with reading(path, columns, f"PTB-XL {VERSION}"):
            return pd.read_csv(path, usecols=columns)


def _filename(sampling_rate: int) -> str:
    if sampling_rate not in _FILENAMES:
        raise UsageError(f"PTB-XL has no records at {sampling_rate} Hz; ask for 100 or 500")
    return _FILENAMES[sampling_rate]


def _scp_codes(text: object) -> dict[str, float]:
    try:
        codes = ast.literal_eval(str(text))
    except (ValueError, SyntaxError):
        codes = None
    if not isinstance(codes, dict):
        raise DataError(f"scp_codes {text!r} are no dictionary; get ptbxl_database.csv again")
    return codes


def _list(root: Path, sampling_rate: int) -> Records:
    filename = _filename(sampling_rate)
    dataset = PTBXL(root)
    table = dataset.records(None, ["patient_id", "strat_fold", filename])
    if table["patient_id"].isna().any():
        raise DataError(f"records of {root} name no patient; get ptbxl_database.csv again")
    return Records(
        names=tuple(Path(name).name for name in table[filename]),
        paths=tuple(root / name for name in table[filename]),
        patients=table["patient_id"].to_numpy(np.int64),
        folds=table["strat_fold"].to_numpy(np.int64),
        rows=np.arange(len(table)),
    )


def _statements(root: Path, records: Records) -> Statements:
    """Return the SCP statements of each record, whatever their likelihood; the row is the table's."""
    codes = PTBXL(root).records(None, ["scp_codes", "strat_fold"])["scp_codes"]
    return tuple(frozenset(_scp_codes(codes.iloc[row])) for row in records.rows)


DATASET = Published(
    key="ptb-xl",
    name="PTB-XL",
    version=VERSION,
    records_in_all=21799,
    licence=LICENCE,
    doi=DOI,
    url=URL,
    files_url="https://physionet.org/files/ptb-xl/1.0.3/",
    folds="the publisher's, by patient: 1-8 train, 9 validation, 10 test",
    find=find,
    records=_list,
    statements=_statements,
    suffixes=(".hea", ".dat"),
    rates=(100, 500),
    every_fold=True,
)
