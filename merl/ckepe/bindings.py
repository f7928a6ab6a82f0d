"""What the words of a clause are said of: waves, leads, one another."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from merl.ckepe.clauses import FOLLOWING, STRUCTURES, THINGS, WAVES, Token, is_wave, walls_of
from merl.ckepe.vocabulary import default_vocabulary, word_set
from merl.knowledge.leads import marked_leads
from merl.records import STANDARD_LEADS

Nouns = frozenset[str]  # what a word is said of; empty where the text leaves it open
Attribute = tuple[str, str, Nouns]  # group, value, and what it is said of

#: What the words of a group are said of; those of other groups are compared whatever they are said of.
BOUND = {"side": STRUCTURES} | dict.fromkeys(
    ("length", "size", "pole", "depth", "slope", "curve", "contour", "regularity", "symmetry", "constancy"),
    THINGS,
)
BOUND["chamber"] = word_set("rate rhythm wave spike beat complex focus activation")
BOUND["trend"] = THINGS
BOUND["timing"] = word_set("p qrs")
BOUND["speed"] = word_set("sinus atrial ventricular junctional p qrs")
#: One and the same beat: what is regular of the one is regular of the other.
_SAME_BEAT = {"rr": "qrs", "cycle": "qrs", "rhythm": "qrs", "rate": "qrs", "ventricular": "qrs", "pp": "p"}
#: The leads by the plane they look at.
LEAD_SETS = {"limb": frozenset(STANDARD_LEADS[:6]), "precordial": frozenset(STANDARD_LEADS[6:])}
#: Two of one kind that may be compared: the first peak and the second.
_PARTS = word_set("first second third initial terminal left right atrial ventricular after before")
#: Groups that say how a wave looks, which is said of the leads it is seen in.
SHAPES = frozenset({"size", "pole", "length", "slope", "depth"})
#: A heartbeat, and words that may stand between a word and what it is said of.
BEATS = word_set("beat complex run tachycardia voltag amplitud")
_JOINS = word_set("a the an each every all both some wave waves")
_ARTICLES = word_set("the its their each every a")
_PLAIN = word_set("wave waves segment segments interval intervals shape or and")
_RELATIONS = word_set("before after follow between with within than near")
#: Whose rate is compared: an atrial one is that of the P waves.
_RATES = {"atrial": "p", "ventricular": "qrs", "rhythm": "qrs"}
#: Parts of a wave, each with the part that lies opposite.
OTHER_PART = {"initial": "terminal", "upstroke": "downstroke", "first": "second"}
OTHER_PART |= {other: part for part, other in OTHER_PART.items()}
_PART_VERBS = {"ascend": "upstroke", "descen": "downstroke"}
_OF_PARTS = word_set("steep sharp sudden gradual slow rapid high low deep shallow upright inverted")
_OF_PARTS |= {"prolonged", "shortened"}
_SIZES = frozenset({"size", "length", "depth", "speed", "trend", "timing", "degree of change"})
#: Leads that are spoken of and not named: "in many leads".
_ELSEWHERE = frozenset({"elsewhere"})
#: What says that the first of two is the lesser, as a family or as it is written.
_LESSER = word_set("low below shortened shallow slow early shrink less fewer weaker lesser under")
#: A noun follows what it is said of (T inversion), an adjective goes before it (inverted T).
_NOUN = re.compile(r".*(?:ion|ment|ity|ness|ation|ening|ing)$")


def told(clause: list[Token]) -> list[Token]:
    """Mark what is told by what is compared: which of two is the taller."""
    group_of = default_vocabulary().group
    sized = bool(compared(clause))
    return [
        replace(token, compared=sized and group_of.get(token.family) in _SIZES)
        for token in clause
        if token.written != "than"
    ]


def attributes(clause: list[Token]) -> set[Attribute]:
    """Bind every word that has an opposite to what it is said of; "P axis" is of both names.

    That is the wave or structure that the word stands at; where none is near, it may be the last before it or
    the first after it. A beat is told by its QRS complex.
    """
    group_of = default_vocabulary().group
    comparing = any(token.written == "than" for token in clause)
    found: set[Attribute] = set()
    for place, token in enumerate(clause):
        group = group_of.get(token.family)
        if group is None or (token.free and token.family not in group_of) or (comparing and group in _SIZES):
            continue
        names = _said_of(clause, place, BOUND.get(group, frozenset()))
        if group == "side" and _comes_from(clause, place):
            names = set()  # "activated from the right"
        if group in {"regularity", "constancy"}:
            names = {_SAME_BEAT.get(name, name) for name in names}
        if group == "length" and "rhythm" in names:
            names = names - {"rhythm"} | {"qrs"}  # a narrow rhythm
        found.add((group, token.family, frozenset("qt" if name == "qtc" else name for name in names)))
    return found


def _said_of(clause: list[Token], place: int, things: Nouns) -> set[str]:
    named = [_named(clause, at, things) for at in range(len(clause))]
    ahead = next((at for at in range(place + 1, len(clause)) if named[at]), None)
    behind = next((at for at in range(place - 1, -1, -1) if named[at]), None)
    noun = bool(_NOUN.match(clause[place].written))
    joins = _JOINS | {"of", "in"} if noun else _JOINS  # "elevation of ST"
    if behind is not None and noun and all(token.free for token in clause[behind + 1 : place]):
        ahead = None  # "ST elevation"
    elif ahead is not None and not any(
        token.family in _RELATIONS or (token.free and token.written not in joins)
        for token in clause[place + 1 : ahead]
    ):
        behind = None  # "an elevated ST"
    between = _apart(clause[place:ahead]) and not _apart(clause[behind:place])
    if behind is not None and ahead is not None and between:
        ahead = None  # "an ST drawn out before the T wave"
    if clause[place + 1 : place + 2] and clause[place + 1].written in {"one", "ones"}:
        return set()  # "a wide one" is of what was named before
    names: set[str] = set()
    for near, step in ((ahead, 1), (behind, -1)):
        at = near
        while at is not None and 0 <= at < len(clause) and (named[at] or clause[at].written in _PLAIN):
            names.add(named[at])
            at += step
    return names - {""}


def _apart(tokens: list[Token]) -> bool:
    return any(token.family in _RELATIONS for token in tokens)


def _comes_from(clause: list[Token], place: int) -> bool:
    """Whether a side is where something comes from or goes to, with nothing named that lies there."""
    before = [token.written for token in clause[max(0, place - 2) : place] if token.written != "the"][-1:]
    after = [token.family for token in clause[place + 1 : place + 2]]
    return before in (["from"], ["to"], ["toward"], ["towards"]) and not STRUCTURES.intersection(after)


def _named(clause: list[Token], place: int, things: Nouns) -> str:
    """Return what a word names; a beat or voltage of no wave of its own is the QRS complex's."""
    family = clause[place].family
    if (family in BEATS and "qrs" in things) or family == "interv":
        before = [token.family for token in clause[max(0, place - 2) : place] if token.written not in _PLAIN]
        own = family if family == "interv" else "qrs"
        return "" if family not in BEATS | things or (before and is_wave(before[-1])) else own
    return family if family in things else ""


def parted(clause: list[Token]) -> set[tuple[str, str]]:
    """Bind what is said of a part of a wave: a deep end, a steep ascent, "falls slowly"."""
    telling = [
        _PART_VERBS.get(token.written[:6], token.family)
        for token in clause
        if not token.free or token.family in OTHER_PART
    ]
    found: set[tuple[str, str]] = set()
    for place, part in enumerate(telling):
        if part in OTHER_PART:
            near = [*telling[max(0, place - 1) : place], *telling[place + 1 : place + 2]]
            found |= {(word, part) for word in [word for word in near if word in _OF_PARTS][:1]}
    return found


def order(clause: list[Token]) -> set[tuple[str, str]]:
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
        nouns = FOLLOWING if word != "between" else frozenset()
        left = next((noun for noun in before if noun in nouns), None)
        right = next((noun for noun in after if noun in nouns), None)
        if not (left and right) or left == right:
            pairs = ((one, two) for one in before for two in after if one != two)
            alike = (pair for pair in pairs if group_of.get(pair[0], 0) == group_of.get(pair[1], 1))
            left, right = next(alike, (None, None))
        passive = "by" in families[place : place + 2]
        told_of_right = place > 0 and clause[place - 1].written in _ARTICLES  # "P before the following QRS"
        left_first = passive if word == "follow" else (word in {"before", "between"}) != passive
        left_first = left_first != told_of_right
        ends = [noun for noun in after if noun in WAVES][:2]
        middle = next((noun for noun in before if noun in WAVES), None)
        if word == "between" and middle and len(set(ends)) == 2 and middle not in ends:
            found |= {(ends[0], middle), (middle, ends[1])}
        if left and right:
            found.add((left, right) if left_first else (right, left))
    return found


def placed(clauses: list[list[Token]]) -> set[tuple[str, str, Nouns, frozenset[str]]]:
    """Bind the look of a wave to the leads of its clause.

    Leads that stand alone belong to the clause before; where a phrase opens with some, the one after. Where
    only one clause names leads and none a wall, they are those of every clause.
    """
    found: list[tuple[set[Attribute], frozenset[str]]] = []
    walls = any(walls_of(token.written) for clause in clauses for token in clause)
    leading = bool(clauses) and _only_leads(clauses[0])
    for clause in reversed(clauses) if leading else clauses:
        leads = _leads_of(clause)
        if found and not leading and found[-1][1] and (more := _goes_on_with(clause)):
            found[-1] = (found[-1][0], found[-1][1] | more)  # "in I, aVL and V3 to V6 after Q waves"
        if found and _only_leads(clause):
            found[-1] = (found[-1][0], found[-1][1] | leads)
        else:
            words = [token for token in clause if not marked_leads(token.written)]
            unnamed = any(token.written == "leads" or token.family == "widespread" for token in clause)
            own = leads or (_ELSEWHERE if unnamed else leads)
            found.append(({item for item in attributes(words) if item[0] in SHAPES}, own))
    named = {leads for _, leads in found if leads}
    shared = next(iter(named)) if len(named) == 1 and not walls else frozenset()  # "X with Y in V2"
    return {(*item, (leads or shared) - _ELSEWHERE) for items, leads in found for item in items}


def _leads_of(clause: list[Token]) -> frozenset[str]:
    """Return the leads a clause names before any comparison; the limb leads are six, and so on."""
    written = [token.written for token in clause]
    clause = clause[: written.index("than")] if "than" in written else clause
    sets = [LEAD_SETS[token.family] for token in clause if token.family in LEAD_SETS]
    return marked_leads("".join(token.written for token in clause)) or frozenset().union(*sets)


def _goes_on_with(clause: list[Token]) -> frozenset[str]:
    """Return the leads a clause opens with, which go on with those of the clause before."""
    first = next(
        (place for place, token in enumerate(clause) if not marked_leads(token.written)), len(clause)
    )
    if not any(token.family in _RELATIONS for token in clause[first : first + 1]):
        return frozenset()
    return marked_leads("".join(token.written for token in clause[:first]))


def _only_leads(clause: list[Token]) -> bool:
    group_of = default_vocabulary().group
    return bool(_leads_of(clause)) and not any(
        token.family in WAVES or token.family in group_of for token in clause
    )


def compared(clause: list[Token]) -> set[tuple[str, str]]:
    """Find what is more than what in "taller in II than in III" and "more P waves than QRS complexes"."""
    families = [token.family for token in clause]
    if "than" not in families:
        return _dominant(families)
    cut = families.index("than")
    before, after = clause[:cut][::-1], clause[cut + 1 :]  # what stands nearest to "than" comes first
    turned = bool(_LESSER & {name for token in before for name in (token.written, token.family)})
    names = [[_RATES.get(token.family, token.family) for token in side] for side in (before, after)]
    nouns = [next((name for name in side if name in WAVES), "") for side in names]
    leads = [_first_leads(side) for side in (before, after)]
    if not all(nouns) or nouns[0] == nouns[1]:
        nouns = [
            next((token.family for token in side if token.family in _PARTS), "") for side in (before, after)
        ]
    waves = {(nouns[0], nouns[1])} if all(nouns) and nouns[0] != nouns[1] else set()
    pairs = waves | {(more, less) for more in leads[0] for less in leads[1] if more != less}
    return {pair[::-1] for pair in pairs} if turned else pairs


def _dominant(families: list[str]) -> set[tuple[str, str]]:
    """Read "a dominant R" as R being greater than S."""
    pairs = {"r": ("r", "s"), "s": ("s", "r")}
    following = [families[place + 1] for place, word in enumerate(families[:-1]) if word == "dominant"]
    return {pairs[wave] for wave in following if wave in pairs}


def _first_leads(side: Iterable[Token]) -> frozenset[str]:
    return next((leads for token in side if (leads := marked_leads(token.written))), frozenset())
