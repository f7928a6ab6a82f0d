"""The labels of MERL's release, read as they are, and how they differ from the fixed ones.

Liu et al., Zero-shot ECG classification with multimodal learning and test-time clinical knowledge
enhancement, ICML 2024: ``data_split/*/*_{train,val,test}.csv``, one column a class. The columns of CSN
(there: chapman) were filled where the class's abbreviation occurs *inside* the record's list of them, so
that AF counts AFIB.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from merl.datasets.published import Records, Split, Statements
from merl.datasets.tables import reading
from merl.errors import DataError, UsageError
from merl.label_sets import load_label_set

if TYPE_CHECKING:
    import pandas as pd

    from merl.datasets.tasks import Task

SPLITS: tuple[Split, ...] = ("train", "val", "test")
#: Columns that are no class; every other one is.
_FACTS = {
    "ecg_path", "age", "diagnose", "patient_id", "ecg_id", "filename", "validation", "sex", "scp_codes",
    "strat_fold", "filename_lr", "filename_hr", "form", "rhythm", "sub_class", "super_class",
}  # fmt: skip
_NAMED_BY = ("filename_lr", "ecg_path", "filename")  # the column that names the record


def folder(data: str | Path | None) -> Path:
    """Return the folder ``data_split``, given that, the one around it, or one with ``merl-official`` in it.

    Raises:
        UsageError: none was given.
        DataError: it is not there.
    """
    if data is None:
        raise UsageError(
            "the labels merl-compat need MERL's release; give the folder that holds its data_split"
        )
    root = Path(data)
    found = next(
        (
            path
            for path in (root, root / "data_split", root / "merl-official" / "data_split")
            if _is_split(path)
        ),
        None,
    )
    if found is None:
        raise DataError(f"there is no data_split of MERL's release in {root}; get it from MERL's repository")
    return found


def _is_split(path: Path) -> bool:
    return (path / "chapman").is_dir() or (path / "ptbxl").is_dir() or (path / "icbeb").is_dir()


def read_table(root: Path, task: Task, split: Split) -> pd.DataFrame:
    """Read the table of a task and split; its classes are taken by name, whatever the columns' order.

    Raises:
        UsageError: the release does not have the task.
        DataError: the table is missing or names no record.
    """
    import pandas as pd

    if task.official is None:
        raise UsageError(f"MERL's release does not have the task {task.name}; use the labels fixed")
    path = root / f"{task.official}_{split}.csv"
    with reading(path, [], "MERL's release"):
        table = pd.read_csv(path, low_memory=False)
    if not any(column in table.columns for column in _NAMED_BY):
        raise DataError(f"{path} names no records; it needs one of the columns {', '.join(_NAMED_BY)}")
    return table


def class_columns(table: pd.DataFrame, task: Task) -> dict[str, str]:
    """Return the column of each class; the release writes PTB-XL's codes without underscores.

    Raises:
        DataError: a column is no class of the label set.
    """
    classes = {code.strip("_"): code for code in load_label_set(task.name).classes}
    columns = [column for column in table.columns if column not in _FACTS]
    if odd := [column for column in columns if column.strip("_") not in classes]:
        raise DataError(
            f"MERL's table of {task.name} has the columns {', '.join(odd[:3])}, which are no class of the"
            f" label set; the classes are {', '.join(list(classes)[:8])}, ..."
        )
    return {classes[column.strip("_")]: column for column in columns}


def record_names(table: pd.DataFrame) -> list[str]:
    """Return the names of a table's records, as the data sets name them."""
    column = next(column for column in _NAMED_BY if column in table.columns)
    return [Path(str(name)).name.removesuffix(".mat") for name in table[column]]


def official_records(
    task: Task, official: str | Path | None, root: Path, split: Split, sampling_rate: int
) -> tuple[Records, Statements]:
    """Return the records and labels of a split as MERL's release has them.

    Raises:
        UsageError: the release was not given, or does not have the task.
        DataError: a table is missing or damaged.
    """
    release = folder(official)
    names: list[str] = []
    truth: list[frozenset[str]] = []
    for part in SPLITS if split == "all" else (split,):
        table = read_table(release, task, part)
        columns = class_columns(table, task)
        names += record_names(table)
        values = table[list(columns.values())].to_numpy() == 1
        labels = list(columns)
        truth += [frozenset(labels[i] for i in np.flatnonzero(row)) for row in values]
    if sampling_rate != 100:
        names = [name.removesuffix("_lr") + "_hr" if name.endswith("_lr") else name for name in names]
    there = task.published.records(root, sampling_rate)
    position = {name: i for i, name in enumerate(there.names)}
    return _ordered(there, names, position), tuple(truth)


def _ordered(there: Records, names: list[str], position: dict[str, int]) -> Records:
    """Return the records in the order of their names; one that is not there gets a path that is not."""
    rows = [position.get(name, -1) for name in names]
    nowhere = Path("nowhere")
    kept = np.array(rows)
    strangers = np.arange(1, len(names) + 1) + (int(there.patients.max()) if len(there) else 0)
    return Records(
        names=tuple(names),
        paths=tuple(
            there.paths[row] if row >= 0 else nowhere / name for name, row in zip(names, rows, strict=True)
        ),
        patients=np.where(kept >= 0, there.patients[kept], strangers),
        folds=np.where(kept >= 0, there.folds[kept], 0),
        rows=np.where(kept >= 0, there.rows[kept], 0),
    )
