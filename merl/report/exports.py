"""A result's figures as SVG and its tables as CSV, for papers and spreadsheets."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from merl.evaluation.result import Comparison, Result
from merl.files import write_text
from merl.report.charts import forest, spread
from merl.report.ecg_paper import draw_kept, save_figure
from merl.report.sections import set_rows
from merl.report.verdict import judge, turned

_BOUNDS = ("low", "high")


def export(result: Result, folder: str | Path) -> list[Path]:
    """Write a result's tables and figures into a folder, each file atomically.

    Returns:
        What was written: ``prompt_sets.csv``, ``classes.csv``, with several prompt sets ``differences.csv``
        and a forest plot each; with evidence ``phrases.csv``, the scores by class, and the ECGs.

    Raises:
        DataError: an ECG in the result is damaged.
    """
    folder = Path(folder)
    tables = {"prompt_sets": _prompt_sets(result), "classes": _classes(result)}
    if result.comparisons:
        tables["differences"] = _differences(result.comparisons)
    if result.evidence:
        tables["phrases"] = _phrases(result)
    written = []
    for name, rows in tables.items():
        written.append(folder / f"{name}.csv")
        write_text(written[-1], _csv(rows))
    return [*written, *_forests(result, folder), *_spreads(result, folder), *_ecgs(result, folder)]


def _forests(result: Result, folder: Path) -> Iterator[Path]:
    verdict = judge(result)
    positives = {code: item.positives for code, item in result.prompt_sets[0].per_class.items()}
    for item in verdict.others:
        pair = turned(result, verdict.baseline.name, item.name)
        if pair:
            path = folder / f"{_file(f'difference-{pair.b}-{pair.a}')}.svg"
            save_figure(forest(pair, positives), path)
            yield path


def _spreads(result: Result, folder: Path) -> Iterator[Path]:
    if result.evidence is None:
        return
    for row in set_rows(result, judge(result)):
        made = result.evidence.prompt_sets.get(row.item.name)
        for code, histogram in (made.scores if made else {}).items():
            path = folder / "scores" / f"{_file(f'{code}-{row.item.name}')}.svg"
            save_figure(spread(histogram, row.colour, threshold=row.threshold(code)), path)
            yield path


def _ecgs(result: Result, folder: Path) -> Iterator[Path]:
    for name, wave in (result.evidence.ecgs if result.evidence else {}).items():
        path = folder / "ecgs" / f"{_file(name)}.svg"
        save_figure(draw_kept(wave, name), path)
        yield path


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
    yield ["a", "b", "class", "difference", "low", "high", "p", "p_holm"]
    for pair in pairs:
        yield [pair.a, pair.b, "(all)", pair.difference, *pair.interval, pair.p_value, None]
        if pair.interval_min10:
            yield [
                *(pair.a, pair.b, "(10 positives or more)", pair.difference_min10),
                *(*pair.interval_min10, pair.p_value_min10, None),
            ]
        for code, gap in pair.per_class.items():
            yield [pair.a, pair.b, code, gap.difference, *gap.interval, gap.p_value, gap.p_holm]


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


def _csv(rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _file(name: str) -> str:
    """A name as part of a file's name, without what file systems forbid."""
    return re.sub(r"[^\w.-]+", "-", name)
