"""The report's charts: differences by class, and how the scores of a class are spread.

A chart is drawn in the colours of a palette. In a page they become the page's own, which follow light and
dark; in a file they stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from merl.evaluation.metrics import MIN_POSITIVES
from merl.report.verdict import LEVEL

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from merl.evaluation.evidence import Histogram
    from merl.evaluation.result import ClassDifference, Comparison

#: The colours of charts by meaning: ``a`` and ``b`` the two prompt sets compared, ``c`` to ``f`` others.
PALETTE: Mapping[str, str] = MappingProxyType(
    {
        "ink": "#1f2328",
        "soft": "#59636e",
        "line": "#d1d9e0",
        "a": "#b35a00",
        "b": "#0b62a8",
        "c": "#6b5b95",
        "d": "#1a7354",
        "e": "#a3296e",
        "f": "#616100",
        "page": "#fffffe",
    }
)
_INCH = 72.0
_ROW, _HEAD, _FOOT = 15.0, 26.0, 30.0  # points of the forest plot
_WIDE, _NARROW = 360.0, 255.0  # points of its width


@dataclass(frozen=True)
class ForestRow:
    """A class in a forest plot; ``faint`` where too few positives bear it."""

    label: str
    gap: ClassDifference
    faint: bool


def forest(pair: Comparison, positives: Mapping[str, int], *, narrow: bool = False) -> Figure:
    """Draw the differences of a comparison class by class, the largest on top, and those of the means.

    Filled points are beyond chance by Holm. The axis spans the intervals of classes with 10 positives or
    more, if there are any; an interval that goes on beyond it ends in an arrow.

    Args:
        pair: the comparison.
        positives: of each class.
        narrow: for a phone: codes alone.
    """
    from matplotlib.figure import Figure

    codes = sorted(pair.per_class, key=lambda code: -pair.per_class[code].difference)
    rows = [ForestRow(code, pair.per_class[code], positives[code] < MIN_POSITIVES) for code in codes]
    means = _means(pair)
    width, left = (_NARROW, 98) if narrow else (_WIDE, 118)
    height = _HEAD + _FOOT + _ROW * (len(rows) + len(means) + 0.5)
    figure = Figure(figsize=(width / _INCH, height / _INCH), facecolor="none")
    axes = figure.add_axes((left / width, _FOOT / height, 0.98 - left / width, 1 - (_HEAD + _FOOT) / height))
    scale = [row.gap.interval for row in rows if not row.faint] or [row.gap.interval for row in rows]
    limit = 1.08 * max(0.01, *(abs(end) for ends in (*scale, *means.values()) for end in ends))
    axes.set(xlim=(-limit, limit), ylim=(len(rows) + len(means), -0.7))
    for number, row in enumerate(rows):
        _interval(axes, number, row, limit)
    places = [len(rows) + 0.5 + number for number in range(len(means))]
    for y, (low, value, high) in zip(places, means.values(), strict=True):
        axes.fill([low, value, high, value], [y, y - 0.32, y, y + 0.32], color=PALETTE["ink"], linewidth=0)
    labels = [f"{_cut(row.label)}{'*' if row.faint else ''}" for row in rows]
    axes.set_yticks([*range(len(rows)), *places], [*labels, *means], parse_math=False, fontsize=8.5)
    _frame(axes, "difference in AUROC")
    axes.axvline(0, color=PALETTE["soft"], linewidth=0.8, zorder=1)
    axes.axhline(len(rows) - 0.25, color=PALETTE["line"], linewidth=0.8)
    left_said = f"\N{LEFTWARDS ARROW} {_cut(pair.a)} better"
    right_said = f"{_cut(pair.b)} better \N{RIGHTWARDS ARROW}"
    for x, text, side, colour in ((-0.03, left_said, "right", "a"), (0.03, right_said, "left", "b")):
        axes.text(x * limit, -1.0, text, ha=side, fontsize=8, color=PALETTE[colour], parse_math=False)
    return figure


def spread(histogram: Histogram, colour: str, *, threshold: float | None = None) -> Figure:
    """Draw the scores of a class's positives, in colour, over those of its negatives, as shares of each."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(225 / _INCH, 92 / _INCH), facecolor="none")
    axes = figure.add_axes((0.02, 0.3, 0.96, 0.66))
    edges = np.linspace(histogram.low, histogram.high, len(histogram.positives) + 1)
    for counts, shade, alpha in ((histogram.negatives, "soft", 0.25), (histogram.positives, colour, 0.35)):
        shares = np.array(counts) / max(1, sum(counts))
        axes.stairs(shares, edges, fill=True, color=PALETTE[shade], alpha=alpha, linewidth=0)
        axes.stairs(shares, edges, color=PALETTE[shade], linewidth=1.0)
    if threshold is not None:
        axes.axvline(threshold, color=PALETTE["ink"], linewidth=0.8, linestyle=(0, (3, 2)))
    axes.set(xlim=(edges[0], edges[-1]), ylim=(0, None), yticks=[])
    _frame(axes, "score")
    return figure


def _means(pair: Comparison) -> dict[str, tuple[float, float, float]]:
    """The mean differences with the ends of their intervals, from low to high, by what they are called."""
    means = {"mean of all": (pair.interval[0], pair.difference, pair.interval[1])}
    if pair.difference_min10 is not None and pair.interval_min10 is not None:
        low, high = pair.interval_min10
        means[f"mean, {MIN_POSITIVES}+ positives"] = (low, pair.difference_min10, high)
    return means


def _interval(axes: Axes, y: float, row: ForestRow, limit: float) -> None:
    gap, sure = row.gap, row.gap.p_holm < LEVEL
    colour = PALETTE[("b" if gap.difference > 0 else "a") if sure else "soft"]
    low, high = (float(np.clip(end, -limit, limit)) for end in gap.interval)
    style: dict[str, Any] = {"color": colour, "alpha": 0.55 if row.faint else 1.0}
    axes.plot([low, high], [y, y], linewidth=1.6 if sure else 1.1, solid_capstyle="butt", **style)
    for end, mark in ((low, 4), (high, 5)):  # matplotlib's carets to the left and right
        if abs(end) == limit:
            axes.plot([end * 0.99], [y], marker=mark, markersize=4, **style)
    if abs(gap.difference) <= limit:
        style |= {"markersize": 5, "markerfacecolor": colour if sure else PALETTE["page"]}
        axes.plot([gap.difference], [y], marker="o", markeredgewidth=1.2, **style)


def _frame(axes: Axes, label: str) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.patch.set_alpha(0)
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(PALETTE["line"])
    axes.tick_params(axis="x", color=PALETTE["line"], labelcolor=PALETTE["soft"], labelsize=7.5, length=3)
    axes.tick_params(axis="y", length=0, labelcolor=PALETTE["ink"], pad=4)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_formatter(
        FuncFormatter(lambda value, _: f"{value:g}".replace("-", "\N{MINUS SIGN}"))
    )
    axes.set_xlabel(label, fontsize=7.5, color=PALETTE["soft"], labelpad=3)


def _cut(name: str) -> str:
    return name if len(name) <= 18 else f"{name[:17]}\N{HORIZONTAL ELLIPSIS}"
