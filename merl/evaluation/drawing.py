"""Part of a training split, drawn by patients so that rare classes keep a positive."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from merl.errors import UsageError
from merl.evaluation.metrics import Bools


def check_fraction(fraction: float, records: int) -> None:
    """Refuse a fraction that is no share of some records.

    Raises:
        UsageError: it is not above 0 and at most 1, or less than a record.
    """
    if not 0 < fraction <= 1:
        raise UsageError(f"a fraction of {fraction:g} of the labels; give more than 0 and at most 1, as 0.01")
    if round(fraction * records) < 1:
        raise UsageError(
            f"a fraction of {fraction:g} of {records} training records is less than one;"
            f" give at least {1 / records:.2g}"
        )


def draw(labels: ArrayLike, patients: ArrayLike, fraction: float, seed: int) -> NDArray[np.int64]:
    """Draw a share of the records, all records of a patient or none, with about that share of every class.

    Iterative stratification (Sechidis et al., On the stratification of multi-label data, ECML PKDD 2011)
    over patients: the class with the fewest patients left is dealt out first, each patient to the side that
    lacks it more. A class asks for one positive record at least, so a small share of a rare class is not
    none; that makes a draw a little larger than the share where there are many rare classes.

    Args:
        labels: shape (records, classes), true where the class applies.
        patients: one identifier for each record, shape (records,).
        fraction: above 0 and at most 1, which is all records.
        seed: the same seed draws the same patients.

    Returns:
        Indices of the drawn records in ascending order.

    Raises:
        UsageError: the fraction is no share, or less than a record.
    """
    truth = np.asarray(labels, bool)
    check_fraction(fraction, len(truth))
    if fraction == 1:
        return np.arange(len(truth))
    index = np.unique(np.asarray(patients), return_inverse=True)[1]
    counts = np.zeros((int(index.max()) + 1, truth.shape[1] + 1))  # a patient's records, last of any class
    np.add.at(counts, index, np.column_stack([truth, np.ones(len(truth))]))
    chosen = _deal(counts, fraction, np.random.default_rng(seed))
    return np.flatnonzero(chosen[index])


def _deal(counts: NDArray[np.float64], fraction: float, random: np.random.Generator) -> Bools:
    """Deal patients, (patients, classes + 1), to the draw or to the rest; return which are drawn."""
    total = counts.sum(axis=0)
    wanted = np.stack([total - total * fraction, total * fraction])  # by the rest, by the draw
    rare = (total > 0) & (wanted[1] < 1)
    wanted[:, rare] = np.stack([total[rare] - 1, np.ones(rare.sum())])
    drawn = np.zeros(len(counts), bool)
    waiting = np.ones(len(counts), bool)
    has = counts > 0
    while waiting.any():
        left = has[waiting].sum(axis=0)
        label = int(np.where(left > 0, left, len(counts) + 1).argmin())
        for patient in random.permutation(np.flatnonzero(waiting & has[:, label])):
            need = wanted[:, label]
            lacks_more = need[1] > need[0] or (need[1] == need[0] and wanted[1, -1] > wanted[0, -1])
            drawn[patient] = lacks_more
            wanted[int(lacks_more)] -= counts[patient]
            waiting[patient] = False
    for lost in np.flatnonzero((total > 0) & ~has[drawn].any(axis=0)):  # all went along with another class
        drawn[random.choice(np.flatnonzero(has[:, lost]))] = True
    return drawn
