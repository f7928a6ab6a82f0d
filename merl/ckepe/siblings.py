"""The other classes of a label set, found by their words: a set of thousands has millions of pairs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping

from merl.ckepe.concepts import Concept
from merl.knowledge.lookup import fold_words

MOST_SHOWN = 24  # names of other classes in a prompt; what a phrase must not name is checked for all


class Siblings:
    """Every class's names by their words."""

    def __init__(self, concepts: Mapping[str, Concept]) -> None:
        self._concepts = concepts
        self._by_word: dict[str, set[str]] = defaultdict(set)
        self._named: dict[str, list[tuple[str, str, frozenset[str]]]] = defaultdict(list)
        for code, concept in concepts.items():
            for word in fold_words(concept.name):
                self._by_word[word].add(code)
            for name in concept.telling_names:
                words = frozenset(fold_words(name))
                if words:  # filed under one word only: a text that names it has that word too
                    self._named[max(words, key=lambda word: (len(word), word))].append((code, name, words))

    def near(self, concept: Concept, most: int = MOST_SHOWN) -> list[str]:
        """Return the names of the other classes in order; where there are many, those most alike."""
        if len(self._concepts) <= most + 1:
            return [other.name for other in self._concepts.values() if other is not concept]
        shared = Counter(code for word in set(fold_words(concept.name)) for code in self._by_word[word])
        del shared[concept.code]
        order = {code: place for place, code in enumerate(self._concepts)}
        nearest = sorted(shared, key=lambda code: (-shared[code], order[code]))[:most]
        return [self._concepts[code].name for code in sorted(nearest, key=order.__getitem__)]

    def named_in(self, text: str, concept: Concept) -> dict[str, tuple[str, ...]]:
        """Return the other classes of whose names every word is in the text, with those names."""
        words = set(fold_words(text))
        found: dict[str, list[str]] = defaultdict(list)
        for word in sorted(words):
            for code, name, parts in self._named.get(word, ()):
                if code != concept.code and parts <= words:
                    found[code].append(name)
        return {code: tuple(found[code]) for code in self._concepts if code in found}
