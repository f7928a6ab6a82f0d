"""Search by words: BM25 over the names and over the whole text of every entry."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from merl.knowledge.entries import Entry
from merl.knowledge.wording import content_words

Scores = NDArray[np.float64]


class LexicalIndex:
    """BM25 of entries in two fields, their names and what is said of them.

    Args:
        entries: by id.
        fold: puts a text into the words queries are read in.
    """

    def __init__(self, entries: Mapping[str, Entry], fold: Callable[[str], str]) -> None:
        self.names: list[str] = []
        self._name_words: list[tuple[str, ...]] = []
        owners: list[int] = []
        bodies: list[list[str]] = []
        for place, entry in enumerate(entries.values()):
            names = dict.fromkeys((entry.name, *entry.synonyms))
            words = {name: content_words(fold(name)) for name in names}
            kept = {name: found for name, found in words.items() if found}
            self.names += kept
            self._name_words += kept.values()
            owners += [place] * len(kept)
            said = [entry.definition, *entry.findings]
            body = [word for item in said for word in (*content_words(fold(item.text)), *item.leads)]
            bodies.append(body + [word for found in words.values() for word in found])
        self._owner = np.array(owners)
        self._size = len(bodies)
        self._body = _bm25(bodies)
        counts = Counter(word for body in bodies for word in set(body))
        self._rare = {word: math.log(1 + self._size / count) for word, count in counts.items()}

    def search(self, words: tuple[str, ...]) -> tuple[Scores, NDArray[np.int64], Scores]:
        """Score every entry.

        Returns:
            Each of shape (entries,): how much of query and name is the same, weighted by rarity, 0 to 1, of
            the entry's best name; which name that is; BM25 of the whole text, 0 and up.
        """
        overlaps = np.array([self._overlap(set(words), set(name)) for name in self._name_words])
        best = np.zeros(self._size)
        which = np.zeros(self._size, np.int64)
        for place in np.argsort(overlaps):
            best[self._owner[place]], which[self._owner[place]] = overlaps[place], place
        known = [word for word in words if word in self._rare]
        body = self._body.get_scores(known) if known else np.zeros(self._size)
        return best, which, np.asarray(body, np.float64)

    def _overlap(self, one: set[str], two: set[str]) -> float:
        """Return the weight of the shared words over that of all words."""
        weigh = self._rare.get
        unseen = math.log(1 + self._size)
        shared = sum(weigh(word, unseen) for word in one & two)
        return shared / sum(weigh(word, unseen) for word in one | two) if shared else 0.0


def _bm25(documents: list[list[str]]):  # type: ignore[no-untyped-def]
    import bm25s

    found = bm25s.BM25(method="lucene")
    found.index(documents, show_progress=False)
    return found
