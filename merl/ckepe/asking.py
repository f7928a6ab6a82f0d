"""CKEPE's two questions to a language model: the subtypes and attributes of a class, then its phrases."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from merl.ckepe.concepts import Concept
from merl.ckepe.llm import ChatModel, Message
from merl.ckepe.prompt_set import Phrase, Polarity, Rejected, Role
from merl.ckepe.template import Step, Template, plain_text
from merl.knowledge.index import KnowledgeIndex
from merl.knowledge.passages import Passage

#: Least cosine between an attribute and a passage of the class for the passage to be shown with it.
LOOK_UP_THRESHOLD = 0.5

#: What is shown in which step; findings first, so that they have the same numbers in both.
_SHOWN: dict[Step, frozenset[str]] = {
    "attributes": frozenset({"finding", "synonym", "name", "definition", "kind"}),
    "phrases": frozenset({"finding", "against", "definition"}),
}

Ask = TypeVar("Ask", bound=BaseModel)
State = Callable[[str], None]


class _Item(BaseModel):
    """A text and the passages it rests on; a model that has to cite first writes from what it cites."""

    model_config = ConfigDict(extra="forbid")

    sources: Annotated[list[int], Field(max_length=2)]


class Named(_Item):
    """A name or an attribute."""

    text: str = Field(min_length=1, max_length=80)


class CitedPhrase(_Item):
    """A phrase."""

    text: str = Field(min_length=1, max_length=160)


class Attributes(BaseModel):
    """The first answer; the limits keep small models from running on."""

    model_config = ConfigDict(extra="forbid")

    attributes: Annotated[list[Named], Field(max_length=10)]
    synonyms: Annotated[list[Named], Field(max_length=6)]
    subtypes: Annotated[list[Named], Field(max_length=8)]


class Findings(BaseModel):
    """The second answer."""

    model_config = ConfigDict(extra="forbid")

    findings: Annotated[list[CitedPhrase], Field(max_length=12)]
    against: Annotated[list[CitedPhrase], Field(max_length=6)]


def _without_numbers(text: str) -> str:
    """Return a phrase without the numbers of passages that a small model repeats at its end: "in [1, 2]"."""
    return re.sub(r"(?:\s*\b(?:in|from|see|passages?))*\s*\[\d+(?:\s*[,-]\s*\d+)*\][\s.]*$", "", text).strip(
        " .,"
    )


@dataclass(frozen=True)
class Question:
    """What a language model is asked about a class.

    Attributes:
        concept: the class.
        passages: what its phrases may rest on, findings first.
        siblings: names of other classes, which no phrase may name.
        template: the words it is asked in.
        index: where attributes are looked up.
    """

    concept: Concept
    passages: Sequence[Passage]
    siblings: Sequence[str]
    template: Template
    index: KnowledgeIndex

    def first(self) -> list[Message]:
        """Ask for names, subtypes and attributes."""
        return self.template.render(
            "attributes", name=self.concept.name, passages=self._numbered("attributes")
        )

    def second(self, found: Attributes) -> list[Message]:
        """Ask for phrases, with what the attributes that the knowledge knows are looked at in."""
        attributes = [{"text": item.text, "passages": self._look_up(item)} for item in found.attributes]
        return self.template.render(
            "phrases",
            name=self.concept.name,
            siblings=list(self.siblings),
            passages=self._numbered("phrases"),
            attributes=[item for item in attributes if item["passages"]],
        )

    def longest_first(self) -> Attributes:
        """Return a first answer that makes the second question as long as it can be."""
        named = [Named(sources=[1, 2], text="?" * 80) for _ in range(10)]
        return Attributes(attributes=named, synonyms=[], subtypes=[])

    def propose(self, model: ChatModel, state: State) -> tuple[list[Phrase], list[Rejected]]:
        """Ask both; nothing the model says is checked here but that its attributes are known.

        Args:
            model: the language model.
            state: told what is going on.

        Returns:
            The phrases it proposes, and the attributes that the knowledge of the class does not know.

        Raises:
            LLMError: the model cannot be reached or answers unusably.
        """
        found = self._ask(model, self.first(), Attributes, "attributes", state)
        written = self._ask(model, self.second(found), Findings, "phrases", state)
        lists: list[tuple[Sequence[Named | CitedPhrase], Role, Polarity, Step]] = [
            (found.synonyms, "synonym", "present", "attributes"),
            (found.subtypes, "subtype", "present", "attributes"),
            (written.findings, "finding", "present", "phrases"),
            (written.against, "finding", "absent", "phrases"),
        ]
        phrases = [
            Phrase(text=text, role=role, polarity=polarity, sources=self._cited(item, step))
            for items, role, polarity, step in lists
            for item in items
            if (text := _without_numbers(plain_text(item.text)))
        ]
        unknown = [
            Rejected(
                text=plain_text(item.text) or "?",
                reason="is an attribute that no passage of this class speaks of",
                sources=self._cited(item, "attributes"),
            )
            for item in found.attributes
            if not self._look_up(item)
        ]
        return phrases, unknown

    def _ask(
        self, model: ChatModel, messages: list[Message], answer: type[Ask], step: Step, state: State
    ) -> Ask:
        def watch(what: str) -> None:
            state(f"{step}: {what}")

        return model.ask(messages, answer, about=f"{self.concept.code}, {step}", watch=watch)

    def _look_up(self, attribute: Named) -> list[int]:
        """Return the numbers of the findings of the class that an attribute is looked at in.

        Those it cites; where it cites none that was shown, the nearest in meaning. Findings have the same
        numbers in both steps.
        """
        numbers = {p.id: number for number, p in enumerate(self._shown("phrases"), 1) if p.kind == "finding"}
        cited = [number for number in dict.fromkeys(attribute.sources) if number in numbers.values()]
        if cited:
            return cited
        ranked = self.index.nearest(plain_text(attribute.text) or "?")
        near = [numbers[p.id] for p, score in ranked if p.id in numbers and score >= LOOK_UP_THRESHOLD]
        return near[:1]

    def _numbered(self, step: Step) -> list[dict[str, Any]]:
        return [
            {"number": number, "kind": self._kind(passage), "text": passage.text}
            for number, passage in enumerate(self._shown(step), 1)
        ]

    def _shown(self, step: Step) -> list[Passage]:
        """Return the passages of a step; small models count along, so that no number may be missing."""
        kinds = _SHOWN[step]
        return [passage for passage in self.passages if self._kind(passage) in kinds]

    def _kind(self, passage: Passage) -> str:
        own = self.concept.entry
        if own is None or passage.entry != own.id:
            return "kind"
        return "against" if passage.kind == "absent" else passage.kind

    def _cited(self, item: _Item, step: Step) -> tuple[str, ...]:
        ids = {number: passage.id for number, passage in enumerate(self._shown(step), 1)}
        return tuple(dict.fromkeys(ids.get(number, f"passage {number}") for number in item.sources))
