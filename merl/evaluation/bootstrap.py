"""Patient-level bootstrap of AUROC and average precision: the same resampled patients for every set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike

from merl.errors import UsageError
from merl.evaluation.metrics import Floats, RankedClass, checked_pair

_CHUNK = 32  # resamples worked on together: a chunk of some thousand records stays in the cache


def bootstrap_areas(
    score_sets: Sequence[ArrayLike],
    labels: ArrayLike,
    patients: ArrayLike,
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> Floats:
    """Resample patients with replacement and score every prompt set on the same resamples.

    A patient drawn twice brings all of their records twice.

    Args:
        score_sets: one array of scores for each prompt set, each (records, classes).
        labels: shape (records, classes), true where the class applies.
        patients: one identifier for each record, shape (records,).
        resamples: how many, at least 1.
        seed: the same seed draws the same patients.

    Returns:
        AUROC and average precision, shape (2, sets, resamples, classes); nan where a resample has no positive
        or no negative of a class.

    Raises:
        UsageError: shapes that do not fit, or no resamples asked for.
        DataError: a score is not finite.
    """
    checked = [checked_pair(scores, labels) for scores in score_sets]
    if not checked or resamples < 1:
        raise UsageError("the bootstrap needs at least one set of scores and one resample")
    truth = checked[0][1]
    ranked = [
        [RankedClass(values[:, c], truth[:, c]) for c in range(truth.shape[1])] for values, _ in checked
    ]
    drawn = np.empty((2, len(ranked), resamples, truth.shape[1]))
    start = 0
    for weights in resample_weights(patients, resamples, seed, records=len(truth)):
        stop = start + weights.shape[1]
        for s, classes in enumerate(ranked):
            for c, one in enumerate(classes):
                drawn[:, s, start:stop, c] = one.areas(weights)
        start = stop
    return drawn


def resample_weights(patients: ArrayLike, resamples: int, seed: int, *, records: int) -> Iterator[Floats]:
    """Draw patients with replacement and yield how often each record counts.

    Yields:
        Float64 arrays of whole numbers, shape (records, some resamples), in the order of the draws.

    Raises:
        UsageError: not one patient a record.
    """
    given = np.asarray(patients)
    if given.shape != (records,):
        raise UsageError(
            f"patients have shape {given.shape}; give one identifier for each of {records} records"
        )
    index = np.unique(given, return_inverse=True)[1]
    count = int(index.max()) + 1
    random = np.random.default_rng(seed)
    for start in range(0, resamples, _CHUNK):
        size = min(_CHUNK, resamples - start)
        drawn = random.integers(count, size=(size, count)) + np.arange(size)[:, None] * count
        times = np.bincount(drawn.ravel(), minlength=size * count).reshape(size, count)
        yield times.T.astype(np.float64)[index]
