"""A result as tables for the terminal; every figure is read from the result."""

from __future__ import annotations

from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from merl.evaluation.result import ClassResult, Comparison, Result

DISCLAIMER = "For research. Not a medical device."


def render(result: Result) -> Group:
    """Lay out a result: what was measured, the prompt sets, their differences, each class, caveats."""
    parts: list[RenderableType] = [_headline(result), _sets(result)]
    if result.comparisons:
        parts.append(_comparisons(result.comparisons))
    parts += [_classes(result), _notes(result)]
    return Group(*parts)


def print_result(result: Result, console: Console | None = None) -> None:
    """Print a result, to standard output unless another console is given."""
    (console or Console()).print(render(result))


def _headline(result: Result) -> Text:
    return Text(
        f"{result.task} ({result.dataset}, split {result.split}): {result.n_records} records of"
        f" {result.n_patients} patients; checkpoint {result.checkpoint.name}"
    )


def _sets(result: Result) -> Table:
    table = Table(title="Macro AUROC", title_justify="left")
    table.add_column("prompt set", overflow="fold")
    for heading in ("all classes", "95 % interval", "classes with 10 positives", "95 % interval"):
        table.add_column(heading, justify="right")
    for item in result.prompt_sets:
        table.add_row(
            escape(item.name),
            _score(item.macro_auroc),
            _interval(item.interval),
            _score(item.macro_auroc_min10),
            _interval(item.interval_min10),
        )
    return table


def _comparisons(pairs: list[Comparison]) -> Table:
    table = Table(title="Difference in macro AUROC, paired by patient", title_justify="left")
    table.add_column("prompt sets", overflow="fold")
    for heading in ("all classes", "95 % interval", "p", "classes with 10 positives", "95 % interval", "p"):
        table.add_column(heading, justify="right")
    for pair in pairs:
        table.add_row(
            escape(f"{pair.b} - {pair.a}"),
            _difference(pair.difference),
            _interval(pair.interval, signed=True),
            _p(pair.p_value),
            _difference(pair.difference_min10),
            _interval(pair.interval_min10, signed=True),
            _p(pair.p_value_min10),
        )
    return table


def _classes(result: Result) -> Table:
    table = Table(title="AUROC by class, with 95 % interval", title_justify="left")
    table.add_column("class")
    table.add_column("name", overflow="fold")
    table.add_column("positives", justify="right")
    for item in result.prompt_sets:
        table.add_column(escape(item.name), justify="right")
    pair = result.comparisons[0] if len(result.comparisons) == 1 else None
    if pair:
        table.add_column(escape(f"{pair.b} - {pair.a}"), justify="right")
        table.add_column("p (Holm)", justify="right")
    for code, first in result.prompt_sets[0].per_class.items():
        row = [escape(code) + ("*" if first.note else ""), escape(first.name), str(first.positives)]
        row += [_cell(item.per_class[code]) for item in result.prompt_sets]
        if pair:
            gap = pair.per_class.get(code)
            row += (
                [f"{_difference(gap.difference)} {_interval(gap.interval, signed=True)}", _p(gap.p_holm)]
                if gap
                else ["-", "-"]
            )
        table.add_row(*row)
    return table


def _notes(result: Result) -> Text:
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
    if result.split == "train":
        lines.append("Split train: for developing only, not a figure to report.")
    lines.append(DISCLAIMER)
    return Text("\n".join(lines))


def _cell(item: ClassResult) -> str:
    return "-" if item.auroc is None else f"{_score(item.auroc)} {_interval(item.interval)}"


def _score(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _difference(value: float | None) -> str:
    return "-" if value is None else f"{value:+.3f}"


def _interval(value: tuple[float, float] | None, *, signed: bool = False) -> str:
    if value is None:
        return "-"
    return " to ".join(f"{end:+.3f}" if signed else f"{end:.3f}" for end in value)


def _p(value: float | None) -> str:
    if value is None:
        return "-"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
