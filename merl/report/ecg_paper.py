"""ECGs on paper as cardiologists read them: 25 mm/s, 10 mm/mV, 3 x 4 leads and a rhythm strip.

The drawing is in millimetres and comes out in true size, so that squares can be counted on screen and print.
matplotlib's Figure is used without pyplot: nothing is global, and no window is ever opened.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from merl.errors import UsageError
from merl.files import atomic_path
from merl.records import STANDARD_LEADS, ECGRecord

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from merl.evaluation.evidence import Waveform

MM_PER_SECOND = 25.0
MM_PER_MILLIVOLT = 10.0
SECONDS = 10.0  # of a page; what comes after is not drawn, and the foot of the page says so
_ROWS = tuple(STANDARD_LEADS[start::3] for start in range(3))  # I aVR V1 V4, II aVL V2 V5, III aVF V3 V6
_RHYTHM_LEAD = "II"
_MARGIN, _PULSE = 5.0, 10.0  # around the paper, and before the traces for the calibration pulse
_HEAD, _LINE, _FOOT = 4.0, 4.5, 7.0  # above the head's text, one of its lines, and the foot
_LABEL = 5.0  # above the traces of a row, for the leads' names
_LEAST, _MOST = 10.0, 40.0  # what a row reserves above and below its line
_CURVE = re.compile(rb' d="[^"]*"')
_FINE, _BOLD, _INK, _SOFT = "#f7dcdc", "#eab4b4", "#111111", "#555555"


@dataclass(frozen=True)
class _Trace:
    """One piece of a lead: where it stands and what is written above it."""

    label: str
    values: NDArray[np.float32]  # millivolts around the lead's median
    row: int
    start: float  # seconds from the left edge of the traces


def draw_kept(wave: Waveform, name: str) -> Figure:
    """Draw an ECG that a result keeps, with the rate and length that it was recorded with.

    Raises:
        DataError: it is damaged.
    """
    return draw_ecg(wave.record(name), recorded=(wave.recorded_rate or wave.sampling_rate, wave.seconds))


def draw_ecg(
    record: ECGRecord,
    *,
    heading: str = "",
    lines: Sequence[str] = (),
    foot: Sequence[str] = (),
    recorded: tuple[float, float] | None = None,
) -> Figure:
    """Draw up to ten seconds of a record on ECG paper.

    With four or more of the twelve standard leads the page shows them as 3 x 4 columns of 2.5 s, one after
    the other in time, over a rhythm strip of lead II; otherwise each lead has a strip of its own. Every lead
    is shifted so that its median lies on its line; nothing is filtered. Leads that were computed are marked.

    Args:
        record: what to draw.
        heading: the first line, in bold; the record's name if empty.
        lines: text below the heading, such as the highest classes.
        foot: sentences after the scale at the foot of the page.
        recorded: the rate in hertz and the seconds that it had before it was thinned and cut, if it was.

    Returns:
        The figure in true size, for ``save_figure``, ``figure_svg`` or matplotlib.
    """
    from matplotlib.figure import Figure

    traces = list(_standard_page(record) if _is_standard(record) else _strips(record))
    above, below = _reaches(traces)
    text = [heading or record.name, *lines]
    width = 2 * _MARGIN + _PULSE + SECONDS * MM_PER_SECOND
    top = _FOOT + float(np.sum(above) + np.sum(below))  # of the paper
    height = top + _HEAD + _LINE * len(text)
    figure = Figure(figsize=(width / 25.4, height / 25.4), facecolor="white")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(0, height))
    axes.axis("off")
    _draw_grid(axes, (_MARGIN, width - _MARGIN), (_FOOT, top))
    tops = top - np.cumsum([0, *above[:-1] + below[:-1]])  # of each row
    _draw_traces(axes, record.sampling_rate, traces, tops, tops - above)
    for number, line in enumerate(text):
        style = {"fontsize": 10, "fontweight": "bold"} if number == 0 else {"fontsize": 8}
        _write(axes, _MARGIN, height - _HEAD - _LINE * (number + 0.5), line, **style)
    _write(axes, _MARGIN, _FOOT / 2, "   ".join([_scale(record, recorded), *foot]), fontsize=7, color=_SOFT)
    return figure


def save_figure(figure: Figure, path: str | Path) -> None:
    """Write a figure as the PNG or SVG that the path's suffix names, atomically.

    Raises:
        UsageError: another suffix.
    """
    path = Path(path)
    check_suffix(path)
    with atomic_path(path) as part:
        part.write_bytes(_rendered(figure, path.suffix.lower()[1:]))


def check_suffix(path: str | Path) -> None:
    """Refuse a path that is no picture's.

    Raises:
        UsageError: its suffix is neither .png nor .svg.
    """
    if Path(path).suffix.lower() not in (".png", ".svg"):
        raise UsageError(f"{path} is neither .png nor .svg; ECGs are drawn as one of them")


def figure_svg(figure: Figure) -> str:
    """Return a figure as an SVG element for a page; the same figure gives the same text."""
    svg = _rendered(figure, "svg").decode("utf-8")
    return svg[svg.index("<svg") :]


def _rendered(figure: Figure, kind: str) -> bytes:
    from matplotlib import rc_context

    handle = BytesIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "merl", "path.simplify_threshold": 0.1}):
        figure.savefig(handle, format=kind, dpi=150, metadata={"Date": None} if kind == "svg" else None)
    written = handle.getvalue()
    return _CURVE.sub(_round, written) if kind == "svg" else written


def _round(curve: re.Match[bytes]) -> bytes:
    """Cut a curve's coordinates to hundredths of a point, which is less than the ink is wide."""
    return re.sub(rb"(\.\d\d)\d+", rb"\1", curve[0])


def _is_standard(record: ECGRecord) -> bool:
    return len(set(record.leads) & set(STANDARD_LEADS)) >= 4


def _standard_page(record: ECGRecord) -> Iterator[_Trace]:
    """The 3 x 4 columns and the rhythm strip; a lead that is not there is named as missing."""
    column = SECONDS / 4
    for row, leads in enumerate(_ROWS):
        for position, lead in enumerate(leads):
            yield _trace(record, lead, row, position * column, column)
    rhythm = (
        _RHYTHM_LEAD if _RHYTHM_LEAD in record.leads else next(x for x in STANDARD_LEADS if x in record.leads)
    )
    yield _trace(record, rhythm, len(_ROWS), 0, SECONDS)


def _strips(record: ECGRecord) -> Iterator[_Trace]:
    for row, lead in enumerate(record.leads):
        yield _trace(record, lead, row, 0, SECONDS)


def _trace(record: ECGRecord, lead: str, row: int, start: float, seconds: float) -> _Trace:
    if lead not in record.leads:
        return _Trace(f"{lead} not recorded", np.zeros(0, np.float32), row, start)
    whole = record.signal[record.leads.index(lead)]
    first, last = (round(moment * record.sampling_rate) for moment in (start, start + seconds))
    label = f"{lead} computed" if lead in record.derived else lead
    return _Trace(label, whole[first : last + 1] - np.median(whole), row, start)


def _reaches(traces: Sequence[_Trace]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Millimetres that each row reserves above and below its line, in whole squares of 5 mm."""
    reach = np.zeros((2, traces[-1].row + 1))
    for item in traces:
        high, low = item.values.max(initial=0.0), -item.values.min(initial=0.0)
        reach[:, item.row] = np.maximum(reach[:, item.row], [high, low])
    above, below = np.clip(5 * np.ceil(reach * MM_PER_MILLIVOLT / 5), _LEAST, _MOST)
    return above + _LABEL, below


def _draw_grid(axes: Axes, across: tuple[float, float], upward: tuple[float, float]) -> None:
    """Squares of 1 mm and, bolder, of 5 mm; each kind is one path, which keeps an SVG small."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path as Curve

    (left, right), (low, high) = across, upward
    for colour, width, step in ((_FINE, 0.3, 1.0), (_BOLD, 0.5, 5.0)):
        upright = [point for x in np.arange(left, right + 0.1, step) for point in ((x, low), (x, high))]
        level = [point for y in np.arange(low, high + 0.1, step) for point in ((left, y), (right, y))]
        points = upright + level
        curve = Curve(points, [Curve.MOVETO, Curve.LINETO] * (len(points) // 2))
        axes.add_artist(PathPatch(curve, fill=False, edgecolor=colour, linewidth=width))


def _draw_traces(
    axes: Axes,
    sampling_rate: float,
    traces: Sequence[_Trace],
    tops: NDArray[np.float64],
    baselines: NDArray[np.float64],
) -> None:
    for line in baselines:  # the calibration pulse: 1 mV for 0.2 s
        pulse = np.array([(0, 0), (1.5, 0), (1.5, 1), (6.5, 1), (6.5, 0), (8, 0)])
        axes.plot(_MARGIN + 1 + pulse[:, 0], line + pulse[:, 1] * MM_PER_MILLIVOLT, color=_INK, linewidth=0.7)
    for item in traces:
        x, line = _MARGIN + _PULSE + item.start * MM_PER_SECOND, baselines[item.row]
        along = x + np.arange(len(item.values)) / sampling_rate * MM_PER_SECOND
        axes.plot(along, line + item.values * MM_PER_MILLIVOLT, color=_INK, linewidth=0.7)
        if item.start:  # where one lead gives way to the next
            axes.plot([x, x], [line - 3, line + 3], color=_INK, linewidth=0.5)
        _write(axes, x + 1, tops[item.row] - _LABEL / 2, item.label, fontsize=7.5, fontweight="bold")


def _scale(record: ECGRecord, recorded: tuple[float, float] | None) -> str:
    rate, seconds = recorded or (record.sampling_rate, record.seconds)
    thinned = "" if rate == record.sampling_rate else f", drawn at {record.sampling_rate:g} Hz"
    length = f"{seconds:g} s" if seconds <= SECONDS else f"first {SECONDS:g} of {seconds:g} s"
    return f"{MM_PER_SECOND:g} mm/s   {MM_PER_MILLIVOLT:g} mm/mV   {rate:g} Hz{thinned}   {length}"


def _write(axes: Axes, x: float, y: float, text: str, **style: Any) -> None:
    """Write text as it is: a dollar sign in a name begins no formula."""
    axes.text(x, y, text, va="center", parse_math=False, **{"color": _INK, **style})
