"""The records of one split of a task, with their truth; waveforms are read one by one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from merl.datasets.published import Split, Statements, read_file
from merl.errors import NoDataError
from merl.records import ECGRecord

Labels = Literal["fixed", "merl-compat"]


@dataclass(frozen=True, eq=False)
class TaskData:
    """The records and the truth of one split of a task.

    Attributes:
        task: its name.
        dataset: the data set's name.
        split: train, val, test or all.
        classes: codes in the label set's order.
        labels: shape (records, classes), true where the class is present.
        patients: shape (records,), an anonymous number for each patient.
        split_patients: all patients of the split, with a label of the task or without, sorted.
        names: the records' names.
        paths: the records' paths, without suffix where a record is several files.
        leads: the leads that are read; all that a record has if ``None``.
        rows: shape (records,), which part of its file a record is.
        reader: reads a record from its path and row.
        lead_as: leads of the records that are to stand in for another, by name, such as MLII for II.
        truth: whether labels are ``fixed`` or ``merl-compat``.
        missing: names of records that are left out because files of theirs are missing or damaged.
    """

    task: str
    dataset: str
    split: Split
    classes: tuple[str, ...]
    labels: NDArray[np.bool_]
    patients: NDArray[np.int64]
    split_patients: NDArray[np.int64]
    names: tuple[str, ...]
    paths: tuple[Path, ...]
    rows: NDArray[np.int64]
    leads: tuple[str, ...] | None = None
    reader: Callable[[Path, int], ECGRecord] = read_file
    lead_as: Mapping[str, str] = field(default_factory=dict)
    truth: Labels = "fixed"
    missing: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.paths)

    def read(self, index: int) -> ECGRecord:
        """Read one record, in the order of ``labels``.

        Raises:
            RecordError: its files are damaged, it lacks one of ``leads``, or has a lead and its stand-in.
        """
        record = self.reader(self.paths[index], int(self.rows[index]))
        if self.lead_as:
            record = replace(record, leads=tuple(self.lead_as.get(lead, lead) for lead in record.leads))
        return record if self.leads is None else record.select(self.leads)

    def take(self, rows: Sequence[int] | NDArray[np.integer]) -> TaskData:
        """Keep the records of these rows, in this order."""
        return replace(
            self,
            labels=self.labels[rows],
            patients=self.patients[rows],
            names=tuple(self.names[row] for row in rows),
            paths=tuple(self.paths[row] for row in rows),
            rows=self.rows[rows],
        )

    def without(self, names: Collection[str]) -> TaskData:
        """Leave records out by name, which ``missing`` then tells.

        Raises:
            NoDataError: no record would be left.
        """
        kept = [row for row, name in enumerate(self.names) if name not in names]
        if not kept:
            raise NoDataError(f"none of the {len(self)} records of {self.task} can be used")
        missing = (*self.missing, *(name for name in self.names if name in names))
        return replace(self.take(kept), missing=missing)


def label_matrix(truth: Statements, classes: tuple[str, ...]) -> NDArray[np.bool_]:
    """Return the classes of each record as a matrix, shape (records, classes)."""
    column = {code: number for number, code in enumerate(classes)}
    matrix = np.zeros((len(truth), len(classes)), np.bool_)
    for row, codes in enumerate(truth):
        matrix[row, [column[code] for code in codes or ()]] = True
    return matrix
