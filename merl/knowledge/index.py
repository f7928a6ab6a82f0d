"""The knowledge index: exact look-up first, then words and meaning together over the passages."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256 as sha256_of
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from merl.errors import KnowledgeError, UsageError, unknown
from merl.files import cache_dir, validate
from merl.knowledge.embedders import Embedder, LazyMiniLM, Vectors, embed_queries
from merl.knowledge.entries import Entry, load_entries
from merl.knowledge.index_folder import (
    BUILD_AGAIN,
    Manifest,
    is_corpus,
    read_manifest,
    read_vectors,
    write_folder,
)
from merl.knowledge.lexical import Scores
from merl.knowledge.lookup import MatchedBy, NameTable
from merl.knowledge.passages import SPEAKS_FOR, Passage, corpus_sha256, passages_of
from merl.knowledge.ranking import Ranker

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool

    from merl.knowledge.langchain import KnowledgeRetriever
    from merl.label_sets import LabelSet

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Hit:
    """One entry that answers a query.

    Attributes:
        id: the entry's id.
        name: its name.
        codes: its codes by vocabulary, empty vocabularies left out.
        text: the passage nearest in meaning; the definition where the query is a code or a name of the entry.
        score: 1 for an exact match; else words, meaning and numbers together, 0 to 1. Below 0 the entry says
            the opposite of the query, and only fills up the list.
        matched_by: how it was found.
    """

    id: str
    name: str
    codes: dict[str, list[str]]
    text: str
    score: float
    matched_by: MatchedBy


class KnowledgeIndex:
    """Entries with exact look-up and dense search; make one with ``default``, ``build`` or ``load``."""

    def __init__(
        self, entries: Mapping[str, Entry], embedder: Embedder | None = None, cache: Path | None = None
    ) -> None:
        if not entries:
            raise KnowledgeError("a knowledge index needs at least one entry; give a knowledge_base folder")
        self.entries = dict(sorted(entries.items()))
        self.embedder: Embedder = embedder or LazyMiniLM()
        self.names = NameTable(self.entries.values())
        self.corpus_sha256 = corpus_sha256(self.entries)
        self._passages = {key: passages_of(entry) for key, entry in self.entries.items()}
        self._rows = [passage for key in self.entries for passage in self._passages[key]]
        self._order = list(self.entries.values())
        ends = np.cumsum([len(self._passages[key]) for key in self.entries])
        self._spans = list(zip([0, *ends[:-1]], ends, strict=True))  # the rows of each entry
        self._speaking = np.array([passage.kind in SPEAKS_FOR for passage in self._rows])
        self._cache = cache

    @classmethod
    def build(
        cls, entries: Mapping[str, Entry] | None = None, embedder: Embedder | None = None
    ) -> KnowledgeIndex:
        """Embed every passage of the entries, the shipped ones by default."""
        index = cls(load_entries() if entries is None else entries, embedder)
        _ = index._vectors
        return index

    @classmethod
    def default(cls) -> KnowledgeIndex:
        """Return the index of the shipped entries; its vectors are built once into the user's cache folder.

        The folder is named after the hashes of corpus and embedder, so a change of either builds a new one.
        A damaged folder is logged and built again.
        """
        index = cls(load_entries())
        name = f"{index.corpus_sha256[:16]}-{index.embedder.sha256[:16]}"
        index._cache = cache_dir() / "index" / name
        return index

    @classmethod
    def load(cls, folder: str | Path, embedder: Embedder | None = None) -> KnowledgeIndex:
        """Read an index that ``save`` or ``kb build`` wrote, of our entries alone or of many sources.

        Args:
            folder: of the index.
            embedder: the one it was built with; by default what its manifest names.

        Raises:
            KnowledgeError: the folder is no index, was changed since, or was made with another embedder.
        """
        folder = Path(folder)
        if is_corpus(folder):
            from merl.knowledge.wide import WideIndex

            return WideIndex(folder, embedder)
        manifest = read_manifest(folder)
        where = folder / "entries.jsonl"
        lines = where.read_text(encoding="utf-8").splitlines()
        loaded = [validate(Entry, json.loads(line), where, KnowledgeError) for line in lines]
        index = cls({entry.id: entry for entry in loaded}, embedder)
        index._vectors = index._read(folder, manifest)
        return index

    def save(self, folder: str | Path) -> None:
        """Write the index as a folder, complete or not at all; an index already there is replaced.

        Raises:
            KnowledgeError: the folder holds something that is not an index.
        """
        write_folder(
            Path(folder),
            self._vectors,
            {"passages.jsonl": self._rows, "entries.jsonl": list(self.entries.values())},
            embedder=(self.embedder.name, self.embedder.sha256),
            corpus_sha256=self.corpus_sha256,
        )

    @property
    def sha256(self) -> str:
        """What the index says and with which embedder it searches, as one hash; the same on every machine."""
        return sha256_of(f"{self.corpus_sha256} {self.embedder.sha256}".encode()).hexdigest()

    def lookup(self, text: str, label_set: LabelSet | None = None) -> list[Entry]:
        """Return every entry whose code, name, synonym or abbreviation this is, whatever its spelling.

        Args:
            text: a code or a name.
            label_set: where the code is from; a code of it means what it says there and nothing else. The
                SNOMED CT code of its files does too, of each condition that shares it.

        Raises:
            UsageError: the label set has no such code.
        """
        found = self.names.all(text) if label_set is None else self._labelled(text, label_set)
        return [entry for entry, _ in found]

    def _labelled(self, code: str, label_set: LabelSet) -> list[tuple[Entry, MatchedBy]]:
        found: dict[str, tuple[Entry, MatchedBy]] = {}
        for item in label_set.coded(code):
            if item.entry in self.entries:
                found.setdefault(item.entry, (self.entries[item.entry], "code"))
                continue
            coded: list[tuple[Entry, MatchedBy]] = [(entry, "code") for entry in self.names.by_code(code)]
            named = self.names.by_name(item.name) or self.names.by_name(self.ranker.read(item.name))
            found |= {entry.id: (entry, how) for entry, how in named or coded}
        return list(found.values())

    def parents(self, entry_id: str) -> list[Entry]:
        """Return the broader concepts that an entry is a kind of.

        Raises:
            UsageError: there is no such entry.
        """
        return [self.entries[name] for name in self._known(entry_id).is_a if name in self.entries]

    def children(self, entry_id: str) -> list[Entry]:
        """Return the kinds of a concept, its direct subtypes, by id.

        Raises:
            UsageError: there is no such entry.
        """
        parent = self._known(entry_id).id
        return [entry for entry in self.entries.values() if parent in entry.is_a]

    def passages(self, entry_id: str) -> list[Passage]:
        """Return the passages of an entry in the entry's order.

        Raises:
            UsageError: there is no such entry.
        """
        return self._passages[self._known(entry_id).id]

    def _known(self, entry_id: str) -> Entry:
        if entry_id not in self.entries:
            raise UsageError(
                unknown("knowledge entry", entry_id, self.entries) + "; find one with `merl kb search`"
            )
        return self.entries[entry_id]

    def exact(self, query: str, label_set: LabelSet | None = None) -> list[Hit]:
        """Return every meaning of a code, name, synonym or abbreviation; needs neither vectors nor torch.

        Args:
            query: a code or a name.
            label_set: where the code is from; it means what it says there and nothing else.

        Raises:
            UsageError: the query is empty, or no code of the label set.
        """
        if not query.strip():
            raise UsageError("a search needs a query of at least one word and k of 1 or more")
        found = self.names.all(query)
        if label_set is not None:
            found = self._labelled(query, label_set)
        return [_hit(entry, entry.definition.text, 1.0, matched_by) for entry, matched_by in found]

    def search(self, query: str, k: int = 5) -> list[Hit]:
        """Find the entries that answer a query: exact matches first, then by words and meaning.

        Returns:
            At most ``k`` hits, best first, one an entry. Only passages that say what an entry is are
            searched; those that speak against it would find the opposite.

        Raises:
            UsageError: the query is empty or ``k`` is below 1.
        """
        if k < 1:
            raise UsageError("a search needs a query of at least one word and k of 1 or more")
        hits = {hit.id: hit for hit in self.exact(query)}
        if len(hits) < k:
            dense, passages = self._dense(query)
            scores = self.ranker.hybrid(query, dense)
            for place in np.argsort(-scores, kind="stable"):
                entry = self._order[place]
                text = passages[place].text
                hits.setdefault(entry.id, _hit(entry, text, float(scores[place]), "hybrid"))
        return list(hits.values())[:k]

    def nearest(
        self, query: str | Vectors, kinds: frozenset[str] = SPEAKS_FOR
    ) -> list[tuple[Passage, float]]:
        """Return every passage of the given kinds with its cosine to the query, nearest first.

        Args:
            query: a text, or its embedding, shape (1, dim), where many are embedded at once.
            kinds: the kinds of passages.
        """
        asked = embed_queries(self.embedder, [query]) if isinstance(query, str) else query
        scores, rows = self._vectors.search(asked, len(self._rows))
        found = [(self._rows[row], float(score)) for row, score in zip(rows[0], scores[0], strict=True)]
        return [(passage, score) for passage, score in found if passage.kind in kinds]

    @cached_property
    def ranker(self) -> Ranker:
        """What scores the entries by words, numbers and opposites."""
        return Ranker(self.entries)

    def _dense(self, query: str) -> tuple[Scores, list[Passage]]:
        """Return each entry's best cosine, the mean of the query as asked and as read, and the passage."""
        asked = embed_queries(self.embedder, [query, self.ranker.read(query)])
        scores, rows = self._vectors.search(asked, len(self._rows))
        cosines = np.zeros((2, len(self._rows)))
        np.put_along_axis(cosines, rows, scores, axis=1)
        mean = np.where(self._speaking, cosines.mean(axis=0), -1.0)
        best = [start + int(np.argmax(mean[start:end])) for start, end in self._spans]
        dense = np.array(
            [
                np.where(self._speaking, cosines, -1.0)[:, start:end].max(axis=1).mean()
                for start, end in self._spans
            ]
        )
        return dense, [self._rows[place] for place in best]

    def as_retriever(self, k: int = 5) -> KnowledgeRetriever:
        """Return the index as a langchain-core retriever with ``k`` documents an answer."""
        from merl.knowledge.langchain import KnowledgeRetriever

        return KnowledgeRetriever(index=self, k=k)

    def as_tool(self, k: int = 5) -> BaseTool:
        """Return the index as a tool of a langchain agent, which is given ``k`` passages with their ids."""
        from merl.knowledge.langchain import knowledge_tool

        return knowledge_tool(self.as_retriever(k))

    @cached_property
    def _vectors(self) -> Any:
        import faiss

        if (kept := self._kept()) is not None:
            return kept
        embeddings = self.embedder.encode([passage.text for passage in self._rows])  # (passages, dim)
        vectors = faiss.IndexFlatIP(embeddings.shape[1])
        vectors.add(np.ascontiguousarray(embeddings, np.float32))
        self.__dict__["_vectors"] = vectors  # save() reads it
        if self._cache:
            try:
                self.save(self._cache)
            except (OSError, KnowledgeError) as problem:
                logger.warning("the index is not kept for the next time: %s", problem)
        return vectors

    def _kept(self) -> Any:
        """Read the vectors in the user's cache; a damaged folder is removed, for it can be made again."""
        if self._cache is None or not self._cache.exists():
            return None
        try:
            return self._read(self._cache, read_manifest(self._cache))
        except (OSError, KnowledgeError):
            logger.warning("the index kept in %s is damaged and is built again", self._cache)
            shutil.rmtree(self._cache, ignore_errors=True)
            return None

    def _read(self, folder: Path, manifest: Manifest) -> Any:
        if manifest.embedder_sha256 != self.embedder.sha256:
            raise KnowledgeError(
                f"the index {folder} was built with {manifest.embedder} ({manifest.embedder_sha256[:12]}) and"
                f" is read with {self.embedder.name} ({self.embedder.sha256[:12]}); {BUILD_AGAIN}"
            )
        if manifest.corpus_sha256 != self.corpus_sha256 or manifest.passages != len(self._rows):
            raise KnowledgeError(f"the index {folder} was built from other entries; {BUILD_AGAIN}")
        return read_vectors(folder, manifest)


def _hit(entry: Entry, text: str, score: float, matched_by: MatchedBy) -> Hit:
    codes = {name: list(values) for name, values in entry.codes.model_dump().items() if values}
    return Hit(entry.id, entry.name, codes, text, score, matched_by)
