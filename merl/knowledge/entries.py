"""Knowledge entries: one YAML file a concept, every statement with its published source."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from merl.errors import KnowledgeError
from merl.files import content_dir, read_yaml, validate
from merl.records import STANDARD_LEADS

Lead = Literal[STANDARD_LEADS]  # type: ignore[valid-type]
Text = Annotated[str, Field(min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(_Strict):
    """A published source; ``checked`` is false while nobody has opened it to compare."""

    title: Text
    year: int
    kind: Literal["guideline", "statement", "article", "textbook", "standard", "dataset"]
    reference: Text  # authors, journal, volume, pages
    doi: str | None = None


class Statement(_Strict):
    """One sentence of knowledge, resting on a source at a place within it."""

    text: Text
    source: Text  # a key of sources.yaml
    locator: Text  # section or table
    leads: tuple[Lead, ...] = ()
    source_checked: bool = False  # true once someone opened the source and compared


class Distinction(Statement):
    """How to tell this concept from another one it is mistaken for."""

    id: Text


class Codes(_Strict):
    """Codes of the concept in published vocabularies."""

    scp: tuple[str, ...] = ()
    snomed: tuple[Annotated[str, BeforeValidator(str)], ...] = ()
    icd10: tuple[str, ...] = ()
    hpo: tuple[str, ...] = ()
    aha: tuple[Annotated[str, BeforeValidator(str)], ...] = ()
    minnesota: tuple[str, ...] = ()
    mitbih: tuple[str, ...] = ()


class Entry(_Strict):
    """What is known of one ECG concept."""

    id: Text
    name: Text
    synonyms: tuple[str, ...] = ()
    abbreviations: tuple[str, ...] = ()
    german: tuple[str, ...] = ()
    codes: Codes = Codes()
    is_a: tuple[str, ...] = ()
    definition: Statement
    findings: tuple[Statement, ...] = Field(min_length=1)
    absent: tuple[Statement, ...] = ()
    distinguish_from: tuple[Distinction, ...] = ()
    clinically_reviewed: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The name, the synonyms, the abbreviations and the German terms, in that order."""
        return (self.name, *self.synonyms, *self.abbreviations, *self.german)


def load_entries(folder: Path | None = None) -> dict[str, Entry]:
    """Read every entry of a knowledge folder, the shipped one by default, keyed by id in sorted order.

    Raises:
        KnowledgeError: a file breaks the schema, its name is not its id, or it links to what does not exist.
    """
    return _load(folder or content_dir("knowledge_base"))


@cache
def _load(folder: Path) -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    for path in sorted((folder / "entries").glob("*.yaml")):
        entry = validate(Entry, read_yaml(path, KnowledgeError), path, KnowledgeError)
        if entry.id != path.stem:
            raise KnowledgeError(f"{path}: the id is {entry.id!r}; name the file after it")
        entries[entry.id] = entry
    if not entries:
        raise KnowledgeError(f"no entries in {folder / 'entries'}; give a knowledge_base folder")
    sources = load_sources(folder)
    for entry in entries.values():
        links = (*entry.is_a, *(item.id for item in entry.distinguish_from))
        missing = [link for link in links if link not in entries]
        unsourced = {s.source for s in statements(entry)} - sources.keys()
        if missing or unsourced:
            raise KnowledgeError(
                f"entry {entry.id}: "
                + "; ".join(
                    [f"links to the unknown entry {link!r}" for link in missing]
                    + [f"cites {name!r}, which sources.yaml does not list" for name in sorted(unsourced)]
                )
            )
    return entries


def statements(entry: Entry) -> tuple[Statement, ...]:
    """Return every sourced statement of an entry."""
    return (entry.definition, *entry.findings, *entry.absent, *entry.distinguish_from)


def load_sources(folder: Path | None = None) -> dict[str, Source]:
    """Read ``sources.yaml`` of a knowledge folder, the shipped one by default.

    Raises:
        KnowledgeError: the file is missing or breaks the schema.
    """
    path = (folder or content_dir("knowledge_base")) / "sources.yaml"
    data = read_yaml(path, KnowledgeError)
    if not isinstance(data, dict):
        raise KnowledgeError(f"{path}: expected a mapping of source names")
    return {name: validate(Source, value, f"{path} {name}", KnowledgeError) for name, value in data.items()}
