"""Citations: what a passage says, of which concept, and where that was published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from merl.knowledge.entries import Entry, load_entries, statements
from merl.knowledge.passages import Passage, passages_of


@dataclass(frozen=True)
class Citation:
    """A passage with the name of its concept and its place, section or table, in the published source."""

    passage: Passage
    concept: str
    place: str | None


def citations(entries: Mapping[str, Entry] | None = None) -> dict[str, Citation]:
    """Return every passage of the knowledge, the shipped one by default, by its id."""
    found = {}
    for entry in (load_entries() if entries is None else entries).values():
        places = {(item.text, item.source): item.locator for item in statements(entry)}
        for passage in passages_of(entry):
            place = places.get((passage.text, passage.source or ""))
            found[passage.id] = Citation(passage, entry.name, place)
    return found
