"""A phrase cut into clauses of content words, each with what is denied of it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace

from merl.ckepe.vocabulary import default_vocabulary, word_set
from merl.knowledge.leads import MARK, mark_leads, marked_leads

#: What a length, height, side, ... may be said of.
WAVES = word_set("p q r s t u j f st pr pp qrs qt qtc rr rsr qs delta epsilon")
THINGS = WAVES | {"axis", "rate", "rhythm", "baseline", "pause"}
STRUCTURES = word_set("ventricular atrial bundle fascicular axis precordial limb arm force qrs")
_WALLS = ("anter", "infer", "later", "poster", "sept", "apic")
_NO_WALL = re.compile(r"bilater|unilater|collater|contralater|ipsilater")
#: Of these there are two, so that denying one is saying the other.
_CONTRARY = {"variable": "constant", "constant": "variable", "regular": "irregular", "irregular": "regular"}
_CONTRARY |= {"complete": "incomplete", "normal": "abnormal"}
_CUES = word_set("no not without never neither nor none cannot")
#: Said after what is gone ("P waves are absent"), these deny what stands before them in the clause.
_GONE = re.compile(r"absent|missing|gone|lost|disappear|vanish|invisible|unrecogni|undetect|nonexistent")
_BREAKS = word_set("but while whereas and with although though despite where which because yet plus")
_COMPLEX = re.compile(r"[qrs]{2,4}")
_TOKEN = re.compile(rf"[a-z_]+[a-z0-9_]*(?:'[a-z]+)?|{MARK}+|[,;:.()]")

_ORDINALS = {"first": "1", "1st": "1", "i": "1", "1": "1", "second": "2", "2nd": "2", "ii": "2", "2": "2"}
_ORDINALS |= {"third": "3", "3rd": "3", "iii": "3", "3": "3", "fourth": "4", "4th": "4", "iv": "4", "4": "4"}
_ROMAN = {"i": "1", "ii": "2", "iii": "3", "iv": "4", "v": "5", "vi": "6", "vii": "7", "viii": "8", "ix": "9"}
_ORDINAL = "|".join(sorted(_ORDINALS, key=len, reverse=True))


@dataclass(frozen=True)
class Token:
    """A content word: what it is compared by, as it was written, whether it is denied.

    Attributes:
        compared: said of two things that are compared: taller.
        of_leads: said of leads, not of the heart: the inferior leads.
    """

    family: str
    written: str
    negated: bool
    compared: bool = False
    of_leads: bool = False


def mark(text: str) -> str:
    """Return a phrase in lower case, its leads marked and compounds such as "first-degree" joined."""
    plain = unicodedata.normalize("NFKC", text.lower().replace("’", "'").replace("′", "'"))
    return mark_leads(_join_compounds(plain))


def read_clauses(text: str) -> list[list[Token]]:
    """Cut a marked text without numbers into clauses; the leads of each stand among its words."""
    return [_signed(_tokens(clause)) for clause in _clauses(_comparisons(text))]


def is_wave(word: str) -> bool:
    """Tell whether a word names a wave, an interval or a shape of the QRS complex such as qR."""
    return word in WAVES or bool(_COMPLEX.fullmatch(word))


def walls_of(word: str) -> frozenset[str]:
    """Return the walls a word names, by their stems."""
    return frozenset(_walls_of(word))


def _walls_of(word: str) -> list[str]:
    return [] if _NO_WALL.search(word) else [wall for wall in _WALLS if wall in word]


def _join_compounds(text: str) -> str:
    text = re.sub(r"\bnon[-\s]+(?=[a-z])", "non", text)
    text = re.sub(r"\b(counter|anti|saw|up|down|re|pre)-(?=[a-z])", r"\1", text)
    text = re.sub(rf"\b({_ORDINAL})(?:[-\s]+degree\b|\s*°)", lambda m: f"degree_{_ORDINALS[m[1]]} ", text)
    text = re.sub(r"\bn't\b|n't\b", " not", text)
    named = r"\b(type|mobitz|grade|class|stage|variant)[\s-]+(viii|vii|vi|iv|ix|v|i{1,3}|\d+)\b"
    return re.sub(named, lambda m: f"{_kind(m[1])}_{_ROMAN.get(m[2], m[2])} ", text)


def _kind(word: str) -> str:
    if word in {"type", "mobitz", "variant"}:
        return "mobitz type" if word == "mobitz" else "type"
    return "degree" if word == "grade" else word


def _comparisons(text: str) -> str:
    """Put what is left of comparisons, the numbers being gone, into one word: than."""
    text = re.sub(r"\b(?:above|exceeds?|exceeding|over) (?:that|those) (?:of|in)\b", "than", text)
    text = re.sub(r"\bmost (?=\w+ly\b|deep|prominent|marked|evident|visible|clear)", "", text)
    text = re.sub(r"\b(?:above|over) (?:the )?(?=[pqrstu]\b|qrs\b)", "than ", text)
    return re.sub(r"\b(?:exceeding|exceeds?|surpass(?:es|ing)?)\b", "than", text)


def _clauses(text: str) -> list[list[str]]:
    """Cut a text into clauses; a wave that only goes on a list ("P wave, QRS and T wave") stays on it."""
    clauses: list[list[str]] = [[]]
    listed = False
    words = [*_TOKEN.findall(text), "."]
    for word, following in zip(words, [*words[1:], "."], strict=True):
        if word == "," and clauses[-1] and _has_opposite(clauses[-1][-1]) and _has_opposite(following):
            continue  # "a long, flat ST segment"
        if word not in _BREAKS and word not in ",;:.()":
            clauses[-1].append(word)
            continue
        if len(clauses) > 1 and ((listed and _only_waves(clauses[-1])) or _goes_on(clauses[-1])):
            last = clauses.pop()
            clauses[-1] += last
        listed = word in {",", "and"}
        clauses.append([])
    return [clause for clause in clauses if clause]


def _has_opposite(word: str) -> bool:
    vocabulary = default_vocabulary()
    return vocabulary.family(word) in vocabulary.group


def _goes_on(clause: list[str]) -> bool:
    """Whether a comparison lacks its first side, which then stands before: "U waves, taller than T"."""
    family = default_vocabulary().family
    before = clause[: clause.index("than")] if "than" in clause else clause
    return before is not clause and not any(is_wave(family(w)) or marked_leads(w) for w in before)


def _only_waves(clause: list[str]) -> bool:
    vocabulary = default_vocabulary()
    told = [word for word in clause if not vocabulary.is_free(word) and not marked_leads(word)]
    return bool(told) and all(is_wave(vocabulary.family(word)) for word in told)


def _tokens(clause: list[str]) -> list[Token]:
    family = default_vocabulary().family
    return [
        Token(
            word if marked_leads(word) else family(word),
            word,
            negated=False,
            of_leads=word.endswith("ly") or any(map(_is_lead, clause[place + 1 : place + 4])),
        )
        for place, word in enumerate(clause)
    ]


def _is_lead(word: str) -> bool:
    return word in {"lead", "leads"} or bool(marked_leads(word))


def _signed(clause: list[Token]) -> list[Token]:
    """Mark what a "no", "lacking" or "are absent" denies, and leave these words out."""
    gone = next((place for place, token in enumerate(clause) if _denies_before(clause, place)), None)
    negated = False
    found: list[Token] = []
    for place, token in enumerate(clause):
        if token.written in _CUES or token.family == "absent":
            negated = negated or gone is None or place > gone
            continue
        denied = negated or (gone is not None and place < gone)
        just = {other.written for other in clause[max(0, place - 2) : place]}
        contrary = _CONTRARY.get(token.family) if denied and just & {"not", "never"} else None
        found.append(replace(token, family=contrary or token.family, negated=denied and not contrary))
    return found


def _denies_before(clause: list[Token], place: int) -> bool:
    token = clause[place]
    named = any(other.family in THINGS or other.family in STRUCTURES for other in clause[:place])
    return token.family == "absent" and bool(_GONE.match(token.written)) and named
