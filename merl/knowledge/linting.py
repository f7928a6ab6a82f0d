"""What is wrong with a knowledge base: every fault with its file and line, all of them at once."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from merl.errors import KnowledgeError, unknown, wrong_use
from merl.files import content_dir, faults_of, read_yaml, yaml_line
from merl.knowledge.entries import Entry, Source, Statement, load_ambiguous, load_sources, statements_at
from merl.knowledge.leads import mark_leads, without_leads
from merl.knowledge.lookup import normalise
from merl.knowledge.quantities import take_quantities
from merl.knowledge.wording import read_wording

Place = tuple[Any, ...]
FINDINGS = 3
#: Vocabularies in which a code means one concept; ICD-10 and Minnesota group several under one.
_PRECISE = ("scp", "snomed", "hpo", "aha", "mitbih")
_EXTRA_LEADS = re.compile(r"\bv\d{1,2}r?\b")  # V7 to V9 and the right chest: leads, though not of the twelve
_NAMED = re.compile(r"\b[a-z]+\d[a-z0-9]*\b|\b(?:type|grade|mobitz|age|aged) \d+|\b(?:men|women)\s+below \d+")
_RATIO = re.compile(
    r"\d+\s*:\s*\d+|\b(?:ratio|r/s)(?: in [a-z0-9]+)? (?:of )?(?:above |below )?\d+(?:\.\d+)?(?::\d+)?"
)
_COUNTED = re.compile(
    r"\d+ (?:points|beats|leads|complexes|intervals|waves|years|hours|days)\b"
    r"|\b(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twice|thrice)\b"
)


@dataclass(frozen=True)
class Fault:
    """Something wrong with a knowledge base.

    Attributes:
        file: relative to the knowledge base.
        line: counted from 1.
        check: which check found it.
        message: one sentence: what was found, and what is allowed or to be done.
    """

    file: str
    line: int
    check: str
    message: str


def lint(folder: Path | None = None) -> tuple[int, list[Fault]]:
    """Check every entry of a knowledge folder, the shipped one by default.

    Returns:
        How many entry files there are, and the faults by file and line.

    Raises:
        KnowledgeError: the folder has no entries, or its lists of sources or ambiguous names are broken.
    """
    folder = folder or content_dir("knowledge_base")
    paths = sorted((folder / "entries").glob("*.yaml"))
    if not paths:
        if not folder.is_dir():
            raise wrong_use(KnowledgeError(f"there is no folder {folder}"))
        raise KnowledgeError(f"no entries in {folder / 'entries'}; give a knowledge_base folder")
    sources, ambiguous = load_sources(folder), load_ambiguous(folder)
    faults: list[Fault] = []
    files: dict[str, _File] = {}
    for path in paths:
        data, found = _read(folder, path)
        faults += found
        if not found:
            entry = Entry.model_validate(data)
            files[entry.id] = _File(folder, path, entry)
    known = {path.stem for path in paths}  # a link to an entry that is broken itself is no second fault
    for file in files.values():
        faults += [*file.statements(sources), *file.links(known), *file.contradictions()]
    faults += _cycles(files)
    faults += _twins(files, ambiguous)
    faults += _uncited(folder, files, sources) if len(files) == len(paths) else []
    return len(paths), sorted(faults, key=lambda fault: (fault.file, fault.line, fault.check))


def _read(folder: Path, path: Path) -> tuple[Any, list[Fault]]:
    name = str(path.relative_to(folder))
    try:
        data = read_yaml(path, KnowledgeError)
    except KnowledgeError as problem:
        line = re.search(r" line (\d+)", str(problem))
        message = str(problem).removeprefix(str(path)).removeprefix(line[0] if line else "").lstrip(": ")
        return None, [Fault(name, int(line[1]) if line else 1, "yaml", message)]
    faults = [
        Fault(name, yaml_line(path, place), "schema", sentence) for place, sentence in faults_of(Entry, data)
    ]
    if not faults and data["id"] != path.stem:
        message = f"the id is {data['id']!r}; the file must be called {data['id']}.yaml"
        faults.append(Fault(name, yaml_line(path, ["id"]), "schema", message))
    return data, faults


@dataclass(frozen=True)
class _File:
    """An entry that keeps the schema, and where it stands."""

    folder: Path
    path: Path
    entry: Entry

    @cached_property
    def _name(self) -> str:
        return str(self.path.relative_to(self.folder))

    def fault(self, place: Place, check: str, message: str) -> Fault:
        return Fault(self._name, yaml_line(self.path, place), check, message)

    def statements(self, sources: Mapping[str, Source]) -> Iterator[Fault]:
        """Check sources, units and how much there is."""
        for place, statement in statements_at(self.entry):
            if statement.source not in sources:
                message = unknown("source", statement.source, sources)
                yield self.fault((*place, "source"), "source", f"{message}; add it to sources.yaml")
            for number in bare_numbers(statement.text):
                message = (
                    f"{number!r} has no unit in {statement.text!r}; write ms, mV, mm, /min, degrees or %"
                )
                yield self.fault(place, "unit", message)
        if len(self.entry.findings) < FINDINGS:
            message = f"{len(self.entry.findings)} findings; an entry needs at least {FINDINGS}"
            yield self.fault(("findings",), "findings", message)

    def links(self, known: set[str]) -> Iterator[Fault]:
        """Check that what it links to exists."""
        links: list[tuple[Place, str]] = [(("is_a", n), link) for n, link in enumerate(self.entry.is_a)]
        others = enumerate(self.entry.distinguish_from)
        links += [(("distinguish_from", n, "id"), item.id) for n, item in others]
        for place, link in links:
            if link not in known:
                yield self.fault(place, "link", unknown("entry", link, known))
            elif link == self.entry.id:
                yield self.fault(place, "link", f"{link} links to itself; name another entry")

    def contradictions(self) -> Iterator[Fault]:
        """Check that nothing is said for and against the entry, or twice."""
        first: dict[Any, tuple[str, str]] = {}
        for kind, group in (("findings", self.entry.findings), ("absent", self.entry.absent)):
            for number, statement in enumerate(group):
                other, text = first.setdefault(_meaning(statement), (kind, statement.text))
                if text is statement.text:
                    continue
                said = "again" if other == kind else "for and against the entry"
                message = f"{statement.text!r} says {said} what {text!r} does; keep one of them"
                yield self.fault((kind, number), "contradiction", message)


def _meaning(statement: Statement) -> Any:
    """Return what two statements share that say the same, whatever the order of their words."""
    wording = read_wording(statement.text)
    if not wording.words or re.search(
        r"\bthen\b", statement.text
    ):  # "first up, then down" is a matter of order
        return statement.text.casefold()
    numbers = frozenset((q.value, q.unit, q.comparison, q.subject) for q in wording.quantities)
    return wording.words, wording.leads, numbers, wording.order, wording.compared


def bare_numbers(text: str) -> list[str]:
    """Return the numbers of a text that need a unit and have none; ratios, counts, ages and names need none.

    >>> bare_numbers("PR interval above 200 with a heart rate below 60/min and R/S ratio above 1 in V1")
    ['above 200']
    """
    text = _NAMED.sub(" ", _EXTRA_LEADS.sub(" ", without_leads(mark_leads(text.lower()))))
    quantities, _ = take_quantities(_COUNTED.sub(" ", _RATIO.sub(" ", text)))
    return [quantity.text for quantity in quantities if quantity.unit is None]


def _cycles(files: Mapping[str, _File]) -> Iterator[Fault]:
    done: set[str] = set()

    def walk(key: str, way: Sequence[str]) -> Iterator[Fault]:
        for number, parent in enumerate(files[key].entry.is_a):
            if parent in (*way, key):
                ring = [*way, key][[*way, key].index(parent) :]
                message = f"{' is a '.join([*ring, parent])}: a cycle; take one of these links out"
                yield files[key].fault(("is_a", number), "cycle", message)
            elif parent in files and parent not in done:
                yield from walk(parent, [*way, key])
        done.add(key)

    for key in files:
        if key not in done:
            yield from walk(key, [])


def _twins(files: Mapping[str, _File], ambiguous: Mapping[str, set[str]]) -> Iterator[Fault]:
    """Find names and codes of two entries; a name may be shared where it is declared ambiguous."""
    owners: dict[tuple[str, str], dict[str, tuple[Place, str]]] = defaultdict(dict)
    for key, file in files.items():
        entry = file.entry
        named: list[tuple[Place, str]] = [(("name",), entry.name)]
        for kind in ("synonyms", "abbreviations", "german"):
            named += [((kind, n), text) for n, text in enumerate(getattr(entry, kind))]
        for place, text in named:
            owners["name", normalise(text)].setdefault(key, (place, text))
        for vocabulary in _PRECISE:
            for n, code in enumerate(getattr(entry.codes, vocabulary)):
                owners[f"{vocabulary} code", code].setdefault(key, (("codes", vocabulary, n), code))
    for (kind, term), found in owners.items():
        if len(found) == 1 or (kind == "name" and ambiguous.get(term) == set(found)):
            continue
        (first, *others) = sorted(found)
        for key in others:
            place, text = found[key]
            hint = "; take it out of one, or declare it in ambiguous.yaml" if kind == "name" else ""
            yield files[key].fault(place, "twin", f"the {kind} {text!r} is one of {first} too{hint}")
    for term, keys in ambiguous.items():
        if set(owners.get(("name", term), {})) != keys:
            has = ", ".join(sorted(owners.get(("name", term), {}))) or "no entry"
            message = (
                f"{term!r} is declared ambiguous between {', '.join(sorted(keys))} but is a name of {has}"
            )
            yield Fault("ambiguous.yaml", 1, "twin", message)


def _uncited(folder: Path, files: Mapping[str, _File], sources: Mapping[str, Source]) -> Iterator[Fault]:
    cited = {item.source for file in files.values() for _, item in statements_at(file.entry)}
    for name in sorted(set(sources) - cited):
        line = yaml_line(folder / "sources.yaml", [name])
        yield Fault("sources.yaml", line, "source", f"no entry cites {name!r}; take it out")
