"""SNOMED CT in Release Format 2 (RF2), the snapshot, as SNOMED International and its members publish it.

Columns: SNOMED CT Release File Specifications. The files are licensed and never shipped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from merl.errors import KnowledgeError
from merl.knowledge.passages import Passage
from merl.knowledge.sources.base import Progress, Source, quiet
from merl.knowledge.sources.rows import read_rows
from merl.knowledge.sources.terminology import Terminology

_TERM = "id effectiveTime active moduleId conceptId languageCode typeId term caseSignificanceId"
_COLUMNS = {
    "sct2_Description_Snapshot": _TERM,
    "sct2_TextDefinition_Snapshot": _TERM,
    "sct2_Relationship_Snapshot": "id effectiveTime active moduleId sourceId destinationId relationshipGroup"
    " typeId characteristicTypeId modifierId",
    "sct2_Concept_Snapshot": "id effectiveTime active moduleId definitionStatusId",
}
_FULLY_SPECIFIED = "900000000000003001"
_IS_A = "116680003"
_TAG = re.compile(r" \([^()]+\)$")  # the semantic tag that ends a fully specified name


class SNOMED(Source):
    """Names, text definitions and parents of the active concepts; inactive rows are left out.

    The name is the fully specified one without its tag. Descriptions of inactive concepts stay active in a
    release: they are dropped where the file of concepts lies beside the others.

    Args:
        path: the release's folder, or its ``Snapshot``.
        languages: as ``languageCode`` says them.

    Raises:
        KnowledgeError: the folder lacks the descriptions, text definitions or relationships of a snapshot.
    """

    name = "snomed"
    place = "DIR"
    licence = "SNOMED CT Affiliate License Agreement"
    attribution = "SNOMED CT, SNOMED International"

    def __init__(self, path: Path, *, languages: tuple[str, ...] = ("en",)) -> None:
        super().__init__(path)
        self.languages = languages
        self._files = {name: sorted(path.rglob(f"{name}*.txt")) for name in _COLUMNS}
        required = list(_COLUMNS)[:3]
        if missing := [name for name in required if not self._files[name]]:
            raise KnowledgeError(
                f"{path} is no RF2 snapshot: it has no {', '.join(f'{name}*.txt' for name in missing)};"
                " give the folder of the release"
            )

    @property
    def options(self) -> dict[str, tuple[str, ...]]:
        """The filter."""
        return {"languages": self.languages}

    @property
    def version(self) -> str:
        """The release's date as the file of relationships bears it."""
        dates = re.findall(r"\d{8}", self._files["sct2_Relationship_Snapshot"][-1].name)
        return dates[-1] if dates else ""

    def passages(self, progress: Progress = quiet) -> Iterator[Passage]:
        """Yield the passages of every concept, by concept id as text."""
        with Terminology() as terms:
            terms.add_names(self._names(progress))
            if self._files["sct2_Concept_Snapshot"]:
                terms.keep_only(row["id"] for row in self._rows("sct2_Concept_Snapshot", progress))
            terms.add_definitions(
                (row["conceptId"], row["term"])
                for row in self._rows("sct2_TextDefinition_Snapshot", progress)
                if row["languageCode"] in self.languages
            )
            terms.add_parents(
                (row["sourceId"], row["destinationId"])
                for row in self._rows("sct2_Relationship_Snapshot", progress)
                if row["typeId"] == _IS_A
            )
            yield from terms.passages(self.name)

    def _names(self, progress: Progress) -> Iterator[tuple[str, int, str]]:
        for row in self._rows("sct2_Description_Snapshot", progress):
            if row["languageCode"] in self.languages:
                full = row["typeId"] == _FULLY_SPECIFIED
                yield row["conceptId"], not full, _TAG.sub("", row["term"]) if full else row["term"]

    def _rows(self, name: str, progress: Progress) -> Iterator[dict[str, str]]:
        columns = _COLUMNS[name].split()
        for path in self._files[name]:
            rows = read_rows(
                path, columns, separator="\t", header=True, skipped=self.skipped, progress=progress
            )
            yield from (row for row in rows if row["active"] == "1")
