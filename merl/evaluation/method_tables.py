"""Methods side by side as tables for the terminal; every figure is read from their results."""

from __future__ import annotations

from collections.abc import Sequence

from rich.markup import escape

from merl.evaluation.figure_text import INTERVAL, FigureTable, gap_text, interval_text, p_text, score_text
from merl.evaluation.methods import MethodResult
from merl.evaluation.result import Checkpoint, Comparison


def figures_table(title: str, groups: Sequence[tuple[str, Sequence[MethodResult]]]) -> FigureTable:
    """Lay out the macro AUROC of the methods of each group, below a line that names the group."""
    made = FigureTable(title, left=["method"], right=["AUROC", INTERVAL, "sd of draws", "10 positives"])
    for name, methods in groups:
        made.add_row(escape(name))
        for method in methods:
            spread = "" if method.deviation is None else f"{method.deviation:.3f}"
            figures = score_text(method.macro_auroc), interval_text(method.interval), spread
            made.add_row(f"  {escape(method.name)}", *figures, score_text(method.macro_auroc_min10))
        made.add_section()
    return made


def differences_table(groups: Sequence[tuple[str, Sequence[Comparison]]]) -> FigureTable:
    """Lay out the paired differences of the methods of each group."""
    made = FigureTable(
        "Difference in macro AUROC, paired by patient",
        left=["methods"],
        right=["difference", INTERVAL, "p"],
    )
    for name, pairs in groups:
        made.add_row(escape(name))
        for pair in pairs:
            gap = *gap_text(pair.difference, pair.interval), p_text(pair.p_value)
            made.add_row(escape(f"  {pair.b} - {pair.a}"), *gap)
        made.add_section()
    return made


def classes_table(title: str, methods: Sequence[MethodResult]) -> FigureTable:
    """Lay out the AUROC of each class under each method."""
    names = [escape(method.name) for method in methods]
    made = FigureTable(title, left=["class", "name"], right=["positives", *names])
    for code, first in methods[0].per_class.items():
        cells = [score_text(method.per_class[code].auroc) for method in methods]
        mark = "*" if first.note else ""
        made.add_row(escape(code) + mark, escape(first.name), str(first.positives), *cells)
    return made


def class_notes(methods: Sequence[MethodResult]) -> list[str]:
    """Return what a reader must know of some classes, the same notes together."""
    noted: dict[str, list[str]] = {}
    for code, item in methods[0].per_class.items():
        if item.note:
            noted.setdefault(item.note, []).append(code)
    return [f"* {', '.join(codes)}: {note}" for note, codes in noted.items()]


def seen(checkpoint: Checkpoint) -> str:
    """Say whether the encoder has seen the data set before, in its pretraining."""
    if checkpoint.in_distribution:
        return (
            f"In distribution: the encoder was pretrained on {checkpoint.training}, the data set it is scored"
            " on here; do not set these figures beside those of encoders that never saw it."
        )
    if checkpoint.training is None:
        return "The checkpoint does not say what it was trained on; it may have seen this data set."
    return f"Out of distribution: the encoder was pretrained on {checkpoint.training}."
