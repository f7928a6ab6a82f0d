"""``merl kb``: the knowledge base."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from merl.cli.console import note, out, print_json, progress
from merl.errors import UsageError, unknown

app = typer.Typer(help="Search and build the ECG knowledge base.", no_args_is_help=True)


@app.command()
def search(
    query: Annotated[str, typer.Argument(help="A name, code or finding.")],
    k: Annotated[
        int | None,
        typer.Option("-k", min=1, help="How many entries; 5, or where some match exactly those alone."),
    ] = None,
    label_set: Annotated[
        str | None, typer.Option("--label-set", help="Take the query as a code of this label set.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Find the entries that answer a query; exact codes and names come first, with every meaning."""
    from rich.table import Table

    from merl.knowledge.index import KnowledgeIndex
    from merl.label_sets import load_label_set

    if not query.strip():
        raise UsageError("the query is empty; give a class name, a code or a finding")
    index = KnowledgeIndex.default()
    meanings = index.exact(query, load_label_set(label_set) if label_set else None)
    if len(meanings) > 1:
        note(f"{query!r} has {len(meanings)} meanings: {', '.join(hit.id for hit in meanings)}")
    if label_set:
        hits = meanings[:k]
    else:
        hits = meanings if meanings and k is None else index.search(query, k=k or 5)
    if as_json:
        print_json([asdict(hit) for hit in hits])
        return
    table = Table("id", "name", "matched by", "score", "passage", box=None, pad_edge=False)
    for hit in hits:
        table.add_row(hit.id, hit.name, hit.matched_by, f"{hit.score:.2f}", hit.text)
    out().print(table)


@app.command()
def show(entry_id: Annotated[str, typer.Argument(metavar="ID", help="An entry's id.")]) -> None:
    """Show one entry with the source of every statement."""
    from merl.knowledge.entries import load_entries, load_sources

    entries = load_entries()
    if entry_id not in entries:
        raise UsageError(unknown("entry", entry_id, entries, "merl kb search"))
    entry, sources = entries[entry_id], load_sources()
    lines = [f"{entry.id}: {entry.name}", f"also: {', '.join(entry.names[1:]) or '-'}"]
    groups = (("definition", (entry.definition,)), ("findings", entry.findings), ("against", entry.absent))
    for title, group in (*groups, ("distinguish from", entry.distinguish_from)):
        lines.append(f"\n{title}:")
        for item in group:
            source = sources[item.source]
            other = f"{item.id}: " if hasattr(item, "id") else ""
            lines.append(f"  - {other}{item.text}\n      {source.title} ({source.year}), {item.locator}")
    lines.append(f"\nclinically reviewed: {'yes' if entry.clinically_reviewed else 'no'}")
    print("\n".join(lines))


@app.command()
def build(
    out_dir: Annotated[Path, typer.Option("--out", help="Folder of the index.")],
    sources: Annotated[
        list[str] | None,
        typer.Option(
            "--source",
            metavar="NAME[:PATH]",
            help="ecg, hpo, icd10cm, mondo, scp:FILE, umls:DIR, snomed:DIR, jsonl:FILE or md:DIR.",
        ),
    ] = None,
    shard: Annotated[str | None, typer.Option(metavar="I/N", help="Build the I-th of N shares only.")] = None,
) -> None:
    """Build the FAISS index of the shipped knowledge, or of expert sources, into a folder."""
    from merl.knowledge.index import KnowledgeIndex
    from merl.knowledge.index_folder import check_target

    if sources or shard:
        _build_sources(out_dir, sources or ["ecg"], shard)
        return
    check_target(out_dir)  # before a minute of embedding
    index = KnowledgeIndex.build()
    index.save(out_dir)
    note(f"{len(index.entries)} entries indexed in {out_dir}")


@app.command()
def merge(
    shards: Annotated[list[Path], typer.Argument(metavar="DIR...", help="The folders of all shards.")],
    out_dir: Annotated[Path, typer.Option("--out", help="Folder of the index.")],
) -> None:
    """Join the shards of one build into the index that a single build would have made."""
    from merl.knowledge.building import merge as join

    with progress("merging") as report:
        manifest = join(shards, out_dir, report)
    note(f"{manifest.passages} passages of {len(shards)} shards indexed in {out_dir}")


def _build_sources(out_dir: Path, given: list[str], shard: str | None) -> None:
    from merl.knowledge.building import build as build_sources
    from merl.knowledge.sources import parse_source

    found = re.fullmatch(r"(\d+)/(\d+)", shard or "1/1")
    if not found:
        raise UsageError(f"the shard {shard!r} is not of the form I/N; write 1/4 for the first of four")
    share = (int(found[1]), int(found[2])) if shard else None
    with progress("building") as report:
        manifest = build_sources(
            [parse_source(text) for text in given], out_dir, shard=share, progress=report
        )
    for source in manifest.sources:
        note(f"{source.name}: {source.passages} passages; {source.attribution} ({source.licence})")
        for reason, count in source.skipped.items():
            note(f"{source.name}: {count} rows skipped ({reason})")
    what = f"shard {shard} with " if shard else ""
    note(f"{what}{manifest.passages} passages in {out_dir}")
