import numpy as np
import pytest

from merl.knowledge import structure
from merl.knowledge.structure import index_vectors, structure_for


@pytest.mark.parametrize(
    ("count", "expected"),
    [(1, "Flat"), (99_999, "Flat"), (100_000, "IVF1024,SQ8"), (1_000_000, "IVF4096,SQ8")],
)
def test_structure_by_size(count, expected):
    assert structure_for(count) == expected


def test_cells_find_what_looking_at_every_vector_finds(monkeypatch):
    monkeypatch.setattr(structure, "FLAT_BELOW", 1000)
    random = np.random.default_rng(0)
    centres = random.normal(size=(200, 32))
    vectors = (centres[random.integers(200, size=5000)] + 0.5 * random.normal(size=(5000, 32))).astype(
        np.float32
    )
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    index = index_vectors(vectors, lambda *_: None)
    assert (index.ntotal, index.nprobe) == (5000, 32)
    queries = vectors[::50]
    exact = np.argsort(-queries @ vectors.T, axis=1)[:, :10]
    _, found = index.search(queries, 10)
    recall = np.mean([len({*a} & {*b}) / 10 for a, b in zip(exact, found, strict=True)])
    assert recall > 0.95
