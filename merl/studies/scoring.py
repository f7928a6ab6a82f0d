"""Scores of a model or a classifier on the records of an evaluation, group of classes by group."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from merl.ckepe.prompt_set import prompt_set_sha256
from merl.datasets.tasks import TaskData
from merl.errors import UsageError
from merl.evaluation.comparison import measure, prompt_set_result
from merl.evaluation.decisions import nearest_decisions
from merl.evaluation.metrics import Floats
from merl.evaluation.result import PromptSetResult
from merl.evaluation.scoring import see
from merl.model import MERL
from merl.studies.result import Score
from merl.studies.truth import Truth, columns_of
from merl.zeroshot import embed_prompts

ZERO_SHOT = "zero-shot"


def zero_shot_scores(model: MERL, truth: Truth, progress: Any = None) -> Floats:
    """Return the cosine of every record with every class, shape (records, classes)."""
    embedded = embed_prompts(model, truth.prompts)
    order = [list(truth.prompts.classes).index(code) for code in truth.data.classes]
    step = (lambda done, of, _by: progress(done, of, f"scoring {truth.data.task}")) if progress else None
    (seen,) = see([model], [truth.data], untrained=False, allow_missing=False, progress=step)
    return np.asarray(embedded.score(seen.ecgs)[:, order], np.float64)


def judge(
    evaluation: str, method: str, scores: Floats, truth: Truth, *, resamples: int, seed: int
) -> list[Score]:
    """Measure scores, each group of classes by itself.

    Args:
        evaluation: its name.
        method: what made the scores.
        scores: shape (records, classes); nan in the columns of classes that the method does not know.
        truth: of the same records.
        resamples: of patients.
        seed: of the resampling.
    """
    unknown = set(np.flatnonzero(np.isnan(scores).any(axis=0)).tolist())
    found = []
    for group, codes in truth.groups.items():
        columns = np.array([c for c in columns_of(truth, codes) if c not in unknown], np.int64)
        part = replace(
            truth.data,
            classes=tuple(truth.data.classes[c] for c in columns),
            labels=truth.data.labels[:, columns],
        )
        scorable = int((part.labels.any(axis=0) & ~part.labels.all(axis=0)).sum())
        score = Score(
            evaluation=evaluation,
            group=group,
            n_records=len(part),
            n_patients=len(np.unique(part.patients)),
            n_classes=scorable,
            figures=None,
        )
        if scorable:
            figures = _figures(method, scores[:, columns], part, truth, resamples=resamples, seed=seed)
            score = score.model_copy(update={"figures": figures})
        found.append(score)
    return found


def _figures(
    method: str, scores: Floats, data: TaskData, truth: Truth, *, resamples: int, seed: int
) -> PromptSetResult:
    labels, patients, codes = data.labels, data.patients, data.classes
    measured = measure({method: scores}, labels, patients, codes, resamples=resamples, seed=seed)
    nearest = None
    if not truth.by_concept:  # concepts take each other in, so that none is the nearest alone
        nearest = nearest_decisions(scores, labels, patients, codes, resamples=resamples, seed=seed)
    return prompt_set_result(
        measured,
        method,
        sha256=prompt_set_sha256(truth.prompts),
        class_names={code: item.name for code, item in truth.prompts.classes.items()},
        nearest=nearest,
    )


def in_the_columns_of(truth: Truth, codes: tuple[str, ...], scores: Floats) -> Floats:
    """Put the scores of a classifier's classes in the columns of a truth's, nan where it has none.

    Raises:
        UsageError: it has none of them.
    """
    shared = [code for code in codes if code in truth.data.classes]
    if not shared:
        raise UsageError(f"the classifier knows no class of {truth.data.task}")
    placed = np.full((len(scores), len(truth.data.classes)), np.nan)
    placed[:, columns_of(truth, shared)] = scores[:, [codes.index(code) for code in shared]]
    return placed
