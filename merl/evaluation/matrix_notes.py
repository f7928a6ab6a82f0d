"""A matrix in words: what was measured, how two arms are called, and what limits the figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from merl.evaluation.caveats import DISCLAIMER
from merl.evaluation.matrix_result import ArmComparison, MatrixResult


def headline(matrix: MatrixResult) -> str:
    """Say what was measured."""
    first = matrix.results[0]
    tasks = _distinct(result.task for result in matrix.results)
    checkpoints = _distinct(result.checkpoint.name for result in matrix.results)
    sets = [item.name for item in first.prompt_sets if item.control is None]
    ensembles = _distinct(result.ensemble for result in matrix.results)
    parts = [
        _count("task", tasks),
        _count("prompt set", sets) + f" ({', '.join(sets)})",
        _count("checkpoint", checkpoints) + f" ({', '.join(checkpoints)})",
    ]
    if len(ensembles) > 1:
        parts.append(_count("ensemble", ensembles) + f" ({', '.join(ensembles)})")
    return f"{' x '.join(parts)}; split {first.split}, labels {first.labels}{_conditions(matrix)}"


def comparison_name(matrix: MatrixResult, pair: ArmComparison) -> str:
    """Call a comparison by what differs and, where there is a choice, by what does not."""
    a, b = pair.a.model_dump(), pair.b.model_dump()
    parts = ("prompt_set", "checkpoint", "ensemble")
    differing = next(part for part in parts if a[part] != b[part])
    arms = [item.model_dump() for pair in matrix.comparisons for item in (pair.a, pair.b) if not item.control]
    fixed = [b[part] for part in parts if part != differing and len({arm[part] for arm in arms}) > 1]
    return f"{b[differing]} - {a[differing]}" + (f" ({', '.join(fixed)})" if fixed else "")


def notes(matrix: MatrixResult) -> list[str]:
    """Say what was left out and what a reader must know before quoting a figure, a paragraph each."""
    return [*_left_out(matrix), *_tasks(matrix), *_figures(matrix), *_training(matrix), DISCLAIMER]


def _conditions(matrix: MatrixResult) -> str:
    first = matrix.results[0]
    leads = f", seen in {', '.join(first.leads)} only" if first.leads else ""
    return leads + "".join(f", {lead} taken for {other}" for lead, other in first.lead_as.items())


def _left_out(matrix: MatrixResult) -> Iterator[str]:
    if matrix.left_out:
        yield "Left out:"
    yield from (
        f"  {item.task}{' (FAILED)' if item.failed else ''}: {item.reason}" for item in matrix.left_out
    )


def _tasks(matrix: MatrixResult) -> Iterator[str]:
    tasks = _distinct(result.task for result in matrix.results)
    if small := [task for task in tasks if task not in matrix.averaged and matrix.averaged]:
        yield f"* {', '.join(small)}: no class has 10 positives, so shown and not averaged."
    by_task = {result.task: result for result in matrix.results}
    for task, result in by_task.items():
        if result.missing_records:
            yield f"{task}: {result.missing_records} records left out, missing or damaged."
        lacking = [code for code, one in result.prompt_sets[0].per_class.items() if one.auroc is None]
        if lacking:
            classes = len(result.prompt_sets[0].per_class)
            yield (
                f"{task}: {len(lacking)} of {classes} classes, without a positive or without a negative, are"
                f" left out: {_some(lacking)}."
            )


def _figures(matrix: MatrixResult) -> Iterator[str]:
    first = matrix.results[0]
    mean = " A mean weighs every task alike; tasks of one data set share their draws." if matrix.means else ""
    yield (
        f"Intervals: {first.bootstrap.resamples} bootstrap resamples of patients, the same for all that is"
        f" compared.{mean} p by Holm is adjusted for all comparisons of its kind. AUROC: 0.5 is chance, 1 is"
        " perfect; scores are no probabilities."
    )
    if first.absent_weight:
        yield f"Phrases against a class count with weight {first.absent_weight:g}."
    if first.contrast:
        yield f"Off an ECG's scores {first.contrast:g} of what it has in common with all classes is taken."
    if chosen := _distinct(result.task for result in matrix.results if result.scoring_chosen_here):
        yield (
            f"How phrases are combined by default was settled with labels of this split ({_some(chosen)}):"
            " figures of enriched prompts may be a little optimistic there."
        )
    if first.split == "train":
        yield "Split train: for developing only, not figures to report."


def _training(matrix: MatrixResult) -> Iterator[str]:
    for name in _distinct(result.checkpoint.name for result in matrix.results):
        own = [result for result in matrix.results if result.checkpoint.name == name]
        inside = _distinct(result.task for result in own if result.checkpoint.in_distribution)
        if inside:
            yield (
                f"In distribution: {name} was pretrained on {own[0].checkpoint.training}; its figures on"
                f" {', '.join(inside)} are not to be set beside those of models that never saw that data."
            )
        elif own[0].checkpoint.training is None:
            yield f"{name} does not say what it was trained on; it may have seen these data sets."


def _distinct(names: Iterator[str] | Sequence[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _count(what: str, names: Sequence[str]) -> str:
    return f"{len(names)} {what}{'s' * (len(names) > 1)}"


def _some(names: Sequence[str], shown: int = 8) -> str:
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more
