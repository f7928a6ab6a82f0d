"""``merl prompts show`` and ``merl prompts diff``: prompt sets for people to read."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from merl.cli.console import OwnIndex, load_index, note, out, print_json

if TYPE_CHECKING:
    from merl.ckepe.diffing import Change, ChangeKind, Difference
    from merl.ckepe.prompt_set import Phrase, PromptSet
    from merl.knowledge.entries import Source
    from merl.knowledge.index import KnowledgeIndex
    from merl.report.passages import CitedPassage

_SIGNS: dict[ChangeKind, str] = {
    "same": " ",
    "reworded": "~",
    "near": "?",
    "changed": "!",
    "removed": "-",
    "added": "+",
}


def show(
    file: Annotated[
        str, typer.Argument(help="A prompt file, or a shipped set such as ptbxl-rhythm/knowledge.")
    ],
    html: Annotated[
        Path | None,
        typer.Option(
            "--html", metavar="OUT", help="Write a page for a clinician to tick, comment and print."
        ),
    ] = None,
    index_dir: OwnIndex = None,
) -> None:
    """Show every phrase of a prompt set with what it rests on, what was rejected, and how it was reviewed."""
    from merl.ckepe.prompt_set import PromptSet, locate

    index = load_index(index_dir)
    if html is not None:
        _write_page(locate(file), html, index)
        return
    _print_set(PromptSet.find(file), index)


def _write_page(path: Path, html: Path, index: KnowledgeIndex | None) -> None:
    from merl.ckepe.prompt_set import PromptSet
    from merl.files import check_outputs, sha256, write_text
    from merl.report.prompt_page import prompt_page

    check_outputs(html, inputs=[path])
    page = prompt_page(PromptSet.load(path), file=path.name, sha256=sha256(path), index=index)
    write_text(html, page)
    note(f"{html} written; a review kept from it goes in with `merl prompts review FILE --sheet REVIEW.json`")


def _print_set(prompt_set: PromptSet, index: KnowledgeIndex | None) -> None:
    from rich.table import Table

    from merl.knowledge.citations import cite
    from merl.knowledge.entries import load_sources
    from merl.report.passages import cited_passages

    known = cite((key for item in prompt_set.classes.values() for key in item.cited), index)
    sources = load_sources()
    console = out()
    console.print(_made(prompt_set))
    for line in prompt_set.reviewed_by:
        console.print(f"reviewed by {line.by}, {line.date}")
    for code, item in prompt_set.classes.items():
        console.print()
        console.print(f"{code}: {item.name}", style="bold")
        table = Table("phrase", "role", "rests on", box=None, pad_edge=False)
        for phrase in item.prompts:
            rests_on = "\n".join(map(_rests_on, cited_passages(phrase, known, sources)))
            table.add_row(_said(phrase) + _marks(phrase), phrase.role, rests_on or "-")
        console.print(table)
        for reason, count in Counter(line.reason for line in item.rejected).items():
            console.print(f"  rejected {count}: {reason}")
    used = {item.passage.source for item in known.values()}
    _print_sources({key: source for key, source in sources.items() if key in used})


def _rests_on(item: CitedPassage) -> str:
    if item.cited is None:
        return f"{item.id} (no such passage)"
    passage = item.cited.passage
    other_words = f"\n{passage.text}" if item.says == "says" else ""
    unopened = ", not opened" if item.cited.source_checked is False else ""
    published = f"\nciting {passage.source}, {item.cited.place}{unopened}" if item.source else ""
    return f"{item.id}{other_words}{published}"


def diff(
    before: Annotated[str, typer.Argument(metavar="A", help="A prompt file or a shipped set.")],
    after: Annotated[str, typer.Argument(metavar="B", help="What it is compared with.")],
    near: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Pair what is left by meaning, from this cosine on."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compare what two prompt sets say, class by class; another wording of the same thing is no change."""
    from merl.ckepe.diffing import diff as compare
    from merl.ckepe.prompt_set import PromptSet
    from merl.knowledge.embedders import LazyMiniLM

    embed = LazyMiniLM().encode if near is not None else None
    difference = compare(PromptSet.find(before), PromptSet.find(after), near=near, embed=embed)
    if as_json:
        print_json(_as_data(difference))
        return
    for code in difference.removed_classes:
        print(f"class {code} is in {before} alone")
    for code in difference.added_classes:
        print(f"class {code} is in {after} alone")
    for code, (old, new) in difference.renamed.items():
        print(f"class {code} is called {old!r} in {before} and {new!r} in {after}")
    shown = ""
    for change in difference.changes:
        if change.kind != "same":
            if change.code != shown:
                print(f"{change.code}:")
                shown = change.code
            print(f"  {_SIGNS[change.kind]} {_line(change)}")
    counts = Counter(change.kind for change in difference.changes)
    note(", ".join(f"{counts[kind]} {kind}" for kind in _SIGNS if counts[kind]) or "no phrases in either")


def _made(prompt_set: PromptSet) -> str:
    by = prompt_set.generator
    facts = [f"{prompt_set.label_set}, {len(prompt_set.classes)} classes, {by.control or by.kind}"]
    facts += [f"language model {by.llm}"] if by.llm and by.llm != "none" else []
    facts += [f"template {by.template}"] if by.template else []
    facts += [f"seed {by.seed}"] if by.seed is not None else []
    facts += [f"verified: {by.verify}"] if by.verify else []
    facts += [f"made {by.created}"] if by.created else []
    return "; ".join(facts)


def _said(phrase: Phrase) -> str:
    against = "not: " if phrase.polarity == "absent" else ""
    unsure = "; verify says whether its sources hold" if phrase.sources else ""
    return against + phrase.text + (f"  (edited by hand{unsure})" if phrase.edited else "")


def _marks(phrase: Phrase) -> str:
    """What people think of a phrase, a line each."""
    lines = []
    for mark in phrase.reviews:
        agreed = "agrees" if phrase.stands(mark) else "agreed to an earlier wording"
        said = [agreed] * mark.agreed + [mark.comment] * bool(mark.comment)
        lines.append(f"\n  {mark.by}: {'; '.join(map(str, said))}")
    return "".join(lines)


def _print_sources(sources: dict[str, Source]) -> None:
    if sources:
        print("\nSources")
    for key, source in sources.items():
        doi = f", doi:{source.doi}" if source.doi else ""
        print(f"  {key}: {source.title} ({source.year}), {source.reference}{doi}")


def _line(change: Change) -> str:
    one, two = change.before, change.after
    if one is None or two is None:
        phrase = two or one
        assert phrase is not None  # noqa: S101
        return f"{_said(phrase)}  [{phrase.role}]"
    if change.kind == "changed":
        return f"{_said(two)}  [{one.role}, {one.polarity} -> {two.role}, {two.polarity}]"
    return f"{_said(one)} -> {_said(two)}"


def _as_data(difference: Difference) -> dict[str, object]:
    return {
        "removed_classes": list(difference.removed_classes),
        "added_classes": list(difference.added_classes),
        "renamed": {code: list(names) for code, names in difference.renamed.items()},
        "changes": [
            {
                "class": change.code,
                "kind": change.kind,
                "before": _phrase_data(change.before),
                "after": _phrase_data(change.after),
            }
            for change in difference.changes
        ],
    }


def _phrase_data(phrase: Phrase | None) -> dict[str, object] | None:
    return phrase.model_dump(mode="json") if phrase else None
