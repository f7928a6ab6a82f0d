"""What turns passages and queries into vectors: the shipped encoder, any encoder folder, or a server."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from hashlib import sha256 as sha256_of
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from merl.encoders.text import MINILM, MINILM_SHA256, Pooling, SentenceEncoder
from merl.errors import KnowledgeError, UsageError, check_address

Vectors = NDArray[np.float32]
Precision = Literal["float32", "bfloat16"]


class Embedder(Protocol):
    """What the index asks of a text encoder; the hash tells two apart whose vectors do not fit together.

    One that reads queries otherwise than passages has ``encode_queries`` too.
    """

    name: str

    @property
    def sha256(self) -> str:
        """Hash of all that decides on the vectors."""
        ...

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Embed passages into unit vectors, shape (texts, dim)."""
        ...


def embed_queries(embedder: Embedder, texts: Sequence[str]) -> Vectors:
    """Embed queries into unit vectors, shape (texts, dim), the embedder's own way where it has one."""
    return getattr(embedder, "encode_queries", embedder.encode)(texts)


def precision_of(embedder: Embedder) -> Precision:
    """Return the precision in which an embedder reads passages."""
    return getattr(embedder, "precision", "float32")


class LazyMiniLM:
    """The shipped sentence encoder, loaded when it first embeds: exact look-up needs no torch."""

    name = MINILM
    sha256 = MINILM_SHA256

    @cached_property
    def _encoder(self) -> SentenceEncoder:
        return SentenceEncoder()

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Embed texts into unit vectors, shape (texts, 384)."""
        return self._encoder.encode(texts)


class CuttingMiniLM(LazyMiniLM):
    """The shipped encoder, which reads the beginning of the rare name of more than 256 tokens (a formula)."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Embed texts into unit vectors, shape (texts, 384)."""
        return self._encoder.encode(texts, truncate=True)


class InBfloat16:
    """An encoder that reads passages in bfloat16: three times as fast where the processor has it.

    Cosines to the same text read in float32 are 0.9999 and more. Queries are read in float32.
    """

    precision: Precision = "bfloat16"

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self.name, self.sha256 = embedder.name, embedder.sha256

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Embed passages into unit vectors, shape (texts, dim)."""
        import torch

        with torch.autocast("cpu", torch.bfloat16):
            return self._embedder.encode(texts)

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Embed queries into unit vectors, shape (texts, dim)."""
        return embed_queries(self._embedder, texts)


class FolderEmbedder:
    """A Hugging Face encoder in a folder, or a pair of them, one for passages and one for queries.

    E5 reads ``FolderEmbedder(folder, query_prefix="query: ", passage_prefix="passage: ")``, MedCPT
    ``FolderEmbedder(article_folder, queries=query_folder, pooling="cls")``. Vectors get unit length.

    Args:
        folder: of the encoder, which reads the passages.
        queries: folder of the encoder that reads queries; the same one by default.
        pooling: how token states become one vector; as the model was trained.
        query_prefix: said before every query.
        passage_prefix: said before every passage.
        max_tokens: longer texts are cut.

    Raises:
        CheckpointError: a folder holds no text encoder.
        KnowledgeError: the two encoders of a pair have vectors of other length.
    """

    def __init__(
        self,
        folder: Path | str,
        *,
        queries: Path | str | None = None,
        pooling: Pooling = "mean",
        query_prefix: str = "",
        passage_prefix: str = "",
        max_tokens: int = 256,
    ) -> None:
        self._passages = SentenceEncoder(folder, max_tokens, pooling=pooling)
        self._queries = SentenceEncoder(queries, max_tokens, pooling=pooling) if queries else self._passages
        if self._queries.dim != self._passages.dim:
            raise KnowledgeError(
                f"{queries} makes vectors of {self._queries.dim} numbers and {folder} of"
                f" {self._passages.dim}; give the two encoders of one pair"
            )
        self._prefixes = passage_prefix, query_prefix
        self.name = self._passages.name
        parts = (self._passages.sha256, self._queries.sha256, pooling, *self._prefixes)
        self.sha256 = sha256_of("\n".join(parts).encode()).hexdigest()

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Embed passages into unit vectors, shape (texts, dim)."""
        prefix = self._prefixes[0]
        return _unit(self._passages.encode([prefix + text for text in texts], truncate=True))

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Embed queries into unit vectors, shape (texts, dim)."""
        prefix = self._prefixes[1]
        return _unit(self._queries.encode([prefix + text for text in texts], truncate=True))


class ServerEmbedder:
    """Any server with OpenAI's ``/v1/embeddings``.

    A server does not show its weights: it is known by the name of its model and the length of its vectors.

    Args:
        model: as the server calls it.
        query_model: the one that reads queries, of servers that tell the two by name; the same by default.
        base_url: of the server, ending in ``/v1``; OpenAI's own by default.
        query_prefix: said before every query, such as "query: ".
        passage_prefix: said before every passage.
        batch_size: texts sent together.
        api_key: the variable OPENAI_API_KEY by default; servers at home take any.

    Raises:
        KnowledgeError: the server cannot be reached, refuses, or answers something else than embeddings.
    """

    def __init__(
        self,
        model: str,
        *,
        query_model: str | None = None,
        base_url: str | None = None,
        query_prefix: str = "",
        passage_prefix: str = "",
        batch_size: int = 64,
        api_key: str | None = None,
    ) -> None:
        self.name = f"server:{model}"
        self._models = model, query_model or model
        self._batch_size = batch_size
        self._prefixes = passage_prefix, query_prefix
        self._base_url = base_url
        self._api_key = api_key or os.environ.get("OPENAI_API_KEY") or "none"

    @cached_property
    def sha256(self) -> str:
        """Hash of the model's name, its prefixes and the length of its vectors, for which it is asked."""
        dim = self.encode(["ECG"]).shape[1]
        return sha256_of("\n".join((*self._models, *self._prefixes, str(dim))).encode()).hexdigest()

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Embed passages into unit vectors, shape (texts, dim)."""
        return self._embed(self._models[0], [self._prefixes[0] + text for text in texts])

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Embed queries into unit vectors, shape (texts, dim)."""
        return self._embed(self._models[1], [self._prefixes[1] + text for text in texts])

    @cached_property
    def _client(self) -> Any:
        from openai import OpenAI

        return OpenAI(base_url=self._base_url, api_key=self._api_key)

    def _embed(self, model: str, texts: list[str]) -> Vectors:
        from httpx2 import InvalidURL
        from openai import OpenAIError

        rows: list[list[float]] = []
        for start in range(0, len(texts), self._batch_size):
            batch = texts[start : start + self._batch_size]
            try:
                answer = self._client.embeddings.create(model=model, input=batch, encoding_format="float")
                found = sorted((item.index, [float(x) for x in item.embedding]) for item in answer.data)
            except (OpenAIError, AttributeError, TypeError, ValueError, InvalidURL) as problem:
                where = self._base_url or "OpenAI"
                raise KnowledgeError(
                    f"{where} does not embed with {model!r}: {problem}; check the address and"
                    " the model's name"
                ) from None
            rows += [row for _, row in found]
        if len(rows) != len(texts) or len({len(row) for row in rows}) > 1:
            raise KnowledgeError(
                f"the server of {model!r} answered {len(rows)} embeddings for {len(texts)} texts, or"
                " some of other length; it is no embedding server"
            )
        return _unit(np.array(rows, np.float32))


def _unit(vectors: Vectors) -> Vectors:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


class EmbedderSpec(BaseModel):
    """Which embedder is meant, in words; an index keeps it, so that queries are read as its passages were.

    Attributes:
        model: ``minilm``, the folder of a Hugging Face encoder, or ``openai:MODEL`` of a server.
        query_model: the folder or the server's model that reads queries; the same one by default.
        pooling: of folders.
        query_prefix: said before every query.
        passage_prefix: said before every passage.
        precision: in which passages are read; not for servers.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = "minilm"
    query_model: str | None = None
    pooling: Pooling = "mean"
    query_prefix: str = ""
    passage_prefix: str = ""
    precision: Precision = "float32"

    @property
    def is_server(self) -> bool:
        """Whether texts are sent away to be embedded."""
        return self.model.startswith("openai:")

    def load(self, base_url: str | None = None) -> Embedder:
        """Make the embedder.

        Args:
            base_url: of the server; an index does not keep it, so that none decides where queries are sent.

        Raises:
            UsageError: an option that this kind of embedder does not have.
            CheckpointError: the folder holds no text encoder.
        """
        if self.is_server:
            name = self.model.removeprefix("openai:")
            if not name:
                raise UsageError(f"{self.model!r} names no model; write openai:MODEL")
            check_address(base_url)
            self._refuse("a server", pooling="mean", precision="float32")
            return ServerEmbedder(
                name,
                query_model=(self.query_model or name).removeprefix("openai:"),
                base_url=base_url,
                query_prefix=self.query_prefix,
                passage_prefix=self.passage_prefix,
            )
        if base_url:
            raise UsageError(f"{self.model!r} is no server; write openai:MODEL beside --base-url")
        if self.model == "minilm":
            self._refuse("minilm", query_model=None, pooling="mean", query_prefix="", passage_prefix="")
            found: Embedder = CuttingMiniLM()
        elif Path(self.model).is_dir():
            found = FolderEmbedder(
                self.model,
                queries=self.query_model,
                pooling=self.pooling,
                query_prefix=self.query_prefix,
                passage_prefix=self.passage_prefix,
            )
        else:
            raise UsageError(
                f"unknown embedder {self.model!r}; give minilm, the folder of a Hugging Face encoder, or"
                " openai:MODEL with --base-url"
            )
        return InBfloat16(found) if self.precision == "bfloat16" else found

    def _refuse(self, what: str, **usual: Any) -> None:
        """Raise where an option is given that this kind of embedder has no use for."""
        for option, value in usual.items():
            if getattr(self, option) != value:
                raise UsageError(f"{what} takes no {option.replace('_', ' ')}; leave it out")
