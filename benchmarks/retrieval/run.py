"""How often search finds the right entry for the queries of the gold set, and how often the opposite one.

    python benchmarks/retrieval/run.py [FILE]    (make bench-retrieval)

Prints recall at 1 and 5, the mean reciprocal rank and, over the polarity traps, how often the opposite comes
first: for exact look-up, words, meaning and the hybrid of all, and for plain dense retrieval as langchain
does it over the same passages with the same encoder.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from langchain_core.embeddings import Embeddings
from langchain_core.vectorstores import InMemoryVectorStore

from merl.errors import KnowledgeError
from merl.files import read_yaml
from merl.knowledge.index import KnowledgeIndex
from merl.knowledge.passages import SPEAKS_FOR

GOLD = Path(__file__).with_name("gold.yaml")
K = 10  # entries a way may name


class Encoder(Embeddings):
    """The index's own encoder behind langchain's interface."""

    def __init__(self, index: KnowledgeIndex) -> None:
        self._encode = index.embedder.encode

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return self._encode(texts).tolist()

    def embed_query(self, text: str) -> list[float]:
        return self._encode([text])[0].tolist()


def exact(index: KnowledgeIndex, query: str) -> list[str]:
    return [hit.id for hit in index.exact(query)]


def lexical(index: KnowledgeIndex, query: str) -> list[str]:
    scores = index.ranker.lexical(query)
    return [
        list(index.entries)[place] for place in np.argsort(-scores, kind="stable")[:K] if scores[place] > 0
    ]


def dense(index: KnowledgeIndex, query: str) -> list[str]:
    return list(dict.fromkeys(passage.entry for passage, _ in index.nearest(query)))[:K]


def hybrid(index: KnowledgeIndex, query: str) -> list[str]:
    return [hit.id for hit in index.search(query, k=K)]


def langchain(store: InMemoryVectorStore, size: int, _: KnowledgeIndex, query: str) -> list[str]:
    found = store.similarity_search(query, k=size)
    return list(dict.fromkeys(document.metadata["entry"] for document in found))[:K]


def row(name: str, items: list[dict[str, Any]], found: dict[str, list[str]]) -> str:
    ranks = np.array([_rank(found[item["query"]], item["entries"]) for item in items])
    traps = [item for item in items if item.get("not")]
    wrong = sum(found[item["query"]][:1] != [] and found[item["query"]][0] in item["not"] for item in traps)
    figures = (np.mean(ranks <= 1), np.mean(ranks <= 5), np.mean(1 / ranks))
    shown = "  ".join(f"{figure:.3f}" for figure in figures)
    return f"{name:34} {len(items):4}  {shown}  {wrong} of {len(traps)}"


def _rank(found: list[str], right: list[str]) -> float:
    return next((rank for rank, entry in enumerate(found, 1) if entry in right), np.inf)


def main() -> None:
    gold = read_yaml(sys.argv[1] if len(sys.argv) > 1 else GOLD, KnowledgeError)
    index = KnowledgeIndex.default()
    passages = [p for key in index.entries for p in index.passages(key) if p.kind in SPEAKS_FOR]
    store = InMemoryVectorStore(Encoder(index))
    store.add_texts([p.text for p in passages], [{"entry": p.entry} for p in passages])
    ways: dict[str, Callable[[KnowledgeIndex, str], list[str]]] = {
        "exact": exact,
        "words": lexical,
        "meaning": dense,
        "hybrid (merl)": hybrid,
        "langchain, plain dense": partial(langchain, store, len(passages)),
    }
    kinds = dict.fromkeys(item["kind"] for item in gold)
    print(f"{'':34} {'n':>4}  R@1    R@5    MRR    opposite first")
    for way, find in ways.items():
        start = time.perf_counter()
        found = {item["query"]: find(index, item["query"]) for item in gold}
        spent = (time.perf_counter() - start) / len(gold)
        print(row(f"{way}, all queries", gold, found), f"  {1000 * spent:.0f} ms a query")
        print(row(f"{way}, no exact match", [item for item in gold if not item["exact"]], found))
        if find is hybrid:
            for kind in kinds:
                print(row(f"  {kind}", [item for item in gold if item["kind"] == kind], found))


if __name__ == "__main__":
    main()
