"""Labelled tasks: which records, which classes, which truth, by the protocol of the PTB-XL benchmark.

Strodthoff et al., Deep learning for ECG analysis: benchmarks and insights from PTB-XL, IEEE JBHI 25:1519
(2021), doi:10.1109/JBHI.2020.3022989. A label counts if its SCP statement is present, whatever its
likelihood; records without a label of the task are left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

import numpy as np
from numpy.typing import NDArray

from merl.datasets.ptbxl import FOLDS, PTBXL, Split
from merl.errors import DataError, UsageError, unknown
from merl.label_sets import load_label_set
from merl.readers import read_record
from merl.records import ECGRecord


@dataclass(frozen=True)
class Task:
    """A task; its label set has the same name.

    Attributes:
        grouping: the column of ``scp_statements.csv`` that turns statements into classes.
    """

    name: str
    dataset: str
    grouping: Literal["diagnostic_class", "diagnostic_subclass", "form", "rhythm"]
    description: str


TASKS = {
    task.name: task
    for task in (
        Task("ptbxl-super", "PTB-XL", "diagnostic_class", "five diagnostic superclasses"),
        Task("ptbxl-sub", "PTB-XL", "diagnostic_subclass", "23 diagnostic subclasses"),
        Task("ptbxl-form", "PTB-XL", "form", "19 statements on the form of the waves"),
        Task("ptbxl-rhythm", "PTB-XL", "rhythm", "12 statements on rhythm"),
    )
}


@dataclass(frozen=True, eq=False)
class TaskData:
    """The records and the truth of one split of a task.

    Attributes:
        task: its name.
        dataset: the data set's name.
        split: train, val or test.
        classes: codes in the label set's order.
        labels: shape (records, classes), true where the class is present.
        patients: shape (records,), an anonymous number for each patient.
        names: the records' names.
        paths: the records' paths, without suffix.
        leads: the leads that are read; all that a record has if ``None``.
    """

    task: str
    dataset: str
    split: Split
    classes: tuple[str, ...]
    labels: NDArray[np.bool_]
    patients: NDArray[np.int64]
    names: tuple[str, ...]
    paths: tuple[Path, ...]
    leads: tuple[str, ...] | None = None

    def __len__(self) -> int:
        return len(self.paths)

    def read(self, index: int) -> ECGRecord:
        """Read one record, in the order of ``labels``.

        Raises:
            RecordError: its files are damaged, or it lacks one of ``leads``.
        """
        record = read_record(self.paths[index])
        return record if self.leads is None else record.select(self.leads)


def get_task(name: str) -> Task:
    """Return a task by its name.

    Raises:
        UsageError: there is no such task.
    """
    if name not in TASKS:
        raise UsageError(unknown("task", name, TASKS, "merl tasks"))
    return TASKS[name]


def load_task(name: str, data: str | Path, split: Split, sampling_rate: int = 100) -> TaskData:
    """Load the records and labels of a task; waveforms are read later, one by one.

    Args:
        name: one of ``TASKS``.
        data: PTB-XL's folder, or a folder that holds it as ``ptb-xl``.
        split: ``train`` (folds 1-8), ``val`` (fold 9) or ``test`` (fold 10).
        sampling_rate: 100 or 500 Hz, as published.

    Raises:
        UsageError: unknown task, split or rate.
        DataError: the data set is missing, incomplete or damaged, or its classes are not the label set's.
    """
    task = get_task(name)
    if split not in FOLDS:
        raise UsageError(unknown("split", split, FOLDS))
    dataset = PTBXL(Path(data))
    groups = _groups(dataset, task)
    classes = tuple(load_label_set(task.name).classes)
    if odd := sorted(set(classes) ^ set(groups.values())):
        raise DataError(
            f"the classes of {task.name} in {dataset.root / 'scp_statements.csv'} are not the label set's"
            f" ({', '.join(odd)} on one side only); use the file as published"
        )
    table = dataset.labelled(FOLDS[split], sampling_rate)
    column = {code: number for number, code in enumerate(classes)}
    labels = np.zeros((len(table), len(classes)), np.bool_)
    for row, codes in enumerate(table["scp_codes"]):
        for code in codes:  # whatever the likelihood
            if code in groups:
                labels[row, column[groups[code]]] = True
    kept = np.flatnonzero(labels.any(axis=1))
    if not kept.size:
        raise DataError(f"no record of the split {split} in {dataset.root} has a label of {task.name}")
    filenames = [str(name) for name in table["filename"].iloc[kept]]
    return TaskData(
        task=task.name,
        dataset=task.dataset,
        split=split,
        classes=classes,
        labels=labels[kept],
        patients=table["patient_id"].to_numpy(np.int64)[kept],
        names=tuple(Path(name).name for name in filenames),
        paths=dataset.paths(filenames),
    )


def _groups(dataset: PTBXL, task: Task) -> dict[str, str]:
    """Return the class of every statement that counts for the task."""
    column = dataset.statements()[task.grouping]
    if task.grouping in {"form", "rhythm"}:
        return {str(code): str(code) for code, flag in column.items() if flag == 1}
    return cast("dict[str, str]", column.dropna().to_dict())
