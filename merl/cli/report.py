"""``merl report``: a result as a page to send to a colleague, and as figures and tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from merl.cli.console import note

if TYPE_CHECKING:
    from merl.evaluation.result import Result

Figures = Annotated[
    Path | None, typer.Option(help="Write the figures as SVG and the tables as CSV into this folder.")
]


#: What ``--figures`` writes beside the figures.
TABLES = ("classes.csv", "decisions.csv", "differences.csv", "phrases.csv", "prompt_sets.csv")


def report(
    result: Annotated[Path, typer.Argument(metavar="RESULT.json", help="What merl evaluate --json wrote.")],
    *,
    out_file: Annotated[Path, typer.Option("--out", help="The HTML file to write.")],
    figures: Figures = None,
) -> None:
    """Make a report of a result: one HTML file that needs nothing else, also on a phone and on paper."""
    from merl.evaluation.result import Result
    from merl.files import check_outputs

    check_outputs(out_file, *([figures / name for name in TABLES] if figures else []), inputs=[result])
    write_report(Result.load(result), out_file, figures)


def write_report(result: Result, page: Path | None, figures: Path | None) -> None:
    """Write what was asked for and say where it is."""
    from merl.report.exports import export
    from merl.report.page import save_report

    if page:
        save_report(result, page)
        note(f"report written to {page}")
    if figures:
        written = export(result, figures)
        note(f"{len(written)} figures and tables written into {figures}")
