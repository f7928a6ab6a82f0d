"""A knowledge base small enough to read, and an embedder whose vectors can be checked by eye."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from merl.knowledge.entries import load_entries
from merl.knowledge.index import KnowledgeIndex

KNOWLEDGE = Path(__file__).parent / "data" / "knowledge"


class WordEmbedder:
    """Counts a few words: each is one axis, so that texts sharing words lie close."""

    name = "words"
    sha256 = "1" * 64
    words = ("sawtooth", "irregular", "prolonged", "broad", "depression", "left", "right", "block", "martian")

    def encode(self, texts):
        rows = [[text.lower().count(word) for word in self.words] + [0.1] for text in texts]
        counts = np.array(rows, np.float32)
        return counts / np.linalg.norm(counts, axis=1, keepdims=True)


@pytest.fixture
def entries():
    return load_entries(KNOWLEDGE)


@pytest.fixture
def index(entries):
    return KnowledgeIndex.build(entries, WordEmbedder())
