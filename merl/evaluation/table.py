"""A result as tables for the terminal; every figure is read from the result."""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.console import Console, Group
from rich.markup import escape
from rich.table import Table

from merl.evaluation.caveats import caveats, headline
from merl.evaluation.result import Comparison, Estimate, Result

_ALL, _MIN10 = "all classes", "10 positives or more"
_INTERVAL = "95 % interval"


def render(result: Result) -> Group:
    """Lay out a result: what was measured, the prompt sets, each class, their differences, caveats."""
    tables = [_sets(result), _comparisons(result.comparisons), _aurocs(result), _precisions(result)]
    if len(result.comparisons) == 1:  # more pairs are in the result, but would bury the reader
        tables.append(_class_differences(result.comparisons[0]))
    tables += [_decisions(result), _probabilities(result)]
    return Group(headline(result), *(table for table in tables if table.rows), caveats(result))


def print_result(result: Result, console: Console | None = None) -> None:
    """Print a result, to standard output unless another console is given."""
    (console or Console()).print(render(result))


def _sets(result: Result) -> Table:
    table = _table(
        "Macro AUROC and average precision",
        left=["prompt set", "mean over"],
        right=["AUROC", _INTERVAL, "average precision", _INTERVAL],
    )
    for item in result.prompt_sets:
        every = item.macro_average_precision, item.average_precision_interval
        frequent = item.macro_average_precision_min10, item.average_precision_interval_min10
        table.add_row(escape(item.name), _ALL, *_apart(item.macro_auroc, item.interval), *_apart(*every))
        if item.macro_auroc_min10 is not None:
            table.add_row(
                "", _MIN10, *_apart(item.macro_auroc_min10, item.interval_min10), *_apart(*frequent)
            )
    return table


def _aurocs(result: Result) -> Table:
    sets = [escape(item.name) for item in result.prompt_sets]
    table = _table("AUROC by class, with 95 % interval", left=["class", "name"], right=["positives", *sets])
    for code, first in result.prompt_sets[0].per_class.items():
        found = [item.per_class[code] for item in result.prompt_sets]
        cells = [_cell(one.auroc, one.interval) for one in found]
        mark = "*" if first.note else ""
        table.add_row(escape(code) + mark, escape(first.name), str(first.positives), *cells)
    return table


def _precisions(result: Result) -> Table:
    judged = any(item.thresholded for item in result.prompt_sets)
    headings = [
        heading
        for item in result.prompt_sets
        for heading in (escape(item.name), *([f"F1, {escape(item.name)}"] if judged else []))
    ]
    title = "Average precision by class, with 95 % interval" + (", and F1 by threshold" if judged else "")
    table = _table(title, left=["class"], right=["by chance", *headings])
    for code, first in result.prompt_sets[0].per_class.items():
        cells = []
        for item in result.prompt_sets:
            found = item.per_class[code]
            cells.append(_cell(found.average_precision, found.average_precision_interval))
            if judged:
                decided = item.thresholded.per_class.get(code) if item.thresholded else None
                cells.append(_score(decided.f1 if decided else None))
        table.add_row(escape(code), _score(first.positives / result.n_records), *cells)
    return table


def _decisions(result: Result) -> Table:
    figures = ("accuracy", "precision", "recall", "f1")
    table = _table(
        "Decisions, means over classes, with 95 % interval",
        left=["prompt set", "by"],
        right=["accuracy", "precision", "recall", "F1"],
    )
    for item in result.prompt_sets:
        for way, made in (("nearest text", item.nearest), ("threshold", item.thresholded)):
            if made:
                values: list[Estimate] = [getattr(made, figure) for figure in figures]
                table.add_row(escape(item.name), way, *(_cell(one.value, one.interval) for one in values))
    return table


def _probabilities(result: Result) -> Table:
    table = _table(
        "Probabilities, means over classes",
        left=["prompt set"],
        right=["Brier score", "of the rate alone", "calibration error"],
    )
    for item in result.prompt_sets:
        if made := item.probabilities:
            figures = made.brier, made.brier_of_rate, made.calibration_error
            table.add_row(escape(item.name), *map(_score, figures))
    return table


def _comparisons(pairs: list[Comparison]) -> Table:
    table = _table(
        "Differences of the means, paired by patient",
        left=["prompt sets", "of", "mean over"],
        right=["difference", _INTERVAL, "p"],
    )
    for pair in pairs:
        of_figures = (("AUROC", pair), ("average precision", pair.average_precision))
        for number, (figure, gaps) in enumerate(of_figures):
            if gaps is None:
                continue
            every = _gap(gaps.difference, gaps.interval)
            table.add_row("" if number else _pair(pair), figure, _ALL, *every, _p(gaps.p_value))
            if gaps.difference_min10 is not None:
                frequent = _gap(gaps.difference_min10, gaps.interval_min10)
                table.add_row("", "", _MIN10, *frequent, _p(gaps.p_value_min10))
    return table


def _class_differences(pair: Comparison) -> Table:
    table = _table(
        f"Differences by class, {_pair(pair)}",
        left=["class"],
        right=["AUROC", _INTERVAL, "p", "p by Holm", "average precision", "p", "p by Holm"],
    )
    precision = pair.average_precision.per_class if pair.average_precision else {}
    for code, gap in pair.per_class.items():
        cells = [*_gap(gap.difference, gap.interval), _p(gap.p_value), _p(gap.p_holm)]
        if other := precision.get(code):
            cells += [_gap(other.difference, None)[0], _p(other.p_value), _p(other.p_holm)]
        table.add_row(escape(code), *cells)
    return table


def _table(title: str, *, left: list[str], right: list[str]) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for heading in left:
        table.add_column(heading, overflow="fold")
    for heading in right:
        table.add_column(heading, justify="right", overflow="fold")  # folded, never cut: no digit is lost
    return table


def _pair(pair: Comparison) -> str:
    return escape(f"{pair.b} - {pair.a}")


def _apart(value: float | None, interval: tuple[float, float] | None) -> Iterator[str]:
    yield _score(value)
    yield _interval(interval)


def _cell(value: float | None, interval: tuple[float, float] | None) -> str:
    return "-" if value is None else f"{_score(value)} {_interval(interval)}"


def _score(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _gap(value: float, interval: tuple[float, float] | None) -> tuple[str, str]:
    return f"{value:+.3f}", _interval(interval, signed=True)


def _interval(value: tuple[float, float] | None, *, signed: bool = False) -> str:
    if value is None:
        return "-"
    return "[" + ",".join(f"{end:+.3f}" if signed else f"{end:.3f}" for end in value) + "]"


def _p(value: float | None) -> str:
    if value is None:
        return "-"
    return "<0.001" if value < 0.001 else f"{value:.3f}"
