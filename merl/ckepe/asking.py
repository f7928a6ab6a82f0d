"""CKEPE's two questions to a language model: the subtypes and attributes of a class, then its phrases."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from merl.ckepe.concepts import Concept
from merl.ckepe.llm import ChatModel, Message
from merl.ckepe.prompt_set import Phrase, Polarity, Rejected, Role
from merl.ckepe.template import Template, plain_text
from merl.knowledge.index import KnowledgeIndex
from merl.knowledge.passages import Passage

#: Least cosine between an attribute and a passage of the class for the passage to be shown with it.
LOOK_UP_THRESHOLD = 0.5

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

    synonyms: Annotated[list[Named], Field(max_length=6)]
    subtypes: Annotated[list[Named], Field(max_length=8)]
    attributes: Annotated[list[Named], Field(max_length=10)]


class Findings(BaseModel):
    """The second answer."""

    model_config = ConfigDict(extra="forbid")

    findings: Annotated[list[CitedPhrase], Field(max_length=12)]
    against: Annotated[list[CitedPhrase], Field(max_length=6)]


@dataclass(frozen=True)
class Question:
    """What a language model is asked about a class.

    Attributes:
        concept: the class.
        passages: what its phrases may rest on, in the order they are numbered.
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
        return self.template.render("attributes", name=self.concept.name, passages=self._numbered())

    def second(self, found: Attributes) -> list[Message]:
        """Ask for phrases, the passages ordered by the attributes that the knowledge knows."""
        return self.template.render(
            "phrases",
            name=self.concept.name,
            siblings=list(self.siblings),
            passages=self._numbered(),
            attributes=self._by_attribute(found),
        )

    def longest_first(self) -> Attributes:
        """Return a first answer that makes the second question as long as it can be."""
        numbers = [item["number"] for item in self._numbered() if item["kind"] == "finding"]
        named = [Named(sources=[number], text="?" * 80) for number in numbers[:10]]
        return Attributes(synonyms=[], subtypes=[], attributes=named)

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
        lists: list[tuple[Sequence[Named | CitedPhrase], Role, Polarity]] = [
            (found.synonyms, "synonym", "present"),
            (found.subtypes, "subtype", "present"),
            (written.findings, "finding", "present"),
            (written.against, "finding", "absent"),
        ]
        phrases = [
            Phrase(text=text, role=role, polarity=polarity, sources=self._cited(item))
            for items, role, polarity in lists
            for item in items
            if (text := plain_text(item.text).strip(" ."))
        ]
        unknown = [
            Rejected(
                text=plain_text(item.text) or "?",
                reason="is an attribute that no passage of this class speaks of",
                sources=self._cited(item),
            )
            for item in found.attributes
            if not self._look_up(item)
        ]
        return phrases, unknown

    def _ask(
        self, model: ChatModel, messages: list[Message], answer: type[Ask], step: str, state: State
    ) -> Ask:
        def watch(what: str) -> None:
            state(f"{step}: {what}")

        return model.ask(messages, answer, about=f"{self.concept.code}, {step}", watch=watch)

    def _by_attribute(self, found: Attributes) -> list[dict[str, Any]]:
        """Put every finding under the first attribute that speaks of it; what none speaks of comes last."""
        left = {item["number"]: item for item in self._numbered() if item["kind"] == "finding"}
        groups = []
        for attribute in found.attributes:
            own = [left.pop(number) for number in self._look_up(attribute) if number in left]
            if own:
                groups.append({"text": attribute.text, "passages": own})
        return groups + ([{"text": "other", "passages": list(left.values())}] if left else [])

    def _look_up(self, attribute: Named) -> list[int]:
        """Return the numbers of the passages of the class that speak of an attribute.

        Those it cites; where it cites none that was shown, the nearest in meaning.
        """
        cited = [number for number in attribute.sources if 0 < number <= len(self.passages)]
        if cited:
            return cited
        numbers = {passage.id: number for number, passage in enumerate(self.passages, 1)}
        ranked = self.index.nearest(plain_text(attribute.text) or "?")
        near = [numbers[p.id] for p, score in ranked if p.id in numbers and score >= LOOK_UP_THRESHOLD]
        return near[:1]

    def _numbered(self) -> list[dict[str, Any]]:
        return [
            {"number": number, "kind": self._shown_kind(passage), "text": passage.text}
            for number, passage in enumerate(self.passages, 1)
        ]

    def _shown_kind(self, passage: Passage) -> str:
        own = self.concept.entry
        if own is None or passage.entry != own.id:
            return "kind"
        return "against" if passage.kind == "absent" else passage.kind

    def _cited(self, item: _Item) -> tuple[str, ...]:
        ids = {number: passage.id for number, passage in enumerate(self.passages, 1)}
        return tuple(dict.fromkeys(ids.get(number, f"passage {number}") for number in item.sources))
