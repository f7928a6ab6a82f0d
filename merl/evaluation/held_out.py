"""Thresholds and probabilities, judged on records they were not fitted on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from merl.calibration import Calibration, Scoring, calibrate_classes, probabilities
from merl.evaluation.decisions import decisions, nearest_decisions
from merl.evaluation.metrics import Bools, Floats
from merl.evaluation.result import ClassProbability, Probabilities, Validation

_PARTS = 5
_BINS = 10


@dataclass(frozen=True, eq=False)
class ScoredFold:
    """Records with their truth and their scores.

    Attributes:
        scores: by prompt set, each (records, classes).
        labels: shape (records, classes).
        patients: one identifier for each record, shape (records,).
        classes: codes in the order of the columns.
        dataset: the data set's name.
        split: which of its splits.
        leads: the only leads the model saw; all of them if ``None``.
    """

    scores: Mapping[str, Floats]
    labels: Bools
    patients: NDArray[np.int64]
    classes: Sequence[str]
    dataset: str
    split: str
    leads: tuple[str, ...] | None = None


def validation_of(fold: ScoredFold, records: ScoredFold) -> Validation:
    """Say how thresholds and calibration are kept from the records they are judged on, or cannot be.

    Args:
        fold: the validation fold; the very object ``records`` if it is that which is evaluated.
        records: what is evaluated.
    """
    size = len(fold.labels)
    if fold is not records:
        return Validation(n_records=size, held_out=f"they were fitted on the split {fold.split}")
    if len(np.unique(fold.patients)) < _PARTS:
        return Validation(n_records=size, note=f"the validation fold has fewer than {_PARTS} patients")
    parts = f"for each fifth of the patients they were fitted on the other four of the split {fold.split}"
    return Validation(n_records=size, held_out=parts)


def judge(
    name: str,
    records: ScoredFold,
    fold: ScoredFold | None,
    scoring: Scoring,
    *,
    resamples: int,
    seed: int,
) -> dict[str, Any]:
    """Judge a prompt set by its decisions and probabilities.

    Args:
        name: of the prompt set.
        records: what is evaluated.
        fold: the validation fold, the very object ``records`` if it is that; ``None`` if there is none.
        scoring: what a calibration is bound to.
        resamples: bootstrap resamples of patients.
        seed: of the resampling and of the parts of a fold.

    Returns:
        Fields of a ``PromptSetResult``: nearest, thresholded, probabilities, calibration.
    """
    scores, labels, classes = records.scores[name], records.labels, records.classes
    nearest = nearest_decisions(scores, labels, records.patients, classes, resamples=resamples, seed=seed)
    if fold is None:
        return {"nearest": nearest}
    fitted = calibrate_classes(fold.scores[name], fold.labels)
    if fold is records:
        answers = _in_parts(scores, labels, records.patients, seed)
    else:
        answers = _answers(fold.scores[name], fold.labels, scores)
    kept = np.array([one.threshold is not None for one in fitted]) & _two_sided(labels)
    codes = [code for code, keep in zip(classes, kept, strict=True) if keep]
    answers, truth = answers.of(kept), labels[:, kept]
    return {
        "nearest": nearest,
        "thresholded": decisions(
            answers.said, truth, records.patients, codes, resamples=resamples, seed=seed
        ),
        "probabilities": _judge_probabilities(answers, truth, codes),
        "calibration": Calibration(
            **scoring.model_dump(),
            n_records=len(fold.labels),
            dataset=fold.dataset,
            split=fold.split,
            leads=fold.leads,
            per_class=dict(zip(classes, fitted, strict=True)),
        ),
    }


@dataclass(frozen=True, eq=False)
class _Answers:
    """What the fit on some records says of others, each shape (records, classes).

    Attributes:
        said: whether the class is said to apply.
        probabilities: that it applies.
        rates: how often it applied among the records of the fit.
    """

    said: Bools
    probabilities: Floats
    rates: Floats

    def of(self, kept: Bools) -> _Answers:
        return _Answers(self.said[:, kept], self.probabilities[:, kept], self.rates[:, kept])


def _answers(fit_scores: Floats, fit_labels: Bools, scores: Floats) -> _Answers:
    fitted = calibrate_classes(fit_scores, fit_labels)
    thresholds = np.array([np.inf if one.threshold is None else one.threshold for one in fitted])
    rates = np.broadcast_to(fit_labels.mean(axis=0), scores.shape)
    return _Answers(scores >= thresholds, probabilities(fitted, scores), rates)


def _in_parts(scores: Floats, labels: Bools, patients: NDArray[np.int64], seed: int) -> _Answers:
    """Answer for each fifth of the patients by what the other four say."""
    from sklearn.model_selection import GroupKFold

    whole = _Answers(np.zeros(labels.shape, bool), np.zeros(labels.shape), np.zeros(labels.shape))
    parts = GroupKFold(_PARTS, shuffle=True, random_state=seed)
    for rest, part in parts.split(scores, groups=patients):
        answers = _answers(scores[rest], labels[rest], scores[part])
        whole.said[part] = answers.said
        whole.probabilities[part] = answers.probabilities
        whole.rates[part] = answers.rates
    return whole


def _judge_probabilities(answers: _Answers, labels: Bools, codes: Sequence[str]) -> Probabilities | None:
    if not codes:
        return None
    truth = labels.astype(float)
    figures = {
        "brier": ((answers.probabilities - truth) ** 2).mean(axis=0),
        "brier_of_rate": ((answers.rates - truth) ** 2).mean(axis=0),
        "calibration_error": calibration_error(answers.probabilities, truth),
    }
    return Probabilities(
        **{name: float(values.mean()) for name, values in figures.items()},
        per_class={
            code: ClassProbability(**{name: float(values[c]) for name, values in figures.items()})
            for c, code in enumerate(codes)
        },
    )


def calibration_error(probabilities: Floats, truth: Floats) -> Floats:
    """Compute the expected calibration error over ten bins of equally many records, shape (classes,).

    Bins of equal width would put nearly every record of a rare class into one. The error is not 0 for perfect
    probabilities either: a bin's rate strays by chance.

    Args:
        probabilities: shape (records, classes).
        truth: 0 or 1, shape (records, classes).
    """
    order = probabilities.argsort(axis=0, kind="stable")
    gaps = np.take_along_axis(probabilities - truth, order, axis=0)
    bins = np.array_split(gaps, min(_BINS, len(gaps)))
    return np.asarray(np.sum([np.abs(part.sum(axis=0)) for part in bins], axis=0) / len(gaps))


def _two_sided(labels: Bools) -> Bools:
    return np.asarray(labels.any(axis=0) & ~labels.all(axis=0))
