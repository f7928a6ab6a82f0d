"""How report texts name concepts: found whatever the order, inflection and kindred words, denied or not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from merl.ckepe.clauses import walls_of
from merl.ckepe.vocabulary import default_vocabulary
from merl.knowledge.entries import Entry
from merl.knowledge.lookup import fold_words

Words = frozenset[str]
_SHORT = 3  # letters: an abbreviation of fewer means too many things ("ST" is sinus tachycardia, too)
_JOINED = 8  # letters from which on a name is also looked for with everything between its letters left out


class Namings:
    """The ways to name some classes.

    A text names a class if it has all the words of one of its names, in any order and inflection and with
    other words between, so that "infarct, probably old, inferior wall" is an inferior infarction. What denies
    or doubts a concept names it too. Abbreviations of three letters and more are looked for as they are.
    A name of eight letters and more is also found where its words are run together or torn apart.

    Args:
        names: names of each class, in words.
        abbreviations: of each class.
    """

    def __init__(
        self, names: Mapping[str, Iterable[str]], abbreviations: Mapping[str, Iterable[str]] | None = None
    ) -> None:
        self.classes = tuple(names)
        self._words = {
            key: _least(read for name in given for read in readings(name)) for key, given in names.items()
        }
        self._joined = {
            key: sorted(letters for name in given if len(letters := _letters(name)) >= _JOINED)
            for key, given in names.items()
        }
        self._short = {
            key: _least(frozenset(fold_words(short)) for short in given if len(_letters(short)) >= _SHORT)
            for key, given in (abbreviations or {}).items()
        }

    @lru_cache(maxsize=65536)  # noqa: B019 - one set of namings lives as long as its study
    def named_in(self, text: str) -> frozenset[str]:
        """Return the classes that a text names."""
        words = frozenset().union(*readings(text))
        plain = frozenset(fold_words(text))
        return self.runs_through(text) | {
            key
            for key in self.classes
            if any(name <= words for name in self._words[key])
            or any(short <= plain for short in self._short.get(key, ()))
        }

    def runs_through(self, text: str) -> frozenset[str]:
        """Return the classes of which a long name runs through the letters of a text, whatever parts them."""
        letters = _letters(text)
        return frozenset(key for key in self.classes if any(name in letters for name in self._joined[key]))


def namings(
    concepts: Mapping[str, Iterable[str]],
    entries: Mapping[str, Entry],
    wordings: Mapping[str, Iterable[str]] | None = None,
) -> Namings:
    """Collect every name of the concepts that make up each class.

    Args:
        concepts: ids of the entries of each class.
        entries: the knowledge base.
        wordings: further ways to say a class.
    """
    members = {key: [entries[each] for each in ids] for key, ids in concepts.items()}
    return Namings(
        {
            key: [
                *(name for entry in group for name in (entry.name, *entry.synonyms, *entry.german)),
                *(wordings or {}).get(key, ()),
            ]
            for key, group in members.items()
        },
        {key: [short for entry in group for short in entry.abbreviations] for key, group in members.items()},
    )


def with_kinds(ids: Iterable[str], entries: Mapping[str, Entry]) -> frozenset[str]:
    """Return concepts with all that is a kind of one of them, at any depth."""
    found = set(ids)
    while more := {
        entry.id for entry in entries.values() if entry.id not in found and found & set(entry.is_a)
    }:
        found |= more
    return frozenset(found)


@lru_cache(maxsize=65536)
def readings(text: str) -> tuple[Words, Words]:
    """Return the words of a text as what they are compared by: families, stems, walls each by itself.

    Returns:
        They word by word, and with terms of several words taken together ("premature complex").
    """
    vocabulary = default_vocabulary()
    plain = " ".join(fold_words(re.sub(r"ies\b", "y", text.lower())))
    found: list[Words] = []
    for read in (plain, vocabulary.replace(plain)):
        families = ((vocabulary.family(word), word) for word in re.findall(r"[a-z0-9_]+", read))
        walls = (walls_of(family) or walls_of(word) or {family} for family, word in families)
        found.append(frozenset().union(*walls))
    return found[0], found[1]


def _letters(text: str) -> str:
    return "".join(letter for letter in text.lower() if letter.isalnum())


def _least(groups: Iterable[Words]) -> list[Words]:
    """Leave out what is empty or contains another: it could find nothing more."""
    distinct = sorted({group for group in groups if group}, key=lambda group: (len(group), sorted(group)))
    kept: list[Words] = []
    for group in distinct:
        if not any(other <= group for other in kept):
            kept.append(group)
    return kept
