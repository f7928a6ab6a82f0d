"""Citations: what a passage says, of which concept, and where that was published."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from merl.knowledge.entries import Entry, load_entries, statements
from merl.knowledge.passages import Passage, passages_of
from merl.knowledge.tables import concept_of

if TYPE_CHECKING:
    from merl.knowledge.index import KnowledgeIndex


@dataclass(frozen=True)
class Citation:
    """A passage with the name of its concept and its place, section or table, in the published source.

    Attributes:
        source_checked: whether somebody opened that source and compared; ``None`` for what has none of ours.
        clinically_reviewed: whether a clinician signed the entry that the passage stands in.
    """

    passage: Passage
    concept: str
    place: str | None = None
    source_checked: bool | None = None
    clinically_reviewed: bool = False


def citations(entries: Mapping[str, Entry] | None = None) -> dict[str, Citation]:
    """Return every passage of the knowledge, the shipped one by default, by its id."""
    found = {}
    for entry in (load_entries() if entries is None else entries).values():
        stated = {(item.text, item.source): item for item in statements(entry)}
        for passage in passages_of(entry):
            item = stated.get((passage.text, passage.source or ""))
            found[passage.id] = Citation(
                passage,
                entry.name,
                item.locator if item else None,
                item.source_checked if item else None,
                entry.clinically_reviewed,
            )
    return found


def cite(ids: Iterable[str], index: KnowledgeIndex | None = None) -> dict[str, Citation]:
    """Return the passages of these ids, those that are known.

    Args:
        ids: of passages.
        index: the knowledge, ours and that of other sources; without one only the shipped one is known.
    """
    own = citations(index.entries if index else None)
    found = {}
    for key in ids:
        if key not in own and index is not None:
            own |= _of_concept(concept_of(key), index)
        if key in own:
            found[key] = own[key]
    return found


def _of_concept(concept: str, index: KnowledgeIndex) -> dict[str, Citation]:
    """Return what another source says of a concept, its name among it."""
    if concept not in index.entries:
        return {}
    entry = index.entries[concept]
    said = {passage.id: Citation(passage, entry.name) for passage in index.passages(concept)}
    return citations({concept: entry}) | said
