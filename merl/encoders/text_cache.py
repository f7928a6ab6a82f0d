"""Embeddings of a frozen text encoder, kept on disk: each distinct text is embedded once."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from merl.encoders.text import SentenceEncoder
from merl.errors import MerlError
from merl.files import cache_dir

_CHUNK = 512  # texts between two writes: what a stopped run has to embed again


def cached_embeddings(
    encoder: SentenceEncoder,
    texts: Sequence[str],
    *,
    folder: Path | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> NDArray[np.float32]:
    """Embed texts, reading from disk what has been embedded before; processes may share the cache.

    Args:
        encoder: the encoder; the cache is keyed by the hash of its weights and by how it reads.
        texts: any number; what is longer than the encoder reads is cut.
        folder: of the caches, in the user's cache folder if not given.
        progress: called with (done, of, what).

    Returns:
        What ``encoder.encode`` returns, shape (texts, dim).

    Raises:
        MerlError: the cache is damaged or cannot be written.
    """
    if encoder.retrained:  # its weights are no longer those that the hash stands for
        return encoder.encode(texts, truncate=True)
    folder = folder or cache_dir() / "text"
    try:
        return _through_store(encoder, texts, folder, progress)
    except sqlite3.Error as problem:
        raise MerlError(
            f"the text cache in {folder} cannot be used ({problem}); make room, or delete the folder"
        ) from None


def _through_store(
    encoder: SentenceEncoder,
    texts: Sequence[str],
    folder: Path,
    progress: Callable[[int, int, str], None] | None,
) -> NDArray[np.float32]:
    folder.mkdir(parents=True, exist_ok=True)
    identity = [encoder.sha256, encoder.pooling, encoder.max_tokens, encoder.lowercase, encoder.template]
    name = hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:32]
    keys = [hashlib.sha256(text.encode()).digest() for text in texts]
    with closing(sqlite3.connect(folder / f"{name}.sqlite", timeout=60)) as store:
        store.execute("PRAGMA journal_mode=WAL")  # readers and a writer at once
        store.execute("CREATE TABLE IF NOT EXISTS embeddings (text BLOB PRIMARY KEY, vector BLOB)")
        known = _known(store, keys)
        missing = sorted(
            {key: text for key, text in zip(keys, texts, strict=True) if key not in known}.items(),
            key=lambda item: len(item[1]),
        )
        for start in range(0, len(missing), _CHUNK):
            chunk = missing[start : start + _CHUNK]
            vectors = encoder.encode([text for _, text in chunk], truncate=True)
            found = {key: vector.tobytes() for (key, _), vector in zip(chunk, vectors, strict=True)}
            with store:
                store.executemany("INSERT OR IGNORE INTO embeddings VALUES (?, ?)", found.items())
            known |= found
            if progress:
                progress(start + len(chunk), len(missing), "embedding texts")
    if not keys:
        return np.zeros((0, encoder.dim), np.float32)
    return np.stack([np.frombuffer(known[key], np.float32) for key in keys])


def _known(store: sqlite3.Connection, keys: Sequence[bytes]) -> dict[bytes, bytes]:
    wanted, found = list(dict.fromkeys(keys)), dict[bytes, bytes]()
    for start in range(0, len(wanted), _CHUNK):
        chunk = wanted[start : start + _CHUNK]
        marks = ",".join("?" * len(chunk))
        found |= dict(store.execute(f"SELECT * FROM embeddings WHERE text IN ({marks})", chunk))  # noqa: S608 - question marks only
    return found
