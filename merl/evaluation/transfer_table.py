"""A transfer's result as tables for the terminal; every figure is read from the result."""

from __future__ import annotations

from rich.console import Console, Group
from rich.markup import escape
from rich.text import Text

from merl.evaluation.caveats import DISCLAIMER
from merl.evaluation.figure_text import FigureTable
from merl.evaluation.method_tables import class_notes, classes_table, differences_table, figures_table, seen
from merl.evaluation.transfer_result import TransferResult


def print_transfer(result: TransferResult, console: Console | None = None) -> None:
    """Print a result, to standard output unless another console is given."""
    title = f"Macro AUROC over {len(result.methods[0].per_class)} of {result.target}'s classes"
    share = f"{result.fraction * 100:.3g} % of the source's labels"
    group = Group(
        _headline(result),
        _overlap(result),
        figures_table(title, [(share, result.methods)]),
        differences_table([(share, result.comparisons)]),
        classes_table("AUROC by class", result.methods),
        Text("\n".join([*class_notes(result.methods), *_notes(result)])),
    )
    (console or Console()).print(group)


def _headline(result: TransferResult) -> Text:
    drawn = " and ".join(f"{count}" for count in sorted(set(result.records)))
    return Text(
        f"{result.source} ({result.source_dataset}, {drawn} of {result.n_training} training records) ->"
        f" {result.target} ({result.dataset}, split {result.split}): {result.n_records} records of"
        f" {result.n_patients} patients; checkpoint {result.checkpoint.name}"
    )


def _overlap(result: TransferResult) -> FigureTable:
    made = FigureTable("Class overlap", left=[result.target, result.source, "reason"], right=[])
    for code, item in result.overlap.items():
        way = f" ({item.take})" if len(item.sources) > 1 else ""
        made.add_row(escape(code), escape(", ".join(item.sources) or "-") + way, escape(item.reason))
    return made


def _notes(result: TransferResult) -> list[str]:
    lost = ", ".join(result.left_out)
    return [
        *([f"Left out, for no label of the source teaches them: {lost}."] if lost else []),
        f"Labels: {result.labels_used}. Penalty chosen by {result.penalty_chosen_on}, nothing on the target.",
        f"Intervals: {result.bootstrap.resamples} bootstrap resamples of patients; 10 positives: over classes"
        " with at least so many.",
        seen(result.checkpoint),
        DISCLAIMER,
    ]
