"""Knowledge entries: one YAML file a concept, every statement with its published source."""

from __future__ import annotations

import datetime
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from merl.errors import KnowledgeError
from merl.files import content_dir, faults_of, read_yaml, validate, yaml_line
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


class Review(_Strict):
    """The signature of a clinician under an entry as it stands."""

    by: Text  # name and office, "A. Example, cardiologist"
    date: datetime.date


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
    reviews: tuple[Review, ...] = ()

    @model_validator(mode="after")
    def _signed(self) -> Self:
        if self.clinically_reviewed != bool(self.reviews):
            raise ValueError(
                "clinically_reviewed: true goes together with a signature,"
                " reviews: [{by: who, date: 2026-01-31}]"
            )
        return self

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
        entry = _read(path)
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


def _read(path: Path) -> Entry:
    data = read_yaml(path, KnowledgeError)
    if faults := faults_of(Entry, data):
        said = [f"line {yaml_line(path, place)}: {sentence}" for place, sentence in faults]
        raise KnowledgeError(f"{path} " + "; ".join(said))
    return Entry.model_validate(data)


def statements(entry: Entry) -> tuple[Statement, ...]:
    """Return every sourced statement of an entry."""
    return tuple(statement for _, statement in statements_at(entry))


def statements_at(entry: Entry) -> list[tuple[tuple[Any, ...], Statement]]:
    """Return every sourced statement of an entry with the keys that lead to it."""
    found: list[tuple[tuple[Any, ...], Statement]] = [(("definition",), entry.definition)]
    for kind in ("findings", "absent", "distinguish_from"):
        found += [((kind, number), item) for number, item in enumerate(getattr(entry, kind))]
    return found


def load_ambiguous(folder: Path | None = None) -> dict[str, set[str]]:
    """Read which names mean several entries, from ``ambiguous.yaml`` of a knowledge folder if it has one.

    Returns:
        The ids each name stands for, by the name as ``merl.knowledge.lookup.normalise`` writes it.

    Raises:
        KnowledgeError: the file is no mapping of names to lists of ids.
    """
    from merl.knowledge.lookup import normalise

    path = (folder or content_dir("knowledge_base")) / "ambiguous.yaml"
    data = read_yaml(path, KnowledgeError) if path.is_file() else {}
    if not isinstance(data, dict) or not all(isinstance(ids, list) for ids in data.values()):
        raise KnowledgeError(
            f"{path}: expected names with a list of entry ids each, as in `LAH: [LAFB, RAE]`"
        )
    found: dict[str, set[str]] = defaultdict(set)
    for name, ids in data.items():
        found[normalise(str(name))] |= set(map(str, ids))
    return dict(found)


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
