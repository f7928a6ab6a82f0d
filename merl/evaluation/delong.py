"""DeLong's variance of the AUROC: a check of the bootstrap where every record is a patient of its own.

It is exact in large samples, needs no resampling, and knows neither patients with several records nor
averages over classes; so intervals rest on the bootstrap, and ``benchmarks/coverage.py`` sets both side by
side.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from merl.errors import DataError
from merl.evaluation.metrics import Floats, checked_pair


def delong_covariance(scores: ArrayLike, labels: ArrayLike) -> Floats:
    """Estimate how the AUROCs of several sets of scores on the same records vary and covary.

    DeLong, DeLong and Clarke-Pearson, Biometrics 44:837 (1988), by the mid-ranks of Sun and Xu, IEEE Signal
    Processing Letters 21:1389 (2014).

    Args:
        scores: of one class, shape (records, sets).
        labels: shape (records,), true where the class applies.

    Returns:
        Shape (sets, sets); the variance of a difference is ``[i, i] + [j, j] - 2 * [i, j]``.

    Raises:
        UsageError: shapes that do not fit.
        DataError: a score is not finite, or there are fewer than two positives or two negatives.
    """
    from scipy.stats import rankdata

    given = np.asarray(scores)
    values, truth = checked_pair(given, np.tile(np.asarray(labels)[:, None], given.shape[-1]))
    positive = truth[:, 0]
    positives, negatives = int(positive.sum()), int((~positive).sum())
    if min(positives, negatives) < 2:
        raise DataError(f"{positives} positives and {negatives} negatives have no variance; two of each do")
    ranks = rankdata(values, axis=0)
    # by how large a share of the other side each record is rightly told from, ties counting half
    of_positives = (ranks[positive] - rankdata(values[positive], axis=0)) / negatives
    of_negatives = 1 - (ranks[~positive] - rankdata(values[~positive], axis=0)) / positives
    return (
        np.atleast_2d(np.cov(of_positives.T)) / positives + np.atleast_2d(np.cov(of_negatives.T)) / negatives
    )
