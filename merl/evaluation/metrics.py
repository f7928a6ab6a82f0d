"""The areas under the ROC and precision-recall curves, per class and averaged, also for weighted records."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from merl.errors import DataError, UsageError

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

#: ``macro_auroc_min10`` leaves out classes with fewer positives, which otherwise rule the mean by chance.
MIN_POSITIVES = 10


def areas(scores: ArrayLike, labels: ArrayLike) -> Floats:
    """Compute AUROC and average precision of every class, equal to scikit-learn's, ties included.

    The AUROC is how often a positive scores above a negative, ties counting half, and 0.5 by chance; the
    average precision is the mean precision at the positives, and the share of positives by chance.

    Args:
        scores: shape (records, classes), any order-preserving scale; cosines as they are.
        labels: shape (records, classes), true or 1 where the class applies.

    Returns:
        Shape (2, classes), 0 to 1: AUROC, average precision; nan for a class without positives or without
        negatives, which has neither.

    Raises:
        UsageError: the shapes differ, there are no records, or a label is neither 0 nor 1.
        DataError: a score is not finite.
    """
    checked, truth = checked_pair(scores, labels)
    ones = np.ones((len(checked), 1))
    columns = range(checked.shape[1])
    return np.hstack([RankedClass(checked[:, c], truth[:, c]).areas(ones) for c in columns])


def auroc(scores: ArrayLike, labels: ArrayLike) -> Floats:
    """Return the AUROC of every class, shape (classes,): the first row of ``areas``."""
    return areas(scores, labels)[0]


def macro(per_class: ArrayLike, positives: ArrayLike, min_positives: int = 1) -> float:
    """Average a figure over the classes that have one and at least ``min_positives`` positives.

    Args:
        per_class: such as the AUROC, shape (classes,), nan where undefined.
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
    """One class's scores, sorted once, so that its figures under any record weights are one pass of sums.

    Args:
        scores: shape (records,), finite.
        labels: shape (records,), boolean.
    """

    def __init__(self, scores: Floats, labels: Bools) -> None:
        order = np.argsort(scores, kind="stable")
        ranked, positive = scores[order], labels[order]
        self._positives, self._negatives = order[positive], order[~positive]
        values = ranked[positive]  # scores of the positives, the lowest first
        self._below = np.searchsorted(ranked[~positive], values, side="left")  # negatives below each
        self._up_to = np.searchsorted(ranked[~positive], values, side="right")  # ... and those tied with it
        self._first = np.searchsorted(values, values, side="left")  # positives below each

    def areas(self, weights: Floats) -> Floats:
        """Compute the weighted AUROC and average precision for many weightings at once.

        Args:
            weights: shape (records, weightings), not negative; how often each record counts.

        Returns:
            Shape (2, weightings), 0 to 1: the AUROC and the average precision, equal to scikit-learn's under
            ``sample_weight``; nan where the positives or the negatives weigh nothing.
        """
        positives = weights[self._positives]  # (positives, weightings)
        negatives_below = _running_sum(weights[self._negatives])
        positives_below = _running_sum(positives)
        of_positives, of_negatives = positives_below[-1], negatives_below[-1]
        below = negatives_below[self._below]
        beaten = 0.5 * (below + negatives_below[self._up_to])
        reached = of_positives - positives_below[self._first]  # positives at or above each
        found = reached + (of_negatives - below)  # all records at or above each
        precision = np.divide(reached, found, out=np.zeros_like(found), where=found > 0)
        sums = np.stack([np.einsum("pw,pw->w", positives, each) for each in (beaten, precision)])
        wholes = np.stack([of_positives * of_negatives, of_positives])
        defined = (of_positives > 0) & (of_negatives > 0)
        return np.divide(sums, wholes, out=np.full(sums.shape, np.nan), where=defined)


def _running_sum(weights: Floats) -> Floats:
    """Return sums of the first 0, 1, 2 ... rows, (rows, weightings) -> (rows + 1, weightings)."""
    sums = np.zeros((len(weights) + 1, weights.shape[1]))
    np.cumsum(weights, axis=0, out=sums[1:])
    return sums
