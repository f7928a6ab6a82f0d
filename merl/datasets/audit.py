"""How the labels of MERL's release differ from the fixed ones, column by column.

Two things are compared: the release's columns with the release's own lists of labels, which needs nothing
else, and with the labels read from the data sets, for those records that are there.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from merl.datasets import merl_release
from merl.datasets.tasks import TASKS, Task, classes_of
from merl.errors import DataError

if TYPE_CHECKING:
    import pandas as pd


class Column(BaseModel):
    """One class: how many records the release marks, how many have it, and which of them differ.

    Attributes:
        release: records that the release's column marks.
        exact: records that have the label.
        wrong: marked without the label.
        missed: not marked with the label.
    """

    model_config = ConfigDict(frozen=True)

    release: int
    exact: int
    wrong: int
    missed: int


class TaskAudit(BaseModel):
    """What the release does with one task.

    Attributes:
        records: in the release's three tables.
        published: in the data set.
        columns: each class against the release's own lists; empty where it has none.
        without_column: labels of those lists that no column counts, with their records.
        moved: classes that stand in another place in the training table than in the other two.
        compared: records of the release that the data set at hand has.
        against_data: each class against the labels read from the data set.
        not_in_release: records at hand with a label of the task that the release left out.
        note: why the data set at hand was not compared.
    """

    model_config = ConfigDict(frozen=True)

    task: str
    dataset: str
    records: int
    published: int
    columns: dict[str, Column]
    without_column: dict[str, int]
    moved: tuple[str, ...]
    compared: int = 0
    against_data: dict[str, Column] = {}
    not_in_release: int = 0
    note: str = ""


def audit(official: str | Path, data: str | Path | None = None) -> list[TaskAudit]:
    """Compare the release's labels with the fixed ones for every task that it has.

    Args:
        official: the folder of the release, or one that holds it.
        data: a folder of data sets; those found in it are compared too.

    Raises:
        DataError: the release is not there, or a table of it or of a data set is damaged.
    """
    release = merl_release.folder(official)
    found = [
        _audit(task, release, data)
        for task in TASKS.values()
        if task.official and _has(release, task.official)
    ]
    if not found:
        raise DataError(f"no table of MERL's release is in {release}; get it again")
    return found


def _has(release: Path, stem: str) -> bool:
    return any((release / f"{stem}_{split}.csv").is_file() for split in merl_release.SPLITS)


def _audit(task: Task, release: Path, data: str | Path | None) -> TaskAudit:
    import pandas as pd

    tables = {split: merl_release.read_table(release, task, split) for split in merl_release.SPLITS}
    orders = [list(merl_release.class_columns(table, task)) for table in tables.values()]
    every = pd.concat(tables.values(), ignore_index=True)
    marked = _marked(every, task)
    listed = _listed(every)
    columns, without = ({}, {}) if listed is None else _compare(marked, listed, orders[0])
    beside = _against_data(task, data, every, marked) if data is not None else {}
    return TaskAudit(
        task=task.name,
        dataset=task.dataset,
        records=len(every),
        published=task.published.records_in_all,
        columns=columns,
        without_column=without,
        moved=_moved(orders),
        **beside,
    )


def _marked(table: pd.DataFrame, task: Task) -> list[set[str]]:
    """Return the classes that the columns mark for each record."""
    columns = merl_release.class_columns(table, task)
    values, classes = table[list(columns.values())].to_numpy() == 1, list(columns)
    return [{classes[i] for i in np.flatnonzero(row)} for row in values]


def _listed(table: pd.DataFrame) -> list[set[str]] | None:
    """Return the labels that the release itself lists for each record; ``None`` where it lists none."""
    if "diagnose" in table.columns:
        return [{part.strip() for part in str(text).split(",")} for text in table["diagnose"]]
    for column in ("super_class", "sub_class", "form", "rhythm"):
        if column in table.columns:
            return [set(_literal(text)) for text in table[column]]
    return None


def _literal(text: Any) -> Iterable[str]:
    try:
        found = ast.literal_eval(str(text))
    except (ValueError, SyntaxError):
        found = None
    if not isinstance(found, list):
        raise DataError(f"MERL's release lists the labels {text!r}, which are no list; get it again")
    return [str(item) for item in found]


def _compare(
    marked: list[set[str]], listed: list[set[str]], columns: list[str]
) -> tuple[dict[str, Column], dict[str, int]]:
    """Compare columns with lists; a list's label is its class's code, give or take underscores."""
    spelled = {code.strip("_"): code for code in columns}
    exact = [{spelled.get(label.strip("_"), label) for label in row} for row in listed]
    counted = _columns(marked, exact, columns)
    others = Counter(label for row in exact for label in row if label not in columns)
    return counted, dict(others.most_common())


def _columns(marked: list[set[str]], exact: list[set[str]], codes: Iterable[str]) -> dict[str, Column]:
    found = {}
    for code in codes:
        given = np.array([code in row for row in marked])
        true = np.array([code in row for row in exact])
        found[code] = Column(
            release=int(given.sum()),
            exact=int(true.sum()),
            wrong=int((given & ~true).sum()),
            missed=int((~given & true).sum()),
        )
    return found


def _moved(orders: list[list[str]]) -> tuple[str, ...]:
    train, *others = orders
    return tuple(
        code for place, code in enumerate(train) if any(code in o and o.index(code) != place for o in others)
    )


def _against_data(
    task: Task, data: str | Path, table: pd.DataFrame, marked: list[set[str]]
) -> dict[str, Any]:
    root = task.published.find(Path(data))
    if root is None:
        return {}
    try:
        records = task.published.records(root, 100)
        truth = classes_of(task, root, task.published.statements(root, records))
    except DataError as problem:
        return {"note": f"{task.dataset} was not compared: {problem}"}
    names = merl_release.record_names(table)
    exact = {name: set(codes) for name, codes in zip(records.names, truth, strict=True) if codes is not None}
    both = [i for i, name in enumerate(names) if name in exact]
    if not both:
        return {}
    released = set(names)
    codes = sorted(set().union(*marked, *exact.values()))
    return {
        "compared": len(both),
        "against_data": _columns([marked[i] for i in both], [exact[names[i]] for i in both], codes),
        "not_in_release": sum(bool(codes) and name not in released for name, codes in exact.items()),
    }
