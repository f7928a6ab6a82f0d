"""Transfer: a probe that learnt one data set's labels, scored on another data set's classes.

Beside it stand prompts without any label. All figures are over the classes of the target for which a class of
the source stands; which those are is for the caller to say, as ``merl.knowledge.overlap.find_overlap`` does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from merl.ckepe.prompt_set import PromptSet, prompt_set_sha256
from merl.datasets.task_data import TaskData
from merl.datasets.tasks import get_task
from merl.errors import UsageError
from merl.evaluation.drawing import check_fraction
from merl.evaluation.features import Layer, at_layer
from merl.evaluation.learning import (
    Learner,
    check_seeds,
    draw_all,
    labelled,
    load_training,
    penalty_chosen_on,
    prompt_scores,
    see_split,
    silent,
)
from merl.evaluation.methods import Compared, compare_methods
from merl.evaluation.metrics import Floats
from merl.evaluation.probe_result import Features
from merl.evaluation.provenance import checkpoint_facts, versions
from merl.evaluation.request import Request, check_classes, find_sets
from merl.evaluation.result import Bootstrap
from merl.evaluation.scoring import Progress
from merl.evaluation.transfer_result import TransferResult
from merl.label_sets import load_label_set
from merl.model import MERL
from merl.overlap import Overlap


def transfer(
    overlap: Overlap,
    *,
    source_data: str | Path,
    target_data: str | Path,
    model: MERL,
    prompts: Sequence[PromptSet | str | Path] = ("plain",),
    fraction: float = 1.0,
    seeds: int = 1,
    split: Literal["val", "test", "all"] = "val",
    layer: Layer = "encoder",
    bootstrap: int = 1000,
    seed: int = 0,
    lead_as: Mapping[str, str] | None = None,
    allow_missing: bool = False,
    progress: Progress | None = None,
) -> TransferResult:
    """Fit a probe to the training split of the overlap's source and score it on its target.

    Nothing is chosen on the target: the penalty is chosen by cross-validation within the source's labels.

    Args:
        overlap: the two tasks, and what of the source stands for each class of the target.
        source_data: the source's folder.
        target_data: the target's folder.
        model: as ``merl.load_model`` returns it.
        prompts: prompt sets of the target to set beside the probe.
        fraction: share of the source's training labels.
        seeds: how many times that share is drawn; all labels are drawn once.
        split: of the target; ``all`` only if it is another data set than the source.
        layer: ``encoder`` for its features averaged over time, or ``embedding`` for those among texts.
        bootstrap: resamples of patients, at least 20.
        seed: of the first draw and of the resampling.
        lead_as: leads of the records that stand in for another, as ``{"MLII": "II"}``.
        allow_missing: leave out records whose files are missing; the result counts them.
        progress: called with what is done, of how much, and what it is.

    Raises:
        UsageError: no class overlaps, a split that would score records learnt from, or a wrong argument.
        DataError: a data set is damaged or the source has no training records.
        RecordError: a record cannot be read or does not meet the model's contract.
    """
    check_seeds(seeds)
    _check_tasks(overlap, split)
    report, stand_ins = progress or silent, dict(lead_as or {})
    there = Request(Path(target_data), split, bootstrap, seed, lead_as=stand_ins, allow_missing=allow_missing)
    here = replace(there, data=Path(source_data), split="train")
    sets = find_sets(prompts, overlap.target)
    target = there.load(overlap.target, model)
    for item in sets:
        check_classes(item, target.task, target.classes)
    source = load_training(partial(here.load, overlap.source, model))
    check_fraction(fraction, len(source))
    encoder = at_layer(model, layer)
    (learnt,) = see_split([encoder], source, here, report)
    judged, whole = see_split([encoder, model], target, there, report)
    source, target = learnt.records, whole.records
    draws = draw_all(source, fraction, seeds, seed)
    learner = Learner(labelled(learnt), None, labelled(judged))
    probed, strengths = learner.scores(draws, seed, f"fitting to {source.dataset}", report)
    prompted = {item.name: prompt_scores(model, item, whole) for item in sets}
    methods, pairs, left_out = _side_by_side(
        overlap, there, source, target, prompted=prompted, probed=probed, strengths=strengths
    )
    return TransferResult(
        source=overlap.source,
        target=overlap.target,
        source_dataset=source.dataset,
        dataset=target.dataset,
        split=target.split,
        n_records=len(target),
        n_patients=len(np.unique(target.patients)),
        n_training=len(source),
        lead_as=stand_ins,
        missing_records=len(source.missing) + len(target.missing),
        features=Features(layer=layer, encoder=model.config.encoder, width=encoder.config.embed_dim),
        fraction=fraction,
        records=tuple(len(rows) for rows in draws),
        penalty_chosen_on=penalty_chosen_on(None),
        overlap=overlap.classes,
        left_out=left_out,
        methods=methods,
        comparisons=pairs,
        prompt_sets={item.name: prompt_set_sha256(item) for item in sets},
        checkpoint=checkpoint_facts(model, target.dataset),
        bootstrap=Bootstrap(resamples=bootstrap),
        seeds={"first draw": seed, "bootstrap": seed},
        versions=versions(),
    )


def _side_by_side(
    overlap: Overlap,
    request: Request,
    source: TaskData,
    target: TaskData,
    *,
    prompted: Mapping[str, Floats],
    probed: Sequence[Floats],
    strengths: Sequence[float],
) -> Compared:
    """Measure prompts, (records, classes of the target), and probes, (records, classes of the source)."""
    name = f"probe of {overlap.source}"
    columns = [target.classes.index(code) for code in overlap.scored]
    names = load_label_set(overlap.target).classes
    return compare_methods(
        {prompts: [scores[:, columns]] for prompts, scores in prompted.items()}
        | {name: [_on_target(scores, source, overlap) for scores in probed]},
        target,
        {code: names[code].name for code in overlap.scored},
        strengths={name: strengths},
        resamples=request.bootstrap,
        seed=request.seed,
    )


def _check_tasks(overlap: Overlap, split: str) -> None:
    source, target = get_task(overlap.source), get_task(overlap.target)
    if source is target:
        raise UsageError(f"source and target are both {source.name}; that is `merl probe {source.name}`")
    allowed = ("val", "test") if source.published is target.published else ("val", "test", "all")
    if split not in allowed:
        raise UsageError(
            f"a probe of {source.name} is scored on {', '.join(allowed)} of {target.name}, not on {split!r}"
        )
    if not overlap.scored:
        raise UsageError(
            f"no class of {source.name} stands for one of {target.name};"
            " say which ones do in a file (--overlap-out writes one to begin with, --overlap reads it)"
        )


def _on_target(scores: Floats, source: TaskData, overlap: Overlap) -> Floats:
    """Turn scores of the source's classes into scores of the target's, (records, overlapping classes)."""
    columns = []
    for item in overlap.scored.values():
        parts = scores[:, [source.classes.index(code) for code in item.sources]]
        take = np.fmax if item.take == "highest" else np.fmin  # which pass over a class that was not learnt
        columns.append(take.reduce(parts, axis=1))
    return np.stack(columns, axis=1)
