"""UMLS Metathesaurus in Rich Release Format (RRF), as the National Library of Medicine publishes it.

Columns: UMLS Reference Manual, chapter 3. The files are licensed and never shipped.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from merl.errors import KnowledgeError
from merl.knowledge.passages import Passage
from merl.knowledge.sources.base import Progress, Source, quiet
from merl.knowledge.sources.rows import read_rows
from merl.knowledge.sources.terminology import Terminology

_COLUMNS = {
    "MRCONSO.RRF": "CUI LAT TS LUI STT SUI ISPREF AUI SAUI SCUI SDUI SAB TTY CODE STR SRL SUPPRESS CVF",
    "MRDEF.RRF": "CUI AUI ATUI SATUI SAB DEF SUPPRESS CVF",
    "MRREL.RRF": "CUI1 AUI1 STYPE1 REL CUI2 AUI2 STYPE2 RELA RUI SRUI SAB SL RG DIR SUPPRESS CVF",
    "MRSTY.RRF": "CUI TUI STN STY ATUI CVF",
}


class UMLS(Source):
    """Names, definitions and parents of the concepts; suppressed and obsolete rows are left out.

    Args:
        path: the folder of the RRF files, or the one that holds it as ``META``.
        languages: of the names, as ``LAT`` says them; definitions come from the vocabularies of these names.
        vocabularies: as ``SAB`` says them; none for all.
        semantic_types: concepts of these alone, as ``TUI`` or ``STY`` says them; none for all.

    Raises:
        KnowledgeError: the folder lacks one of the four files.
    """

    name = "umls"
    place = "DIR"
    licence = "UMLS Metathesaurus License Agreement, with the terms of each vocabulary"
    attribution = "UMLS Metathesaurus, U.S. National Library of Medicine"

    def __init__(
        self,
        path: Path,
        *,
        languages: tuple[str, ...] = ("ENG",),
        vocabularies: tuple[str, ...] = (),
        semantic_types: tuple[str, ...] = (),
    ) -> None:
        super().__init__(path / "META" if (path / "META").is_dir() else path)
        self.languages, self.vocabularies, self.semantic_types = languages, vocabularies, semantic_types
        if missing := [name for name in _COLUMNS if not (self.path / name).is_file()]:
            raise KnowledgeError(
                f"{path} is no UMLS release: it has no {', '.join(missing)}; give the folder of the RRF files"
            )

    @property
    def options(self) -> dict[str, tuple[str, ...]]:
        """The filters."""
        return {
            "languages": self.languages,
            "vocabularies": self.vocabularies,
            "semantic_types": self.semantic_types,
        }

    def passages(self, progress: Progress = quiet) -> Iterator[Passage]:
        """Yield the passages of every concept, by CUI."""
        spoken: set[str] = set()  # vocabularies with names in these languages, some two hundred
        with Terminology() as terms:
            terms.add_names(self._names(spoken, progress))
            if self.semantic_types:
                terms.keep_only(self._typed(progress))
            terms.add_definitions(
                (row["CUI"], row["DEF"])
                for row in self._rows("MRDEF.RRF", progress)
                if row["SAB"] in spoken and row["SUPPRESS"] == "N"
            )
            terms.add_parents(
                (row["CUI1"], row["CUI2"])  # REL says what the second concept is to the first
                for row in self._rows("MRREL.RRF", progress)
                if row["REL"] == "PAR" and row["CUI1"] != row["CUI2"] and self._wanted(row)
            )
            yield from terms.passages(self.name)

    def _names(self, spoken: set[str], progress: Progress) -> Iterator[tuple[str, int, str]]:
        for row in self._rows("MRCONSO.RRF", progress):
            if row["LAT"] in self.languages and self._wanted(row):
                spoken.add(row["SAB"])
                rank = 4 * (row["TS"] != "P") + 2 * (row["STT"] != "PF") + (row["ISPREF"] != "Y")
                yield row["CUI"], rank, row["STR"]

    def _typed(self, progress: Progress) -> Iterator[str]:
        for row in self._rows("MRSTY.RRF", progress):
            if row["TUI"] in self.semantic_types or row["STY"] in self.semantic_types:
                yield row["CUI"]

    def _wanted(self, row: dict[str, str]) -> bool:
        return row["SUPPRESS"] == "N" and (not self.vocabularies or row["SAB"] in self.vocabularies)

    def _rows(self, name: str, progress: Progress) -> Iterator[dict[str, str]]:
        columns = _COLUMNS[name].split()
        path = self.path / name
        return read_rows(
            path, columns, separator="|", terminator="|", skipped=self.skipped, progress=progress
        )
