"""What an index of a million passages costs: time, memory, size, latency and recall.

    python benchmarks/scale.py WORK [--passages 1000000] [--source NAME[:PATH]]...

The passages are those of the sources, extended by recombination: the first half of one text with the second
half of another, drawn with a seed. Four stages, each in a process of its own and resumable: what is done is
kept in ``WORK/stages.json``; delete ``WORK`` to measure anew. The time of a stage that was cut off counts
from where it went on.

1. ``corpus``: the texts, as a ``jsonl`` source.
2. ``vectors``: ``merl kb build`` of the one shard 1/1, which keeps its vectors.
3. ``index``: ``merl kb merge`` of it, so that embedding and indexing are timed apart.
4. ``queries``: those of ``benchmarks/retrieval/gold.yaml``, one at a time on one core. Recall at 10 is the
   share of the hits whose exact cosine is at least that of the exact tenth, so that ties count.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from merl.files import atomic_path, write_text
from merl.knowledge.building import build, merge
from merl.knowledge.corpus import CorpusIndex
from merl.knowledge.embedders import CuttingMiniLM, InBfloat16
from merl.knowledge.sources import parse_source

GOLD = Path(__file__).parent / "retrieval" / "gold.yaml"
SOURCES = ["ecg", "hpo", "icd10cm", "mondo"]
MB, TIE, CHUNK = 2**20, 1e-6, 100_000
BATCH = 8192  # sorted by length within, so that little is padding


def texts(sources: list[str], count: int, seed: int = 0) -> Iterator[str]:
    """Yield so many texts: the real ones first, then recombinations."""
    real = [passage.text for name in sources for passage in parse_source(name).passages()]
    chance = random.Random(seed)
    chance.shuffle(real)
    halves = [(words[: len(words) // 2], words[len(words) // 2 :]) for words in map(str.split, real)]
    halves = [(first, second) for first, second in halves if first]
    mixed = (" ".join(chance.choice(halves)[0] + chance.choice(halves)[1]) for _ in iter(int, 1))
    return islice(chain(real, mixed), count)


def corpus(work: Path, args: argparse.Namespace) -> dict[str, Any]:
    with atomic_path(work / "corpus.jsonl") as part, part.open("w", encoding="utf-8") as handle:
        for text in texts(args.source or SOURCES, args.passages):
            handle.write(json.dumps({"text": text}) + "\n")
    return {"passages": args.passages}


def vectors(work: Path, args: argparse.Namespace) -> dict[str, Any]:
    import torch

    source = parse_source(f"jsonl:{work / 'corpus.jsonl'}")
    torch.set_num_threads(1)
    build(
        [source], work / "shard", InBfloat16(CuttingMiniLM()), shard=(1, 1), batch_size=BATCH, progress=tell
    )
    return {"vectors MB": (work / "shard" / "vectors.npy").stat().st_size / MB}


def index(work: Path, args: argparse.Namespace) -> dict[str, Any]:
    manifest = merge([work / "shard"], work / "index", progress=tell)
    return {
        "structure": manifest.structure,
        "index MB": (work / "index" / "index.faiss").stat().st_size / MB,
        "passages MB": (work / "index" / "passages.jsonl").stat().st_size / MB,
    }


def queries(work: Path, args: argparse.Namespace) -> dict[str, Any]:
    import faiss
    import torch

    faiss.omp_set_num_threads(1)
    torch.set_num_threads(1)
    asked = [item["query"] for item in yaml.safe_load(GOLD.read_text(encoding="utf-8"))]
    searched = CorpusIndex(work / "index")
    searched.embedder.encode(asked[:1])  # loads the model
    embedded, embed_ms = timed(lambda query: searched.embedder.encode([query]), asked)
    searched.rows(embedded[0], 10)
    found, search_ms = timed(lambda vector: searched.rows(vector, 10)[1][0], embedded)
    exact = exact_scores(work, np.concatenate(embedded), np.stack(found))
    return {
        "queries": len(asked),
        "search p50 ms": np.percentile(search_ms, 50),
        "search p95 ms": np.percentile(search_ms, 95),
        "query embedding p50 ms": np.percentile(embed_ms, 50),
        "query embedding p95 ms": np.percentile(embed_ms, 95),
        "recall at 10": recall(*exact),
    }


def timed(work: Callable[[Any], Any], items: list[Any]) -> tuple[list[Any], list[float]]:
    results, milliseconds = [], []
    for item in items:
        start = time.perf_counter()
        results.append(work(item))
        milliseconds.append(1000 * (time.perf_counter() - start))
    return results, milliseconds


def exact_scores(work: Path, asked: np.ndarray, found: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the ten best cosines of each query and those of what was found, (queries, 10) each."""
    rows = np.load(work / "shard" / "vectors.npy", mmap_mode="r")
    best = np.full((len(asked), 10), -np.inf, np.float32)
    for start in range(0, len(rows), CHUNK):
        scores = np.concatenate([best, asked @ rows[start : start + CHUNK].T], axis=1)
        best = -np.partition(-scores, 9, axis=1)[:, :10]
    reached = np.einsum("qd,qkd->qk", asked, rows[np.maximum(found, 0)])
    return best, np.where(found >= 0, reached, -np.inf)


def recall(best: np.ndarray, reached: np.ndarray) -> float:
    """Share of the ten hits that are as near as the exact tenth."""
    return float((reached >= best.min(axis=1, keepdims=True) - TIE).mean())


def tell(done: int, total: int, what: str) -> None:
    print(f"\r{what} {done} of {total} ", end="", file=sys.stderr, flush=True)


STAGES = {stage.__name__: stage for stage in (corpus, vectors, index, queries)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", type=Path)
    parser.add_argument("--passages", type=int, default=1_000_000)
    parser.add_argument("--source", action="append", help=f"repeatable; default {' '.join(SOURCES)}")
    parser.add_argument("--stage", choices=STAGES, help=argparse.SUPPRESS)
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    kept = args.work / "stages.json"
    done = json.loads(kept.read_text(encoding="utf-8")) if kept.is_file() else {}
    if args.stage:
        start = time.perf_counter()
        figures = STAGES[args.stage](args.work, args)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        done[args.stage] = {"seconds": time.perf_counter() - start, "peak MB": peak, **figures}
        write_text(kept, json.dumps(done, indent=2))
        return
    if done and done["corpus"]["passages"] != args.passages:
        sys.exit(f"{args.work} measures {done['corpus']['passages']} passages; give another folder")
    for stage in STAGES:
        if stage not in done:
            command = [sys.executable, __file__, *sys.argv[1:], "--stage", stage]
            subprocess.run(command, check=True)  # noqa: S603 - our own file
    for stage, figures in json.loads(kept.read_text(encoding="utf-8")).items():
        shown = (
            f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}"
            for key, value in figures.items()
        )
        print(f"{stage:8} {'  '.join(shown)}")


if __name__ == "__main__":
    main()
