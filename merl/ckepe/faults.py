"""Why a phrase that the knowledge does not support is wrong: chatter, an opposite, another class."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from merl.ckepe.concepts import Concept, sibling_names
from merl.ckepe.judging import Judgement
from merl.knowledge.entries import Entry
from merl.knowledge.index import KnowledgeIndex
from merl.knowledge.lookup import fold_words, normalise
from merl.knowledge.passages import SPEAKS_FOR, Passage
from merl.knowledge.wording import Wording, read_wording

#: A language model speaking of its task, beside what the verifier knows as chatter.
_CHATTER = re.compile(
    r"\bbased on the (?:input|context|text|given|information)|\bi (?:generated|have|would|think|hope)\b"
    r"|\bthe following (?:\w+ )?(?:subtypes|attributes|phrases|findings|list|terms|prompts)\b"
    r"|let me know|\byour (?:request|requirements|question|needs)\b|\bhope (?:this|that)\b"
    r"|\bsubtypes and attributes\b|^(?:sure|certainly|answer|output|response)\b|!",
    re.IGNORECASE,
)
#: Words of German, French, Spanish, Italian, Dutch and Swedish that are no words of an English phrase.
_FOREIGN = frozenset(
    word
    for words in (
        "und mit ohne kein keine nicht oder bei einer eine der das ist im",
        "avec sans dans les une est del los con sin senza delle zonder een van het och utan eller",
    )
    for word in words.split()
)
_FOREIGN_LETTERS = frozenset("äöüßåøñçãõ")

Fault = tuple[str, str, tuple[str, ...]]  # kind, what is wrong, the other classes it concerns


def is_chatter(text: str) -> bool:
    """Tell whether a text speaks of its own making instead of an ECG."""
    return bool(_CHATTER.search(text))


@dataclass(frozen=True)
class FaultFinder:
    """Says what is wrong with the phrases of one class.

    Attributes:
        concept: the class.
        concepts: all classes of the set.
        index: the knowledge.
        german: names of concepts that are German and not English, folded.
    """

    concept: Concept
    concepts: Mapping[str, Concept]
    index: KnowledgeIndex
    german: frozenset[str]

    def find(self, judgement: Judgement) -> Fault | None:
        """Return the gravest fault of a phrase, ``None`` where the knowledge supports it."""
        text, reason = judgement.phrase.text, judgement.reason
        if is_chatter(text) or "chatter" in (reason or ""):
            return "chatter", "is a language model speaking of its task, not an ECG finding", ()
        if self._is_foreign(text):
            return "non-english", "is not English, which the text encoder reads", ()
        if reason is None:
            return None
        speaks_for = judgement.phrase.polarity == "present"
        if speaks_for and self.kind_named(text):
            return None
        return (
            (self._other_class(text) if speaks_for else None)
            or (self._contradiction(text) if speaks_for else None)
            or (self._other_condition(text) if speaks_for else None)
            or self._number(text, speaks_for=speaks_for)
            or (("unsupported", reason, ()) if self.concept.entry else None)
        )

    def kind_named(self, text: str) -> Entry | None:
        """Return the kind of this class that a phrase is the name of, unless that is another class's too."""
        kinds = [entry for entry in self._named(text) if self._is_own(entry)]
        return kinds[0] if kinds and not self._other_class(text) else None

    def _is_foreign(self, text: str) -> bool:
        letters = [letter for letter in text.casefold() if letter.isalpha()]
        odd = (
            letter for letter in letters if not unicodedata.name(letter, "").startswith(("LATIN", "GREEK"))
        )
        words = set(re.findall(r"[^\W\d_]+", text.casefold()))
        return bool(
            next(odd, None)
            or _FOREIGN_LETTERS & set(letters)
            or _FOREIGN & words
            or normalise(text) in self.german
        )

    def _other_class(self, text: str) -> Fault | None:
        words = fold_words(text)
        for code, name, parts in self._sibling_names:
            if _within(parts, words):
                return "other-class", f"names the class {code} ({name}) of the same set", (code,)
        own_above = _above(self.concept.entry, self.index) if self.concept.entry else set()
        for entry in self._named(text):
            above = _above(entry, self.index) - own_above
            for code, other in self.concepts.items():
                if other.entry and other.entry.id in above and not self._is_own(entry):
                    return "other-class", f"names a kind of the class {code} ({other.name})", (code,)
        return None

    def _contradiction(self, text: str) -> Fault | None:
        claim = read_wording(text)
        for group, value, noun in sorted(claim.attributes, key=str):
            if group == "chamber":  # junctional and atrial are supraventricular; other classes say the rest
                continue
            wordings = self._own_words if noun else self._own_names
            stated = {
                other for item in wordings for of, other, on in item.attributes if (of, on) == (group, noun)
            }
            if stated and value not in stated:
                what = f" of {noun.upper()}" if noun and len(noun) <= 3 else ""
                return (
                    "contradiction",
                    f"says {_shown(value)}{what} where the class is {_listed(stated)}",
                    (),
                )
        against = [passage for passage in self._passages if passage.kind == "absent"]
        for passage in against:
            if claim.words and claim.words <= read_wording(passage.text).words and len(claim.words) > 1:
                return "contradiction", f"speaks against the class by the knowledge ({passage.id})", ()
        return None

    def _other_condition(self, text: str) -> Fault | None:
        if self.concept.entry is None:
            return None
        above = _above(self.concept.entry, self.index)
        for entry in self._named(text):
            if not self._is_own(entry) and entry.id not in above:
                own = self.concept.entry.name
                return "other-condition", f"names {entry.name}, another condition and no kind of {own}", ()
        return None

    def _number(self, text: str, *, speaks_for: bool) -> Fault | None:
        if self.concept.entry is None:
            return None
        passages = [item for item in self._passages if (item.kind in SPEAKS_FOR) == speaks_for]
        given = [quantity for passage in passages for quantity in read_wording(passage.text).quantities]
        for quantity in read_wording(text).quantities:
            if not any(quantity.agrees(other) for other in given):
                return "number", f"says {quantity.text!r}, a number that no passage of the class gives", ()
        return None

    def _named(self, text: str) -> list[Entry]:
        """The concepts a phrase is the name of, its abbreviation in brackets left out."""
        without = re.sub(r"\s*\([^()]*\)", "", text)
        return [
            entry for form in dict.fromkeys((text, without)) for entry, _ in self.index.names.by_name(form)
        ]

    def _is_own(self, entry: Entry) -> bool:
        own = self.concept.entry
        return own is not None and own.id in {entry.id, *_above(entry, self.index)}

    @property
    def _passages(self) -> list[Passage]:
        return self.index.passages(self.concept.entry.id) if self.concept.entry else []

    @cached_property
    def _sibling_names(self) -> list[tuple[str, str, list[str]]]:
        """Code, name and folded words of the other classes, apart from names that this class's own hold."""
        own = [fold_words(name) for name in self.concept.names]
        return [
            (code, name, parts)
            for code, names in sibling_names(self.concept, self.concepts).items()
            for name in names
            if not any(_within(parts := fold_words(name), mine) for mine in own)
        ]

    @cached_property
    def _own_names(self) -> list[Wording]:
        return [read_wording(name) for name in self.concept.names]

    @cached_property
    def _own_words(self) -> list[Wording]:
        texts = [passage.text for passage in self._passages if passage.kind in SPEAKS_FOR]
        return [*self._own_names, *map(read_wording, texts)]


def german_names(index: KnowledgeIndex) -> frozenset[str]:
    """Return the folded German names of all concepts that are no English names too."""
    german = {normalise(text) for entry in index.entries.values() for text in entry.german}
    english = {
        normalise(text)
        for entry in index.entries.values()
        for text in (entry.name, *entry.synonyms, *entry.abbreviations)
    }
    return frozenset(german - english)


def _above(entry: Entry, index: KnowledgeIndex) -> set[str]:
    """Return the entry and every concept it is a kind of, by id."""
    found: set[str] = set()
    open_ids = [entry.id]
    while open_ids:
        if (key := open_ids.pop()) not in found and key in index.entries:
            found.add(key)
            open_ids += index.entries[key].is_a
    return found


def _within(part: list[str], whole: list[str]) -> bool:
    return bool(part) and any(whole[at : at + len(part)] == part for at in range(len(whole)))


def _shown(value: str) -> str:
    return re.sub(r"(degree|type)(\d)", r"\1 \2", value)


def _listed(values: Iterable[str]) -> str:
    return " or ".join(_shown(value) for value in sorted(values))
