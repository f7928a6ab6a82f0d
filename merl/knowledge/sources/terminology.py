"""Concepts gathered from tables in any order: rows in, passages by concept out, on disk in between."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter

from merl.knowledge.passages import Passage
from merl.knowledge.sources.base import concept_passages

_TABLES = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA cache_size = -65536;
CREATE TABLE kept (concept TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE names (concept TEXT, rank INTEGER, text TEXT);
CREATE TABLE definitions (concept TEXT, text TEXT);
CREATE TABLE parents (concept TEXT, parent TEXT, PRIMARY KEY (concept, parent)) WITHOUT ROWID;
CREATE TABLE preferred (concept TEXT PRIMARY KEY, text TEXT) WITHOUT ROWID;
"""
_PREFER = "INSERT OR IGNORE INTO preferred SELECT concept, text FROM names ORDER BY concept, rank, rowid"
_BY_CONCEPT = """
SELECT concept, 0 AS part, rank, rowid AS line, text, '' AS parent FROM names
UNION ALL
SELECT concept, 1, 0, definitions.rowid, definitions.text, '' FROM definitions JOIN preferred USING (concept)
UNION ALL
SELECT parents.concept, 2, 0, 0, broader.text, parent FROM parents
    JOIN preferred USING (concept) JOIN preferred AS broader ON broader.concept = parent
ORDER BY concept, part, rank, line, parent
"""


class Terminology:
    """A store of concepts that is closed, and gone, at the end of its ``with`` block.

    The rows lie in a temporary SQLite file (in ``SQLITE_TMPDIR``, else ``TMPDIR``); it takes about as much
    disk as the rows have text. Memory stays at SQLite's cache of 64 MB.
    """

    def __init__(self) -> None:
        self._rows = sqlite3.connect("")  # no name: a private file on disk, not memory
        self._rows.executescript(_TABLES)

    def __enter__(self) -> Terminology:
        return self

    def __exit__(self, *_: object) -> None:
        self._rows.close()

    def keep_only(self, concepts: Iterable[str]) -> None:
        """Drop the names, and with them everything, of all other concepts."""
        self._rows.executemany("INSERT OR IGNORE INTO kept VALUES (?)", ((concept,) for concept in concepts))
        self._rows.execute("DELETE FROM names WHERE concept NOT IN kept")

    def add_names(self, names: Iterable[tuple[str, int, str]]) -> None:
        """Add rows of concept, rank and name; the lowest rank is the preferred name."""
        self._rows.executemany("INSERT INTO names VALUES (?, ?, ?)", names)

    def add_definitions(self, definitions: Iterable[tuple[str, str]]) -> None:
        """Add rows of concept and definition."""
        self._rows.executemany("INSERT INTO definitions VALUES (?, ?)", definitions)

    def add_parents(self, parents: Iterable[tuple[str, str]]) -> None:
        """Add rows of concept and broader concept; repetitions are left out."""
        self._rows.executemany("INSERT OR IGNORE INTO parents VALUES (?, ?)", parents)

    def passages(self, source: str) -> Iterator[Passage]:
        """Yield the passages of every concept that has a name, by concept id."""
        self._rows.execute(_PREFER)
        for concept, rows in groupby(self._rows.execute(_BY_CONCEPT), key=itemgetter(0)):
            parts: tuple[list[tuple[str, str]], ...] = ([], [], [])
            for _, part, _, _, text, parent in rows:
                parts[part].append((parent, text))
            names, definitions = ([text for _, text in part] for part in parts[:2])
            yield from concept_passages(source, concept, names, definitions, parts[2])
