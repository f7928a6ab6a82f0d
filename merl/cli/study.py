"""``merl study``: a grid of pretrainings under one protocol, as one table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from merl.cli.console import note, out, print_json, progress, stoppable


@stoppable("the same command goes on where it was; finished cells are kept")
def study(
    file: Annotated[str, typer.Argument(help="A YAML file or a shipped study.")],
    *,
    data: Annotated[Path, typer.Option(help="The folder that holds the data sets.")],
    folder: Annotated[
        Path | None,
        typer.Option(
            "--out", help="Where cells are kept; studies/ if not given. A second call goes on there."
        ),
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    markdown: Annotated[Path | None, typer.Option(help="Also write the table as Markdown.")] = None,
    plan: Annotated[bool, typer.Option("--plan", help="List the cells and stop.")] = False,
) -> None:
    """Pretrain and score every cell of a study; one that was stopped goes on when called again."""
    from merl.files import check_outputs, write_text
    from merl.studies.config import load_study

    config = load_study(file)
    if plan:
        for cell in config.cells:
            epochs = config.pretraining_of(cell).total_epochs
            words = (cell.encoder, cell.text, f"share {cell.share:g}", cell.start, cell.texts)
            out().print(f"{', '.join(words)}: {epochs} epochs")
        return
    check_outputs(markdown, inputs=[file])

    from merl.pretraining.memory import keep_freed_memory
    from merl.studies.run import run_study
    from merl.studies.table import markdown as as_markdown
    from merl.studies.table import notes, table

    keep_freed_memory()
    place = folder or Path("studies")
    with progress(config.name) as report:
        result = run_study(config, data, place, progress=report)
    if markdown is not None:
        write_text(markdown, as_markdown(result))
    if json_:
        print_json(result.model_dump(mode="json", by_alias=True))
        return
    print_table(*table(result))
    for line in notes(result):
        out().print(line)
    note(f"{place / config.name}.json holds every class and interval")


def print_table(headings: list[str], lines: list[list[str]]) -> None:
    """Print rows under headings, folding what is too wide."""
    from rich import box
    from rich.table import Table

    shown = Table(box=box.SIMPLE_HEAD)
    for heading in headings:
        shown.add_column(heading, overflow="fold")
    for line in lines:
        shown.add_row(*line)
    out().print(shown)
