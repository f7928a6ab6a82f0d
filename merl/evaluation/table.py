"""A result as tables for the terminal; every figure is read from the result."""

from __future__ import annotations

from rich import box
from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from merl.evaluation.result import ClassResult, Comparison, Result

_ALL, _MIN10 = "all classes", "classes with 10 positives or more"
DISCLAIMER = "For research. Not a medical device."


def render(result: Result) -> Group:
    """Lay out a result: what was measured, the prompt sets, each class, their differences, caveats."""
    parts: list[RenderableType] = [_headline(result), _sets(result), _classes(result)]
    if result.comparisons:
        parts.append(_comparisons(result.comparisons))
    if len(result.comparisons) == 1:  # more pairs are in the result, but would bury the reader
        parts.append(_class_differences(result.comparisons[0]))
    return Group(*parts, Text("\n".join(caveats(result))))


def print_result(result: Result, console: Console | None = None) -> None:
    """Print a result, to standard output unless another console is given."""
    (console or Console()).print(render(result))


def _headline(result: Result) -> Text:
    return Text(
        f"{result.task} ({result.dataset}, split {result.split}): {result.n_records} records of"
        f" {result.n_patients} patients{_only(result.leads)}; checkpoint {result.checkpoint.name}"
    )


def _only(leads: tuple[str, ...] | None) -> str:
    return f", seen in {', '.join(leads)} only" if leads else ""


def _sets(result: Result) -> Table:
    table = _table("Macro AUROC", left=["prompt set", "mean over"], right=["AUROC", "95 % interval"])
    for item in result.prompt_sets:
        table.add_row(escape(item.name), _ALL, _score(item.macro_auroc), _interval(item.interval))
        if item.macro_auroc_min10 is not None:
            table.add_row("", _MIN10, _score(item.macro_auroc_min10), _interval(item.interval_min10))
    return table


def _comparisons(pairs: list[Comparison]) -> Table:
    table = _table(
        "Difference in macro AUROC, paired by patient",
        left=["prompt sets", "mean over"],
        right=["difference", "95 % interval", "p"],
    )
    for pair in pairs:
        interval = _interval(pair.interval, signed=True)
        table.add_row(_pair(pair), _ALL, _difference(pair.difference), interval, _p(pair.p_value))
        if pair.difference_min10 is not None:
            interval = _interval(pair.interval_min10, signed=True)
            table.add_row("", _MIN10, _difference(pair.difference_min10), interval, _p(pair.p_value_min10))
    return table


def _classes(result: Result) -> Table:
    sets = [escape(item.name) for item in result.prompt_sets]
    table = _table("AUROC by class, with 95 % interval", left=["class", "name"], right=["positives", *sets])
    for code, first in result.prompt_sets[0].per_class.items():
        cells = [_cell(item.per_class[code]) for item in result.prompt_sets]
        mark = "*" if first.note else ""
        table.add_row(escape(code) + mark, escape(first.name), str(first.positives), *cells)
    return table


def _class_differences(pair: Comparison) -> Table:
    table = _table(
        f"Difference by class, {_pair(pair)}",
        left=["class"],
        right=["difference", "95 % interval", "p", "p by Holm"],
    )
    for code, gap in pair.per_class.items():
        interval = _interval(gap.interval, signed=True)
        table.add_row(escape(code), _difference(gap.difference), interval, _p(gap.p_value), _p(gap.p_holm))
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


def caveats(result: Result) -> list[str]:
    """Say what a reader must know before quoting a figure, a sentence each."""
    first = result.prompt_sets[0]
    noted: dict[str, list[str]] = {}
    for code, item in first.per_class.items():
        if item.note:
            noted.setdefault(item.note, []).append(code)
    lines = [f"* {', '.join(codes)}: {note}" for note, codes in noted.items()]
    skipped = [
        f"{code} in {item.skipped_resamples}"
        for code, item in first.per_class.items()
        if item.skipped_resamples and item.auroc is not None
    ]
    if skipped:
        lines.append(
            f"Left out of resamples that held none of their positives or negatives: {', '.join(skipped)}."
        )
    lines.append(
        f"Intervals: {result.bootstrap.resamples} bootstrap resamples of patients."
        " AUROC: 0.5 is chance, 1 is perfect; scores are cosines, not probabilities."
    )
    checkpoint = result.checkpoint
    if checkpoint.in_distribution:
        lines.append(
            f"In distribution: the model was pretrained on {checkpoint.training}, the data set it is scored"
            " on here; do not set these figures beside those of models that never saw it."
        )
    elif checkpoint.training is None:
        lines.append("The checkpoint does not say what it was trained on; it may have seen this data set.")
    if result.ensemble != "mean" or result.absent_weight:
        against = f", phrases against it with weight {result.absent_weight:g}" if result.absent_weight else ""
        lines.append(f"Not the default scoring: ensemble {result.ensemble}{against}.")
    if result.scoring_chosen_here:
        lines.append(
            "How phrases are combined by default was settled with labels of this split, for its four tasks"
            " together: figures of enriched prompts may be a little optimistic here."
        )
    if result.split == "train":
        lines.append("Split train: for developing only, not a figure to report.")
    return [*lines, DISCLAIMER]


def _cell(item: ClassResult) -> str:
    return "-" if item.auroc is None else f"{_score(item.auroc)} {_interval(item.interval)}"


def _score(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _difference(value: float | None) -> str:
    return "-" if value is None else f"{value:+.3f}"


def _interval(value: tuple[float, float] | None, *, signed: bool = False) -> str:
    if value is None:
        return "-"
    return "[" + ",".join(f"{end:+.3f}" if signed else f"{end:.3f}" for end in value) + "]"


def _p(value: float | None) -> str:
    if value is None:
        return "-"
    return "<0.001" if value < 0.001 else f"{value:.3f}"
