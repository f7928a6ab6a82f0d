"""The guard after fusion: entries that say the opposite of a query, in a word or in a number."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property

from merl.knowledge.entries import Entry
from merl.knowledge.quantities import Quantity
from merl.knowledge.wording import read_wording

#: Values that are kinds of another one, so that neither excludes the other.
_KINDS = {"supraventricular": {"atrial", "junctional"}}
#: Groups that are said of one wave or of another, and mean nothing without it.
_OF_A_NOUN = frozenset({"shift", "height", "pole", "width", "slope", "length"})
#: Groups that findings vary in, and names do not mean as opposites.
_LOOSE = frozenset({"frequency", "place"})

#: Where the beats of a rhythm arrive, which says nothing of where it arises.
_DRIVEN = re.compile(r"\b(?:atrial|ventricular) (?:rate|response|frequency|activation|excitation)\b")

_Values = dict[tuple[str, str | None], set[str]]


class Stance:
    """What an entry's names and numbers commit it to.

    Args:
        entry: the entry.
        fold: puts a text into the words queries are read in.
    """

    def __init__(self, entry: Entry, fold: Callable[[str], str]) -> None:
        names = [fold(name) for name in (entry.name, *entry.synonyms)]
        self._values = values_of(names)
        self._walls = {read_wording(name).walls for name in names} - {frozenset()}
        self._entry = entry

    def excludes(self, given: _Values, walls: frozenset[str]) -> bool:
        """Tell whether a query says of a side, length, degree, wall, ... what no name of the entry allows."""
        if walls and self._walls and walls not in self._walls:
            return True
        return any(self._opposed(group, noun, values) for (group, noun), values in given.items())

    @cached_property
    def _for(self) -> list[Quantity]:
        said = (self._entry.definition, *self._entry.findings)
        return [number for item in said for number in read_wording(item.text).quantities]

    @cached_property
    def _against(self) -> list[Quantity]:
        said = [number for item in self._entry.absent for number in read_wording(item.text).quantities]
        return [number for number in said if number.subject]

    def _opposed(self, group: str, noun: str | None, values: set[str]) -> bool:
        own = self._values.get((group, noun), set())
        if noun is None:
            own = own.union(*(found for (other, _), found in self._values.items() if other == group))
        elif group not in _OF_A_NOUN:
            own = own | self._values.get((group, None), set())
        return bool(own) and own.isdisjoint(values)

    def agrees(self, quantities: Sequence[Quantity]) -> float:
        """Return how well measured numbers fit the entry's criteria: 1 all, -1 none, 0 if it has none."""
        votes: list[int] = []
        for given in quantities:
            criteria = [own for own in self._for if _same(given, own)]
            if criteria:
                votes.append(1 if _fits(given, criteria) else -1)
            elif any(_same(given, own) and _fits(given, [own]) for own in self._against):
                votes.append(-1)
        return sum(votes) / len(votes) if votes else 0.0


def values_of(texts: Iterable[str]) -> _Values:
    """Return what texts say where there is an opposite, by group of opposites and by the noun it is said of.

    What is denied is no value of its group: "without ST elevation" neither elevates nor depresses. Whether a
    value is asserted or denied is a group of its own.
    """
    found: _Values = {}
    for text in texts:
        wording = read_wording(_DRIVEN.sub(" ", text))
        for group, value, noun in wording.attributes:
            denied = (value, True) in wording.words and (value, False) not in wording.words
            found.setdefault((value, noun), set()).add("denied" if denied else "asserted")
            if group not in _LOOSE and not denied:
                found.setdefault((group, noun), set()).update({value}, _KINDS.get(value, ()))
    return found


def _same(given: Quantity, own: Quantity) -> bool:
    subject = {given.subject, own.subject}
    return given.unit == own.unit and (given.subject in {None, own.subject} or subject == {"qt", "qtc"})


def _fits(given: Quantity, criteria: Sequence[Quantity]) -> bool:
    """Tell whether a number fits any of the criteria; the two ends of a range are one criterion."""
    for number, own in enumerate(criteria):
        if own.comparison == "from":
            high = next((other for other in criteria[number + 1 :] if other.comparison == "up to"), own)
            if min(own.value, high.value) <= given.value <= max(own.value, high.value):
                return True
        elif own.comparison == "at least" and given.comparison != "at most":
            if given.value >= own.value:
                return True
        elif own.comparison == "at most" and given.comparison != "at least":
            if given.value <= own.value:
                return True
        elif own.comparison == "equal" and abs(given.value - own.value) <= 0.1 * abs(own.value):
            return True
    return False
