"""``merl prompts``: make and read prompt sets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from merl.cli.console import OwnIndex, load_index, note, print_json, progress

app = typer.Typer(help="Generate and read prompt sets.", no_args_is_help=True)


@app.command()
def verify(
    file: Annotated[str, typer.Argument(help="A prompt file, imported or hand-written, or a shipped set.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    index_dir: OwnIndex = None,
    out_file: Annotated[
        Path | None, typer.Option("--out", help="Write the set with citations, unsupported phrases rejected.")
    ] = None,
) -> None:
    """Say of every phrase whether the knowledge supports it, and which passages; exit 0 whatever it finds."""
    from merl.ckepe.grounding import ground, grounded
    from merl.ckepe.prompt_set import PromptSet
    from merl.files import check_outputs

    check_outputs(out_file, inputs=[file])
    prompt_set = PromptSet.find(file)
    index = load_index(index_dir)
    with progress("verifying prompts") as report:
        judgements = ground(
            prompt_set,
            index=index,
            progress=lambda code, done, total: report(done, total, f"verifying prompts: {code}"),
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
