"""The evaluation of a task: prompts and records in, a result with intervals out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from merl.ckepe.prompt_set import PromptSet
from merl.evaluation.cell_making import CellMaker, Loaded, load
from merl.evaluation.cells import Cell, Cells
from merl.evaluation.comparison import Measured, compare, joined
from merl.evaluation.controls import SEED, Row, rows_of
from merl.evaluation.evidence import Evidence
from merl.evaluation.provenance import checkpoint_facts, versions
from merl.evaluation.request import Request, check_classes, find_sets
from merl.evaluation.result import Bootstrap, Result
from merl.evaluation.scoring import Progress

if TYPE_CHECKING:
    from merl.zeroshot import Ensemble


def evaluate(
    task: str,
    *,
    data: str | Path,
    prompts: Sequence[PromptSet | str | Path],
    model: Any,
    split: Literal["train", "val", "test", "all"] = "val",
    bootstrap: int = 1000,
    seed: int = 0,
    leads: Sequence[str] | None = None,
    ensemble: Ensemble = "mean",
    absent_weight: float = 0.0,
    contrast: float = 0.0,
    lead_as: Mapping[str, str] | None = None,
    labels: Literal["fixed", "merl-compat"] = "fixed",
    official: str | Path | None = None,
    allow_missing: bool = False,
    controls: bool = False,
    evidence: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Result:
    """Score a labelled task under one or more prompt sets and compare them.

    No score is fitted: labels are read only to judge; how phrases are combined by default was settled once,
    on PTB-XL fold 9, and the result says so. Thresholds and probabilities come from the split ``val``, whose
    records are scored too when another split is asked for; within ``val`` they come from other patients. ECG
    embeddings are cached, so only the first call on a split encodes its records.

    Args:
        task: a task's name; prompt sets must be for the label set of that name, with exactly its classes.
            Sets made from a mapping, which have no label set of their own, are taken by their classes.
        data: the data set's folder.
        prompts: prompt sets, paths, or names of shipped sets; no two of the same name.
        model: as ``merl.load_model`` returns it.
        split: ``val`` for choosing, ``test`` once at the end, ``all`` where nothing was chosen on the data.
        bootstrap: resamples of patients, at least 20; 1000 is usual.
        seed: of the resampling.
        leads: the only leads of each record that the model gets to see; all of them if not given.
        ensemble: how the phrases of a class are combined, one of ``merl.zeroshot.ENSEMBLES``.
        absent_weight: 0 to 1, how much phrases that speak against a class count.
        contrast: 0 to 1, how much of what an ECG has in common with all the classes is taken off its scores.
        lead_as: leads of the records that stand in for another, as ``{"MLII": "II"}``.
        labels: ``fixed``, or ``merl-compat``: splits and labels of MERL's release.
        official: folder of MERL's release, for ``merl-compat``.
        allow_missing: leave out records that are missing or cannot be used; the result counts them.
        controls: add class names, a template, shuffled classes, random words and a random encoder as rows,
            each compared with the prompt set given last.
        evidence: keep what the report shows beside the figures: phrases, score histograms and some ECGs.
        progress: called with the records encoded and the records to encode.

    Returns:
        AUROC, average precision and yes-or-no figures from 0 to 1 with 95 % intervals by patients; with
        several prompt sets also their differences.

    Raises:
        UsageError: an unknown task, split, prompt set or ensemble, a name given twice, too few resamples.
        PromptError: a prompt set is for other classes.
        DataError: the data set is missing or damaged, or no class can be scored.
        RecordError: records cannot be read or do not meet the model's contract.
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
    rows = rows_of(find_sets(prompts, task), controls=controls)

    def report(done: int, total: int, _by: str) -> None:
        if progress:
            progress(done, total)

    (run,) = run_task(request, task, rows, [model], [ensemble], evidence=evidence, progress=report)
    return run.result


@dataclass(frozen=True, eq=False)
class TaskRun:
    """A task scored by one checkpoint in one way.

    Attributes:
        result: what is printed and written.
        measured: every row with its bootstrap, on the same resampled patients as those of other runs on the
            same data set and split.
        kept: rows that were finished before.
    """

    result: Result
    measured: Measured
    kept: int = 0


def run_task(
    request: Request,
    task: str,
    rows: Sequence[Row],
    models: Sequence[Any],
    ensembles: Sequence[Ensemble],
    *,
    cells: Cells | None = None,
    evidence: bool = False,
    progress: Progress | None = None,
) -> list[TaskRun]:
    """Score the rows of one task by every checkpoint and every way to combine phrases.

    Args:
        request: what holds for all of them.
        task: its name.
        rows: what is scored.
        models: the checkpoints.
        ensembles: ways to combine phrases.
        cells: where finished cells are looked for and kept; nowhere by default.
        evidence: keep what a report shows beside the figures.
        progress: called with the records encoded, the records to encode, and by what.

    Returns:
        A run for each checkpoint and, within it, each ensemble.

    Raises:
        MerlError: as ``evaluate`` raises.
    """
    from merl.zeroshot import check_scoring

    for ensemble in ensembles:
        check_scoring(ensemble, request.absent_weight, request.contrast)
    loaded = [load(request, task, model) for model in models]
    for row in rows:
        check_classes(row.prompt_set, loaded[0].records.task, loaded[0].records.classes)
    maker = CellMaker(request, rows, loaded, progress)
    runs = []
    for n, one in enumerate(loaded):
        for ensemble in ensembles:
            found = [_cell(maker, cells, n, row, ensemble) for row in rows]
            kept = maker.evidence(n, ensemble, [cell.result for cell, _ in found]) if evidence else None
            runs.append(_run(request, one, ensemble, rows, found, evidence=kept))
    return runs


def _cell(
    maker: CellMaker, cells: Cells | None, number: int, row: Row, ensemble: Ensemble
) -> tuple[Cell, bool]:
    """Return a cell and whether it was finished before."""
    key = maker.key(number, row, ensemble) if cells else None
    if cells is None or key is None:
        return maker.make(number, row, ensemble), False
    if found := cells.find(key):
        return found, True
    made = maker.make(number, row, ensemble)
    cells.keep(key, made)
    return made, False


def _run(
    request: Request,
    loaded: Loaded,
    ensemble: Ensemble,
    rows: Sequence[Row],
    found: Sequence[tuple[Cell, bool]],
    *,
    evidence: Evidence | None,
) -> TaskRun:
    from merl.zeroshot import SCORING_CHOSEN_ON

    records, cells = loaded.records, [cell for cell, _ in found]
    measured = joined({cell.result.name: (cell.measured, cell.result.name) for cell in cells})
    result = Result(
        task=records.task,
        dataset=records.dataset,
        split=records.split,
        n_records=measured.records,
        n_patients=cells[0].n_patients,
        leads=records.leads,
        lead_as=dict(records.lead_as),
        labels=records.truth,
        missing_records=len(records.missing) + len(records) - measured.records,
        prompt_sets=[cell.result for cell in cells],
        comparisons=[compare(measured, a, b) for a, b in _pairs(rows)],
        validation=cells[0].validation,
        checkpoint=checkpoint_facts(loaded.model, records.dataset),
        bootstrap=Bootstrap(resamples=request.bootstrap),
        ensemble=ensemble,
        absent_weight=request.absent_weight,
        contrast=request.contrast,
        scoring_chosen_here=(records.dataset, records.split) == SCORING_CHOSEN_ON,
        seeds={"bootstrap": request.seed} | ({"controls": SEED} if any(row.control for row in rows) else {}),
        versions=versions(),
        evidence=evidence,
    )
    return TaskRun(result, measured, kept=sum(before for _, before in found))


def _pairs(rows: Sequence[Row]) -> list[tuple[str, str]]:
    """Name the rows to compare: every two sets that were given, and each control with the last of them."""
    given = [row.name for row in rows if row.control is None]
    controls = [row.name for row in rows if row.control is not None]
    return [*combinations(given, 2), *((control, given[-1]) for control in controls)]
