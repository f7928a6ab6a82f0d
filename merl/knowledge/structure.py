"""The FAISS index for so many vectors: flat while that is quick, then cells of quantised vectors."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from merl.knowledge.sources.base import Progress

#: From so many vectors on, looking at each of them takes too long.
FLAT_BELOW = 100_000
#: One cell in so many is looked into for a query: fewer lose recall, more take time (``structure_for``).
_PROBED = 8
_TRAINING_PER_CELL = 64
_CHUNK = 50_000


def structure_for(count: int) -> str:
    """Name the structure for so many vectors, as FAISS's factory writes it.

    ``IVF,SQ8``: one byte a dimension, in cells of which an eighth is looked into for a query. Measured on
    438,770 texts of three ontologies with averaged word vectors, on one core: recall at 10 0.965 at 4 ms (a
    quarter of the cells 0.978 at 7 ms, all of them 0.994), where exact hits count with their ties. A graph
    (HNSW) answers faster, but comes out differently each time several threads build it, so that merged
    shards would not equal a single build.

    >>> structure_for(50_000), structure_for(1_000_000)
    ('Flat', 'IVF4096,SQ8')
    """
    if count < FLAT_BELOW:
        return "Flat"
    cells = 2 ** round(np.log2(4 * np.sqrt(count)))
    return f"IVF{cells},SQ8"


def index_vectors(vectors: NDArray[np.float32], progress: Progress) -> Any:
    """Put unit vectors, (passages, dim), into a FAISS index; they may lie on disk."""
    import faiss

    count, dim = vectors.shape
    index: Any = faiss.index_factory(dim, structure_for(count), faiss.METRIC_INNER_PRODUCT)
    if not index.is_trained:
        size = min(count, _TRAINING_PER_CELL * index.nlist)
        rows = np.random.default_rng(0).choice(count, size, replace=False)
        progress(0, count, "cells")
        index.train(np.ascontiguousarray(vectors[np.sort(rows)]))
        index.nprobe = max(1, index.nlist // _PROBED)  # kept in the file
    for start in range(0, count, _CHUNK):
        chunk = np.ascontiguousarray(vectors[start : start + _CHUNK])
        index.add(chunk)
        progress(start + len(chunk), count, "vectors")
    return index
