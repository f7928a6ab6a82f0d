"""What a phrase claims, taken apart so that it can be compared: words, leads, numbers, opposites, order."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import lru_cache

from merl.ckepe.bindings import Attribute, Nouns, attributes, compared, order, parted, placed, told
from merl.ckepe.clauses import GAP, Token, read_clauses, walls_of
from merl.ckepe.phrasing import mark
from merl.ckepe.vocabulary import default_vocabulary
from merl.knowledge.leads import marked_leads, without_leads
from merl.knowledge.numerals import spell_out
from merl.knowledge.quantities import Quantity, take_quantities


@dataclass(frozen=True)
class Measure:
    """A quantity with whom it holds for: men, women, children, ..."""

    quantity: Quantity
    whom: frozenset[str]


@dataclass(frozen=True)
class Claim:
    """What a phrase says.

    Attributes:
        tokens: its content words in order.
        leads: leads it names, in standard spelling.
        measures: its numbers.
        attributes: (group, value, nouns) for every word that has an opposite, with what it is said of.
        order: (earlier, later) waves, for "P waves before the QRS complex".
        walls: territories named, ``anteroseptal`` being two.
        placed: (group, value, nouns, leads) for every word on a wave's look, with the leads of its clause.
        compared: (greater, lesser) waves or leads, for "taller in II than in III".
        parted: (word, part) for what is said of a part of a wave: a deep end.
        parts: each of several clauses as a claim of its own, without its numbers.
    """

    tokens: tuple[Token, ...]
    leads: frozenset[str]
    measures: tuple[Measure, ...]
    attributes: frozenset[Attribute]
    order: frozenset[tuple[str, str]]
    walls: frozenset[str]
    placed: frozenset[tuple[str, str, Nouns, frozenset[str]]]
    compared: frozenset[tuple[str, str]]
    parted: frozenset[tuple[str, str]] = frozenset()
    parts: tuple[Claim, ...] = ()

    @property
    def words(self) -> frozenset[tuple[str, bool]]:
        """The families of its content words with True where denied."""
        return frozenset((token.family, token.negated) for token in self.tokens)


def read_claim(text: str, heard: Collection[str] | None = None) -> Claim:
    """Take a phrase apart.

    Args:
        text: the phrase.
        heard: the families of the text it is compared with, which settle what its ambiguous words mean.
    """
    meanings = default_vocabulary().meanings(without_leads(mark(text)))
    return _read(text, None if heard is None else meanings.intersection(heard))


@lru_cache(maxsize=65536)
def _read(text: str, heard: frozenset[str] | None) -> Claim:
    marked = mark(text)
    measures, rest = _measures(default_vocabulary().replace(_ratios(marked), heard))
    clauses = read_clauses(rest, heard)
    whole = _claim(clauses)
    return replace(
        whole,
        measures=measures,
        compared=whole.compared | _ratio_pairs(marked),
        parts=tuple(_claim([clause]) for clause in clauses) if len(clauses) > 1 else (whole,),
    )


@lru_cache(maxsize=16384)
def literal_words(text: str) -> frozenset[tuple[str, bool]]:
    """Return the words of a text one by one, those within terms of several words too."""
    _, rest = take_quantities(_ratios(mark(text)), f" {GAP} ")
    return _claim(read_clauses(rest)).words


def _claim(clauses: list[list[Token]]) -> Claim:
    words = [[token for token in clause if not marked_leads(token.written)] for clause in clauses]
    tokens = [token for clause in clauses for token in told(clause) if not marked_leads(token.written)]
    return Claim(
        tokens=tuple(tokens),
        leads=marked_leads("".join(token.written for clause in clauses for token in clause)),
        measures=(),
        attributes=frozenset(item for clause in words for item in attributes(clause)),
        order=frozenset(pair for clause in words for pair in order(clause)),
        walls=frozenset().union(*(walls_of(token.written) | walls_of(token.family) for token in tokens)),
        placed=frozenset(placed(clauses)),
        compared=frozenset(pair for clause in clauses for pair in compared(clause)),
        parted=frozenset(pair for clause in words for pair in parted(clause)),
    )


def _ratios(text: str) -> str:
    return re.sub(r"\b([pqrstu]|qrs)\s*[/:]\s*([pqrstu]|qrs)\b(?! transition)", r"\1 to \2 ratio", text)


def _ratio_pairs(text: str) -> frozenset[tuple[str, str]]:
    """Read "R/S ratio above 1" as R being greater than S."""
    found: set[tuple[str, str]] = set()
    for match in re.finditer(r"\b([pqrst])\s*/\s*([pqrst])\b([^,;]*)", text):
        for quantity in take_quantities(match[3])[0][:1]:
            if quantity.unit is None and quantity.value == 1 and quantity.comparison != "equal":
                pair = (match[1], match[2])
                found.add(pair if quantity.comparison == "at least" else pair[::-1])
    return frozenset(found)


def _measures(text: str) -> tuple[tuple[Measure, ...], str]:
    """Cut the numbers out, each with the people its part of the text names."""
    quantities, rest = take_quantities(text, f" {GAP} ")
    spelled = spell_out(text)
    everyone = _whom(spelled)
    starts = sorted({quantity.start for quantity in quantities})
    found = []
    for quantity in quantities:
        whom = everyone
        if len(everyone) > 1:  # each number has its own: those named after it, else those before
            place = starts.index(quantity.start)
            ends = [*starts[1:], len(spelled)]
            before = starts[place - 1] if place else 0
            whom = _whom(spelled[quantity.start : ends[place]]) or _whom(spelled[before : quantity.start])
        found.append(Measure(quantity, whom))
    return tuple(found), rest


def _whom(text: str) -> frozenset[str]:
    vocabulary = default_vocabulary()
    return vocabulary.qualifiers & {
        vocabulary.family(word) for word in re.findall(r"[a-z]+(?! than)\b", text)
    }
