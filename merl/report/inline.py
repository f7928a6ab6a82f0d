"""Figures inside a page: small, in the page's own font, and in colours that follow light and dark."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup, escape
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_UNITS = 20  # an ECG's coordinates are whole twentieths of a millimetre
_MM_PER_POINT = 25.4 / 72
#: The squares of ECG paper, drawn once in a page; ``paper_pattern`` has to be in it.
_PATTERN = "ecg-paper"


def paper_pattern() -> Markup:
    """Return the squares of 1 and 5 mm that every ECG of a page is drawn on."""
    steps = [_UNITS * step for step in range(1, 5)]
    side = 5 * _UNITS
    fine = "".join(f"M{step} 0v{side}M0 {step}h{side}" for step in steps)
    return Markup(  # noqa: S704 - numbers only
        f'<svg class="defs" aria-hidden="true" width="0" height="0"><pattern id="{_PATTERN}"'
        f' width="{side}" height="{side}" patternUnits="userSpaceOnUse"><path class="fine" d="{fine}"/>'
        f'<path class="bold" d="M0 0v{side}M0 0h{side}"/></pattern></svg>'
    )


def ecg_svg(figure: Figure, label: str, name: str) -> Markup:
    """Turn a drawing of ``draw_ecg`` into an SVG element of a tenth of the size.

    Args:
        figure: as ``draw_ecg`` returns it: in millimetres.
        label: what a screen reader says of it.
        name: an id in the page, by which ``same_again`` draws it once more.

    Returns:
        The element; its true size is that of the figure, and it shrinks with the page.
    """
    axes = figure.axes[0]
    width, height = axes.get_xlim()[1], axes.get_ylim()[1]
    paper = axes.patches[0].get_path().get_extents()
    x, y, across, down = (
        round(value * _UNITS) for value in (paper.x0, height - paper.y1, paper.width, paper.height)
    )
    drawn = [np.asarray(line.get_xydata()) for line in axes.lines]
    curves = "".join(_curve(points, height) for points in drawn if len(points))
    texts = "".join(_text(item, height) for item in axes.texts)
    size = f'width="{width:g}mm" height="{height:g}mm" viewBox="0 0 {width * _UNITS:g} {height * _UNITS:g}"'
    return Markup(  # noqa: S704 - numbers, and texts that are escaped
        f'<svg class="ecg" role="img" aria-label="{escape(label)}" {size}>'
        f'<g id="{name}"><g transform="translate({x} {y})">'
        f'<rect class="paper" width="{across}" height="{down}"/>'
        f'<rect fill="url(#{_PATTERN})" width="{across}" height="{down}"/></g>'
        f'<path class="trace" d="{curves}"/>{texts}</g></svg>'
    )


def same_again(drawn: Markup) -> Markup:
    """Return an element that shows what ``ecg_svg`` drew elsewhere in the page."""
    opening, name = re.match(r'(<svg[^>]*>)<g id="([^"]*)">', drawn).groups()  # type: ignore[union-attr]
    return Markup(f'{opening}<use href="#{name}"/></svg>')  # noqa: S704


def _curve(points: NDArray[Any], height: float) -> str:
    """Write a curve in whole units, each point relative to the one before."""
    xy = np.round(np.column_stack([points[:, 0], height - points[:, 1]]) * _UNITS).astype(int)
    steps = np.diff(xy, axis=0)
    path = f"M{xy[0, 0]} {xy[0, 1]}l" + " ".join(f"{dx} {dy}" for dx, dy in steps.tolist())
    return path.replace(" -", "-")


def _text(item: Any, height: float) -> str:
    x, y = item.get_position()
    size = item.get_fontsize() * _MM_PER_POINT * _UNITS
    kind = "bold" if item.get_fontweight() == "bold" else "soft"
    return (
        f'<text class="{kind}" x="{x * _UNITS:.0f}" y="{(height - y) * _UNITS:.0f}"'
        f' font-size="{size:.0f}">{escape(item.get_text())}</text>'
    )


def themed(svg: str, colours: dict[str, str], label: str, name: str) -> Markup:
    """Fit a chart, as ``figure_svg`` writes it, into a page.

    Args:
        svg: the chart; the texts in it are escaped by matplotlib.
        colours: what the colours that the chart was drawn in mean: the names of the page's own.
        label: what a screen reader says of it.
        name: tells the ids of its parts from those of other charts.

    Returns:
        The element, without the names that matplotlib gives its parts, in the page's colours and font.
    """
    body = svg[svg.index(">") + 1 :]
    body = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", body, flags=re.S)
    used = set(re.findall(r'(?:href="|url\()#([\w-]+)', body))
    body = re.sub(
        r' id="([^"]*)"', lambda found: f' id="{name}-{found[1]}"' if found[1] in used else "", body
    )
    body = re.sub(r'(href="|url\()#', rf"\1#{name}-", body)
    body = re.sub(r"font: [^;\"]*?(\d+(?:\.\d+)?)px [^;\"]*", r"font-size: \1px", body)
    for colour, meaning in colours.items():
        body = body.replace(colour, f"var(--{meaning})")
    body = re.sub(r"\n\s*", "\n", body)
    (box,) = re.findall(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg[: svg.index(">")])
    width, height = (float(value) * 4 / 3 for value in box)  # points as pixels
    size = f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {box[0]} {box[1]}"'
    return Markup(  # noqa: S704
        f'<svg class="chart" role="img" aria-label="{escape(label)}" {size}>{body}'
    )
