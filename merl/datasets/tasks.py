"""Labelled tasks: which records, which classes, which truth.

PTB-XL follows its benchmark (Strodthoff et al., Deep learning for ECG analysis: benchmarks and insights
from PTB-XL, IEEE JBHI 25:1519 (2021), doi:10.1109/JBHI.2020.3022989): a label counts if its SCP statement
is present, whatever its likelihood. On every data set codes are compared whole, and records without a label
of the task are left out. Labels ``merl-compat`` are those of MERL's release instead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np

from merl.datasets import challenge2021, code15, cpsc2018, csn, georgia, ludb, mitbih, ptbxl, sph
from merl.datasets.published import Published, Records, Split, Statements
from merl.datasets.task_data import Labels, TaskData, label_matrix
from merl.errors import DataError, NoDataError, UsageError, unknown
from merl.label_sets import LabelSet, load_label_set

LABELS: tuple[Labels, ...] = ("fixed", "merl-compat")
Groups = Callable[[Path, LabelSet], dict[str, str]]


@dataclass(frozen=True)
class Task:
    """A task; its label set has the same name.

    Attributes:
        published: the data set.
        groups: returns the class of every statement that counts, from the data set's own tables.
        description: in a few words.
        test: how many records the test split has, in words where that is not published.
        official: the folder and stem of the tables of MERL's release, where it has the task.
    """

    name: str
    published: Published
    groups: Groups
    description: str
    test: str
    official: str | None = None

    @property
    def dataset(self) -> str:
        """The data set's name."""
        return self.published.name


def _scp_groups(column: str) -> Groups:
    """Return the groups of a column of ``scp_statements.csv``; form and rhythm only mark their statements."""

    def groups(root: Path, label_set: LabelSet) -> dict[str, str]:
        values = ptbxl.PTBXL(root).statements()[column]
        if column in {"form", "rhythm"}:
            found = {str(code): str(code) for code, flag in values.items() if flag == 1}
        else:
            found = cast("dict[str, str]", values.dropna().to_dict())
        if odd := sorted(set(label_set.classes) ^ set(found.values())):
            raise DataError(
                f"the classes of {label_set.name} in {root / 'scp_statements.csv'} are not the label set's"
                f" ({', '.join(odd)} on one side only); use the file as published"
            )
        return found

    return groups


def _same(_root: Path, label_set: LabelSet) -> dict[str, str]:
    return {code: code for code in label_set.classes}


def _ptbxl(name: str, column: str, description: str, test: int, official: str) -> Task:
    return Task(
        name, ptbxl.DATASET, _scp_groups(column), description, str(test), f"ptbxl/{official}/ptbxl_{official}"
    )


TASKS = {
    task.name: task
    for task in (
        _ptbxl("ptbxl-super", "diagnostic_class", "five diagnostic superclasses", 2158, "super_class"),
        _ptbxl("ptbxl-sub", "diagnostic_subclass", "23 diagnostic subclasses", 2158, "sub_class"),
        _ptbxl("ptbxl-form", "form", "19 statements on the form of the waves", 880, "form"),
        _ptbxl("ptbxl-rhythm", "rhythm", "12 statements on rhythm", 2098, "rhythm"),
        Task("cpsc2018", cpsc2018.DATASET, _same, "nine types", "about 690", "icbeb/icbeb"),
        Task("csn", csn.DATASET, csn.classes, "conditions by SNOMED code", "about 4,500", "chapman/chapman"),
        Task(
            "georgia",
            georgia.DATASET,
            challenge2021.scored,
            "diagnoses the Challenge 2021 scores",
            "about 1,030",
        ),
        Task("mitbih-aami", mitbih.DATASET, mitbih.beats, "AAMI beat groups in 10 s", "3,960 windows"),
        Task("mitbih-rhythm", mitbih.DATASET, mitbih.rhythms, "rhythms in 10 s", "3,960 windows"),
        Task("ludb", ludb.DATASET, ludb.classes, "cardiologists' diagnoses", "about 20"),
        Task("code15", code15.DATASET, _same, "six abnormalities", "about 34,600"),
        Task("sph", sph.DATASET, sph.classes, "44 AHA/ACC/HRS statements", "about 2,600"),
    )
}


def get_task(name: str) -> Task:
    """Return a task by its name.

    Raises:
        UsageError: there is no such task.
    """
    if name not in TASKS:
        raise UsageError(unknown("task", name, TASKS, "merl tasks"))
    return TASKS[name]


def load_task(
    name: str,
    data: str | Path,
    split: Split,
    sampling_rate: int = 100,
    *,
    labels: Labels = "fixed",
    official: str | Path | None = None,
    allow_missing: bool = False,
    lead_as: Mapping[str, str] | None = None,
) -> TaskData:
    """Load the records and labels of a task; waveforms are read later, one by one.

    Args:
        name: one of ``TASKS``.
        data: the data set's folder, or one that holds it.
        split: ``train``, ``val``, ``test`` or ``all``.
        sampling_rate: 100 or 500 Hz of PTB-XL; every other data set has one rate.
        labels: ``fixed``, or ``merl-compat``: splits and labels of MERL's release as they are.
        official: folder of MERL's release, with ``data_split`` in it; needed for ``merl-compat``.
        allow_missing: leave out the records whose files are missing.
        lead_as: leads that stand in for another, as ``{"MLII": "II"}``.

    Raises:
        UsageError: unknown task, split, labels or rate.
        NoDataError: the data set, a fold of the split, or every label of the task in it is missing.
        DataError: the data set is incomplete or damaged, or its classes are not the label set's.
    """
    task = get_task(name)
    if split not in task.published.splits:
        raise UsageError(unknown("split", split, task.published.splits))
    if labels not in LABELS:
        raise UsageError(unknown("kind of labels", labels, LABELS))
    root = task.published.folder(data)
    if labels == "merl-compat":
        from merl.datasets.merl_release import official_records

        every, truth = official_records(task, official, root, split, sampling_rate)
        records = every
    else:
        every = _of_split(task.published, root, split, sampling_rate, allow_missing)
        records, truth = _labelled(task, root, every)
    records, truth, missing = _present(task.published, root, records, truth, allow_missing)
    if not len(records):
        raise NoDataError(f"no record of the split {split} in {root} has a label of {task.name}")
    classes = tuple(load_label_set(task.name).classes)
    return TaskData(
        task=task.name,
        dataset=task.dataset,
        split=split,
        classes=classes,
        labels=label_matrix(truth, classes),
        patients=records.patients,
        split_patients=np.unique(every.patients),
        names=records.names,
        paths=records.paths,
        rows=records.rows,
        reader=task.published.read,
        lead_as=dict(lead_as or {}),
        truth=labels,
        missing=missing,
    )


def classes_of(task: Task, root: Path, statements: Statements) -> Statements:
    """Turn what is said of each record into the task's classes; what is none of them is left out.

    Raises:
        DataError: the data set's own tables contradict the label set.
    """
    groups = task.groups(root, load_label_set(task.name))
    return tuple(
        None if codes is None else frozenset(groups[code] for code in codes if code in groups)
        for codes in statements
    )


def _of_split(
    published: Published, root: Path, split: Split, sampling_rate: int, allow_missing: bool
) -> Records:
    """Return all records of a split, whatever their labels."""
    records = published.records(root, sampling_rate)
    folds = published.splits[split]
    there = set(records.folds.tolist())
    if published.every_fold and not allow_missing and (absent := [str(f) for f in folds if f not in there]):
        raise NoDataError(
            f"no records of fold {', '.join(absent)} in {root};"
            f" it has the folds {', '.join(str(fold) for fold in sorted(there))}"
        )
    return records.take(np.flatnonzero(np.isin(records.folds, folds)))


def _labelled(task: Task, root: Path, records: Records) -> tuple[Records, Statements]:
    """Return those of the records that have a label or cannot be read, with their classes."""
    truth = classes_of(task, root, task.published.statements(root, records))
    kept = [i for i, codes in enumerate(truth) if codes is None or codes]
    return records.take(kept), tuple(truth[i] for i in kept)


def _present(
    published: Published, root: Path, records: Records, truth: Statements, allow_missing: bool
) -> tuple[Records, Statements, tuple[str, ...]]:
    """Leave out the records whose files are missing, if that is allowed."""
    lacking = published.missing(records) | np.array([codes is None for codes in truth], np.bool_)
    missing = tuple(name for name, gone in zip(records.names, lacking, strict=True) if gone)
    if missing and not allow_missing:
        files = ", ".join(suffix for suffix in published.suffixes if suffix) or "file"
        raise DataError(
            f"{len(missing)} of {len(records)} records have no {files} or no labels in {root}, such as"
            f" {', '.join(missing[:5])}; complete the download, or leave them out with allow_missing"
            " (--allow-missing)"
        )
    kept = np.flatnonzero(~lacking)
    return records.take(kept), tuple(truth[i] for i in kept), missing
