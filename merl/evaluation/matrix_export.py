"""A matrix as CSV and Markdown; every figure is read from the result."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from merl.evaluation.figure_text import csv_text, gap_text, interval_text, p_text, score_text
from merl.evaluation.matrix_notes import comparison_name, headline, notes
from merl.evaluation.matrix_result import ArmComparison, ArmDifference, MatrixResult
from merl.files import write_text

_COLUMNS = (
    *("task", "dataset", "split", "records", "patients", "checkpoint", "checkpoint_sha256", "ensemble"),
    *("prompt_set", "prompt_set_sha256", "control", "macro_auroc", "low", "high"),
    *("macro_auroc_min10", "low_min10", "high_min10"),
)


def write_csv(matrix: MatrixResult, path: str | Path) -> None:
    """Write every cell as a row, then the means, atomically; ``low`` and ``high`` end the 95 % intervals."""
    rows = ([row.get(column) for column in _COLUMNS] for row in _csv_rows(matrix))
    write_text(path, csv_text(chain([_COLUMNS], rows)))


def write_markdown(matrix: MatrixResult, path: str | Path) -> None:
    """Write the tables as Markdown, atomically."""
    text = "\n".join([f"{headline(matrix)}.\n", *_tables(matrix), *_items(notes(matrix))])
    write_text(path, text.rstrip() + "\n")


def _csv_rows(matrix: MatrixResult) -> Iterator[dict[str, object]]:
    for result in matrix.results:
        for item in result.prompt_sets:
            low10, high10 = item.interval_min10 or (None, None)
            yield {
                "task": result.task,
                "dataset": result.dataset,
                "split": result.split,
                "records": result.n_records,
                "patients": result.n_patients,
                "checkpoint": result.checkpoint.name,
                "checkpoint_sha256": result.checkpoint.sha256,
                "ensemble": result.ensemble,
                "prompt_set": item.name,
                "prompt_set_sha256": item.sha256,
                "control": item.control,
                "macro_auroc": item.macro_auroc,
                "low": item.interval[0],
                "high": item.interval[1],
                "macro_auroc_min10": item.macro_auroc_min10,
                "low_min10": low10,
                "high_min10": high10,
            }
    for mean in matrix.means:
        (low, high), (low10, high10) = mean.interval, mean.interval_min10
        facts = mean.model_dump(exclude={"interval", "interval_min10"})
        ends = {"low": low, "high": high, "low_min10": low10, "high_min10": high10}
        yield {"task": "mean", "split": matrix.results[0].split, **facts, **ends}


def _tables(matrix: MatrixResult) -> Iterator[str]:
    """Yield each table as text; rows are arms, so that many prompt sets do not make it wide."""
    marks = {task: "" if task in matrix.averaged or not matrix.averaged else "*" for task in _tasks(matrix)}
    cells: dict[tuple[str, ...], dict[str, str]] = {}
    for result in matrix.results:
        for item in result.prompt_sets:
            arm = (result.checkpoint.name, result.ensemble, item.name, item.control or "")
            cells.setdefault(arm, {})[result.task + marks[result.task]] = _cell(
                item.macro_auroc, item.interval
            )
    for mean in matrix.means:
        arm = (mean.checkpoint, mean.ensemble, mean.prompt_set, mean.control or "")
        cells[arm] |= {
            "mean": f"**{_cell(mean.macro_auroc, mean.interval)}**",
            "mean, 10 positives or more": _cell(mean.macro_auroc_min10, mean.interval_min10),
        }
    columns = list(dict.fromkeys(column for found in cells.values() for column in found))
    ensembles = {arm[1] for arm in cells}
    heading = ["checkpoint", "ensemble", "prompt set", "which is", *columns]
    for title, controls in (("Prompt sets", False), ("Controls", True)):
        arms = [arm for arm in cells if bool(arm[3]) is controls]
        rows = [[*arm, *(cells[arm].get(column, "-") for column in columns)] for arm in arms]
        blank = [1] * (len(ensembles) == 1) + [3] * (not controls)
        if rows:
            yield f"{title}, macro AUROC with 95 % interval by patients:\n"
            yield _table(heading, rows, blank)
    for kind in dict.fromkeys(pair.kind for pair in matrix.comparisons):
        pairs = [pair for pair in matrix.comparisons if pair.kind == kind]
        what = f"{pairs[0].b.prompt_set} and its controls" if kind == "controls" else kind
        yield f"Differences between {what}, paired by patient, with p by Holm:\n"
        yield _gaps(matrix, pairs)


def _tasks(matrix: MatrixResult) -> list[str]:
    return list(dict.fromkeys(result.task for result in matrix.results))


def _gaps(matrix: MatrixResult, pairs: Sequence[ArmComparison]) -> str:
    tasks = list(pairs[0].per_task)
    rows = []
    for pair in pairs:
        gaps = [*pair.per_task.values(), *([pair.mean] if pair.mean else [])]
        rows.append([comparison_name(matrix, pair), *map(_gap, gaps)])
    return _table(["difference", *tasks, *["mean"] * bool(pairs[0].mean)], rows)


def _cell(value: float, interval: tuple[float, float]) -> str:
    return f"{score_text(value)} {interval_text(interval)}"


def _gap(gap: ArmDifference) -> str:
    return " ".join(gap_text(gap.difference, gap.interval)) + f", {p_text(gap.p_holm)}"


def _table(heading: Sequence[str], rows: Sequence[Sequence[str]], blank: Sequence[int] = ()) -> str:
    kept = [i for i in range(len(heading)) if i not in blank]
    lines = [[row[i].replace("|", "\\|") for i in kept] for row in (heading, ["---"] * len(heading), *rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _items(paragraphs: Sequence[str]) -> list[str]:
    return [f"  - {line.strip()}" if line.startswith("  ") else f"- {line}" for line in paragraphs]
