"""The verifier: keeps a phrase only if the passages it cites say so. Plain rules, no language model."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal

from merl.ckepe.claims import Claim, read_claim
from merl.ckepe.grounds import About, Ground, words_of
from merl.ckepe.prompt_set import Phrase
from merl.ckepe.said import count_said, denied, strays
from merl.ckepe.support import objection
from merl.ckepe.vocabulary import default_vocabulary, stem
from merl.encoders.text import english_words
from merl.knowledge.lookup import fold_words, normalise
from merl.knowledge.passages import SPEAKS_FOR, Passage

Strictness = Literal["strict", "lenient", "off"]
Likeness = Callable[[str, str], float]  # how alike two texts are, -1 to 1

_CHATTER = re.compile(
    r"\bas an? (?:ai|assistant|reviewer|expert)\b|\blanguage model\b|https?:|www\.|[{}<>|`]{2}|<\||[!?\[\]{}]"
    r"|^(?:sure|certainly|of course|okay|absolutely)\b|^(?:well|so|ok|right|yes|no), |^in (?:summary|short)\b"
    r"|^here (?:is|are|comes?)\b|\bhere's\b|\bplease\b|\bnote that\b|\blet(?:'s| me| us)\b|\baccording to\b"
    r"|(?<!type )(?<!lead )(?<!in )(?<!and )(?<!or )\bi (?:am|can(?:not|'t)?|will|hope|have|would|think)\b"
    r"|(?<!type )(?<!lead )(?<!in )(?<!and )(?<!or )\bi (?:believe|should|must|do|did|see|note)\b"
    r"|\bi'[a-z]+\b|\b(?:keep in mind|remember|as (?:mentioned|noted|requested))\b|\bsystem(?: prompt|:)"
    r"|\b(?:ignore|disregard|forget|override|bypass) (?:the|all|any|previous|everything|earlier|your)\b",
    re.IGNORECASE,
)

_COMPLEX = re.compile(r"\b[qQrRsS]{2,4}'*(?!\w)")

#: Least cosine of a phrase with passages where it has words of its own, and how much nearer it may come to
#: them without these words.
PARAPHRASE, NEARER = 0.5, 0.03

_RUN_TOGETHER = re.compile(
    r"\b(?:waves?|complex(?:es)?|[pqrstu]|qrs)\s+(?:every|each|all)\s+(?:[pqrstu]|qrs)\b", re.IGNORECASE
)


@dataclass(frozen=True)
class Verdict:
    """Whether a phrase stands, and the reason in one sentence if it does not."""

    supported: bool
    reason: str | None = None


def verify(
    phrase: Phrase,
    retrieved: Mapping[str, Passage],
    *,
    names: Collection[str] = (),
    siblings: Mapping[str, Collection[str]] | None = None,
    seen: Collection[str] = (),
    strictness: Strictness = "strict",
    likeness: Likeness | None = None,
) -> Verdict:
    """Judge one phrase by the passages it cites.

    Args:
        phrase: its ``sources`` are passage ids; together they have to say what it says.
        retrieved: the passages that were at hand, by id.
        names: the names the class goes by.
        siblings: the names of every other class of the label set, by code.
        seen: phrases already kept for the class.
        strictness: ``lenient`` lets words pass that no passage uses, but nothing that contradicts one;
            ``off`` looks at nothing.
        likeness: how alike two texts are, -1 to 1. Words of general English that no passage uses are let pass
            where the phrase means the same without them; by default none is.
    """
    if strictness == "off":
        return Verdict(True)
    cited = [retrieved[source].text for source in phrase.sources if source in retrieved]
    reason = (
        unfit(phrase, [*names, *cited], seen)
        or (phrase.polarity == "present" and _names_sibling(phrase.text, names, siblings or {}))
        or _citation(phrase, retrieved)
        or _support(
            phrase,
            [retrieved[source] for source in phrase.sources],
            [*names, *about_class(phrase, retrieved)],
            retrieved.values(),
            strictness=strictness,
            likeness=likeness,
        )
    )
    return Verdict(not reason, reason or None)


def about_class(phrase: Phrase, retrieved: Mapping[str, Passage]) -> list[str]:
    """Return what the retrieved passages say of the class as a whole: its names and its definition."""
    if phrase.polarity == "absent":
        return []
    return [p.text for p in retrieved.values() if p.kind in {"name", "synonym", "definition"}]


def unfit(phrase: Phrase, known: Collection[str], seen: Collection[str] = ()) -> str | None:
    """Say in one sentence why a text is no phrase at all, whatever the knowledge says; None if it is one."""
    words = re.findall(r"\w+", phrase.text)
    if _CHATTER.search(phrase.text) or _talks(phrase.text, known):
        return "reads as chatter or an instruction, not as an ECG finding"
    if _RUN_TOGETHER.search(phrase.text):
        return "does not say how two waves stand to each other (before, after, followed by)"
    if len(words) > 40 or len(phrase.text) > 300:
        return f"too long ({len(words)} words; 40 words and 300 letters at most)"
    name = phrase.role in {"name", "synonym", "subtype"} or _normalised(phrase.text) in map(
        _normalised, known
    )
    if len(words) < 3 and not name:
        return f"too short ({len(words)} words; a finding needs 3)"
    if _normalised(phrase.text) in map(_normalised, seen):
        return "repeats a phrase of this class"
    return None


def _talks(text: str, known: Collection[str]) -> bool:
    """Whether the phrase uses a word of conversation that no passage and no name of the class uses."""
    talk = default_vocabulary().talk & _spelled(text)
    return bool(talk) and not talk <= frozenset().union(*map(_spelled, known))


def _names_sibling(text: str, names: Collection[str], siblings: Mapping[str, Collection[str]]) -> str | None:
    words = _folded(text)
    own = [_folded(name) for name in names]
    for code, others in siblings.items():
        for other in others:
            part = _folded(other)
            if part in words and not any(part in name for name in own):
                return f"names the class {code} ({other}) of the same label set"
    return None


@lru_cache(maxsize=65536)
def _folded(text: str) -> str:
    """Return the folded words of a text with a space around each, so that one is found within another."""
    return f" {' '.join(fold_words(text))} "


def _citation(phrase: Phrase, retrieved: Mapping[str, Passage]) -> str | None:
    if not phrase.sources:
        return "not supported by any retrieved passage: it cites none"
    if missing := [source for source in phrase.sources if source not in retrieved]:
        return f"cites {missing[0]}, which was not retrieved"
    cited = [retrieved[source] for source in phrase.sources]
    if any(passage.kind not in SPEAKS_FOR | {"absent"} for passage in cited):
        return "cites a passage about the difference from another concept, which speaks of both"
    against = {passage.kind == "absent" for passage in cited}
    wanted = phrase.polarity == "absent"
    denies = len(against) == 1 and denied(read_claim(phrase.text))
    if against == {wanted} or denies:  # what it denies may speak against the class, or for it
        return None
    if wanted:
        return "is said to speak against the class, but the cited passage speaks for it"
    return "cites a passage that speaks against the class"


def _support(
    phrase: Phrase,
    cited: list[Passage],
    context: Iterable[str],
    known: Collection[Passage],
    *,
    strictness: Strictness,
    likeness: Likeness | None,
) -> str | None:
    if phrase.role in {"synonym", "subtype"}:
        named = {_normalised(passage.text) for passage in cited if passage.kind in {"name", "synonym"}}
        return None if _normalised(phrase.text) in named else "the cited passage gives no such name"
    if reason := _letters(phrase.text, [passage.text for passage in cited]):
        return reason
    said = " ".join(phrase.text.casefold().split())
    if any(said == " ".join(passage.text.casefold().split()) for passage in cited):
        return None
    ground, words = Ground.of(cited), words_of(context)
    claim = ground.read(phrase.text)
    against = cited[0].kind == "absent"
    if (phrase.polarity == "absent") != against:
        claim = denied(claim) or claim
    sides = ([p for p in known if (p.kind == "absent") == side] for side in (against, not against))
    about = About(*map(Ground.of, sides))
    reason = objection(claim, ground, words, lenient=strictness == "lenient")
    if reason and likeness and not objection(claim, ground, words, lenient=True):
        own = strays(claim, ground, words, about)
        if own and _adds_nothing(phrase.text, own, " ; ".join(p.text for p in cited), likeness):
            reason = None
    if reason is None and (word := _contradicted(phrase.text, claim, about)):
        return f"says {word!r}, against what is known of the class"
    if reason is None and _said_better(phrase.text, ground, about.other):
        return f"says what speaks {'for' if against else 'against'} the class"
    return reason


def _contradicted(text: str, claim: Claim, about: About) -> str | None:
    """Return what an ambiguous word means to all that is known of the class, where that is its opposite."""
    meant = read_claim(text, about.same.heard).attributes - claim.attributes
    opposed = (
        value
        for group, value, nouns in meant
        if nouns and value != "constant" and about.opposes(group, value, nouns)
    )
    return next(opposed, None)


def _said_better(text: str, ground: Ground, other: Ground) -> bool:
    """Whether a passage on the other side says all of a phrase, and more of it than the cited ones do."""
    claim = read_claim(text)
    return any(
        count_said(claim, single) > count_said(claim, ground) and not objection(claim, single)
        for single in other.singles or (other,)
    )


@cache
def _english() -> frozenset[str]:
    return frozenset(map(stem, english_words()))


def _adds_nothing(text: str, words: Collection[str], cited: str, likeness: Likeness) -> bool:
    """Whether a phrase means the same without some words: without them it is no nearer to the passages.

    Nothing that is no common word of English is such a word, and no name in capitals.
    """
    if not all(len(word) <= 2 or {word, stem(word)} & _english() for word in words):
        return False
    if any(re.search(rf"\b(?!{word}\b)(?i:{word})\b", text[1:]) for word in words):
        return False
    without = re.sub(rf"\b(?:{'|'.join(words)})\b", " ", text, flags=re.IGNORECASE)
    alike = likeness(text, cited)
    return alike >= PARAPHRASE and likeness(" ".join(without.split()), cited) - alike <= NEARER


def _letters(text: str, cited: list[str]) -> str | None:
    """Tell rS from Rs and qR from Qr, where both sides mind the size of the letters."""
    given = {found for other in cited for found in _COMPLEX.findall(other)}
    for found in _COMPLEX.findall(text):
        alike = {other for other in given if other.lower() == found.lower()}
        if alike and found not in alike and not found.isupper() and not found.islower():
            return f"says {found}; the cited passage says {' and '.join(sorted(alike))}"
    return None


@lru_cache(maxsize=65536)
def _normalised(text: str) -> str:
    return normalise(text)


@lru_cache(maxsize=65536)
def _spelled(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[a-z]+", text.lower()))
