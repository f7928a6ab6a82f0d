"""What passages say together, and what their words imply."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache

from merl.ckepe.bindings import BEATS, LEAD_SETS
from merl.ckepe.claims import Claim, Measure, literal_words, read_claim
from merl.ckepe.vocabulary import default_vocabulary, word_set
from merl.knowledge.passages import Passage

Words = Collection[tuple[str, bool]]  # families, with True where denied

#: The leads that look at a wall; two of them say it.
FACING = {
    "infer": {"II", "III", "aVF"},
    "later": {"I", "aVL", "V5", "V6"},
    "anter": {"V1", "V2", "V3", "V4"},
    "sept": {"V1", "V2", "V3"},
    "poster": {"V7", "V8", "V9"},
}
#: The chest leads on either side.
CHEST_SIDES = {
    "right": frozenset({"V1", "V2", "V3", "V3R", "V4R", "V5R", "V6R"}),
    "left": frozenset({"V4", "V5", "V6"}),
    "middle": frozenset({"V2", "V3", "V4", "V5"}),
}
_SOME = word_set("some most several intermittent quantity one")
#: What a word says along with itself that may be a denial: what cannot be told from another wave cannot be
#: seen, where the atria fibrillate there are no P waves, and the J point is the end of the QRS complex.
_ALONG: dict[str, tuple[tuple[str, bool], ...]] = {
    "hidden": (("p", True),),
    "fibrillatory": (("p", True),),
    "monophasic": (("s", True), ("q", True)),
    "intrinsicoid": (("r", False), ("peaked", False), ("late", False)),
    "ectopic": (("sinus", True),),
    "j": (("terminal", False), ("qrs", False)),
}
_PART_OF_QRS = re.compile(r"[qrs]{1,4}")


@dataclass(frozen=True)
class Ground:
    """What the cited passages say together.

    Attributes:
        words: families of their words and of what these imply, with True where denied.
        walls: the walls they name; ``faced`` are those whose leads they name.
        singles: each of several passages by itself.
    """

    claims: tuple[Claim, ...]
    words: frozenset[tuple[str, bool]]
    leads: frozenset[str]
    walls: frozenset[str]
    faced: frozenset[str]
    measures: tuple[Measure, ...]
    singles: tuple[Ground, ...] = ()

    @classmethod
    def of(cls, passages: Iterable[Passage]) -> Ground:
        """Read the passages; each is read once."""
        return _ground(tuple(passages))

    @cached_property
    def heard(self) -> frozenset[str]:
        """The families of their words, which settle what an ambiguous word of a phrase means."""
        return frozenset(word for word, _ in self.words)

    def values(self, group: str, nouns: Collection[str]) -> set[str]:
        """Return what they say where there are opposites, of any of these waves or of none in particular."""
        found = {
            value
            for claim in self.claims
            for name, value, of in claim.attributes
            if not nouns or not of or of.intersection(nouns)
        }
        group_of = default_vocabulary().group
        return {
            word for value in found for word in {value, *implied_by(value)} if group_of.get(word) == group
        }

    def read(self, text: str) -> Claim:
        """Take a phrase apart, its ambiguous words as these passages use them."""
        return read_claim(text, self.heard)


@dataclass(frozen=True)
class About:
    """All that is known of a class: what speaks for what a phrase says of it, and what against."""

    same: Ground
    other: Ground

    def opposes(self, group: str, value: str, nouns: Collection[str]) -> bool:
        """Tell whether the knowledge says an opposite of a word, of the same thing, or denies it."""
        here, there = self.same.values(group, nouns), self.other.values(group, nouns)
        return value not in here and bool(here or value in there)


@lru_cache(maxsize=16384)
def _ground(passages: tuple[Passage, ...]) -> Ground:
    claims = tuple(read_claim(passage.text) for passage in passages)
    named = {lead for passage in passages for lead in passage.leads}
    leads = named.union(*(claim.leads | _sets(claim) for claim in claims))
    faced = {wall for wall, facing in FACING.items() if len(facing & leads) >= 2}
    return Ground(
        claims,
        _with_implied(passages, claims),
        frozenset(leads),
        frozenset().union(*(claim.walls for claim in claims)),
        frozenset(faced),
        tuple(measure for claim in claims for measure in claim.measures),
        tuple(Ground.of([passage]) for passage in passages) if len(passages) > 1 else (),
    )


def _sets(claim: Claim) -> frozenset[str]:
    """Return the leads of a set that is named as a whole: the chest leads."""
    words = {token.family for token in claim.tokens}
    if words & _SOME:
        return frozenset()
    sides = [
        CHEST_SIDES[token.family] for token in claim.tokens if token.of_leads and token.family in CHEST_SIDES
    ]
    if sides and "precordial" in words:
        return frozenset().union(*sides)
    sets = [LEAD_SETS[token.family] for token in claim.tokens if token.of_leads and token.family in LEAD_SETS]
    return frozenset().union(*sets)


def _with_implied(passages: Collection[Passage], claims: Iterable[Claim]) -> frozenset[tuple[str, bool]]:
    """Return the words of passages and what these imply; an r in lower case is a small one."""
    said = frozenset().union(*(claim.words for claim in claims))
    group_of = default_vocabulary().group
    settled = {group_of[word] for word, _ in said if word in group_of} - {"chamber"}
    said |= {
        item
        for passage in passages
        for item in literal_words(passage.text)
        if group_of.get(item[0]) not in settled
    }
    implied = {(word, False) for family, denied in said if not denied for word in implied_by(family)}
    implied |= {item for word, items in _ALONG.items() if (word, False) in said for item in items}
    if ("sinus", True) in said:
        implied.add(("ectopic", False))
    sides = {
        side for claim in claims for group, side, of in claim.attributes if "axis" in of and group == "side"
    }
    if sides:
        implied.add(("deviation", False))
    if ("retrograde", False) in said and any({"II", "III", "aVF"} <= claim.leads for claim in claims):
        implied.add(("inverted", False))
    if any(name == "regularity" and "qrs" in of for claim in claims for name, _, of in claim.attributes):
        implied.add(("rr", False))
    if any(re.search(r"\b[rs]*r'", passage.text.lower()) for passage in passages):
        implied.add(("second", False))
    small = any(re.search(r"(?<![\w'])[qrs](?![\w'])", passage.text) for passage in passages)
    return said | implied | ({("low", False), ("low", True)} if small else set())


def implied_by(family: str) -> frozenset[str]:
    """Return what a word says along with itself; beats and parts of the QRS complex tell of the complex."""
    implied = default_vocabulary().implied.get(family, frozenset())
    if family.startswith("q") and _PART_OF_QRS.fullmatch(family):
        implied |= {"initial"}
    return implied | {"qrs"} if _PART_OF_QRS.fullmatch(family) or family in BEATS else implied


@lru_cache(maxsize=4096)
def _words_of(texts: tuple[str, ...]) -> frozenset[tuple[str, bool]]:
    return frozenset().union(*(read_claim(text).words | literal_words(text) for text in texts))


def words_of(texts: Iterable[str]) -> frozenset[tuple[str, bool]]:
    """Return the words that any of the texts says, with True where denied."""
    return _words_of(tuple(texts))
