"""Prompt sets x checkpoints x ways of combining phrases, over tasks, and what differs beyond chance."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from merl.ckepe.prompt_set import PromptSet
from merl.errors import DataError, MerlError, NoDataError, UsageError
from merl.evaluation.arms import Column, compare_arms, means_of
from merl.evaluation.cells import Cells
from merl.evaluation.controls import Row, rows_of
from merl.evaluation.matrix_result import LeftOut, MatrixResult
from merl.evaluation.request import Request, find_sets
from merl.evaluation.run import TaskRun, run_task
from merl.evaluation.scoring import Progress
from merl.files import cache_dir, content_dir

if TYPE_CHECKING:
    from merl.zeroshot import Ensemble

ALL = "all"


def evaluate_matrix(
    tasks: str | Sequence[str],
    *,
    data: str | Path,
    prompts: Sequence[PromptSet | str | Path],
    models: Sequence[Any],
    ensembles: Sequence[Ensemble] = ("mean",),
    controls: bool = False,
    split: Literal["train", "val", "test", "all"] = "val",
    bootstrap: int = 1000,
    seed: int = 0,
    leads: Sequence[str] | None = None,
    absent_weight: float = 0.0,
    contrast: float = 0.0,
    lead_as: Mapping[str, str] | None = None,
    labels: Literal["fixed", "merl-compat"] = "fixed",
    official: str | Path | None = None,
    allow_missing: bool = False,
    keep: str | Path | None = None,
    progress: Progress | None = None,
    finished: Callable[[str], None] | None = None,
) -> MatrixResult:
    """Score prompt sets by checkpoints on tasks, and compare whatever differs in one thing.

    Everything is compared on the same resampled patients: prompt sets under one checkpoint, checkpoints under
    one prompt set, ways of combining phrases under both, on each task and in the mean over tasks. A cell that
    is finished is kept, by the hash of all it depends on, so that a run that stopped goes on where it did.

    Args:
        tasks: a task, several, or ``all``: those whose data are there; the others are listed with the reason.
        data: the data set's folder or, for several, the folder that holds theirs.
        prompts: names of shipped sets, folders that hold a file for each task (``TASK.yaml``), or, for one
            task, also files and prompt sets.
        models: checkpoints, as ``merl.load_model`` returns them; no two with the same weights.
        ensembles: how the phrases of a class are combined.
        controls: add the controls of the prompt set given last, as ``evaluate`` does.
        split: as in ``evaluate``, like all that follows.
        bootstrap: resamples of patients.
        seed: of the resampling.
        leads: the only leads that the models see.
        absent_weight: 0 to 1, how much phrases that speak against a class count.
        contrast: 0 to 1, how much of what an ECG has in common with all the classes is taken off its scores.
        lead_as: leads of the records that stand in for another.
        labels: whose.
        official: folder of MERL's release.
        allow_missing: leave out records that are missing or that one of the checkpoints cannot use.
        keep: folder of the finished cells; in the cache by default.
        progress: called with the records encoded, the records to encode, and by what.
        finished: told of each task when it is scored or left out.

    Raises:
        UsageError: an unknown task, split, prompt set or ensemble, something given twice, too few resamples.
        MerlError: a task that was named cannot be scored, or of all tasks none can.
    """
    request = Request(
        data=data,
        split=split,
        bootstrap=bootstrap,
        seed=seed,
        leads=leads,
        absent_weight=absent_weight,
        contrast=contrast,
        lead_as=lead_as,
        labels=labels,
        official=official,
        allow_missing=allow_missing,
    )
    names = _names(models)
    _check_once("ensemble", ensembles)
    cells = Cells(Path(keep) if keep else cache_dir() / "cells")
    columns, left_out = list[Column](), list[LeftOut]()
    for task in _listed(tasks, prompts, Path(data)):
        try:
            rows = rows_of(_sets(request, task, prompts, optional=tasks == ALL), controls=controls)
            runs = run_task(request, task, rows, models, ensembles, cells=cells, progress=progress)
        except MerlError as problem:
            if tasks != ALL or isinstance(problem, UsageError):
                raise
            left_out.append(
                LeftOut(task=task, reason=str(problem), failed=not isinstance(problem, NoDataError))
            )
            said = f"{task}: {'FAILED' if left_out[-1].failed else 'left out'}"
        else:
            columns.append(_column(names, ensembles, rows, runs))
            said = _said(task, rows, runs)
        if finished:
            finished(said)
    if not columns:
        tasks_by_reason: dict[str, list[str]] = {}
        for item in left_out:
            tasks_by_reason.setdefault(item.reason, []).append(item.task)
        reasons = "; ".join(f"{', '.join(several)}: {why}" for why, several in tasks_by_reason.items())
        raise DataError(f"no task can be evaluated: {reasons}")
    return _summed_up(columns, left_out, seed)


def _listed(tasks: str | Sequence[str], prompts: Sequence[PromptSet | str | Path], data: Path) -> list[str]:
    from merl.datasets.tasks import TASKS, get_task

    if tasks != ALL:
        named = [tasks] if isinstance(tasks, str) else list(tasks)
        _check_once("task", named)
        return [get_task(name).name for name in named]
    if not data.is_dir():
        raise NoDataError(f"there is no folder {data}")
    for item in prompts:
        if isinstance(item, PromptSet) or Path(item).is_file():
            name = item.name if isinstance(item, PromptSet) else str(item)
            raise UsageError(
                f"{name} is one prompt set, and every task needs its own; name a shipped set (plain,"
                " knowledge) or a folder with a file for each task, such as ptbxl-super.yaml, or evaluate one"
                " task"
            )
    return list(TASKS)


def _sets(
    request: Request, task: str, prompts: Sequence[PromptSet | str | Path], *, optional: bool
) -> list[PromptSet]:
    """Find the prompt sets of a task; one of all tasks may have none, or no data."""
    from merl.datasets.tasks import TASKS

    if optional:
        TASKS[task].published.folder(request.data)
        if request.labels == "merl-compat" and TASKS[task].official is None:
            raise NoDataError(f"MERL's release does not have {task}")
        for item in prompts:
            _check_has(str(item), task)
    return find_sets(prompts, task)


def _check_has(prompts: str, task: str) -> None:
    """Tell a folder or name that has no prompts for this one task from one that has none at all.

    Raises:
        NoDataError: it has none for this task.
    """
    folder = Path(prompts)
    if folder.is_dir():
        if any(folder.glob("*.yaml")) and not (folder / f"{task}.yaml").is_file():
            raise NoDataError(f"{folder} has no {task}.yaml; `merl prompts generate {task}` makes prompts")
        return
    shipped = (content_dir("prompts") / "sets").glob("*/*.yaml")
    of_name = {path.parent.name for path in shipped if path.stem == prompts}
    if of_name and task not in of_name:
        raise NoDataError(
            f"no prompts called {prompts!r} are shipped for {task}; give a folder with a {task}.yaml"
        )


def _names(models: Sequence[Any]) -> list[str]:
    """Name the checkpoints; those that share a name are told apart by their weights."""
    if not models:
        raise UsageError("no checkpoint given; give at least one, such as 'ptbxl-r18-100hz'")
    _check_once("checkpoint", [model.sha256 or id(model) for model in models], [m.name for m in models])
    shared = [model.name for model in models]
    return [
        model.name if shared.count(model.name) == 1 else f"{model.name}@{str(model.sha256)[:8]}"
        for model in models
    ]


def _check_once(what: str, given: Sequence[object], names: Sequence[str] | None = None) -> None:
    for i, item in enumerate(given):
        if item in given[:i]:
            raise UsageError(f"the {what} {(names or given)[i]} is given twice; give it once")


def _column(
    names: Sequence[str], ensembles: Sequence[Ensemble], rows: Sequence[Row], runs: Sequence[TaskRun]
) -> Column:
    scored = [(name, ensemble) for name in names for ensemble in ensembles]
    results = [
        run.result.model_copy(update={"checkpoint": run.result.checkpoint.model_copy(update={"name": name})})
        for run, (name, _) in zip(runs, scored, strict=True)
    ]
    return Column.of(results, [run.measured for run in runs], rows)


def _said(task: str, rows: Sequence[Row], runs: Sequence[TaskRun]) -> str:
    made = len(rows) * len(runs)
    kept = sum(run.kept for run in runs)
    before = f", {kept} of them finished before" if kept else ""
    return f"{task}: {runs[0].result.n_records:,} records, {made} cell{'s' * (made > 1)}{before}"


def _summed_up(columns: Sequence[Column], left_out: list[LeftOut], seed: int) -> MatrixResult:
    averaged = [column for column in columns if column.measured.frequent.any()]
    several = averaged if len(averaged) > 1 else []
    return MatrixResult(
        results=[result for column in columns for result in column.results],
        averaged=[column.task for column in several],
        means=means_of(several, seed),
        comparisons=compare_arms(columns, several, seed),
        left_out=left_out,
    )
