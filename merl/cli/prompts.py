"""``merl prompts``: make and read prompt sets."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from merl.cli.console import note, print_json, progress

app = typer.Typer(help="Generate and read prompt sets.", no_args_is_help=True)


class Verify(StrEnum):
    """How strictly phrases are checked against the knowledge."""

    strict = "strict"
    lenient = "lenient"
    off = "off"


@app.command()
def generate(
    labels: Annotated[
        str,
        typer.Argument(
            help="A task, a YAML or CSV file of code and name, or a text file with one name a line."
        ),
    ],
    *,
    out_file: Annotated[Path, typer.Option("--out", help="The prompt file to write.")],
    llm: Annotated[
        str,
        typer.Option(help="none (the knowledge alone), openai:MODEL, or any provider:model of langchain."),
    ] = "none",
    base_url: Annotated[
        str | None, typer.Option(help="An OpenAI-compatible server, for openai:MODEL.")
    ] = None,
    k: Annotated[int, typer.Option("-k", min=1, help="Passages of each kind that the model is shown.")] = 8,
    verify: Annotated[Verify, typer.Option(help="How strictly phrases are checked.")] = Verify.strict,
    concurrency: Annotated[int, typer.Option(min=1, help="Classes asked for at once.")] = 4,
) -> None:
    """Write knowledge-enhanced prompts for a label set, and keep what was rejected with the reason."""
    from merl.ckepe.generator import generate_prompts
    from merl.files import check_writable

    check_writable(out_file)  # before a language model is paid
    with progress("generating prompts") as report:
        prompt_set = generate_prompts(
            labels,
            llm=llm,
            base_url=base_url,
            k=k,
            verify=verify.value,
            concurrency=concurrency,
            progress=lambda code, done, total: report(done, total, f"generating prompts: {code}"),
        )
    prompt_set.save(out_file)
    kept = sum(len(item.prompts) for item in prompt_set.classes.values())
    rejected = sum(len(item.rejected) for item in prompt_set.classes.values())
    note(
        f"{len(prompt_set.classes)} classes: {kept} phrases kept, {rejected} rejected, written to {out_file}"
    )
    bare = [code for code, item in prompt_set.classes.items() if all(not p.sources for p in item.prompts)]
    if bare:
        note(f"no knowledge found for {', '.join(bare)}: only the name is used there")


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(help="A prompt file, imported or hand-written.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    out_file: Annotated[
        Path | None, typer.Option("--out", help="Write the set with citations, unsupported phrases rejected.")
    ] = None,
) -> None:
    """Say of every phrase whether the knowledge supports it, and which passages; exit 0 whatever it finds."""
    from merl.ckepe.grounding import ground, grounded
    from merl.ckepe.prompt_set import PromptSet
    from merl.files import check_writable

    if out_file:
        check_writable(out_file)
    prompt_set = PromptSet.load(file)
    with progress("verifying prompts") as report:
        judgements = ground(
            prompt_set, progress=lambda code, done, total: report(done, total, f"verifying prompts: {code}")
        )
    if out_file:
        grounded(prompt_set, judgements).save(out_file)
    if as_json:
        print_json(
            [
                {
                    "class": item.code,
                    "text": item.phrase.text,
                    "supported": item.supported,
                    "reason": item.reason,
                    "sources": list(item.phrase.sources),
                }
                for item in judgements
            ]
        )
        return
    for item in judgements:
        finding = ", ".join(item.phrase.sources) if item.supported else item.reason
        print(f"{'ok ' if item.supported else 'NO '} {item.code}: {item.phrase.text}  [{finding}]")
    supported = sum(item.supported for item in judgements)
    note(f"{supported} of {len(judgements)} phrases are supported by the knowledge")
