"""``merl prompts show`` and ``merl prompts diff``: prompt sets for people to read."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from merl.cli.console import note, out, print_json

if TYPE_CHECKING:
    from merl.ckepe.diffing import Change, ChangeKind, Difference
    from merl.ckepe.prompt_set import Phrase, PromptSet

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
) -> None:
    """Show every phrase of a prompt set with what it rests on, and what was rejected."""
    from rich.table import Table

    from merl.ckepe.prompt_set import PromptSet

    prompt_set = PromptSet.find(file)
    cited = _published()
    console = out()
    console.print(_made(prompt_set))
    keys: dict[str, None] = {}
    for code, item in prompt_set.classes.items():
        console.print()
        console.print(f"{code}: {item.name}", style="bold")
        table = Table("phrase", "role", "rests on", "published in", box=None)
        for phrase in item.prompts:
            sources = [cited[source] for source in phrase.sources if cited.get(source)]
            keys |= dict.fromkeys(source.split(",")[0] for source in sources)
            unknown = [f"{source} (no such passage)" for source in phrase.sources if source not in cited]
            known = [source for source in phrase.sources if source in cited]
            rests = ", ".join(known + unknown) or "-"
            table.add_row(_said(phrase), phrase.role, rests, "; ".join(sources) or "-")
        console.print(table)
        for reason, count in Counter(line.reason for line in item.rejected).items():
            console.print(f"  rejected {count}: {reason}")
    _print_sources(list(keys))


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
    edited = "  (edited by hand; its sources are unchecked since)" if phrase.edited and phrase.sources else ""
    edited = edited or ("  (edited by hand)" if phrase.edited else "")
    return against + phrase.text + edited


def _published() -> dict[str, str]:
    """Source and place of every passage of the shipped knowledge, empty for names, by the passage's id."""
    from merl.knowledge.citations import citations

    return {
        key: f"{found.passage.source}, {found.place}" if found.place else ""
        for key, found in citations().items()
    }


def _print_sources(keys: list[str]) -> None:
    from merl.knowledge.entries import load_sources

    if not keys:
        return
    sources = load_sources()
    print("\nSources")
    for key in sorted(keys):
        source = sources[key]
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
