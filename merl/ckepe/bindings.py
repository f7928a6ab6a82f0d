"""What the words of a clause are said of: waves, leads, one another."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from merl.ckepe.clauses import STRUCTURES, THINGS, WAVES, Token
from merl.ckepe.vocabulary import default_vocabulary, word_set
from merl.knowledge.leads import marked_leads

Nouns = frozenset[str]  # what a word is said of; empty where the text leaves it open
Attribute = tuple[str, str, Nouns]  # group, value, and what it is said of

#: What the words of a group are said of; those of other groups are compared whatever they are said of.
BOUND = {"side": STRUCTURES} | dict.fromkeys(
    ("length", "size", "pole", "depth", "slope", "curve", "contour", "regularity", "symmetry", "constancy"),
    THINGS,
)
BOUND |= dict.fromkeys(("speed", "tempo"), word_set("sinus atrial ventricular junctional p qrs"))
#: One and the same beat: what is regular of the one is regular of the other.
_SAME_BEAT = {"rr": "qrs", "rhythm": "qrs", "rate": "qrs", "ventricular": "qrs", "pp": "p"}
#: What comes before or after another.
_FOLLOWING = WAVES | {"pause", "run", "spike"}
#: Two of one kind that may be compared: the first peak and the second.
_PARTS = word_set("first second third initial terminal left right atrial ventricular")
#: Groups that say how a wave looks, which is said of the leads it is seen in.
_SHAPES = frozenset({"size", "pole", "length", "slope", "depth"})
_SIZES = frozenset({"size", "length", "depth", "speed", "trend", "timing"})
_LESSER = word_set("less fewer smaller shorter lower shallower narrower slower weaker lesser thinner earlier")
_LESSER |= {"low", "below", "under"}
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
    """Bind every word that has an opposite to the nearest wave or structure; "P axis" is of both names."""
    group_of, is_free = default_vocabulary().group, default_vocabulary().is_free
    sized = bool(compared(clause))
    told = [token for token in clause if token.family in group_of or not is_free(token.written)]
    found: set[Attribute] = set()
    for place, token in enumerate(told):
        group = group_of.get(token.family)
        if group is None or (sized and group in _SIZES):
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


def placed(clauses: list[list[Token]]) -> set[tuple[str, str, Nouns, frozenset[str]]]:
    """Bind the look of a wave to the leads of its clause.

    Leads that stand alone belong to the clause before; where a phrase opens with some, to the clause after.
    """
    found: list[tuple[set[Attribute], frozenset[str]]] = []
    leading = bool(clauses) and _only_leads(clauses[0])
    for clause in reversed(clauses) if leading else clauses:
        written = [token.written for token in clause]
        leads = marked_leads("".join(written[: written.index("than")] if "than" in written else written))
        if found and _only_leads(clause):
            found[-1] = (found[-1][0], found[-1][1] | leads)
        else:
            words = [token for token in clause if not marked_leads(token.written)]
            found.append(({item for item in attributes(words) if item[0] in _SHAPES}, leads))
    return {(*item, leads) for items, leads in found for item in items}


def _only_leads(clause: list[Token]) -> bool:
    group_of = default_vocabulary().group
    named = marked_leads("".join(token.written for token in clause))
    return bool(named) and not any(token.family in WAVES or token.family in group_of for token in clause)


def compared(clause: list[Token]) -> set[tuple[str, str]]:
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
        nouns = [
            next((token.family for token in side if token.family in _PARTS), "") for side in (before, after)
        ]
    waves = {(nouns[0], nouns[1])} if all(nouns) and nouns[0] != nouns[1] else set()
    pairs = waves | {(more, less) for more in leads[0] for less in leads[1] if more != less}
    return {pair[::-1] for pair in pairs} if turned else pairs


def _first_leads(side: Iterable[Token]) -> frozenset[str]:
    return next((leads for token in side if (leads := marked_leads(token.written))), frozenset())
