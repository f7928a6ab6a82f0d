"""Exact look-up in a corpus of any size: sorted hashes of names and concepts on disk, with their rows."""

from __future__ import annotations

import hashlib
import json
from array import array
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from merl.errors import KnowledgeError
from merl.knowledge.lookup import normalise
from merl.knowledge.sources.base import Progress

NAMES, CONCEPTS = "names.npy", "concepts.npy"
_ROW = np.dtype([("key", "<u8"), ("row", "<u8")])


def write_tables(passages: Path, folder: Path, count: int, progress: Progress) -> None:
    """Write where the names and the concepts of a file of passages stand.

    Args:
        passages: ``passages.jsonl``.
        folder: where ``names.npy`` and ``concepts.npy`` are put.
        count: how many passages there are, for the progress.
        progress: told of each hundred thousandth.
    """
    names, concepts = (array("Q"), array("Q")), (array("Q"), array("Q"))
    before = ""
    with passages.open(encoding="utf-8") as lines:
        for row, line in enumerate(lines):
            passage = json.loads(line)
            concept = concept_of(passage["id"])
            _add(concepts, concept, row)
            named = passage["text"] if passage["kind"] in {"name", "synonym"} else ""
            if concept != before and not named:
                named = passage["name"]  # of a concept whose source gives no passage of its name
            before = concept
            if named and (key := normalise(named)):
                _add(names, key, row)
            if row % 100_000 == 0:
                progress(row, count, "names")
    for name, table in ((NAMES, names), (CONCEPTS, concepts)):
        rows = np.empty(len(table[0]), _ROW)
        rows["key"], rows["row"] = table
        np.save(folder / name, rows[np.argsort(rows["key"], kind="stable")])


class Table:
    """The rows of a key, from a file that stays on disk."""

    def __init__(self, path: Path) -> None:
        try:
            table = np.load(path, mmap_mode="r")
            self._keys, self._rows = table["key"], table["row"]
        except (OSError, ValueError, IndexError) as problem:
            raise KnowledgeError(f"cannot read {path}: {problem}; build the index again") from None

    def rows(self, key: str) -> list[int]:
        """Return the rows of a key in order; once in 10**19 pairs, those of another key with its hash."""
        first, last = (np.searchsorted(self._keys, np.uint64(_hash(key)), side) for side in ("left", "right"))
        found: NDArray[np.uint64] = self._rows[first:last]
        return [int(row) for row in found]


def concept_of(passage_id: str) -> str:
    """Return the concept of a passage with its source, ``hpo:HP:0001657`` of ``hpo:HP:0001657#name/0``."""
    return passage_id.rpartition("#")[0]


def _add(table: tuple[array[int], array[int]], key: str, row: int) -> None:
    table[0].append(_hash(key))
    table[1].append(row)


def _hash(key: str) -> int:
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "little")
