"""The verifier: keeps a phrase only if the passages it cites say so. Plain rules, no language model."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from merl.ckepe.prompt_set import Phrase
from merl.knowledge.lookup import fold_words, normalise
from merl.knowledge.passages import SPEAKS_FOR, Passage
from merl.knowledge.wording import Wording, read_wording
from merl.records import STANDARD_LEADS

Strictness = Literal["strict", "lenient", "off"]

_CHATTER = re.compile(
    r"\bas an? (?:ai|assistant)\b|\blanguage model\b|^(?:sure|certainly|of course|okay)\b|^here (?:is|are)\b"
    r"|\bi (?:am|cannot|can't|can|will|hope|have|would)\b|\bi'm\b|\bplease\b|\bnote that\b"
    r"|\blet me\b|\bthe user\b"
    r"|\b(?:ignore|disregard|forget) (?:the|all|any|previous|everything)\b|\bsystem prompt\b|\bpassages?\b"
    r"|\baccording to\b|https?:|[{}<>|`]{2}|<\||\bjson\b",
    re.IGNORECASE,
)

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
    """
    if strictness == "off":
        return Verdict(True)
    cited = [retrieved[source].text for source in phrase.sources if source in retrieved]
    reason = (
        _form(phrase, [*names, *cited], seen)
        or _names_sibling(phrase.text, names, siblings or {})
        or _citation(phrase, retrieved)
        or _support(phrase, [retrieved[source] for source in phrase.sources], strictness)
    )
    return Verdict(reason is None, reason)


def _form(phrase: Phrase, known: Collection[str], seen: Collection[str]) -> str | None:
    words = phrase.text.split()
    if _CHATTER.search(phrase.text):
        return "reads as chatter or an instruction, not as an ECG finding"
    if _RUN_TOGETHER.search(phrase.text):
        return "does not say how two waves stand to each other (before, after, followed by)"
    if len(words) > 40 or len(phrase.text) > 300:
        return f"too long ({len(words)} words; 40 words and 300 letters at most)"
    name = phrase.role in {"name", "synonym", "subtype"} or normalise(phrase.text) in map(normalise, known)
    if len(words) < 3 and not name:
        return f"too short ({len(words)} words; a finding needs 3)"
    if normalise(phrase.text) in map(normalise, seen):
        return "repeats a phrase of this class"
    return None


def _names_sibling(text: str, names: Collection[str], siblings: Mapping[str, Collection[str]]) -> str | None:
    words = fold_words(text)
    own = [fold_words(name) for name in names]
    for code, others in siblings.items():
        for other in others:
            parts = fold_words(other)
            if _within(parts, words) and not any(_within(parts, name) for name in own):
                return f"names the class {code} ({other}) of the same label set"
    return None


def _citation(phrase: Phrase, retrieved: Mapping[str, Passage]) -> str | None:
    if not phrase.sources:
        return "not supported by any retrieved passage: it cites none"
    missing = [source for source in phrase.sources if source not in retrieved]
    if missing:
        return f"cites {missing[0]}, which was not retrieved"
    cited = [retrieved[source] for source in phrase.sources]
    if any(passage.kind == "distinguish" for passage in cited):
        return "cites a passage about the difference from another concept, which speaks of both"
    if phrase.polarity == "present" and any(passage.kind not in SPEAKS_FOR for passage in cited):
        return "cites a passage that speaks against the class"
    if phrase.polarity == "absent" and any(passage.kind != "absent" for passage in cited):
        return "is said to speak against the class, but the cited passage speaks for it"
    return None


def _support(phrase: Phrase, cited: list[Passage], strictness: Strictness) -> str | None:
    if phrase.role in {"synonym", "subtype"}:
        named = {normalise(passage.text) for passage in cited if passage.kind in {"name", "synonym"}}
        return None if normalise(phrase.text) in named else "the cited passage gives no such name"
    said = " ".join(phrase.text.casefold().split())
    if any(said == " ".join(passage.text.casefold().split()) for passage in cited):
        return None
    claim = read_wording(phrase.text)
    grounds = [read_wording(passage.text) for passage in cited]
    leads = {lead for passage in cited for lead in passage.leads}
    return (
        _numbers(claim, grounds)
        or _leads(claim, leads.union(*(ground.leads for ground in grounds)))
        or _opposites(claim, grounds)
        or _directions(claim, grounds)
        or _places(claim, grounds)
        or _words(claim, grounds, strictness)
    )


def _numbers(claim: Wording, grounds: list[Wording]) -> str | None:
    given = [quantity for ground in grounds for quantity in ground.quantities]
    for quantity in claim.quantities:
        if not any(quantity.agrees(other) for other in given):
            stated = ", ".join(dict.fromkeys(other.text for other in given)) or "no number"
            return f"says {quantity.text!r}; the cited passage says {stated}"
    return None


def _leads(claim: Wording, leads: Collection[str]) -> str | None:
    extra = sorted(claim.leads - set(leads))
    return f"names {', '.join(extra)}, which the cited passage does not" if extra else None


def _opposites(claim: Wording, grounds: list[Wording]) -> str | None:
    stated = {item for ground in grounds for item in ground.attributes}
    for group, value, noun in sorted(claim.attributes, key=str):
        same_noun = {other for name, other, of in stated if name == group and of == noun}
        same_group = {other for name, other, _ in stated if name == group}
        if value not in (same_noun or same_group or {value}):
            of = f" of {noun.upper()}" if noun else ""
            return f"says {value}{of}; the cited passage says {' and '.join(sorted(same_noun or same_group))}"
        nouns = {of for name, other, of in stated if (name, other) == (group, value)}
        if noun and nouns and not nouns & {noun, None}:
            return f"says {value} of {noun.upper()}; the cited passage says it of {_either(nouns)}"
    walls = {wall for ground in grounds for wall in ground.walls}
    if claim.walls and walls and not claim.walls <= walls:
        return "names another wall than the cited passage"
    return None


def _places(claim: Wording, grounds: list[Wording]) -> str | None:
    """Find a wave said to look, in a lead, as no cited passage says of that lead."""
    stated = [item for ground in grounds for item in ground.placed]
    for group, value, noun, leads in sorted(claim.placed, key=str):
        alike = [item for item in stated if item[0] == group and (noun == item[2] or None in (noun, item[2]))]
        where = [item[3] for item in alike if item[1] == value]
        for lead in sorted(leads):
            if not where or any(lead in place for place in where):
                continue
            other = next((item[1] for item in alike if item[1] != value and lead in item[3]), None)
            if other:
                return f"says {value} in {lead}; the cited passage says {other}"
            if all(where):  # a passage that names no leads says it of any
                return f"says {value} in {lead}; the cited passage says it in {_listed(where)}"
    return None


def _directions(claim: Wording, grounds: list[Wording]) -> str | None:
    order = {pair for ground in grounds for pair in ground.order}
    turned = [pair for pair in sorted(claim.order - order) if pair[::-1] in order]
    if turned:
        return f"turns the order of {turned[0][0].upper()} and {turned[0][1].upper()} round"
    compared = {pair for ground in grounds for pair in ground.compared}
    turned = [pair for pair in sorted(claim.compared - compared) if pair[::-1] in compared]
    names = [_shown(name) for name in turned[0]] if turned else []
    return f"turns the comparison of {' and '.join(names)} round" if turned else None


def _words(claim: Wording, grounds: list[Wording], strictness: Strictness) -> str | None:
    stated = {word for ground in grounds for word in ground.words}
    extra = sorted(claim.words - stated)
    for word, negated in extra:
        if (word, not negated) in stated:
            how = ("denies", "asserts") if negated else ("asserts", "denies")
            return f"{how[0]} {word!r}, which the cited passage {how[1]}"
    if extra and strictness == "strict":
        return f"not supported by any retrieved passage it cites: none says {extra[0][0]!r}"
    return None


def _within(part: list[str], whole: list[str]) -> bool:
    span = len(part)
    return bool(part) and any(whole[at : at + span] == part for at in range(len(whole) - span + 1))


def _either(nouns: Iterable[str | None]) -> str:
    return " and ".join(sorted(noun.upper() for noun in nouns if noun))


def _listed(places: Iterable[Collection[str]]) -> str:
    named = {lead for place in places for lead in place}
    return ", ".join(lead for lead in STANDARD_LEADS if lead in named)


def _shown(name: str) -> str:
    return name if name in STANDARD_LEADS else name.upper()
