"""``merl kb``: the knowledge base."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from merl.cli.console import note, out, print_json
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
def build(out_dir: Annotated[Path, typer.Option("--out", help="Folder of the index.")]) -> None:
    """Build the FAISS index of the shipped knowledge into a folder."""
    from merl.knowledge.index import KnowledgeIndex
    from merl.knowledge.index_folder import check_target

    check_target(out_dir)  # before a minute of embedding
    index = KnowledgeIndex.build()
    index.save(out_dir)
    note(f"{len(index.entries)} entries indexed in {out_dir}")
