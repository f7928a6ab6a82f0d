"""A matrix as tables for the terminal; every figure is read from the result."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.text import Text

from merl.evaluation.figure_text import INTERVAL, FigureTable, cell_text, gap_text, p_text, score_text
from merl.evaluation.matrix_notes import comparison_name, headline, notes
from merl.evaluation.matrix_result import ArmComparison, MatrixResult, Mean
from merl.evaluation.result import PromptSetResult, Result

_CONTROL_FIGURES = "Controls, macro AUROC"


def render(matrix: MatrixResult) -> Group:
    """Lay out a matrix: each checkpoint's scores, what differs, controls, what was left out, caveats."""
    parts: list[RenderableType] = [Text(headline(matrix))]
    parts += [_scores(matrix, *way) for way in ways(matrix)]
    for kind in ("prompt sets", "checkpoints", "ensembles"):
        pairs = [pair for pair in matrix.comparisons if pair.kind == kind]
        if pairs:
            parts.append(_differences(pairs, [comparison_name(matrix, pair) for pair in pairs]))
    return Group(*parts, *controls(matrix), Text("\n".join(notes(matrix))))


def print_matrix(matrix: MatrixResult, console: Console | None = None) -> None:
    """Print a matrix, to standard output unless another console is given."""
    (console or Console()).print(render(matrix))


def ways(matrix: MatrixResult) -> list[tuple[str, str]]:
    """Return the checkpoints and ensembles that scored, in their order."""
    return list(dict.fromkeys((result.checkpoint.name, result.ensemble) for result in matrix.results))


def controls(matrix: MatrixResult) -> Iterator[FigureTable]:
    """Lay out what controls score, and what the prompt set under test is better than each."""
    pairs = [pair for pair in matrix.comparisons if pair.kind == "controls"]
    for checkpoint, ensemble in ways(matrix):
        own = [pair for pair in pairs if (pair.a.checkpoint, pair.a.ensemble) == (checkpoint, ensemble)]
        if own:
            yield _control_scores(matrix, checkpoint, ensemble, own)
            yield _control_gaps(matrix, own)


def _scores(matrix: MatrixResult, checkpoint: str, ensemble: str) -> FigureTable:
    results = _of(matrix, checkpoint, ensemble)
    sets = [item.name for item in _given(results[0])]
    title = f"Macro AUROC with {INTERVAL}, {_way(matrix, checkpoint, ensemble)}"
    table = FigureTable(title, left=["task"], right=["records", *map(escape, sets)])
    for result in results:
        cells = [cell_text(item.macro_auroc, item.interval) for item in _given(result)]
        mark = "" if result.task in matrix.averaged or not matrix.averaged else "*"
        table.add_row(result.task + mark, f"{result.n_records:,}", *cells)
    means = [mean for mean in _means(matrix, checkpoint, ensemble) if mean.control is None]
    if means:
        table.add_section()
        table.add_row("mean", "", *(cell_text(mean.macro_auroc, mean.interval) for mean in means))
        frequent = [cell_text(mean.macro_auroc_min10, mean.interval_min10) for mean in means]
        table.add_row("10 positives or more", "", *frequent)
    return table


def _differences(pairs: Sequence[ArmComparison], names: Sequence[str]) -> FigureTable:
    """Lay out one kind: a single pair task by task; of several only the means, if there are any."""
    alone, brief = len(pairs) == 1, len(pairs) > 1 and pairs[0].mean is not None
    what = f", {names[0]}" if alone else f" between {pairs[0].kind}"
    title = escape(f"Differences in macro AUROC{what}, paired by patient{', mean over tasks' * brief}")
    left = [*[pairs[0].kind] * (not alone), *["task"] * (not brief)]
    table = FigureTable(title, left=left, right=["difference", INTERVAL, "p", "p by Holm"])
    for pair, name in zip(pairs, names, strict=True):
        gaps = {} if brief else dict(pair.per_task)
        for i, (task, gap) in enumerate((gaps | {"mean": pair.mean}).items()):
            if gap is None:
                continue
            words = [*["" if i else escape(name)] * (not alone), *[task] * (not brief)]
            if task == "mean" and not brief:
                table.add_section()
            figures = *gap_text(gap.difference, gap.interval), p_text(gap.p_value), p_text(gap.p_holm)
            table.add_row(*words, *figures)
    return table


def _control_scores(
    matrix: MatrixResult, checkpoint: str, ensemble: str, pairs: Sequence[ArmComparison]
) -> FigureTable:
    shown = [pairs[0].b.prompt_set, *(pair.a.prompt_set for pair in pairs)]
    title = f"{_CONTROL_FIGURES}, {_way(matrix, checkpoint, ensemble)}"
    table = FigureTable(title, left=["task"], right=[escape(name.replace("-", " ")) for name in shown])
    for result in _of(matrix, checkpoint, ensemble):
        found = {item.name: item.macro_auroc for item in result.prompt_sets}
        table.add_row(result.task, *(score_text(found[name]) for name in shown))
    means = {mean.prompt_set: mean.macro_auroc for mean in _means(matrix, checkpoint, ensemble)}
    if means:
        table.add_section()
        table.add_row("mean", *(score_text(means[name]) for name in shown))
    return table


def _control_gaps(matrix: MatrixResult, pairs: Sequence[ArmComparison]) -> FigureTable:
    where = "mean over tasks" if matrix.averaged else matrix.results[0].task
    tested = escape(pairs[0].b.prompt_set)
    table = FigureTable(
        f"{tested} less each control, {where}",
        left=["control", "which is"],
        right=["difference", INTERVAL, "p by Holm"],
    )
    for pair in pairs:
        gap = pair.mean or next(iter(pair.per_task.values()))
        which = escape(pair.a.control or "")
        figures = gap_text(gap.difference, gap.interval)
        table.add_row(escape(pair.a.prompt_set), which, *figures, p_text(gap.p_holm))
    return table


def _of(matrix: MatrixResult, checkpoint: str, ensemble: str) -> list[Result]:
    return [
        result
        for result in matrix.results
        if (result.checkpoint.name, result.ensemble) == (checkpoint, ensemble)
    ]


def _means(matrix: MatrixResult, checkpoint: str, ensemble: str) -> list[Mean]:
    return [mean for mean in matrix.means if (mean.checkpoint, mean.ensemble) == (checkpoint, ensemble)]


def _given(result: Result) -> list[PromptSetResult]:
    return [item for item in result.prompt_sets if item.control is None]


def _way(matrix: MatrixResult, checkpoint: str, ensemble: str) -> str:
    return checkpoint + (f", ensemble {ensemble}" if len({way[1] for way in ways(matrix)}) > 1 else "")
