"""Passages: the single statements an entry is cut into, each with an id that prompts can cite."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict

from merl.knowledge.entries import Entry, Statement

Kind = Literal["name", "synonym", "definition", "finding", "absent", "distinguish", "is_a", "text"]

#: Kinds that say what the concept is. ``absent`` speaks against it, ``distinguish`` of two concepts at once,
#: and a ``text``, a piece of a book, of any number.
SPEAKS_FOR: frozenset[Kind] = frozenset({"name", "synonym", "definition", "finding", "is_a"})


class Passage(BaseModel):
    """One statement of an entry, or of a concept of another source.

    Attributes:
        id: where it stands, ``ecg:AFIB#findings/0``; changes when the entry's statements are reordered.
        entry: the id of its entry or concept.
        kind: which part of the entry it comes from.
        text: the statement itself.
        name: the concept's name; empty for our own, whose entries are at hand.
        source: key of the published source; None for names, which are the vocabulary itself.
        leads: leads the statement is about, in standard spelling; empty for all.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    entry: str
    kind: Kind
    text: str
    name: str = ""
    source: str | None = None
    leads: tuple[str, ...] = ()


def passages_of(entry: Entry) -> list[Passage]:
    """Cut an entry into passages: names first, then what speaks for it and against it."""
    named = [_passage(entry, "name", "name", entry.name)]
    named += [_passage(entry, "synonym", f"synonyms/{i}", text) for i, text in enumerate(entry.synonyms)]
    parts: list[tuple[Kind, str, Statement]] = [("definition", "definition", entry.definition)]
    parts += [("finding", f"findings/{i}", item) for i, item in enumerate(entry.findings)]
    parts += [("absent", f"absent/{i}", item) for i, item in enumerate(entry.absent)]
    parts += [("distinguish", f"distinguish/{i}", item) for i, item in enumerate(entry.distinguish_from)]
    return named + [_passage(entry, kind, place, item.text, item) for kind, place, item in parts]


def corpus_sha256(entries: Mapping[str, Entry]) -> str:
    """Return the hash of all entries with everything they say; any edit changes it."""
    digest = hashlib.sha256()
    for key in sorted(entries):
        digest.update(entries[key].model_dump_json().encode() + b"\n")
        for passage in passages_of(entries[key]):
            digest.update(passage.model_dump_json().encode() + b"\n")
    return digest.hexdigest()


def passage_id(entry: str, place: str) -> str:
    """Return the id that citations give: the source, the entry and the place in it, ``ecg:AFIB#findings/0``.

    A concept of another source has the source in its own id.
    """
    return f"{entry if ':' in entry else f'ecg:{entry}'}#{place}"


def _passage(entry: Entry, kind: Kind, place: str, text: str, statement: Statement | None = None) -> Passage:
    return Passage(
        id=passage_id(entry.id, place),
        entry=entry.id,
        kind=kind,
        text=text,
        source=statement.source if statement else None,
        leads=statement.leads if statement else (),
    )
