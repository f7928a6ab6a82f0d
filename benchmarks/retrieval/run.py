"""How often the knowledge index finds the right entry for the queries of the gold set.

    python benchmarks/retrieval/run.py

Prints recall at 1 and 5, the mean reciprocal rank and, over the polarity traps, how often the opposite comes
first: for the index's own search (exact look-up first, dense second) and for dense retrieval alone.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from merl.knowledge.index import KnowledgeIndex

GOLD = Path(__file__).parent / "gold.yaml"


def dense(index: KnowledgeIndex, query: str) -> list[str]:
    return list(dict.fromkeys(passage.entry for passage, _ in index.nearest(query)))[:10]


def searched(index: KnowledgeIndex, query: str) -> list[str]:
    return [hit.id for hit in index.search(query, k=10)]


def row(name: str, items: list[dict[str, Any]], found: dict[str, list[str]]) -> str:
    ranks = np.array(
        [
            next(
                (rank for rank, entry in enumerate(found[item["query"]], 1) if entry in item["entries"]),
                np.inf,
            )
            for item in items
        ]
    )
    traps = [item for item in items if item.get("not")]
    wrong = sum(found[item["query"]][:1] != [] and found[item["query"]][0] in item["not"] for item in traps)
    figures = (np.mean(ranks <= 1), np.mean(ranks <= 5), np.mean(1 / ranks))
    shown = "  ".join(f"{figure:.3f}" for figure in figures)
    return f"{name:34} {len(items):4}  {shown}  {wrong} of {len(traps)}"


def main() -> None:
    index = KnowledgeIndex.default()
    gold = yaml.safe_load(GOLD.read_text(encoding="utf-8"))
    ways: dict[str, Callable[[KnowledgeIndex, str], list[str]]] = {"dense alone": dense, "merl": searched}
    print(f"{'':34} {'n':>4}  R@1    R@5    MRR    opposite first")
    for way, find in ways.items():
        found = {item["query"]: find(index, item["query"]) for item in gold}
        print(row(f"{way}, all queries", gold, found))
        print(row(f"{way}, no exact match", [item for item in gold if not item["exact"]], found))


if __name__ == "__main__":
    main()
