"""What a study is scored on: records, their true classes in groups, and the prompts of these classes.

By concept, a record has a class if it carries a statement of one of the class's concepts or of a kind of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from merl.ckepe.prompt_set import PromptSet
from merl.datasets import mitbih, ptbxl
from merl.datasets.published import Split
from merl.datasets.tasks import TASKS, Task, TaskData, get_task, load_task
from merl.errors import ConfigError, UsageError, unknown
from merl.knowledge.entries import Entry
from merl.label_sets import LabelSet, load_label_set
from merl.studies.config import Evaluation, UnseenClass
from merl.studies.naming import Namings, namings, with_kinds
from merl.studies.withholding import Withholding

ALL, SEEN, UNSEEN = "all", "seen", "unseen"
#: A class that fewer training reports name was hardly seen.
NAMED_AT_LEAST = 10


def _codes(_root: Path, label_set: LabelSet) -> dict[str, str]:
    return {code: code for code in label_set.classes}


#: Label sets whose statements can be read by concept: those of the tasks, and two that are finer than them.
STATEMENTS: Mapping[str, Task] = MappingProxyType(
    TASKS
    | {
        "ptbxl-all": Task("ptbxl-all", ptbxl.DATASET, _codes, "the 71 statements", "2,198"),
        "mitbih-beats": Task(
            "mitbih-beats",
            replace(mitbih.DATASET, statements=mitbih.beat_symbols),
            mitbih.beats,
            "beat symbols in 10 s",
            "3,960 windows",
        ),
    }
)


@dataclass(frozen=True, eq=False)
class Truth:
    """Records with their true classes.

    Attributes:
        data: the records; its classes are those of all groups together.
        groups: codes of each group's classes.
        prompts: of all classes.
        by_concept: whether classes are concepts.
    """

    data: TaskData
    groups: Mapping[str, tuple[str, ...]]
    prompts: PromptSet
    by_concept: bool


@dataclass(frozen=True)
class Concepts:
    """The classes of a study by concept.

    Attributes:
        names: of every class, as it is prompted.
        members: the entries of every class.
        unseen: codes of the unseen classes.
        seen: codes of the seen ones.
        neither: why a class of the reference is in no group.
    """

    names: Mapping[str, str]
    members: Mapping[str, frozenset[str]]
    unseen: tuple[str, ...]
    seen: tuple[str, ...]
    neither: Mapping[str, str]


def find_concepts(
    unseen: Mapping[str, UnseenClass],
    withholding: Withholding,
    statements: str,
    entries: Mapping[str, Entry],
    sentences: Sequence[frozenset[str]],
) -> Concepts:
    """Find the seen classes of a label set: those that training reports name and that no unseen one touches.

    Args:
        unseen: the unseen classes by code.
        withholding: how they are named.
        statements: the label set of the reference data.
        entries: the knowledge base.
        sentences: of every training report, nothing of unseen classes in them, its statements.
    """
    declared = {item.entry for item in load_label_set(statements).classes.values() if item.entry}
    members = {each: with_kinds([each], entries) for each in sorted(declared)}
    hidden: frozenset[str] = frozenset().union(*withholding.concepts.values())
    counts = _reports_naming(namings(members, entries), sentences)
    neither: dict[str, str] = {}
    for each, kinds in members.items():
        if each in hidden:
            neither[each] = "belongs to an unseen class"
        elif kinds & hidden:
            neither[each] = "takes in an unseen class"
        elif withholding.namings.named_in(entries[each].name):
            neither[each] = "is named like an unseen class"
        elif counts[each] < NAMED_AT_LEAST:
            neither[each] = f"is named in {counts[each]} training reports"
    seen = tuple(each for each in members if each not in neither)
    return Concepts(
        names={each: entries[each].name for each in seen} | {c: item.name for c, item in unseen.items()},
        members={each: members[each] for each in seen} | withholding.concepts,
        unseen=tuple(unseen),
        seen=seen,
        neither={each: why for each, why in neither.items() if why != "belongs to an unseen class"},
    )


def load_truth(
    evaluation: Evaluation,
    data: Path,
    split: Split,
    sampling_rate: int,
    concepts: Concepts | None,
) -> Truth:
    """Load the records and true classes of an evaluation.

    Raises:
        ConfigError: it lets an unknown class give way, or is by concept without concepts.
        UsageError: an unknown task, label set or prompt set.
        DataError: the data set is missing or damaged.
    """
    task = task_of(evaluation)
    found = load_task(
        task,
        data,
        split,
        sampling_rate,
        allow_missing=evaluation.allow_missing,
        lead_as=evaluation.lead_as,
    )
    if evaluation.gives_way is not None:
        found = _give_way(found, evaluation.gives_way)
    if evaluation.task is not None:
        prompts = PromptSet.find(evaluation.prompts, task.name)
        return Truth(found, {ALL: found.classes}, prompts, by_concept=False)
    if concepts is None:
        raise ConfigError(f"{evaluation.name!r} is by concept and no class is unseen; list some under unseen")
    return _by_concept(found, task.name, concepts)


def task_of(evaluation: Evaluation) -> Task:
    """Return the task of an evaluation, which by concept is that of its statements.

    Raises:
        UsageError: there is none of that name.
    """
    if evaluation.task is not None:
        return get_task(evaluation.task)
    name = str(evaluation.statements)
    if name not in STATEMENTS:
        raise UsageError(unknown("label set of statements", name, STATEMENTS))
    return STATEMENTS[name]


def _give_way(data: TaskData, code: str) -> TaskData:
    """Let a class count only for records that have no other."""
    if code not in data.classes:
        raise ConfigError(f"gives_way: {unknown(f'class of {data.task}', code, data.classes)}")
    labels = data.labels.copy()
    labels[:, data.classes.index(code)] &= labels.sum(axis=1) == 1
    return replace(data, labels=labels)


def _by_concept(data: TaskData, label_set: str, concepts: Concepts) -> Truth:
    entry_of = {code: item.entry for code, item in load_label_set(label_set).classes.items()}
    columns = {
        code: [place for place, own in enumerate(data.classes) if entry_of[own] in members]
        for code, members in concepts.members.items()
    }
    kept = [code for code, places in columns.items() if places]
    labels = np.stack([data.labels[:, columns[code]].any(axis=1) for code in kept], axis=1)
    groups = {
        name: tuple(code for code in codes if code in kept)
        for name, codes in ((UNSEEN, concepts.unseen), (SEEN, concepts.seen))
    }
    return Truth(
        data=replace(data, classes=tuple(kept), labels=labels),
        groups={name: codes for name, codes in groups.items() if codes},
        prompts=PromptSet.plain({code: concepts.names[code] for code in kept}),
        by_concept=True,
    )


def _reports_naming(named: Namings, sentences: Sequence[frozenset[str]]) -> dict[str, int]:
    counts = dict.fromkeys(named.classes, 0)
    for group in sentences:
        for code in frozenset().union(*map(named.named_in, group)):
            counts[code] += 1
    return counts


def columns_of(truth: Truth, codes: Sequence[str]) -> NDArray[np.int64]:
    """Return where classes stand among those of the records, shape (classes,)."""
    return np.array([truth.data.classes.index(code) for code in codes], np.int64)
