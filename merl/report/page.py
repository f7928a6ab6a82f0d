"""The report: one self-contained page of a result, for a screen, a phone and paper."""

from __future__ import annotations

from pathlib import Path

from merl.evaluation.caveats import caveats
from merl.evaluation.result import Result
from merl.files import write_text
from merl.report.sections import Section, Summary, read_sections, summarise
from merl.report.self_contained import Calls, part, policy
from merl.report.self_contained import render as render_template
from merl.report.verdict import p, signed


def save_report(result: Result, path: str | Path) -> None:
    """Write the report of a result as one HTML file, atomically."""
    write_text(path, render(result))


def render(result: Result) -> str:
    """Return the report of a result as one HTML page that asks no other host for anything.

    Args:
        result: with evidence it shows phrases, scores and ECGs too; without, the figures alone.

    Raises:
        DataError: an ECG in the result is damaged.
    """
    from merl.report.inline import paper_pattern

    style, script = part("base.css", "report.css"), part("report.js")
    summary: Summary = summarise(result)
    sections: list[Section] = read_sections(result, summary)
    return render_template(
        "report.html",
        style=style,
        script=script,
        policy=policy(style, script, style_attributes=True),
        filters=_FILTERS,
        result=result,
        summary=summary,
        sections=sections,
        pattern=paper_pattern(),
        caveats=str(caveats(result)).splitlines(),
    )


def _interval(value: tuple[float, float] | None, sign: bool = False) -> str:
    if value is None:
        return ""
    low, high = (signed(end) if sign else f"{end:.3f}" for end in value)
    return f"{low} to {high}"


_FILTERS: Calls = {
    "score": lambda value: "\N{EN DASH}" if value is None else f"{value:.3f}",
    "signed": lambda value: "\N{EN DASH}" if value is None else signed(value),
    "interval": _interval,
    "p": p,
    "percent": lambda value: f"{100 * value:.2f}%",
}
