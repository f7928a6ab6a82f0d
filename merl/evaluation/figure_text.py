"""Figures as text, and the tables they stand in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich import box
from rich.table import Table

Interval = tuple[float, float]
INTERVAL = "95 % interval"


def score_text(value: float | None) -> str:
    """Write a figure from 0 to 1."""
    return "-" if value is None else f"{value:.3f}"


def interval_text(value: Interval | None, *, signed: bool = False) -> str:
    """Write an interval, with signs if it is of a difference."""
    if value is None:
        return "-"
    return "[" + ",".join(f"{end:+.3f}" if signed else f"{end:.3f}" for end in value) + "]"


def cell_text(value: float | None, interval: Interval | None) -> str:
    """Write a figure with its interval."""
    return "-" if value is None else f"{score_text(value)} {interval_text(interval)}"


def apart(value: float | None, interval: Interval | None) -> Iterator[str]:
    """Write a figure and its interval for two columns."""
    yield score_text(value)
    yield interval_text(interval)


def gap_text(value: float, interval: Interval | None) -> tuple[str, str]:
    """Write a difference and its interval."""
    return f"{value:+.3f}", interval_text(interval, signed=True)


def p_text(value: float | None) -> str:
    """Write a p value; below 0.001 it is only said to be so."""
    if value is None:
        return "-"
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def plain_table(title: str, *, left: Sequence[str], right: Sequence[str]) -> Table:
    """Begin a table with columns of words, then of figures, which fold and are never cut."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for heading in left:
        table.add_column(heading, overflow="fold")
    for heading in right:
        table.add_column(heading, justify="right", overflow="fold")
    return table
