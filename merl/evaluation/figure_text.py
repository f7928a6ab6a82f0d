"""Figures as text, and the tables they stand in."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence

from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table

Interval = tuple[float, float]
_FORMULA = frozenset("=+-@\t\r")  # what a spreadsheet takes for the beginning of one
INTERVAL = "95 % interval"


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """Write rows as CSV; text that spreadsheets would run as a formula begins with an apostrophe."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([_inert(cell) for cell in row] for row in rows)
    return text.getvalue()


def _inert(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in _FORMULA else cell


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


class FigureTable:
    """A table of columns of words, then of figures, for any width.

    It folds between words, and within an interval before it breaks a number or a name; nothing is cut.

    Attributes:
        rows: cells as rich markup.
    """

    def __init__(self, title: str, *, left: Sequence[str], right: Sequence[str]) -> None:
        self._title, self._headings, self._words = title, [*left, *right], len(left)
        self._sections: set[int] = set()
        self.rows: list[tuple[str, ...]] = []

    def add_row(self, *cells: str) -> None:
        """Add a row; columns that it does not reach stay empty."""
        self.rows.append(cells + ("",) * (len(self._headings) - len(cells)))

    def add_section(self) -> None:
        """Set the rows that follow apart."""
        self._sections.add(len(self.rows) - 1)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        lines = [tuple(self._headings), *self.rows]
        room = options.max_width - 3 * len(self._headings) - 1  # padding and the spaces between columns
        widths = _widths(lines, room)
        if widths is None:
            lines = [tuple(re.sub(r",(?=[-+\d])", ", ", cell) for cell in line) for line in lines]
            widths = _widths(lines, room) or [None] * len(self._headings)
        table = Table(title=self._title, title_justify="left", box=box.SIMPLE_HEAD)
        for i, (heading, width) in enumerate(zip(lines[0], widths, strict=True)):
            table.add_column(
                heading, justify="left" if i < self._words else "right", overflow="fold", width=width
            )
        for i, line in enumerate(lines[1:]):
            table.add_row(*line, end_section=i in self._sections)
        yield table


def _widths(lines: Sequence[Sequence[str]], room: int) -> list[int | None] | None:
    """Share out the room so that no word breaks, or return ``None`` where there is too little."""
    columns = list(zip(*lines, strict=True))
    least = [max(len(word) for cell in column for word in [*cell.split(), ""]) for column in columns]
    if sum(least) > room:
        return None
    widths = [max(map(len, column)) for column in columns]
    while sum(widths) > room:  # the column that folds best gives a place
        slack = [width - needed for width, needed in zip(widths, least, strict=True)]
        widths[slack.index(max(slack))] -= 1
    return list(widths)
