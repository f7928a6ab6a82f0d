"""Check the gold set for retrieval: ids, kinds, counts, duplicates, and which queries match a name exactly.

    python benchmarks/retrieval/check_gold.py [FILE]

Prints the counts by kind. Exits 1 with one sentence a fault. A query that has become a synonym shows here,
as its ``exact: false`` no longer holds.
"""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from merl.errors import KnowledgeError
from merl.files import read_yaml
from merl.knowledge.entries import load_entries
from merl.knowledge.lookup import normalise

GOLD = Path(__file__).with_name("gold.yaml")
QUERIES, UNMATCHED, TRAPS, ENTRIES = 430, 260, 100, 180  # the least of each; exactly so many traps
Kind = Literal["label", "abbreviation", "misspelling", "lay", "german", "finding", "trap"]
Text = Annotated[str, Field(min_length=1)]


class GoldQuery(BaseModel):
    """A query, the entries that are right at rank 1 and, of a trap, the entries that are its opposite."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    query: Text
    entries: Annotated[list[Text], Field(min_length=1)]
    kind: Kind
    exact: bool
    opposites: Annotated[list[Text], Field(alias="not")] = []


def owners() -> dict[str, set[str]]:
    """Return the entries of every normalised name, synonym, abbreviation, German term, code and id."""
    found = defaultdict(set)
    for entry in load_entries().values():
        codes = [code for group in entry.codes.model_dump().values() for code in group]
        for term in (entry.id, *entry.names, *codes):
            found[normalise(term)].add(entry.id)
    return dict(found)


def faults(gold: list[GoldQuery]) -> list[str]:
    """Return one sentence for everything that is wrong with the gold set."""
    known, terms, found = load_entries().keys(), owners(), []
    first: dict[str, str] = {}
    for item in gold:
        query, normal = item.query, normalise(item.query)
        matched = terms.get(normal, set())
        unknown = [name for name in (*item.entries, *item.opposites) if name not in known]
        found += [f"{query!r} names the unknown entry {name!r}" for name in unknown]
        if normal in first:
            found.append(f"{query!r} repeats {first[normal]!r} after normalisation")
        if item.exact != bool(matched):
            whose = ", ".join(sorted(matched)) or "no entry"
            found.append(f"{query!r} says exact: {str(item.exact).lower()}, but it is a term of {whose}")
        if matched and matched.isdisjoint(item.entries):
            found.append(f"{query!r} is a term of {', '.join(sorted(matched))}, which its entries leave out")
        if (item.kind == "trap") != bool(item.opposites):
            found.append(f"{query!r} is of kind {item.kind}; a trap, and nothing else, has `not`")
        if not set(item.entries).isdisjoint(item.opposites):
            found.append(f"{query!r} has an entry that is also its opposite")
        first.setdefault(normal, query)
    return found + shortages(gold)


def shortages(gold: list[GoldQuery]) -> list[str]:
    """Return one sentence for every count that the gold set does not reach."""
    traps = sum(item.kind == "trap" for item in gold)
    counts = [
        (len(gold), QUERIES, "queries"),
        (sum(not item.exact for item in gold), UNMATCHED, "queries that match no term"),
        (len({entry for item in gold for entry in item.entries}), ENTRIES, "different entries"),
    ]
    found = [f"the set has {n} {what}, at least {least} are needed" for n, least, what in counts if n < least]
    return found if traps == TRAPS else [*found, f"the set has {traps} traps, {TRAPS} are needed"]


def main() -> None:
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else GOLD
    try:
        gold = TypeAdapter(list[GoldQuery]).validate_python(read_yaml(path, KnowledgeError))
        found = faults(gold)
    except ValidationError as error:
        found = [f"item {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
    except KnowledgeError as error:
        found = [str(error)]
    if found:
        sys.exit("\n".join(f"{path.name}: {fault}" for fault in found))
    for kind in get_args(Kind):
        exact = Counter(item.exact for item in gold if item.kind == kind)
        print(f"{kind:<13}{exact.total():>4}, of which {exact[False]:>3} match no term")
    unmatched = sum(not item.exact for item in gold)
    entries = len({entry for item in gold for entry in item.entries})
    print(f"{'all':<13}{len(gold):>4}, of which {unmatched:>3} match no term; {entries} different entries")


if __name__ == "__main__":
    main()
