"""Search by words: how much of a name a query says, and BM25 over the whole text of every entry."""

from __future__ import annotations

import logging
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from merl.knowledge.entries import Entry
from merl.knowledge.wording import content_words

Scores = NDArray[np.float64]
#: What a word that no name uses weighs beside one that names use: it tells concepts apart by chance only.
_OUTSIDE = 0.3


class LexicalIndex:
    """The words of entries in two fields: their names, and all that is said of them.

    Args:
        entries: by id.
        fold: puts a text into the words queries are read in.
    """

    def __init__(self, entries: Mapping[str, Entry], fold: Callable[[str], str]) -> None:
        names: list[Collection[str]] = []
        owners: list[int] = []
        bodies: list[list[str]] = []
        for place, entry in enumerate(entries.values()):
            own = [set(content_words(fold(name))) for name in (entry.name, *entry.synonyms)]
            names += own
            owners += [place] * len(own)
            bodies.append([word for name in own for word in name])
            for item in (entry.definition, *entry.findings):
                bodies[-1] += (*content_words(fold(item.text)), *item.leads)
        self._owner = np.array(owners)
        self._size = len(bodies)
        self._bm25 = _bm25(bodies)
        counts = Counter(word for body in bodies for word in set(body))
        self._rarity = {word: math.log(1 + self._size / count) for word, count in counts.items()}
        places: dict[str, list[int]] = defaultdict(list)
        for number, name in enumerate(names):
            for word in name:
                places[word].append(number)
        self._places = {word: np.array(numbers) for word, numbers in places.items()}
        self._weight = np.array([sum(map(self._weigh, name)) for name in names])

    def names(self, words: Collection[str]) -> Scores:
        """Return how much of query and best name is the same, by rarity, shape (entries,), 0 to 1."""
        shared = np.zeros(len(self._owner))
        for word in set(words) & self._places.keys():
            shared[self._places[word]] += self._weigh(word)
        overlap = shared / np.maximum(self._weight + sum(map(self._weigh, set(words))) - shared, 1e-9)
        best = np.zeros(self._size)
        np.maximum.at(best, self._owner, overlap)
        return best

    def bodies(self, words: Collection[str]) -> Scores:
        """Return BM25 of the whole text, shape (entries,), 1 for the best and 0 where no word is shared."""
        known = [word for word in words if word in self._rarity]
        if not known:
            return np.zeros(self._size)
        scores = np.asarray(self._bm25.get_scores(known), np.float64)
        return scores / scores.max()

    def _weigh(self, word: str) -> float:
        rarity = self._rarity.get(word, math.log(1 + self._size))
        return rarity if word in self._places else _OUTSIDE * rarity


def _bm25(documents: list[list[str]]) -> Any:
    import bm25s

    bm25s.logger.setLevel(logging.WARNING)  # it tells of every step as soon as it is imported
    found = bm25s.BM25(method="lucene")
    found.index(documents, show_progress=False)
    return found
