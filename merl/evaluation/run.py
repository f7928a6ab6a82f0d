"""The evaluation of a task: prompts and records in, a result with intervals out."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict

import numpy as np

from merl.calibration import Scoring
from merl.ckepe.prompt_set import PromptSet, prompt_set_sha256
from merl.errors import DataError, PromptError, UsageError
from merl.evaluation.comparison import comparisons, measure, prompt_set_result
from merl.evaluation.embeddings import record_embeddings
from merl.evaluation.held_out import ScoredFold, judge, validation_of
from merl.evaluation.intervals import MIN_RESAMPLES
from merl.evaluation.metrics import Floats
from merl.evaluation.result import Bootstrap, Checkpoint, Result, Validation

if TYPE_CHECKING:
    from merl.datasets.tasks import TaskData
    from merl.zeroshot import Ensemble

_FROM_MAPPING = "labels"  # the label set of prompts made from a mapping of code to name


class _Scoring(TypedDict):
    ensemble: Ensemble
    absent_weight: float


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
    lead_as: Mapping[str, str] | None = None,
    labels: Literal["fixed", "merl-compat"] = "fixed",
    official: str | Path | None = None,
    allow_missing: bool = False,
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
        lead_as: leads of the records that stand in for another, as ``{"MLII": "II"}``.
        labels: ``fixed``, or ``merl-compat``: splits and labels of MERL's release.
        official: folder of MERL's release, for ``merl-compat``.
        allow_missing: leave out records whose files are missing; the result counts them.
        progress: called with the records encoded and the records to encode.

    Returns:
        AUROC, average precision and decisions from 0 to 1 with 95 % intervals by patients; with several
        prompt sets also their differences.

    Raises:
        UsageError: an unknown task, split, prompt set or ensemble, a name given twice, too few resamples.
        PromptError: a prompt set is for other classes.
        DataError: the data set is missing or damaged, or no class can be scored.
        RecordError: a record cannot be read or does not meet the model's contract.
    """
    from merl.datasets.tasks import load_task
    from merl.zeroshot import SCORING_CHOSEN_ON, check_scoring

    check_scoring(ensemble, absent_weight)
    if bootstrap < MIN_RESAMPLES:
        raise UsageError(
            f"{bootstrap} bootstrap resamples are too few; give at least {MIN_RESAMPLES}, best 1000"
        )
    sets = _prompt_sets(prompts, task)
    rate = 100 if model.spec.sampling_rate <= 100 else 500  # the published rate that serves the model

    def load(which: Literal["train", "val", "test", "all"]) -> TaskData:
        found = load_task(
            task,
            data,
            which,
            sampling_rate=rate,
            labels=labels,
            official=official,
            allow_missing=allow_missing,
            lead_as=lead_as,
        )
        return found if leads is None else replace(found, leads=tuple(leads))

    records = load(split)
    for prompt_set in sets:
        _check_classes(prompt_set, records)
    scoring: _Scoring = {"ensemble": ensemble, "absent_weight": absent_weight}

    def score(part: TaskData) -> ScoredFold:
        return ScoredFold(
            scores=_scores(model, sets, part, scoring, progress),
            labels=part.labels,
            patients=part.patients,
            classes=part.classes,
            dataset=part.dataset,
            split=part.split,
            leads=part.leads,
        )

    scored = score(records)
    fold, validation = _validation_fold(scored, lambda: score(load("val")))
    measured = measure(
        scored.scores, records.labels, records.patients, records.classes, resamples=bootstrap, seed=seed
    )
    return Result(
        task=records.task,
        dataset=records.dataset,
        split=records.split,
        n_records=len(records.names),
        n_patients=len(np.unique(records.patients)),
        leads=records.leads,
        lead_as=dict(records.lead_as),
        labels=records.truth,
        missing_records=len(records.missing),
        prompt_sets=[
            prompt_set_result(
                measured,
                item.name,
                sha256=prompt_set_sha256(item),
                class_names={code: entry.name for code, entry in item.classes.items()},
                **judge(
                    item.name, scored, fold, _bound(model, item, scoring), resamples=bootstrap, seed=seed
                ),
            )
            for item in sets
        ],
        comparisons=comparisons(measured),
        validation=validation,
        checkpoint=_checkpoint(model, records.dataset),
        bootstrap=Bootstrap(resamples=bootstrap),
        **scoring,
        scoring_chosen_here=(records.dataset, records.split) == SCORING_CHOSEN_ON,
        seeds={"bootstrap": seed},
        versions=software_versions(),
    )


def _validation_fold(
    records: ScoredFold, load: Callable[[], ScoredFold]
) -> tuple[ScoredFold | None, Validation]:
    """Return the fold that thresholds and calibration come from, or why there is none."""
    if records.split == "all":
        return None, Validation(
            note="the split all holds the validation fold, so it cannot judge what is fitted there"
        )
    try:
        fold = records if records.split == "val" else load()
    except DataError as problem:
        return None, Validation(note=str(problem))
    validation = validation_of(fold, records)
    return (fold if validation.held_out else None), validation


def _bound(model: Any, prompt_set: PromptSet, scoring: _Scoring) -> Scoring:
    return Scoring(checkpoint_sha256=model.sha256, prompts_sha256=prompt_set_sha256(prompt_set), **scoring)


def _prompt_sets(prompts: Sequence[PromptSet | str | Path], task: str) -> list[PromptSet]:
    if isinstance(prompts, str | Path | PromptSet):
        prompts = [prompts]
    sets = [item if isinstance(item, PromptSet) else PromptSet.find(item, task) for item in prompts]
    if not sets:
        raise UsageError("no prompt set given; give at least one, such as 'plain'")
    names = [item.name for item in sets]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UsageError(f"two prompt sets are called {twice[0]!r}; rename one file, results go by its name")
    return sets


def _check_classes(prompt_set: PromptSet, records: TaskData) -> None:
    if prompt_set.label_set not in {records.task, _FROM_MAPPING}:
        raise PromptError(
            f"the prompt set {prompt_set.name!r} was made for the label set {prompt_set.label_set!r},"
            f" not for {records.task!r}; make one with `merl prompts generate {records.task}`"
        )
    missing = [code for code in records.classes if code not in prompt_set.classes]
    extra = [code for code in prompt_set.classes if code not in records.classes]
    faults = [f"lacks {', '.join(missing)}"] * bool(missing) + [f"adds {', '.join(extra)}"] * bool(extra)
    if faults:
        raise PromptError(
            f"the prompt set {prompt_set.name!r} {' and '.join(faults)}; {records.task} has exactly"
            f" the classes {', '.join(records.classes)}"
        )


def _scores(
    model: Any,
    sets: list[PromptSet],
    records: TaskData,
    scoring: _Scoring,
    progress: Callable[[int, int], None] | None,
) -> dict[str, Floats]:
    """Score every record against every class, (records, classes) in the task's order, by prompt set."""
    from merl.zeroshot import embed_prompts

    # before the ECGs: a faulty prompt should not cost their encoding
    embedded = {item.name: embed_prompts(model, item, **scoring) for item in sets}
    ecgs = record_embeddings(model, records, progress=progress).astype(np.float64)
    scores = {}
    for item in sets:
        columns = [list(item.classes).index(code) for code in records.classes]
        scores[item.name] = np.asarray(embedded[item.name].score(ecgs)[:, columns], np.float64)
    return scores


def _checkpoint(model: Any, dataset: str) -> Checkpoint:
    training = getattr(getattr(model, "config", model), "training", None)
    if isinstance(training, bool):  # a torch module's own flag: whether it is in training mode
        training = None
    facts: Mapping[str, Any] = dict(training or ())  # of a mapping or of a pydantic model
    seen = str(facts.get("dataset", ""))
    folds = facts.get("folds")
    words = seen + (f", folds {', '.join(str(fold) for fold in folds)}" if folds else "")
    return Checkpoint(
        name=model.name,
        sha256=model.sha256,
        training=words or None,
        in_distribution=_plain(dataset) in {_plain(part) for part in seen.replace("+", ",").split(",")},
    )


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


def software_versions() -> dict[str, str]:
    """Return the versions of what computes a result, and its precision."""
    from merl import __version__
    from merl.model import cpu_has_bf16

    return {
        "merl": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in ("numpy", "torch", "transformers")},
        "precision": "bf16" if cpu_has_bf16() else "fp32",
    }
