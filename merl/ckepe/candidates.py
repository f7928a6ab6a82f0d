"""Phrases proposed for a class: the knowledge's own statements, or a language model's wording of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from merl.ckepe.concepts import Concept
from merl.ckepe.llm import ChatModel
from merl.ckepe.prompt_set import Phrase, Polarity, Role
from merl.ckepe.template import Template
from merl.knowledge.entries import Entry
from merl.knowledge.index import KnowledgeIndex
from merl.knowledge.passages import Kind, Passage

_ROLES: dict[Kind, Role] = {"synonym": "synonym", "finding": "finding", "absent": "finding"}


class CitedPhrase(BaseModel):
    """A phrase and the passages it rests on; a model that has to cite first writes from what it cites."""

    model_config = ConfigDict(extra="forbid")

    sources: Annotated[list[int], Field(max_length=2)]
    text: str = Field(min_length=1, max_length=160)


class Answer(BaseModel):
    """What a language model is asked to write; the limits keep small models from running on."""

    model_config = ConfigDict(extra="forbid")

    findings: Annotated[list[CitedPhrase], Field(max_length=10)]
    against: Annotated[list[CitedPhrase], Field(max_length=5)]
    synonyms: Annotated[list[CitedPhrase], Field(max_length=6)]
    subtypes: Annotated[list[CitedPhrase], Field(max_length=8)]


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
    phrases += [Phrase(text=kind.name, role="subtype", sources=(f"ecg:{kind.id}#name",)) for kind in kinds]
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


def from_model(
    concept: Concept,
    passages: Sequence[Passage],
    siblings: Sequence[str],
    template: Template,
    model: ChatModel,
) -> list[Phrase]:
    """Ask a language model for phrases that rest on the passages; nothing it says is checked here.

    Raises:
        LLMError: the model cannot be reached or answers unusably.
    """
    assert concept.entry is not None  # noqa: S101 - without an entry there are no passages to ask about
    own = concept.entry.id
    numbered = [
        {"number": number, "kind": _shown_kind(passage, own), "text": _one_line(passage.text)}
        for number, passage in enumerate(passages, 1)
    ]
    messages = template.render(
        name=_one_line(concept.name), siblings=[_one_line(name) for name in siblings], passages=numbered
    )
    answer = model.ask(messages, Answer)
    lists: list[tuple[list[CitedPhrase], Role, Polarity]] = [
        (answer.synonyms, "synonym", "present"),
        (answer.subtypes, "subtype", "present"),
        (answer.findings, "finding", "present"),
        (answer.against, "finding", "absent"),
    ]
    ids = {number: passage.id for number, passage in enumerate(passages, 1)}
    return [
        Phrase(
            text=_one_line(item.text).rstrip("."),
            role=role,
            polarity=polarity,
            sources=tuple(dict.fromkeys(ids.get(number, f"passage {number}") for number in item.sources)),
        )
        for items, role, polarity in lists
        for item in items
        if item.text.strip(" .\n\t")
    ]


def _shown_kind(passage: Passage, own: str) -> str:
    if passage.entry != own:
        return "kind"
    return "against" if passage.kind == "absent" else passage.kind


def _one_line(text: str) -> str:
    return " ".join(text.split())
