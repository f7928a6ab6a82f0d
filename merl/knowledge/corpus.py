"""An index over the passages of many sources: its folder, and the search in it."""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from merl.errors import KnowledgeError, UsageError
from merl.files import sha256, validate
from merl.knowledge.embedders import Embedder, EmbedderSpec, LazyMiniLM, Precision, embed_queries
from merl.knowledge.index_folder import BUILD_AGAIN, read_json
from merl.knowledge.lookup import normalise
from merl.knowledge.passages import Passage
from merl.knowledge.tables import CONCEPTS, NAMES, Table, concept_of


class SourceRecord(BaseModel):
    """What one source gave.

    Attributes:
        name: its label.
        version: its release, empty where it does not say.
        licence: under which it is published.
        attribution: whom to cite.
        options: what was asked of it besides the path.
        passages: how many it gave.
        skipped: malformed rows left out, by reason.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    version: str
    licence: str
    attribution: str
    options: dict[str, tuple[str, ...]]
    passages: int
    skipped: dict[str, int]


class Shard(BaseModel):
    """Which share of a corpus a folder holds: the ``number``-th ``of`` so many, counted from 1."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    number: int
    of: int


class CorpusManifest(BaseModel):
    """What a folder holds and what it was made with.

    Attributes:
        embedder: name of the text encoder; its weights are known by ``embedder_sha256``.
        precision: in which the passages were embedded; queries always are in float32.
        spec: how the embedder was asked for, if in words.
        dim: length of a vector.
        structure: of the FAISS index, as its factory writes it; empty for a shard, which keeps vectors.
        corpus_sha256: hash of the lines of all passages, those of other shards too.
        passages: how many are here; row i of the vectors is line i of the passages.
        shard: which share this is; ``None`` for the whole.
        sources: where the passages of all shards come from.
        files: SHA-256 of every other file of the folder.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    schema_: Literal["merl/corpus/v1"] = Field("merl/corpus/v1", alias="schema")
    embedder: str
    embedder_sha256: str
    precision: Precision = "float32"
    spec: EmbedderSpec | None = None
    dim: int
    metric: Literal["inner product of unit vectors"] = "inner product of unit vectors"
    structure: str = ""
    corpus_sha256: str
    passages: int
    shard: Shard | None = None
    sources: tuple[SourceRecord, ...]
    files: dict[str, str]

    def write(self, folder: Path) -> None:
        """Write it as ``manifest.json``."""
        text = self.model_dump_json(indent=2, by_alias=True)
        (folder / "manifest.json").write_text(text + "\n", encoding="utf-8")


def read_corpus_manifest(folder: Path) -> CorpusManifest:
    """Read the manifest of a corpus or a shard, and compare every file with it.

    Raises:
        KnowledgeError: the folder is none, or a file is missing or was changed.
    """
    path = folder / "manifest.json"
    manifest = validate(CorpusManifest, read_json(path), path, KnowledgeError)
    needed = {"passages.jsonl"} | ({"vectors.npy"} if manifest.shard else {"index.faiss", NAMES, CONCEPTS})
    for name in sorted(needed | manifest.files.keys()):
        if not (folder / name).is_file() or sha256(folder / name) != manifest.files.get(name):
            raise KnowledgeError(f"{folder / name} is missing or not what its manifest says; {BUILD_AGAIN}")
    return manifest


class CorpusIndex:
    """The index of a folder; vectors and passages stay on disk until they are asked for.

    Args:
        folder: as ``build`` or ``merge`` wrote it.
        embedder: the one it was built with, the shipped one by default.

    Raises:
        KnowledgeError: the folder is no index, was changed since, is a shard, or is of another embedder.
    """

    def __init__(self, folder: str | Path, embedder: Embedder | None = None) -> None:
        import faiss

        folder = Path(folder)
        self.manifest = read_corpus_manifest(folder)
        self.embedder: Embedder = embedder or self._embedder(folder)
        if shard := self.manifest.shard:
            raise KnowledgeError(
                f"{folder} is shard {shard.number} of {shard.of}; join them with `merl kb merge`"
            )
        if self.manifest.embedder_sha256 != self.embedder.sha256:
            raise KnowledgeError(
                f"the index {folder} was built with {self.manifest.embedder}"
                f" ({self.manifest.embedder_sha256[:12]}) and is read with {self.embedder.name}"
                f" ({self.embedder.sha256[:12]}); {BUILD_AGAIN}"
            )
        self.vectors: Any = faiss.read_index(str(folder / "index.faiss"))
        with (folder / "passages.jsonl").open("rb") as handle:
            self._lines = mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ)
            self._ends = np.cumsum(np.fromiter(map(len, handle), np.int64))
        self._names, self._concepts = Table(folder / NAMES), Table(folder / CONCEPTS)
        if (self.vectors.d, self.vectors.ntotal) != (self.manifest.dim, len(self)):
            raise KnowledgeError(f"the vectors in {folder} do not fit its passages; {BUILD_AGAIN}")

    def _embedder(self, folder: Path) -> Embedder:
        spec = self.manifest.spec
        if spec is not None and spec.is_server:
            raise KnowledgeError(
                f"the index {folder} was built with the server model {spec.model!r} and does not say where it"
                " is; give the embedder, on the command line --base-url"
            )
        return spec.load() if spec else LazyMiniLM()

    def __len__(self) -> int:
        return len(self._ends)

    def passage(self, row: int) -> Passage:
        """Return the passage of a row of the vectors."""
        start = self._ends[row - 1] if row else 0
        return Passage.model_validate_json(self._lines[start : self._ends[row]])

    def concept(self, concept: str) -> list[Passage]:
        """Return the passages of a concept, ``hpo:HP:0001657``, in order; none if it is unknown."""
        found = map(self.passage, self._concepts.rows(concept))
        return [passage for passage in found if concept_of(passage.id) == concept]

    def named(self, name: str) -> list[str]:
        """Return the concepts of this name or synonym, whatever its spelling, in the order of the sources."""
        rows = self._names.rows(normalise(name))
        return list(dict.fromkeys(concept_of(self.passage(row).id) for row in rows))

    def nearest(self, query: str, k: int = 10) -> list[tuple[Passage, float]]:
        """Return the passages nearest to a query with their cosines, nearest first.

        Raises:
            UsageError: the query is empty or ``k`` is below 1.
        """
        if not query.strip() or k < 1:
            raise UsageError("a search needs a query of at least one word and k of 1 or more")
        scores, rows = self.rows(embed_queries(self.embedder, [query]), k)
        return [
            (self.passage(row), float(score))
            for row, score in zip(rows[0], scores[0], strict=True)
            if row >= 0
        ]

    def rows(self, vectors: NDArray[np.float32], k: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Search with unit vectors, (queries, dim).

        Returns:
            Cosines and rows, each (queries, k), nearest first; where fewer were found the row is -1.
        """
        return self.vectors.search(np.ascontiguousarray(vectors, np.float32), k)
