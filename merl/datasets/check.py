"""What a folder holds: which data sets, what of them is missing, how many records a fold and label has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from merl.datasets import merl_release, mimic_ecg
from merl.datasets.catalogue import DATASETS
from merl.datasets.challenge2021 import by_code
from merl.datasets.published import Published, Records, Statements
from merl.datasets.tasks import TASKS, classes_of
from merl.errors import DataError, MerlError, RecordError
from merl.label_sets import load_label_set


class _Facts(BaseModel):
    model_config = ConfigDict(frozen=True)


class TaskCheck(_Facts):
    """How many records of each split have a label of a task, and how many have each label."""

    records: dict[str, int]
    labels: dict[str, dict[str, int]]


class Waveforms(_Facts):
    """What reading every record found.

    Attributes:
        read: records that could be read.
        unreadable: why a record could not.
        flat: the leads of a record that have one value throughout.
        rates: records at each sampling rate in hertz.
        leads: records with each order of leads.
        seconds: the shortest and the longest.
    """

    read: int
    unreadable: dict[str, str]
    flat: dict[str, list[str]]
    rates: dict[str, int]
    leads: dict[str, int]
    seconds: tuple[float, float] | None


class DataSetCheck(_Facts):
    """One data set of a folder.

    Attributes:
        records: listed by its tables or files.
        published: how many there are in all.
        missing: names of records without their files, by sampling rate where there is a choice.
        folds: records of each fold; empty where there are none.
        tasks: the tasks on it; a data set without one is counted by its label set.
        without_class: records of each statement that is no class of any of these.
        problems: why the folder cannot be used as it is, or in part.
        notes: what else is worth knowing.
    """

    key: str
    name: str
    version: str
    licence: str
    doi: str
    folder: str
    records: int
    published: int
    missing: dict[str, list[str]]
    folds: dict[int, int]
    split_by: str
    tasks: dict[str, TaskCheck]
    without_class: dict[str, int]
    problems: list[str]
    notes: list[str]
    waveforms: Waveforms | None = None


def check(
    data: str | Path, *, waveforms: bool = False, progress: Callable[[int, int], None] | None = None
) -> list[DataSetCheck]:
    """Say what a folder is.

    Args:
        data: the folder of a data set, or one that holds several.
        waveforms: read every record too.
        progress: called with the records read and the records to read.

    Raises:
        DataError: no data set is there, or a table of one is damaged.
    """
    data = Path(data)
    if not data.is_dir():
        raise DataError(f"there is no folder {data}")
    found = {key: root for key, published in DATASETS.items() if (root := published.find(data)) is not None}
    if "csn" in found and "ningbo" in found and _is_csn_tree(found["csn"]):
        del found["ningbo"]  # the same records, told apart only in the Challenge's form
    if not found:
        try:
            release = merl_release.folder(data)
        except DataError:
            names = ", ".join(published.name for published in DATASETS.values())
            raise DataError(f"no data set is in {data}; known are {names}") from None
        raise DataError(
            f"{release} is the data_split of MERL's release; `merl data audit {data}` compares it"
        )
    return [_check(DATASETS[key], root, waveforms, progress) for key, root in found.items()]


def _is_csn_tree(root: Path) -> bool:
    return (root / "WFDBRecords").is_dir()


def _check(
    published: Published, root: Path, waveforms: bool, progress: Callable[[int, int], None] | None
) -> DataSetCheck:
    problems: list[str] = []
    listed, tasks, without = _list(published, root, problems)
    gone = {rate: published.missing(some) for rate, some in listed.items()}
    fullest = min(gone, key=lambda rate: int(gone[rate].sum()), default=0)
    records = listed.get(fullest)
    folds = Counter(fold for fold in records.folds.tolist() if fold) if records else Counter()
    problems += _lacks(published, folds, gone.get(fullest))
    found = None
    if records and waveforms:
        found = _read_all(published, records.take(np.flatnonzero(~gone[fullest])), progress)
        problems += [f"{len(found.unreadable)} records cannot be read"] * bool(found.unreadable)
    return DataSetCheck(
        key=published.key,
        name=published.name,
        version=published.version,
        licence=published.licence,
        doi=published.doi,
        folder=str(root),
        records=len(records) if records else 0,
        published=published.records_in_all,
        missing={_rate(rate): _names(listed[rate], lacks) for rate, lacks in gone.items()},
        folds=dict(sorted(folds.items())),
        split_by=published.folds,
        tasks=tasks,
        without_class=without,
        problems=problems,
        notes=_reports(root) if published is mimic_ecg.DATASET else [],
        waveforms=found,
    )


def _lacks(published: Published, folds: Counter[int], gone: NDArray[np.bool_] | None) -> list[str]:
    """Say which folds and how many files are missing."""
    problems = []
    if published.every_fold and (absent := [f for f in published.splits["all"] if f not in folds]):
        problems.append(f"no record of fold {', '.join(map(str, absent))}")
    if gone is not None and gone.any():
        problems.append(f"{int(gone.sum())} of {len(gone)} records lack a file")
    return problems


def _rate(rate: int) -> str:
    return f"{rate} Hz" if rate else "all"


def _names(records: Records, which: NDArray[np.bool_]) -> list[str]:
    return [records.names[i] for i in np.flatnonzero(which)]


def _list(
    published: Published, root: Path, problems: list[str]
) -> tuple[dict[int, Records], dict[str, TaskCheck], dict[str, int]]:
    """List the records at each rate and count their labels; what cannot be is added to the problems."""
    listed: dict[int, Records] = {}
    try:
        listed = {rate: published.records(root, rate) for rate in published.rates or (0,)}
        records = next(iter(listed.values()))
        statements = published.statements(root, records)
        if silent := sum(codes is None for codes in statements):
            problems.append(f"{silent} records have no labels that can be read")
        return listed, *_count(published, root, records, statements)
    except MerlError as problem:
        problems.append(str(problem))
        return listed, {}, {}


def _reports(root: Path) -> list[str]:
    pairs, left_out = mimic_ecg.MIMICECG(root).reports()
    return [
        f"{len(pairs)} records with a report",
        *(f"{count}: {reason}" for reason, count in left_out.items()),
    ]


def _count(
    published: Published, root: Path, records: Records, statements: Statements
) -> tuple[dict[str, TaskCheck], dict[str, int]]:
    tasks: dict[str, TaskCheck] = {}
    known: set[str] = set()
    for task in TASKS.values():
        if task.published is published:
            label_set = load_label_set(task.name)
            known |= task.groups(root, label_set).keys()
            truth = classes_of(task, root, statements)
            tasks[task.name] = _task(published, records, truth, list(label_set.classes))
    if not tasks and published.label_set:
        label_set = load_label_set(published.label_set)
        groups = by_code(label_set)
        known = set(groups)
        truth = tuple(codes and frozenset(groups[c] for c in codes if c in groups) for codes in statements)
        tasks[published.label_set] = _task(published, records, truth, list(label_set.classes))
    others = Counter(code for codes in statements for code in codes or () if code not in known)
    return tasks, dict(others.most_common())


def _task(published: Published, records: Records, truth: Statements, classes: list[str]) -> TaskCheck:
    parts = [split for split in published.splits if split != "all"]
    of_fold = {fold: split for split in parts for fold in published.splits[split]}
    labels = {code: dict.fromkeys(parts, 0) for code in classes}
    counts: dict[str, int] = dict.fromkeys(parts, 0)
    for codes, fold in zip(truth, records.folds.tolist(), strict=True):
        split = of_fold.get(fold)
        if codes and split:
            counts[split] += 1
            for code in codes:
                labels[code][split] += 1
    return TaskCheck(records=counts, labels={code: dict(row) for code, row in labels.items()})


def _read_all(
    published: Published, records: Records, progress: Callable[[int, int], None] | None
) -> Waveforms:
    """Read the records one by one; only one is held."""
    unreadable: dict[str, str] = {}
    flat: dict[str, list[str]] = {}
    rates: Counter[str] = Counter()
    leads: Counter[str] = Counter()
    seconds: list[float] = []
    for i, name in enumerate(records.names):
        try:
            record = published.read(records.paths[i], int(records.rows[i]))
        except RecordError as problem:
            unreadable[name] = str(problem)
        else:
            spans = np.ptp(record.signal, axis=1)
            if not spans.all():
                flat[name] = [lead for lead, span in zip(record.leads, spans, strict=True) if not span]
            rates[f"{record.sampling_rate:g}"] += 1
            leads[" ".join(record.leads)] += 1
            seconds = [min([*seconds[:1], record.seconds]), max([*seconds[1:], record.seconds])]
        if progress:
            progress(i + 1, len(records))
    return Waveforms(
        read=len(records) - len(unreadable),
        unreadable=unreadable,
        flat=flat,
        rates=dict(rates.most_common()),
        leads=dict(leads.most_common()),
        seconds=(seconds[0], seconds[1]) if seconds else None,
    )
