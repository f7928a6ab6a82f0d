"""``merl kb``: the knowledge base."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from merl.cli.console import note, out, print_json, progress, stoppable
from merl.errors import UsageError, unknown

if TYPE_CHECKING:
    from merl.knowledge.embedders import EmbedderSpec
    from merl.knowledge.index import Hit, KnowledgeIndex
    from merl.label_sets import LabelSet

app = typer.Typer(help="Search, build and check the ECG knowledge base.", no_args_is_help=True)

BaseURL = Annotated[
    str | None,
    typer.Option(
        "--base-url", help="Address of an embedding server, ending in /v1; OpenAI's own by default."
    ),
]


@app.command()
def search(
    query: Annotated[str, typer.Argument(help="A name, code or finding.")],
    *,
    k: Annotated[
        int | None,
        typer.Option("-k", min=1, help="How many entries; 5, or where some match exactly those alone."),
    ] = None,
    label_set: Annotated[
        str | None, typer.Option("--label-set", help="Take the query as a code of this label set.")
    ] = None,
    index_dir: Annotated[
        Path | None, typer.Option("--index", metavar="DIR", help="Search this index of `merl kb build`.")
    ] = None,
    embedder: Annotated[
        str | None, typer.Option(help="The index's embedder, where it is not found as it was built.")
    ] = None,
    base_url: BaseURL = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Find the entries that answer a query; exact codes and names come first, with every meaning."""
    from rich.table import Table

    from merl.label_sets import load_label_set

    if not query.strip():
        raise UsageError("the query is empty; give a class name, a code or a finding")
    index = _index(index_dir, embedder, base_url)
    meanings = _meanings(index, query, load_label_set(label_set) if label_set else None)
    if label_set:
        hits = meanings[:k]
    else:
        hits = meanings
        if not meanings or k is not None:  # fill up with the nearest
            nearest = [hit for hit in index.search(query, k=k or 5) if hit.id not in {m.id for m in meanings}]
            hits = [*meanings, *nearest][: k or 5]
    if as_json:
        print_json([asdict(hit) for hit in hits])
        return
    table = Table("id", "name", "matched by", "score", "passage", box=None, pad_edge=False)
    for hit in hits:
        table.add_row(hit.id, hit.name, hit.matched_by, f"{hit.score:.2f}", hit.text)
    out().print(table)


def _index(folder: Path | None, embedder: str | None, base_url: str | None) -> KnowledgeIndex:
    from merl.knowledge.index import KnowledgeIndex
    from merl.knowledge.index_folder import is_corpus

    if folder is None:
        if embedder or base_url:
            raise UsageError("--embedder and --base-url say how an index was embedded; name it with --index")
        return KnowledgeIndex.default()
    if embedder or base_url:
        from merl.knowledge.corpus import read_corpus_manifest
        from merl.knowledge.embedders import EmbedderSpec

        kept = read_corpus_manifest(folder).spec if is_corpus(folder) else None
        spec = kept or EmbedderSpec()
        spec = spec.model_copy(update={"model": embedder} if embedder else {})
        return KnowledgeIndex.load(folder, spec.load(base_url))
    return KnowledgeIndex.load(folder)


def _meanings(index: KnowledgeIndex, query: str, labels: LabelSet | None) -> list[Hit]:
    """Return every exact meaning; of a bare code also what the shipped label sets mean by it, said so."""
    from merl.label_sets import sets_with_code

    found = index.exact(query, labels)
    said = [hit.id for hit in found]
    if labels is None and found:
        for name, entry in sets_with_code(query.strip()):
            if entry not in {hit.id for hit in found} and entry in index.entries:
                found += [hit for hit in index.exact(entry) if hit.id == entry]
                said.append(f"{entry} in {name}")
    if len(said) > 1:
        note(f"{query!r} has {len(said)} meanings: {', '.join(said)}")
    return found


@app.command()
def show(entry_id: Annotated[str, typer.Argument(metavar="ID", help="An entry's id.")]) -> None:
    """Show one entry with the source of every statement."""
    from merl.knowledge.entries import load_entries, load_sources

    entries = load_entries()
    if entry_id not in entries:
        raise UsageError(unknown("entry", entry_id, entries) + "; find one with `merl kb search`")
    entry, sources = entries[entry_id], load_sources()
    lines = [f"{entry.id}: {entry.name}", f"also: {', '.join(entry.names[1:]) or '-'}"]
    groups = (("definition", (entry.definition,)), ("findings", entry.findings), ("against", entry.absent))
    for title, group in (*groups, ("distinguish from", entry.distinguish_from)):
        lines.append(f"\n{title}:")
        for item in group:
            source = sources[item.source]
            other = f"{item.id}: " if hasattr(item, "id") else ""
            lines.append(f"  - {other}{item.text}\n      {source.title} ({source.year}), {item.locator}")
    signed = "; ".join(f"{review.by}, {review.date}" for review in entry.reviews)
    lines.append(f"\nclinically reviewed: {signed or 'no'}")
    print("\n".join(lines))


@app.command()
@stoppable("the same command goes on at the first passages not yet embedded")
def build(
    *,
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
    embedder: Annotated[
        str, typer.Option(help="minilm, the folder of a Hugging Face encoder, or openai:MODEL of a server.")
    ] = "minilm",
    query_embedder: Annotated[
        str | None,
        typer.Option(help="Folder or server model that reads queries, of a pair such as MedCPT's."),
    ] = None,
    pooling: Annotated[
        Literal["mean", "cls", "pooler"], typer.Option(help="How a folder's token states become one vector.")
    ] = "mean",
    query_prefix: Annotated[str, typer.Option(help='Said before every query, such as "query: ".')] = "",
    passage_prefix: Annotated[str, typer.Option(help='Said before every passage, "passage: ".')] = "",
    precision: Annotated[
        Literal["float32", "bfloat16"],
        typer.Option(help="Of passages; bfloat16 is three times as fast where the processor has it."),
    ] = "float32",
    base_url: BaseURL = None,
) -> None:
    """Build the FAISS index of the shipped knowledge, or of expert sources, into a folder."""
    from merl.knowledge.embedders import EmbedderSpec
    from merl.knowledge.index import KnowledgeIndex
    from merl.knowledge.index_folder import check_target

    spec = EmbedderSpec(
        model=embedder,
        query_model=query_embedder,
        pooling=pooling,
        query_prefix=query_prefix,
        passage_prefix=passage_prefix,
        precision=precision,
    )
    if sources or shard or base_url or spec != EmbedderSpec():
        _build_sources(out_dir, sources or ["ecg"], shard, spec, base_url)
        return
    check_target(out_dir)  # before a minute of embedding
    index = KnowledgeIndex.build()
    index.save(out_dir)
    note(f"{len(index.entries)} entries indexed in {out_dir}")


@app.command()
@stoppable("nothing was written, and the same command begins anew")
def merge(
    shards: Annotated[list[Path], typer.Argument(metavar="DIR...", help="The folders of all shards.")],
    out_dir: Annotated[Path, typer.Option("--out", help="Folder of the index.")],
) -> None:
    """Join the shards of one build into the index that a single build would have made."""
    from merl.knowledge.building import merge as join

    with progress("merging") as report:
        manifest = join(shards, out_dir, report)
    note(f"{manifest.passages} passages of {len(shards)} shards indexed in {out_dir}")


def _build_sources(
    out_dir: Path, given: list[str], shard: str | None, spec: EmbedderSpec, base_url: str | None
) -> None:
    from merl.knowledge.building import build as build_sources
    from merl.knowledge.sources import parse_source

    found = re.fullmatch(r"(\d+)/(\d+)", shard or "1/1")
    if not found:
        raise UsageError(f"the shard {shard!r} is not of the form I/N; write 1/4 for the first of four")
    share = (int(found[1]), int(found[2])) if shard else None
    read = [parse_source(text) for text in given]
    with progress("building") as report:
        manifest = build_sources(read, out_dir, spec.load(base_url), spec=spec, shard=share, progress=report)
    for source in manifest.sources:
        note(f"{source.name}: {source.passages} passages; {source.attribution} ({source.licence})")
        for reason, count in source.skipped.items():
            note(f"{source.name}: {count} rows skipped ({reason})")
    what = f"shard {shard} with " if shard else ""
    note(f"{what}{manifest.passages} passages in {out_dir}")


@app.command()
def lint(
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="[DIR]", help="A knowledge_base folder; the shipped one by default."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check the knowledge base: schema, sources, links, contradictions, twins, cycles, units; 1 on faults."""
    from merl.knowledge.linting import lint as check

    count, faults = check(folder)
    if as_json:
        print_json([asdict(fault) for fault in faults])
    for fault in [] if as_json else faults:
        print(f"{fault.file}:{fault.line}: {fault.check}: {fault.message}")
    note(f"{count} entries, {len(faults)} faults")
    if faults:
        raise typer.Exit(1)


@app.command()
def coverage(
    label_sets: Annotated[
        list[str] | None, typer.Argument(help="Label sets or files; all shipped ones by default.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Count the classes of each label set that have an entry, and those whose entry gives numbers."""
    from rich.table import Table

    from merl.knowledge.coverage import coverage as count
    from merl.knowledge.index import KnowledgeIndex
    from merl.label_sets import load_label_set, shipped_label_sets

    names = label_sets or shipped_label_sets()
    rows = count(KnowledgeIndex.default(), map(load_label_set, names))
    if as_json:
        print_json([asdict(row) for row in rows])
        return
    table = Table("label set", "classes", "with entry", "with numbers", "missing", box=None, pad_edge=False)
    for row in rows:
        shown: list[Any] = [row.classes, row.with_entry, row.with_numbers, ", ".join(row.missing) or "-"]
        table.add_row(row.label_set, *map(str, shown))
    out().print(table)
