"""The area under the ROC curve, per class and averaged, also for weighted records."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from merl.errors import DataError, UsageError

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

#: ``macro_auroc_min10`` leaves out classes with fewer positives, which otherwise rule the mean by chance.
MIN_POSITIVES = 10


def auroc(scores: ArrayLike, labels: ArrayLike) -> Floats:
    """Compute the AUROC of every class: how often a positive scores above a negative, ties counting half.

    Args:
        scores: shape (records, classes), any order-preserving scale; cosines as they are.
        labels: shape (records, classes), true or 1 where the class applies.

    Returns:
        Shape (classes,), 0 to 1, equal to scikit-learn's ``roc_auc_score``; nan for a class without
        positives or without negatives, which has no AUROC.

    Raises:
        UsageError: the shapes differ, there are no records, or a label is neither 0 nor 1.
        DataError: a score is not finite.
    """
    checked, truth = checked_pair(scores, labels)
    ones = np.ones((len(checked), 1))
    return np.array([RankedClass(checked[:, c], truth[:, c]).auroc(ones)[0] for c in range(checked.shape[1])])


def macro(per_class: ArrayLike, positives: ArrayLike, min_positives: int = 1) -> float:
    """Average the AUROC of the classes that have one and at least ``min_positives`` positives.

    Args:
        per_class: AUROC, shape (classes,), nan where undefined.
        positives: positive records of each class, shape (classes,).
        min_positives: classes with fewer are left out.

    Returns:
        The mean, 0 to 1; nan if no class is left.
    """
    values = np.asarray(per_class, float)
    kept = values[np.isfinite(values) & (np.asarray(positives) >= min_positives)]
    return float(kept.mean()) if len(kept) else float("nan")


def checked_pair(scores: ArrayLike, labels: ArrayLike) -> tuple[Floats, Bools]:
    """Return scores as float64 and labels as booleans, both (records, classes), or say what is wrong.

    Raises:
        UsageError: the shapes differ, there are no records, or a label is neither 0 nor 1.
        DataError: a score is not finite.
    """
    values, truth = np.asarray(scores, np.float64), np.asarray(labels)
    if values.ndim != 2 or values.shape != truth.shape or not values.size:
        raise UsageError(
            f"scores have shape {values.shape} and labels {truth.shape}; give both as (records, classes)"
        )
    if truth.dtype != bool and not np.isin(truth, (0, 1)).all():
        raise UsageError("labels must be 0 or 1; map unknown or uncertain labels to one of them first")
    if not np.isfinite(values).all():
        row = int(np.argwhere(~np.isfinite(values))[0, 0])
        raise DataError(f"the scores of record {row} are not finite; check the record and the checkpoint")
    return values, truth.astype(bool)


class RankedClass:
    """One class's scores, sorted once, so that the AUROC under any record weights is one pass of sums.

    Args:
        scores: shape (records,), finite.
        labels: shape (records,), boolean.
    """

    def __init__(self, scores: Floats, labels: Bools) -> None:
        self._order = np.argsort(scores, kind="stable")
        ranked = scores[self._order]
        self._positives = np.flatnonzero(labels)
        self._is_negative = ~labels[self._order]
        self._below = np.searchsorted(
            ranked, scores[labels], side="left"
        )  # records scoring below each positive
        self._up_to = np.searchsorted(ranked, scores[labels], side="right")  # ... and those tied with it

    def auroc(self, weights: Floats) -> Floats:
        """Compute the weighted AUROC for many weightings at once.

        Args:
            weights: shape (records, weightings), not negative; how often each record counts.

        Returns:
            Shape (weightings,), 0 to 1; nan where the positives or the negatives weigh nothing.
        """
        negatives = np.zeros((len(weights) + 1, weights.shape[1]))  # row i: weight of the i lowest records
        np.cumsum(weights[self._order] * self._is_negative[:, None], axis=0, out=negatives[1:])
        positives = weights[self._positives]  # (positives, weightings)
        beaten = 0.5 * (negatives[self._below] + negatives[self._up_to])
        pairs = positives.sum(axis=0) * negatives[-1]
        won = np.einsum("pw,pw->w", positives, beaten)
        return np.divide(won, pairs, out=np.full(len(pairs), np.nan), where=pairs > 0)
