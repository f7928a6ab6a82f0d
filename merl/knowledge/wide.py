"""Our entries and the concepts of other sources in one index, as ``kb build --source`` makes it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from merl.errors import KnowledgeError, UsageError
from merl.knowledge.corpus import CorpusIndex
from merl.knowledge.embedders import Embedder, Vectors, embed_queries
from merl.knowledge.entries import Codes, Entry, Statement, load_entries
from merl.knowledge.index import Hit, KnowledgeIndex
from merl.knowledge.index_folder import BUILD_AGAIN
from merl.knowledge.lookup import MatchedBy, NameTable
from merl.knowledge.opposites import Stance, values_of
from merl.knowledge.passages import SPEAKS_FOR, Passage
from merl.knowledge.ranking import BODIES, DENSE, NAMES, NUMBERS
from merl.knowledge.tables import concept_of
from merl.knowledge.wording import content_words, read_wording

#: Passages of other sources that are looked at for a query.
_CANDIDATES = 100
_OWN = "ecg:"


class WideIndex(KnowledgeIndex):
    """The shipped entries, searched as ever, and beside them the concepts of other sources.

    A concept of another source has its source in its id, ``hpo:HP:0001657``, and is an entry as well.
    Where an entry of ours has the name that is asked for, it stands for it; others follow by their scores.

    Raises:
        KnowledgeError: the folder is no such index, or its passages of our entries are not today's.
    """

    def __init__(self, folder: str | Path, embedder: Embedder | None = None) -> None:
        self.corpus = CorpusIndex(folder, embedder)
        if all(source.name != "ecg" for source in self.corpus.manifest.sources):
            raise KnowledgeError(
                f"the index {folder} lacks our own entries, which say what the classes are; build it again"
                " with --source ecg beside the others"
            )
        super().__init__(load_entries(), self.corpus.embedder)
        names = [source.name for source in self.corpus.manifest.sources]
        before = self.corpus.manifest.sources[: names.index("ecg")]
        self._first = sum(source.passages for source in before)  # passages lie in the order of the sources
        last = min(self._first + len(self._rows), len(self.corpus))
        here = [self.corpus.passage(row) for row in range(self._first, last)]
        if here != self._rows:
            raise KnowledgeError(f"the index {folder} was built from other entries; {BUILD_AGAIN}")
        self.entries = _Entries(self.entries, self._foreign)
        self.names = _Names(self._order, self)
        manifest = self.corpus.manifest
        self.corpus_sha256 = manifest.corpus_sha256
        if manifest.precision != "float32":  # other vectors of the same passages
            self.corpus_sha256 += f" {manifest.precision}"

    def passages(self, entry_id: str) -> list[Passage]:
        """Return the passages of an entry or of another source's concept.

        Raises:
            UsageError: there is no such entry.
        """
        return self._passages.get(entry_id) or [
            passage.model_copy(update={"entry": entry_id}) for passage in self._said_of(entry_id)
        ]

    def search(self, query: str, k: int = 5) -> list[Hit]:
        """Find the entries and concepts that answer a query, exact matches first, then by words and meaning.

        Raises:
            UsageError: the query is empty or ``k`` is below 1.
        """
        own = super().search(query, k)
        exact = [hit for hit in own if hit.matched_by != "hybrid"]
        others = [*(hit for hit in own if hit.matched_by == "hybrid"), *self._others(query)]
        others.sort(key=lambda hit: -hit.score)
        found = {hit.id: hit for hit in reversed([*exact, *others])}
        return list(reversed(found.values()))[:k]

    def nearest(
        self, query: str | Vectors, kinds: frozenset[str] = SPEAKS_FOR
    ) -> list[tuple[Passage, float]]:
        """Return every passage of our entries and the nearest of others with their cosines, nearest first."""
        found = super().nearest(query, kinds)
        found += [(passage, score) for passage, score in self._near(query) if passage.kind in kinds]
        return sorted(found, key=lambda item: -item[1])

    def _others(self, query: str) -> list[Hit]:
        """Score the concepts of other sources as ``Ranker.hybrid`` scores ours, as far as it can be known."""
        read = self.ranker.read(query)
        asked = [
            set(content_words(text)) for text in (query.lower(), read)
        ]  # others may not say it in our words
        values, walls = values_of([read]), read_wording(read).walls
        best: dict[str, tuple[float, Passage]] = {}
        for passage, cosine in self._near(query):
            if passage.kind in SPEAKS_FOR | {"text"}:
                said = set(content_words(f"{passage.name} {passage.text}".lower()))
                named = set(content_words((passage.name or passage.text).lower()))
                lexical = max(
                    NAMES * len(words & named) / max(1, len(words | named))
                    + BODIES * len(words & said) / max(1, len(words))
                    for words in asked
                )
                score = (lexical + DENSE * max(cosine, 0)) / (NAMES + BODIES + DENSE + NUMBERS)
                if score > best.get(passage.entry, (-1.0, passage))[0]:
                    best[passage.entry] = (score, passage)
        hits = []
        for concept, (score, passage) in best.items():
            entry = self._foreign(concept)
            if entry is not None:
                opposite = Stance(entry, str.lower).excludes(values, walls)
                hits.append(Hit(concept, entry.name, {}, passage.text, score - opposite, "hybrid"))
        return hits

    def _near(self, query: str | Vectors) -> Iterator[tuple[Passage, float]]:
        vectors = embed_queries(self.embedder, [query]) if isinstance(query, str) else query
        scores, rows = self.corpus.rows(vectors, min(_CANDIDATES, len(self.corpus)))
        for row, score in zip(rows[0], scores[0], strict=True):
            if row >= 0 and not self._first <= row < self._first + len(self._rows):
                passage = self.corpus.passage(int(row))
                yield passage.model_copy(update={"entry": concept_of(passage.id)}), float(score)

    def _known(self, entry_id: str) -> Entry:
        return self._foreign(entry_id) or super()._known(entry_id)

    def _said_of(self, concept: str) -> list[Passage]:
        found = [] if concept.startswith(_OWN) else self.corpus.concept(concept)
        if not found:
            raise UsageError(
                f"no source of this index has the concept {concept!r}; see merl kb search --index"
            )
        return found

    def _foreign(self, concept: str) -> Entry | None:
        """Return a concept of another source as an entry of what that source says, without findings."""
        if ":" not in concept or not (said := self.corpus.concept(concept)) or concept.startswith(_OWN):
            return None
        defined = next((p for p in said if p.kind == "definition"), said[0])
        return Entry.model_construct(
            id=concept,
            name=said[0].name or said[0].text,
            synonyms=tuple(p.text for p in said if p.kind == "synonym"),
            abbreviations=(),
            german=(),
            codes=Codes(),
            is_a=tuple(_parent(p) for p in said if p.kind == "is_a"),
            definition=_statement(defined),
            findings=tuple(_statement(p) for p in said if p.kind == "finding"),
            absent=(),
            distinguish_from=(),
            clinically_reviewed=False,
            reviews=(),
        )

    @cached_property
    def _vectors(self) -> Any:
        """The vectors of our own passages, as the corpus keeps them: in a big one with 8 bits a number."""
        import faiss

        if hasattr(self.corpus.vectors, "make_direct_map"):
            self.corpus.vectors.make_direct_map()
        rows = self.corpus.vectors.reconstruct_n(self._first, len(self._rows))
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        vectors = faiss.IndexFlatIP(rows.shape[1])
        vectors.add(rows)
        return vectors


class _Entries(dict[str, Entry]):
    """Our entries; one of another source is made when it is asked for by its id."""

    def __init__(self, own: dict[str, Entry], foreign: Any) -> None:
        super().__init__(own)
        self._foreign = foreign

    def __missing__(self, key: str) -> Entry:
        if (entry := self._foreign(key)) is None:
            raise KeyError(key)
        return entry

    def __contains__(self, key: object) -> bool:
        return super().__contains__(key) or (isinstance(key, str) and self._foreign(key) is not None)


class _Names(NameTable):
    """The names of our entries; those of other sources where none of ours is meant."""

    def __init__(self, entries: list[Entry], index: WideIndex) -> None:
        super().__init__(entries)
        self._index = index

    def by_name(self, text: str) -> list[tuple[Entry, MatchedBy]]:
        return super().by_name(text) or self._others(text)

    def all(self, text: str) -> list[tuple[Entry, MatchedBy]]:
        return super().all(text) or self._others(text)

    def _others(self, text: str) -> list[tuple[Entry, MatchedBy]]:
        if entry := self._index._foreign(text.strip()):
            return [(entry, "code")]
        concepts = [name for name in self._index.corpus.named(text) if not name.startswith(_OWN)]
        source = concepts[0].partition(":")[0] if concepts else ""  # the first source that knows the name
        found = (self._index._foreign(name) for name in concepts if name.partition(":")[0] == source)
        return [(entry, "name") for entry in found if entry]


def _statement(passage: Passage) -> Statement:
    return Statement(
        text=passage.text, source=passage.source or passage.id, locator=passage.id, leads=passage.leads
    )


def _parent(passage: Passage) -> str:
    source = passage.id.partition(":")[0]
    return f"{source}:{passage.id.rpartition('#is_a/')[2]}"
