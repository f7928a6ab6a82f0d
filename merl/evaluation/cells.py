"""How the tables of results write their figures."""

from __future__ import annotations

from rich import box
from rich.table import Table


def table(title: str, *, left: list[str], right: list[str]) -> Table:
    """Begin a table with columns of words and columns of figures."""
    made = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for heading in left:
        made.add_column(heading, overflow="fold")
    for heading in right:
        made.add_column(heading, justify="right", overflow="fold")  # folded, never cut: no digit is lost
    return made


def score(value: float | None) -> str:
    """Write an AUROC."""
    return "-" if value is None else f"{value:.3f}"


def difference(value: float | None) -> str:
    """Write a difference with its sign."""
    return "-" if value is None else f"{value:+.3f}"


def interval(value: tuple[float, float] | None, *, signed: bool = False) -> str:
    """Write an interval."""
    if value is None:
        return "-"
    return "[" + ",".join(f"{end:+.3f}" if signed else f"{end:.3f}" for end in value) + "]"


def p_value(value: float | None) -> str:
    """Write a p value."""
    if value is None:
        return "-"
    return "<0.001" if value < 0.001 else f"{value:.3f}"
