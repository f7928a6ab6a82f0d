"""What a clinical phrase says, taken apart: words and their negation, leads, numbers, opposites, order."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

from merl.knowledge.leads import MARK, mark_leads, marked_leads, without_leads
from merl.knowledge.quantities import Quantity, take_quantities

#: Words of one meaning, under the one they are compared by. Opposites never share a line.
_FAMILIES = {
    "prolonged": "long longer prolongation lengthened lengthening prolonging extended extension",
    "shortened": "short shorter shortening",
    "elevation": "elevated elevations raised",
    "depression": "depressed depressions",
    "wide": "wider widened widening broad broader broadened broadening",
    "narrow": "narrowed narrower",
    "tall": "taller high higher increased large larger",
    "low": "lower small smaller reduced decreased diminished",
    "flat": "flattened flattening",
    "inverted": "inversion inversions negative",
    "upright": "positive",
    "regular": "regularly regularity",
    "irregular": "irregularly irregularity",
    "rapid": "fast faster rapidly",
    "slow": "slower slowed slowly",
    "atrial": "atrium atria auricular",
    "ventricular": "ventricle ventricles",
    "early": "premature prematurely",
    "late": "delayed delay delays later",
    "before": "precede precedes preceding preceded prior",
    "after": "succeeding",
    "follow": "follows followed following",
    "distinct": "discernible discernable identifiable clear clearly",
    "upsloping": "upslope upsloped",
    "downsloping": "downslope downsloped",
    "variable": "vary varies varying variation",
    "counterclockwise": "anticlockwise",
    "every": "each all",
    "complete": "completely total totally",
    "conduction": "conducted conducts conducting",
}
_LEMMA = {word: lemma for lemma, words in _FAMILIES.items() for word in (lemma, *words.split())}

#: Values of one group exclude each other when said of the same thing.
_GROUPS = {
    "side": "left right",
    "length": "prolonged shortened",
    "width": "wide narrow",
    "shift": "elevation depression",
    "height": "tall low flat",
    "pole": "upright inverted biphasic",
    "regularity": "regular irregular",
    "completeness": "complete incomplete",
    "speed": "rapid slow",
    "tempo": "tachycardia bradycardia",
    "timing": "early late",
    "rotation": "clockwise counterclockwise",
    "slope": "upsloping downsloping horizontal",
    "place": "above below",
    "chamber": "atrial ventricular junctional supraventricular",
    "age": "acute old",
    "frequency": "every some intermittent",
    "degree": "degree1 degree2 degree3",
    "type": "type1 type2",
}
_GROUP = {value: group for group, values in _GROUPS.items() for value in values.split()}
_LEMMA |= {value: value for value in _GROUP}
#: Groups that say how a wave looks, which is said of the leads it is seen in.
_SHAPES = frozenset({"shift", "height", "pole", "width", "slope"})
_WALLS = ("anter", "infer", "later", "poster", "sept", "apic")


_DERIVED = (
    "ations",
    "ation",
    "ions",
    "ion",
    "ings",
    "ing",
    "ical",
    "ities",
    "ity",
    "ness",
    "ment",
    "ous",
    "ed",
    "ic",
    "al",
    "ia",
    "y",
    "e",
)
_ENDINGS = (("ies", "y"), ("sses", "ss"), ("ing", ""), ("ed", ""), ("ly", ""), ("s", ""), ("e", ""))


def lemma(word: str) -> str:
    """Reduce a word to what it is compared by: a family's word, or the word without its ending."""
    if word in _LEMMA or len(word) <= 3:
        return _LEMMA.get(word, word)
    for ending, keep in _ENDINGS:
        if word.endswith(ending) and not word.endswith(("ss", "us", "is")) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)] + keep
            break
    return _LEMMA.get(word, word.removesuffix("e"))


def _set(words: str) -> frozenset[str]:
    return frozenset(lemma(word) for word in words.split())


_NOUNS = _set("p q r s t u j st pr pq qrs qt qtc rr rsr axis bundle fascicular rate rhythm baseline")
_NEUTRAL = _set(
    """a an the of in on at by to for from with and or as is are be been being was were has have having that
    this these those it its than then there which who whose into onto over under within between per both also
    more less least most ecg ekg electrocardiogram trace tracing lead leads show shows showing shown seen see
    present appear appears appearance visible finding findings feature sign pattern characteristic typical
    typically evident noted usually often wave waves segment segments interval intervals complex complexes
    duration"""
)
_CUES = _set("no not without absence lack lacking loss never neither nor free")
_WHOLE_CLAUSE = _set("absent missing")
_CLAUSE = re.compile(r"[,;:.()]\s|[,;:.()]$|\b(?:but|while|whereas|and)\b|\bwith\b")
_ORDINAL = {"first": "1", "1st": "1", "i": "1", "1": "1", "second": "2", "2nd": "2", "ii": "2", "2": "2"}
_ORDINAL |= {"third": "3", "3rd": "3", "iii": "3", "3": "3"}


@dataclass(frozen=True)
class Wording:
    """What a phrase says.

    Attributes:
        words: content lemmas with True where negated.
        leads: leads it names, in standard spelling.
        quantities: its numbers.
        attributes: (group, value, noun) for every word that has an opposite, with the noun it stands next to.
        order: (earlier, later) waves, for "P waves before the QRS complex".
        walls: territories named, ``anteroseptal`` being two.
        placed: (group, value, noun, leads) for every word on a wave's look, with the leads of its clause.
        compared: (greater, lesser) waves or leads, for "taller in II than in III".
    """

    words: frozenset[tuple[str, bool]]
    leads: frozenset[str]
    quantities: tuple[Quantity, ...]
    attributes: frozenset[tuple[str, str, str | None]]
    order: frozenset[tuple[str, str]]
    walls: frozenset[str] = field(default=frozenset())
    placed: frozenset[tuple[str, str, str | None, frozenset[str]]] = field(default=frozenset())
    compared: frozenset[tuple[str, str]] = field(default=frozenset())


@lru_cache(maxsize=4096)
def read_wording(text: str) -> Wording:
    """Take a phrase apart."""
    marked = mark_leads(text.lower().replace("’", "'"))
    numbers, rest = take_quantities(_join_compounds(without_leads(marked)))
    _, marked_rest = take_quantities(_join_compounds(marked))
    words: set[tuple[str, bool]] = set()
    attributes: set[tuple[str, str, str | None]] = set()
    order: set[tuple[str, str]] = set()
    walls: set[str] = set()
    for tokens in map(_tokens, _CLAUSE.split(rest)):
        words |= _signed(tokens)
        attributes |= _attributes(tokens)
        order |= _order(tokens)
        walls |= {wall for word in tokens if word != "bilateral" for wall in _WALLS if wall in word}
    clauses = [tokens for tokens in map(_tokens, _CLAUSE.split(marked_rest)) if tokens]
    return Wording(
        words=frozenset(words),
        leads=marked_leads(marked),
        quantities=numbers,
        attributes=frozenset(attributes),
        order=frozenset(order),
        walls=frozenset(walls),
        placed=frozenset(_placed(clauses)),
        compared=frozenset(pair for tokens in clauses for pair in _compared(tokens)),
    )


@lru_cache(maxsize=65536)
def content_words(text: str) -> tuple[str, ...]:
    """Return the words of a phrase that search compares, as stems, in order.

    Leads are words, a compound of walls is each of its walls, and a negated word stands a second time with a
    minus sign. Numbers are left out.
    """
    marked = mark_leads(text.lower().replace("’", "'"))
    _, rest = take_quantities(_join_compounds(marked))
    found: list[str] = []
    for tokens in map(_tokens, _CLAUSE.split(rest)):
        negated = _signed([token for token in tokens if not marked_leads(token)])
        for token in tokens:
            if leads := marked_leads(token):
                found += sorted(leads)
            elif walls := [wall for wall in _WALLS if wall in token.replace("bilateral", "")]:
                found += walls
            elif token not in _NEUTRAL and token not in _CUES:
                found.append(stem(token))
                found += [f"-{stem(token)}"] if (token, True) in negated else []
    return tuple(found)


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """Reduce a lemma to the stem it shares with the noun or adjective beside it: ischemia, ischemic."""
    shorter = word
    while len(shorter) > 5 and (ending := next((end for end in _DERIVED if shorter.endswith(end)), "")):
        if len(shorter) - len(ending) < 4:
            break
        shorter = shorter.removesuffix(ending)
    return shorter


def conflict(text: str, other: str) -> str | None:
    """Say in what two names exclude each other (side, degree, wall, ...); None if they may mean the same."""
    one, two = read_wording(text), read_wording(other)
    if one.walls and two.walls and one.walls != two.walls:
        return "wall"
    mine, theirs = _by_group(one), _by_group(two)
    return next((group for group in mine if group in theirs and not mine[group] & theirs[group]), None)


def addition(text: str, other: str) -> str | None:
    """Say in what ``other`` is narrower than ``text``: a side, degree or wall that ``text`` leaves open."""
    one, two = read_wording(text), read_wording(other)
    if two.walls - one.walls:
        return "wall"
    return next((group for group in _by_group(two) if group not in _by_group(one)), None)


def _by_group(wording: Wording) -> dict[str, set[str]]:
    groups: dict[str, set[str]] = {}
    for group, value, _ in sorted(wording.attributes, key=str):
        groups.setdefault(group, set()).add(value)
    return groups


def _tokens(clause: str) -> list[str]:
    """Cut a clause into lemmas; the marks of leads named together stay one token."""
    return [lemma(token) for token in re.findall(rf"[a-z]+[a-z0-9]*|{MARK}+", clause)]


def _join_compounds(text: str) -> str:
    text = re.sub(r"\bnon[-\s]+(?=[a-z])", "non", text)
    text = re.sub(r"\b(counter|anti|saw|up|down|mid)-(?=[a-z])", r"\1", text)
    ordinal = "|".join(sorted(_ORDINAL, key=len, reverse=True))
    text = re.sub(rf"\b({ordinal})(?:[-\s]+degree|\s*°)", lambda m: f"degree{_ORDINAL[m[1]]} ", text)
    return re.sub(r"\b(?:type|mobitz)\s+(i{1,2}|[12])\b", lambda m: f"type{_ORDINAL[m[1]]} ", text)


def _signed(tokens: list[str]) -> set[tuple[str, bool]]:
    everything = bool(_WHOLE_CLAUSE & set(tokens))
    negated = False
    words: set[tuple[str, bool]] = set()
    for token in tokens:
        negated = negated or token in _CUES
        if token not in _NEUTRAL and token not in _CUES and token not in _WHOLE_CLAUSE:
            words.add((token, negated or everything))
    return words


def _attributes(tokens: list[str]) -> set[tuple[str, str, str | None]]:
    nouns = [(place, token) for place, token in enumerate(tokens) if token in _NOUNS]
    found: set[tuple[str, str, str | None]] = set()
    for place, token in enumerate(tokens):
        if token in _GROUP:
            near = min(nouns, key=lambda noun: (abs(noun[0] - place), noun[0] < place), default=None)
            found.add((_GROUP[token], token, near[1] if near else None))
    return found


def _order(tokens: list[str]) -> set[tuple[str, str]]:
    """Find which wave comes first in "P before QRS", "QRS preceded by P" and "P followed by QRS"."""
    found: set[tuple[str, str]] = set()
    for place, word in enumerate(tokens):
        if word not in {"before", "after", "follow"}:
            continue
        left = next((noun for noun in reversed(tokens[:place]) if noun in _NOUNS), None)
        right = next((noun for noun in tokens[place + 1 :] if noun in _NOUNS), None)
        passive = "by" in tokens[place : place + 2]
        left_first = passive if word == "follow" else (word == "before") != passive
        if left and right:
            found.add((left, right) if left_first else (right, left))
    return found


def _placed(clauses: list[list[str]]) -> set[tuple[str, str, str | None, frozenset[str]]]:
    """Bind the look of a wave to the leads of its clause.

    Leads that stand alone belong to the clause before; where a phrase opens with some, to the clause after.
    """
    found: list[tuple[set[tuple[str, str, str | None]], frozenset[str]]] = []
    leading = bool(clauses) and _only_leads(clauses[0])
    for tokens in reversed(clauses) if leading else clauses:
        leads = marked_leads("".join(tokens[: tokens.index("than")] if "than" in tokens else tokens))
        if found and _only_leads(tokens):
            found[-1] = (found[-1][0], found[-1][1] | leads)
        else:
            words = [token for token in tokens if not marked_leads(token)]
            found.append(({item for item in _attributes(words) if item[0] in _SHAPES}, leads))
    return {(*item, leads) for items, leads in found for item in items}


def _only_leads(tokens: list[str]) -> bool:
    return bool(marked_leads("".join(tokens))) and not any(
        token in _NOUNS or token in _GROUP for token in tokens
    )


def _compared(tokens: list[str]) -> set[tuple[str, str]]:
    """Find what is more than what in "taller in II than in III" and "more P waves than QRS complexes"."""
    if "than" not in tokens:
        return set()
    before, after = tokens[: tokens.index("than")], tokens[tokens.index("than") + 1 :]
    if {"less", "fewer"} & set(before):
        before, after = after, before[::-1]
    else:
        before = before[::-1]  # what stands nearest to "than" comes first
    nouns = [next((token for token in side if token in _NOUNS), "") for side in (before, after)]
    leads = [marked_leads(next(filter(marked_leads, side), "")) for side in (before, after)]
    waves = {(nouns[0], nouns[1])} if all(nouns) and nouns[0] != nouns[1] else set()
    return waves | {(more, less) for more in leads[0] for less in leads[1] if more != less}
