"""Which classes of the label sets have an entry, and how many of those entries have numeric criteria."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from merl.knowledge.entries import Entry
from merl.knowledge.index import KnowledgeIndex
from merl.knowledge.wording import read_wording
from merl.label_sets import LabelSet


@dataclass(frozen=True)
class Coverage:
    """What the knowledge base has for the classes of one label set.

    Attributes:
        label_set: its name.
        description: what it is of.
        classes: how many there are.
        with_entry: of how many the exact look-up of (label set, code) gives one entry.
        with_numbers: of how many of those a finding or the definition gives a number with its unit.
        missing: the codes without an entry, or of several.
    """

    label_set: str
    description: str
    classes: int
    with_entry: int
    with_numbers: int
    missing: tuple[str, ...]


def coverage(index: KnowledgeIndex, label_sets: Iterable[LabelSet]) -> list[Coverage]:
    """Look up every class of some label sets, exactly and by its code."""
    rows = []
    for labels in label_sets:
        found = {code: index.lookup(code, labels) for code in labels.classes}
        entries = [meanings[0] for meanings in found.values() if len(meanings) == 1]
        rows.append(
            Coverage(
                label_set=labels.name,
                description=labels.description,
                classes=len(found),
                with_entry=len(entries),
                with_numbers=sum(map(has_numbers, entries)),
                missing=tuple(code for code, meanings in found.items() if len(meanings) != 1),
            )
        )
    return rows


def has_numbers(entry: Entry) -> bool:
    """Tell whether a finding of the entry, or its definition, gives a number with its unit."""
    texts = (entry.definition.text, *(finding.text for finding in entry.findings))
    return any(quantity.unit for text in texts for quantity in read_wording(text).quantities)
