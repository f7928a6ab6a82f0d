"""A result's figures as SVG and its tables as CSV, for papers and spreadsheets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING

from merl.evaluation.figure_text import csv_text
from merl.evaluation.result import Comparison, Estimate, Result
from merl.files import write_text
from merl.report.charts import forest, spread
from merl.report.ecg_paper import draw_kept, save_figure
from merl.report.standings import set_rows
from merl.report.verdict import judge, turned

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Drawn = tuple[str, str, "Figure"]  # subfolder, name and figure


def export(result: Result, folder: str | Path) -> list[Path]:
    """Write a result's tables and figures into a folder, each file atomically.

    Returns:
        What was written: ``prompt_sets.csv``, ``classes.csv``, ``decisions.csv`` where there are decisions or
        probabilities, with several prompt sets ``differences.csv`` and a forest plot each; with evidence
        ``phrases.csv``, the scores by class, and the ECGs.

    Raises:
        DataError: an ECG in the result is damaged.
    """
    folder, place = Path(folder), _Places()
    tables = {"prompt_sets": _prompt_sets(result), "classes": _classes(result)}
    if any(item.nearest or item.thresholded or item.probabilities for item in result.prompt_sets):
        tables["decisions"] = _decisions(result)
    if result.comparisons:
        tables["differences"] = _differences(result.comparisons)
    if result.evidence:
        tables["phrases"] = _phrases(result)
    written = []
    for name, rows in tables.items():
        written.append(folder / f"{name}.csv")
        write_text(written[-1], csv_text(rows))
    for figures in (_forests, _spreads, _ecgs):
        for subfolder, name, figure in figures(result):
            written.append(place(folder / subfolder, name))
            save_figure(figure, written[-1])
    return written


def _forests(result: Result) -> Iterator[Drawn]:
    verdict = judge(result)
    positives = {code: item.positives for code, item in result.prompt_sets[0].per_class.items()}
    for item in verdict.others:
        pair = turned(result, verdict.baseline.name, item.name)
        if pair:
            yield "", f"difference-{pair.b}-{pair.a}", forest(pair, positives)


def _spreads(result: Result) -> Iterator[Drawn]:
    if result.evidence is None:
        return
    for row in set_rows(result, judge(result)):
        made = result.evidence.prompt_sets.get(row.item.name)
        for code, histogram in (made.scores if made else {}).items():
            figure = spread(histogram, row.colour, threshold=row.threshold(code))
            yield "scores", f"{code}-{row.item.name}", figure


def _ecgs(result: Result) -> Iterator[Drawn]:
    for name, wave in (result.evidence.ecgs if result.evidence else {}).items():
        yield "ecgs", name, draw_kept(wave, name)


def _prompt_sets(result: Result) -> Iterator[Sequence[object]]:
    figures = ("macro_auroc", "macro_auroc_min10", "macro_average_precision", "macro_average_precision_min10")
    yield ["prompt_set", "sha256", *(f"{figure}{end}" for figure in figures for end in ("", "_low", "_high"))]
    for item in result.prompt_sets:
        bounds = (
            item.interval,
            item.interval_min10,
            item.average_precision_interval,
            item.average_precision_interval_min10,
        )
        cells = [
            cell
            for figure, pair in zip(figures, bounds, strict=True)
            for cell in (getattr(item, figure), *(pair or (None, None)))
        ]
        yield [item.name, item.sha256, *cells]


def _classes(result: Result) -> Iterator[Sequence[object]]:
    yield [
        *("prompt_set", "class", "name", "positives", "auroc", "auroc_low", "auroc_high"),
        *("average_precision", "average_precision_low", "average_precision_high", "note"),
    ]
    for item in result.prompt_sets:
        for code, found in item.per_class.items():
            auroc = (found.auroc, *(found.interval or (None, None)))
            precision = (found.average_precision, *(found.average_precision_interval or (None, None)))
            yield [item.name, code, found.name, found.positives, *auroc, *precision, found.note]


def _differences(pairs: list[Comparison]) -> Iterator[Sequence[object]]:
    """Differences of each pair; ``p_holm`` is over the classes of a pair."""
    yield ["a", "b", "figure", "class", "difference", "low", "high", "p", "p_holm"]
    for pair in pairs:
        for figure, gaps in (("auroc", pair), ("average_precision", pair.average_precision)):
            if gaps is None:
                continue
            of = (pair.a, pair.b, figure)
            yield [*of, "(all)", gaps.difference, *gaps.interval, gaps.p_value, None]
            if gaps.interval_min10:
                ten = (gaps.difference_min10, *gaps.interval_min10, gaps.p_value_min10, None)
                yield [*of, "(10 positives or more)", *ten]
            for code, gap in gaps.per_class.items():
                yield [*of, code, gap.difference, *gap.interval, gap.p_value, gap.p_holm]


def _decisions(result: Result) -> Iterator[Sequence[object]]:
    """Means over classes of decisions with their intervals, and of probabilities, a figure a line."""
    yield ["prompt_set", "by", "figure", "value", "low", "high"]
    for item in result.prompt_sets:
        for way, made in (("nearest", item.nearest), ("threshold", item.thresholded)):
            for figure in ("f1", "precision", "recall", "accuracy") if made else ():
                one: Estimate = getattr(made, figure)
                yield [item.name, way, figure, one.value, *one.interval]
        for figure in ("brier", "brier_of_rate", "calibration_error") if item.probabilities else ():
            yield [item.name, "probability", figure, getattr(item.probabilities, figure), None, None]


def _phrases(result: Result) -> Iterator[Sequence[object]]:
    yield ["prompt_set", "class", "text", "role", "polarity", "sources", "kept", "reason"]
    assert result.evidence is not None  # noqa: S101
    for name, item in result.evidence.prompt_sets.items():
        for code, prompts in item.classes.items():
            for phrase in prompts.prompts:
                sources = " ".join(phrase.sources)
                yield [name, code, phrase.text, phrase.role, phrase.polarity, sources, "yes", None]
            for line in prompts.rejected:
                sources = " ".join(line.sources)
                yield [name, code, line.text, line.role, line.polarity, sources, "no", line.reason]


class _Places:
    """Names files: without what file systems forbid, and no two alike, where case does not count either."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def __call__(self, folder: Path, name: str) -> Path:
        stem = re.sub(r"[^\w.-]+", "-", name)
        stems = chain([stem], (f"{stem}-{number}" for number in count(2)))
        path = next(path for one in stems if str(path := folder / f"{one}.svg").casefold() not in self._taken)
        self._taken.add(str(path).casefold())
        return path
