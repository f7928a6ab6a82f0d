"""The knowledge index: exact look-up first, then a flat FAISS search over the passages' embeddings."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256 as sha256_of
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from merl.encoders.text import MINILM, MINILM_SHA256, SentenceEncoder
from merl.errors import KnowledgeError, UsageError, unknown
from merl.files import cache_dir, validate
from merl.knowledge.entries import Entry, load_entries
from merl.knowledge.index_folder import BUILD_AGAIN, Manifest, read_manifest, read_vectors, write_folder
from merl.knowledge.lookup import MatchedBy, NameTable
from merl.knowledge.passages import SPEAKS_FOR, Passage, corpus_sha256, passages_of

if TYPE_CHECKING:
    from merl.knowledge.langchain import KnowledgeRetriever

logger = logging.getLogger(__name__)


class Embedder(Protocol):
    """What the index asks of a text encoder; the hash identifies the weights."""

    name: str
    sha256: str

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts into unit vectors, shape (texts, dim)."""
        ...


class LazyMiniLM:
    """The shipped sentence encoder, loaded when it first embeds: exact look-up needs no torch."""

    name = MINILM
    sha256 = MINILM_SHA256

    @cached_property
    def _encoder(self) -> SentenceEncoder:
        return SentenceEncoder()

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts into unit vectors, shape (texts, 384)."""
        return self._encoder.encode(texts)


@dataclass(frozen=True)
class Hit:
    """One entry that answers a query.

    Attributes:
        id: the entry's id.
        name: its name.
        codes: its codes by vocabulary, empty vocabularies left out.
        text: the passage that matched; the definition where the query is a code or a name of the entry.
        score: cosine of query and passage in -1 to 1; 1 for an exact match.
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
        """Read a saved index.

        Raises:
            KnowledgeError: the folder is no index, was changed since, or was made with another embedder.
        """
        folder = Path(folder)
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

    def lookup(self, text: str) -> list[Entry]:
        """Return every entry whose code, name, synonym or abbreviation this is, whatever its spelling."""
        return [entry for entry, _ in self.names.all(text)]

    def passages(self, entry_id: str) -> list[Passage]:
        """Return the passages of an entry in the entry's order.

        Raises:
            UsageError: there is no such entry.
        """
        if entry_id not in self._passages:
            raise UsageError(unknown("knowledge entry", entry_id, self.entries, "merl kb search"))
        return self._passages[entry_id]

    def search(self, query: str, k: int = 5) -> list[Hit]:
        """Find the entries that answer a query: exact matches first, then the nearest by meaning.

        Returns:
            At most ``k`` hits, best first, one an entry. Only passages that say what an entry is are
            searched; those that speak against it would find the opposite.

        Raises:
            UsageError: the query is empty or ``k`` is below 1.
        """
        if not query.strip() or k < 1:
            raise UsageError("a search needs a query of at least one word and k of 1 or more")
        hits = {
            entry.id: _hit(entry, entry.definition.text, 1.0, matched_by)
            for entry, matched_by in self.names.all(query)
        }
        if len(hits) < k:
            for passage, score in self.nearest(query):
                hits.setdefault(
                    passage.entry, _hit(self.entries[passage.entry], passage.text, score, "dense")
                )
        return list(hits.values())[:k]

    def nearest(self, query: str, kinds: frozenset[str] = SPEAKS_FOR) -> list[tuple[Passage, float]]:
        """Return every passage of the given kinds with its cosine to the query, nearest first."""
        vector = self.embedder.encode([query])
        scores, rows = self._vectors.search(vector, len(self._rows))
        found = [(self._rows[row], float(score)) for row, score in zip(rows[0], scores[0], strict=True)]
        return [(passage, score) for passage, score in found if passage.kind in kinds]

    def as_retriever(self, k: int = 5) -> KnowledgeRetriever:
        """Return the index as a langchain-core retriever with ``k`` documents an answer."""
        from merl.knowledge.langchain import KnowledgeRetriever

        return KnowledgeRetriever(index=self, k=k)

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
