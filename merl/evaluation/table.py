"""A result as tables for the terminal; every figure is read from the result."""

from __future__ import annotations

from rich.console import Console, Group
from rich.markup import escape

from merl.evaluation.arms import as_matrix
from merl.evaluation.caveats import caveats, headline
from merl.evaluation.figure_text import INTERVAL, FigureTable, apart, cell_text, gap_text, p_text, score_text
from merl.evaluation.matrix_table import controls
from merl.evaluation.result import Comparison, Estimate, Result

_ALL, _MIN10 = "all classes", "10 positives or more"


def render(result: Result) -> Group:
    """Lay out a result: what was measured, the prompt sets, each class, differences, controls, caveats."""
    shown = _without_controls(result)
    tables = [_sets(shown), _comparisons(shown.comparisons), _aurocs(shown), _precisions(shown)]
    if len(shown.comparisons) == 1:  # more pairs are in the result, but would bury the reader
        tables.append(_class_differences(shown.comparisons[0]))
    tables += [_decisions(shown), _probabilities(shown), *controls(as_matrix(result))]
    return Group(headline(result), *(table for table in tables if table.rows), caveats(result))


def print_result(result: Result, console: Console | None = None) -> None:
    """Print a result, to standard output unless another console is given."""
    (console or Console()).print(render(result))


def _without_controls(result: Result) -> Result:
    given = [item for item in result.prompt_sets if item.control is None]
    names = {item.name for item in given}
    pairs = [pair for pair in result.comparisons if {pair.a, pair.b} <= names]
    return result.model_copy(update={"prompt_sets": given, "comparisons": pairs})


def _sets(result: Result) -> FigureTable:
    table = FigureTable(
        "Macro AUROC and average precision",
        left=["prompt set", "mean over"],
        right=["AUROC", INTERVAL, "average precision", INTERVAL],
    )
    for item in result.prompt_sets:
        every = item.macro_average_precision, item.average_precision_interval
        frequent = item.macro_average_precision_min10, item.average_precision_interval_min10
        table.add_row(escape(item.name), _ALL, *apart(item.macro_auroc, item.interval), *apart(*every))
        if item.macro_auroc_min10 is not None:
            table.add_row("", _MIN10, *apart(item.macro_auroc_min10, item.interval_min10), *apart(*frequent))
    return table


def _aurocs(result: Result) -> FigureTable:
    sets = [escape(item.name) for item in result.prompt_sets]
    table = FigureTable(
        "AUROC by class, with 95 % interval", left=["class", "name"], right=["positives", *sets]
    )
    for code, first in result.prompt_sets[0].per_class.items():
        found = [item.per_class[code] for item in result.prompt_sets]
        cells = [cell_text(one.auroc, one.interval) for one in found]
        mark = "*" if first.note else ""
        table.add_row(escape(code) + mark, escape(first.name), str(first.positives), *cells)
    return table


def _precisions(result: Result) -> FigureTable:
    judged = any(item.thresholded for item in result.prompt_sets)
    headings = [
        heading
        for item in result.prompt_sets
        for heading in (escape(item.name), *([f"F1, {escape(item.name)}"] if judged else []))
    ]
    title = "Average precision by class, with 95 % interval" + (", and F1 by threshold" if judged else "")
    table = FigureTable(title, left=["class"], right=["by chance", *headings])
    for code, first in result.prompt_sets[0].per_class.items():
        cells = []
        for item in result.prompt_sets:
            found = item.per_class[code]
            cells.append(cell_text(found.average_precision, found.average_precision_interval))
            if judged:
                decided = item.thresholded.per_class.get(code) if item.thresholded else None
                cells.append(score_text(decided.f1 if decided else None))
        table.add_row(escape(code), score_text(first.positives / result.n_records), *cells)
    return table


def _decisions(result: Result) -> FigureTable:
    figures = ("accuracy", "precision", "recall", "f1")
    table = FigureTable(
        "Decisions, means over classes, with 95 % interval",
        left=["prompt set", "by"],
        right=["accuracy", "precision", "recall", "F1"],
    )
    for item in result.prompt_sets:
        for way, made in (("nearest text", item.nearest), ("threshold", item.thresholded)):
            if made:
                values: list[Estimate] = [getattr(made, figure) for figure in figures]
                table.add_row(escape(item.name), way, *(cell_text(one.value, one.interval) for one in values))
    return table


def _probabilities(result: Result) -> FigureTable:
    table = FigureTable(
        "Probabilities, means over classes",
        left=["prompt set"],
        right=["Brier score", "of the rate alone", "calibration error"],
    )
    for item in result.prompt_sets:
        if made := item.probabilities:
            figures = made.brier, made.brier_of_rate, made.calibration_error
            table.add_row(escape(item.name), *map(score_text, figures))
    return table


def _comparisons(pairs: list[Comparison]) -> FigureTable:
    table = FigureTable(
        "Differences of the means, paired by patient",
        left=["prompt sets", "of", "mean over"],
        right=["difference", INTERVAL, "p"],
    )
    for pair in pairs:
        of_figures = (("AUROC", pair), ("average precision", pair.average_precision))
        for number, (figure, gaps) in enumerate(of_figures):
            if gaps is None:
                continue
            every = gap_text(gaps.difference, gaps.interval)
            table.add_row("" if number else _pair(pair), figure, _ALL, *every, p_text(gaps.p_value))
            if gaps.difference_min10 is not None:
                frequent = gap_text(gaps.difference_min10, gaps.interval_min10)
                table.add_row("", "", _MIN10, *frequent, p_text(gaps.p_value_min10))
    return table


def _class_differences(pair: Comparison) -> FigureTable:
    table = FigureTable(
        f"Differences by class, {_pair(pair)}",
        left=["class"],
        right=["AUROC", INTERVAL, "p", "p by Holm", "average precision", "p", "p by Holm"],
    )
    precision = pair.average_precision.per_class if pair.average_precision else {}
    for code, gap in pair.per_class.items():
        cells = [*gap_text(gap.difference, gap.interval), p_text(gap.p_value), p_text(gap.p_holm)]
        if other := precision.get(code):
            cells += [gap_text(other.difference, None)[0], p_text(other.p_value), p_text(other.p_holm)]
        table.add_row(escape(code), *cells)
    return table


def _pair(pair: Comparison) -> str:
    return escape(f"{pair.b} - {pair.a}")
