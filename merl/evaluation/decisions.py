"""Yes and no instead of scores: accuracy, precision, recall and F1 as METS reports them, with intervals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from merl.evaluation.bootstrap import resample_weights
from merl.evaluation.comparison import rarer_side
from merl.evaluation.intervals import all_or_nothing, share_interval, spread
from merl.evaluation.metrics import Bools, Floats
from merl.evaluation.result import ClassDecision, Decisions, Estimate

_FIGURES = ("accuracy", "precision", "recall", "f1")


def nearest_decisions(
    scores: Floats,
    labels: Bools,
    patients: NDArray[np.generic],
    classes: Sequence[str],
    *,
    resamples: int,
    seed: int,
) -> Decisions | None:
    """Give every record with exactly one label the class of the highest score, as METS does.

    Args:
        scores: shape (records, classes).
        labels: shape (records, classes).
        patients: one identifier for each record, shape (records,).
        classes: codes in the order of the columns.
        resamples: bootstrap resamples of patients.
        seed: of the resampling.

    Returns:
        ``accuracy`` is the share of records given the right class; the others are means over the classes that
        occur. ``None`` where no two of these records differ in their class.
    """
    single = labels.sum(axis=1) == 1
    truth = labels[single]
    said = np.eye(len(classes), dtype=bool)[scores[single].argmax(axis=1)]
    return decisions(
        said, truth, patients[single], classes, resamples=resamples, seed=seed, one_class_each=True
    )


def decisions(
    said: Bools,
    labels: Bools,
    patients: NDArray[np.generic],
    classes: Sequence[str],
    *,
    resamples: int,
    seed: int,
    one_class_each: bool = False,
) -> Decisions | None:
    """Judge what is said of each record, with thresholds taken as given: intervals are of patients only.

    Args:
        said: shape (records, classes), whether the class is said to apply.
        labels: shape (records, classes), whether it does.
        patients: one identifier for each record, shape (records,).
        classes: codes in the order of the columns.
        resamples: bootstrap resamples of patients.
        seed: of the resampling.
        one_class_each: each record has, and is given, one class; accuracy is then the share of records.

    Returns:
        Means over the classes with a positive and a negative; ``None`` if there is none.
    """
    counted = rarer_side(labels, patients)
    kept = counted > 0
    if not kept.any():
        return None
    weights = resample_weights(patients, resamples, seed, records=len(labels))
    drawn = np.concatenate(
        [_figures(said, labels, some) for some in weights], axis=2
    )  # (4, classes, resamples)
    values = _figures(said, labels, np.ones((len(labels), 1)))[:, :, 0]  # (4, classes)
    found = {}
    for name, value, draws in zip(_FIGURES, values, drawn, strict=True):
        parts = draws[kept].T  # (resamples, classes)
        behind = (np.full(len(kept), len(np.unique(patients))) if name == "accuracy" else counted)[kept]
        # a rare class is found always or never: that its draws do not stray tells little
        of = spread(parts, behind, least=all_or_nothing(value[kept], behind))
        mean = float(value[kept].mean())
        found[name] = Estimate(value=mean, interval=share_interval(mean, of))
    if one_class_each:
        found["accuracy"] = _share_right(np.any(said & labels, axis=1), patients, resamples, seed)
    return Decisions(
        n_records=len(labels),
        **found,
        per_class={
            classes[c]: ClassDecision(**dict(zip(_FIGURES, map(float, values[:, c]), strict=True)))
            for c in np.flatnonzero(kept).tolist()
        },
    )


def _figures(said: Bools, labels: Bools, weights: Floats) -> Floats:
    """Return accuracy, precision, recall and F1 under weights of shape (records, weightings).

    Shape (4, classes, weightings); 0 where nothing was said, nan where the class does not occur.
    """
    hits, said_at_all, there = (part.T.astype(float) @ weights for part in (said & labels, said, labels))
    missed_or_false = said_at_all + there - 2 * hits
    accuracy = 1 - missed_or_false / weights.sum(axis=0)
    parts = ((hits, said_at_all), (hits, there), (2 * hits, said_at_all + there))
    shares = [np.divide(a, b, out=np.zeros_like(a), where=b > 0) for a, b in parts]
    return np.where(there > 0, np.stack([accuracy, *shares]), np.nan)


def _share_right(right: Bools, patients: NDArray[np.generic], resamples: int, seed: int) -> Estimate:
    weights = resample_weights(patients, resamples, seed, records=len(right))
    draws = np.concatenate([right @ some / some.sum(axis=0) for some in weights])
    share = float(right.mean())
    of = spread(draws[:, None], [len(np.unique(patients))])
    return Estimate(value=share, interval=share_interval(share, of))
