"""What a phrase claims, taken apart so that it can be compared: words, leads, numbers, opposites, order."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

from merl.ckepe.vocabulary import default_vocabulary
from merl.knowledge.leads import MARK, mark_leads, marked_leads
from merl.knowledge.numerals import spell_out
from merl.knowledge.quantities import Quantity, take_quantities

#: What a length, height, side, ... may be said of.
WAVES = frozenset("p q r s t u j f st pr pp qrs qt qtc rr rsr qs delta epsilon".split())
_THINGS = WAVES | {"axis", "rate", "rhythm", "baseline", "pause"}
_STRUCTURES = frozenset("ventricular atrial bundle fascicular axis precordial limb arm forc qrs".split())
#: What the words of a group are said of; those of other groups are compared whatever they are said of.
BOUND = {"side": _STRUCTURES} | dict.fromkeys(
    ("length", "size", "pole", "depth", "slope", "curve", "contour", "regularity", "symmetry", "constancy"),
    _THINGS,
)
BOUND |= dict.fromkeys(("speed", "tempo"), frozenset("sinus atrial ventricular junctional p qrs".split()))
#: One and the same beat: what is regular of the one is regular of the other.
_SAME_BEAT = {"rr": "qrs", "rhythm": "qrs", "rate": "qrs", "ventricular": "qrs", "pp": "p"}
#: What comes before or after another.
_FOLLOWING = WAVES | {"pause", "run", "spike"}
#: Two of one kind that may be compared: the first peak and the second.
_PARTS = frozenset("first second third initial terminal left right atrial ventricular".split())
#: Groups that say how a wave looks, which is said of the leads it is seen in.
_SHAPES = frozenset({"size", "pole", "length", "slope", "depth"})
_SIZES = frozenset({"size", "length", "depth", "speed", "trend", "timing"})

_WALLS = {"anter": "anterior", "infer": "inferior", "later": "lateral", "poster": "posterior"}
_WALLS |= {"sept": "septal", "apic": "apical"}
_NO_WALL = re.compile(r"bilater|unilater|collater|contralater|ipsilater")
#: Of these there are two, so that denying one is saying the other.
_CONTRARY = {"variable": "constant", "constant": "variable", "regular": "irregular", "irregular": "regular"}
_CONTRARY |= {"complete": "incomplete", "normal": "abnormal"}
_CUES = frozenset("no not without never neither nor none cannot".split())
#: Said after what is gone ("P waves are absent"), these deny what stands before them in the clause.
_GONE = re.compile(r"absent|missing|gone|lost|disappear|vanish|invisible|unrecogni|undetect|nonexistent")
_BREAKS = frozenset("but while whereas and with although though despite where which because yet plus".split())
_LESSER = frozenset("less fewer smaller shorter lower shallower narrower slower weaker lesser thinner earlier".split())
_LESSER |= {"low", "below", "under"}
#: A noun follows what it is said of (T inversion), an adjective goes before it (inverted T).
_NOUN = re.compile(r".*(?:ion|ment|ity|ness|ation|ening|ing)$")
_COMPLEX = re.compile(r"[qrs]{2,4}")
_TOKEN = re.compile(rf"[a-z_]+[a-z0-9_]*(?:'[a-z]+)?|{MARK}+|[,;:.()]")

_ORDINALS = {"first": "1", "1st": "1", "i": "1", "1": "1", "second": "2", "2nd": "2", "ii": "2", "2": "2"}
_ORDINALS |= {"third": "3", "3rd": "3", "iii": "3", "3": "3", "fourth": "4", "4th": "4", "iv": "4", "4": "4"}
_ROMAN = {"i": "1", "ii": "2", "iii": "3", "iv": "4", "v": "5", "vi": "6", "vii": "7", "viii": "8", "ix": "9"}
_ORDINAL = "|".join(sorted(_ORDINALS, key=len, reverse=True))


Nouns = frozenset[str]  # what a word is said of; empty where the text leaves it open


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
        parts: each of several clauses as a claim of its own, without its numbers.
    """

    tokens: tuple[Token, ...]
    leads: frozenset[str]
    measures: tuple[Measure, ...]
    attributes: frozenset[tuple[str, str, Nouns]]
    order: frozenset[tuple[str, str]]
    walls: frozenset[str]
    placed: frozenset[tuple[str, str, Nouns, frozenset[str]]]
    compared: frozenset[tuple[str, str]]
    parts: tuple[Claim, ...] = ()

    @property
    def words(self) -> frozenset[tuple[str, bool]]:
        """The families of its content words with True where denied."""
        return frozenset((token.family, token.negated) for token in self.tokens)


@lru_cache(maxsize=65536)
def read_claim(text: str) -> Claim:
    """Take a phrase apart."""
    plain = unicodedata.normalize("NFKC", text.lower().replace("’", "'").replace("′", "'"))
    marked = mark_leads(_join_compounds(plain))
    measures, rest = _measures(default_vocabulary().replace(_ratios(marked)))
    clauses = [_tokens(clause) for clause in _clauses(_comparisons(rest))]
    whole = _claim(clauses)
    return replace(
        whole,
        measures=measures,
        compared=whole.compared | _ratio_pairs(marked),
        parts=tuple(_claim([clause]) for clause in clauses) if len(clauses) > 1 else (whole,),
    )


def _claim(clauses: list[list[Token]]) -> Claim:
    clauses = [_signed(clause) for clause in clauses]
    words = [[token for token in clause if not marked_leads(token.written)] for clause in clauses]
    tokens = [token for clause in words for token in _told(clause)]
    return Claim(
        tokens=tuple(tokens),
        leads=marked_leads("".join(token.written for clause in clauses for token in clause)),
        measures=(),
        attributes=frozenset(item for clause in words for item in _attributes(clause)),
        order=frozenset(pair for clause in words for pair in _order(clause)),
        walls=frozenset().union(*(walls_of(token.written) | walls_of(token.family) for token in tokens)),
        placed=frozenset(_placed(clauses)),
        compared=frozenset(pair for clause in clauses for pair in _compared(clause)),
    )


def _told(clause: list[Token]) -> list[Token]:
    """Mark what is told by what is compared: which of two is the taller."""
    sized = default_vocabulary().group
    compared = bool(_compared(clause))
    return [
        replace(token, compared=compared and sized.get(token.family) in _SIZES)
        for token in clause
        if token.written != "than"
    ]


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
    text = re.sub(
        rf"\b({_ORDINAL})(?:[-\s]+degree\b|\s*°)", lambda m: f"degree_{_ORDINALS[m[1]]} ", text
    )
    text = re.sub(r"\bn't\b|n't\b", " not", text)
    named = r"\b(type|mobitz|grade|class|stage|variant)[\s-]+(viii|vii|vi|iv|ix|v|i{1,3}|\d+)\b"
    return re.sub(named, lambda m: f"{_kind(m[1])}_{_ROMAN.get(m[2], m[2])} ", text)


def _kind(word: str) -> str:
    if word in {"type", "mobitz", "variant"}:
        return "mobitz type" if word == "mobitz" else "type"
    return "degree" if word == "grade" else word


def _ratios(text: str) -> str:
    return re.sub(r"\b([pqrstu])\s*/\s*([pqrstu])\b", r"\1 to \2 ratio", text)


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
    quantities, rest = take_quantities(text)
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
    return vocabulary.qualifiers & {vocabulary.family(word) for word in re.findall(r"[a-z]+", text)}


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
        if len(clauses) > 1 and (listed and _only_waves(clauses[-1]) or _goes_on(clauses[-1])):
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
        contrary = _CONTRARY.get(token.family) if denied else None
        found.append(replace(token, family=contrary or token.family, negated=denied and not contrary))
    return found


def _denies_before(clause: list[Token], place: int) -> bool:
    token = clause[place]
    named = any(other.family in _THINGS or other.family in _STRUCTURES for other in clause[:place])
    return token.family == "absent" and bool(_GONE.match(token.written)) and named


def _attributes(clause: list[Token]) -> set[tuple[str, str, Nouns]]:
    """Bind every word that has an opposite to the nearest wave or structure; "P wave axis" is one of two names."""
    group_of, is_free = default_vocabulary().group, default_vocabulary().is_free
    compared = bool(_compared(clause))
    told = [token for token in clause if token.family in group_of or not is_free(token.written)]
    found: set[tuple[str, str, Nouns]] = set()
    for place, token in enumerate(told):
        group = group_of.get(token.family)
        if group is None or (compared and group in _SIZES):
            continue
        things = BOUND.get(group, frozenset())
        nouns = [at for at, other in enumerate(told) if other.family in things and at != place]
        follows = bool(_NOUN.match(token.written))
        near = min(nouns, key=lambda at: (abs(at - place), (at < place) != follows), default=None)
        names: set[str] = set()
        for step in (1, -1):
            at = near
            while at is not None and 0 <= at < len(told) and told[at].family in things:
                names.add(told[at].family)
                at += step
        if group in {"regularity", "constancy"}:
            names = {_SAME_BEAT.get(name, name) for name in names}
        found.add((group, token.family, frozenset("qt" if name == "qtc" else name for name in names)))
    return found


def _order(clause: list[Token]) -> set[tuple[str, str]]:
    """Find which comes first in "P before QRS", "QRS preceded by P" and "P followed by QRS".

    Where no waves are named, it is told of words with an opposite: a narrow beat before a wide one.
    """
    found: set[tuple[str, str]] = set()
    families = [token.family for token in clause]
    group_of = default_vocabulary().group
    for place, word in enumerate(families):
        if word not in {"before", "after", "follow", "between"}:
            continue
        before, after = families[:place][::-1], families[place + 1 :]
        nouns = _FOLLOWING if word != "between" else frozenset()
        left = next((noun for noun in before if noun in nouns), None)
        right = next((noun for noun in after if noun in nouns), None)
        if not (left and right) or left == right:
            pairs = ((one, two) for one in before for two in after if one != two)
            alike = (pair for pair in pairs if group_of.get(pair[0], 0) == group_of.get(pair[1], 1))
            left, right = next(alike, (None, None))
        passive = "by" in families[place : place + 2]
        left_first = passive if word == "follow" else (word in {"before", "between"}) != passive
        if left and right:
            found.add((left, right) if left_first else (right, left))
    return found


def _placed(clauses: list[list[Token]]) -> set[tuple[str, str, Nouns, frozenset[str]]]:
    """Bind the look of a wave to the leads of its clause.

    Leads that stand alone belong to the clause before; where a phrase opens with some, to the clause after.
    """
    found: list[tuple[set[tuple[str, str, Nouns]], frozenset[str]]] = []
    leading = bool(clauses) and _only_leads(clauses[0])
    for clause in reversed(clauses) if leading else clauses:
        written = [token.written for token in clause]
        leads = marked_leads("".join(written[: written.index("than")] if "than" in written else written))
        if found and _only_leads(clause):
            found[-1] = (found[-1][0], found[-1][1] | leads)
        else:
            words = [token for token in clause if not marked_leads(token.written)]
            found.append(({item for item in _attributes(words) if item[0] in _SHAPES}, leads))
    return {(*item, leads) for items, leads in found for item in items}


def _only_leads(clause: list[Token]) -> bool:
    group_of = default_vocabulary().group
    named = marked_leads("".join(token.written for token in clause))
    return bool(named) and not any(token.family in WAVES or token.family in group_of for token in clause)


def _compared(clause: list[Token]) -> set[tuple[str, str]]:
    """Find what is more than what in "taller in II than in III" and "more P waves than QRS complexes"."""
    families = [token.family for token in clause]
    if "than" not in families:
        return set()
    cut = families.index("than")
    before, after = clause[:cut][::-1], clause[cut + 1 :]  # what stands nearest to "than" comes first
    turned = bool(_LESSER & {token.written for token in before})
    nouns = [next((token.family for token in side if token.family in WAVES), "") for side in (before, after)]
    leads = [_first_leads(side) for side in (before, after)]
    if not all(nouns) or nouns[0] == nouns[1]:
        nouns = [next((token.family for token in side if token.family in _PARTS), "") for side in (before, after)]
    waves = {(nouns[0], nouns[1])} if all(nouns) and nouns[0] != nouns[1] else set()
    pairs = waves | {(more, less) for more in leads[0] for less in leads[1] if more != less}
    return {pair[::-1] for pair in pairs} if turned else pairs


def _first_leads(side: Iterable[Token]) -> frozenset[str]:
    return next((leads for token in side if (leads := marked_leads(token.written))), frozenset())
