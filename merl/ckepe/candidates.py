"""What the knowledge itself proposes for a class, and the passages that phrases of any origin may rest on."""

from __future__ import annotations

from collections.abc import Sequence

from merl.ckepe.concepts import Concept
from merl.ckepe.prompt_set import Phrase, Polarity, Role
from merl.knowledge.entries import Entry
from merl.knowledge.index import KnowledgeIndex
from merl.knowledge.passages import Kind, Passage, passage_id

_ROLES: dict[Kind, Role] = {"synonym": "synonym", "finding": "finding", "absent": "finding"}


def name_phrase(concept: Concept) -> Phrase:
    """Return the class's own name, which every class keeps whatever else is thrown out."""
    sources = (concept.name_source,) if concept.name_source else ()
    return Phrase(text=concept.name.lower(), role="name", sources=sources)


def from_knowledge(concept: Concept, kinds: Sequence[Entry], index: KnowledgeIndex) -> list[Phrase]:
    """Propose the entry's own statements: its names, what is seen, what speaks against it, its kinds."""
    if concept.entry is None:
        return []
    phrases: list[Phrase] = []
    for passage in index.passages(concept.entry.id):
        if passage.id == concept.name_source and passage.text.lower() == concept.name.lower():
            continue  # the class is already called so
        if passage.kind == "name" or passage.kind in _ROLES:
            role = _ROLES.get(passage.kind, "synonym")
            polarity: Polarity = "absent" if passage.kind == "absent" else "present"
            phrases.append(Phrase(text=passage.text, role=role, polarity=polarity, sources=(passage.id,)))
    phrases += [
        Phrase(text=kind.name, role="subtype", sources=(passage_id(kind.id, "name"),)) for kind in kinds
    ]
    order: list[Role] = ["synonym", "subtype", "finding"]
    return sorted(phrases, key=lambda phrase: (phrase.polarity == "absent", order.index(phrase.role)))


def retrieve(concept: Concept, kinds: Sequence[Entry], index: KnowledgeIndex, k: int | None) -> list[Passage]:
    """Return the passages a class's phrases may rest on: names, definition, ``k`` of each longer list.

    Passages on the difference from another concept stay out: they say of one what is false of the other.
    """
    if concept.entry is None:
        return []
    own = index.passages(concept.entry.id)
    order: list[Kind] = ["finding", "absent", "synonym", "name", "definition"]  # small models count along
    chosen: list[Passage] = []
    for kind in order:
        most = k if kind in {"finding", "absent"} else None
        chosen += [passage for passage in own if passage.kind == kind][:most]
    return chosen + [index.passages(entry.id)[0] for entry in kinds][:k]
