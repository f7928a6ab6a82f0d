"""One logistic regression a class on frozen features, its penalty chosen on records left out of the fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from merl.evaluation.metrics import Bools, Floats

Features = NDArray[np.floating]
FOLDS = 5
#: Inverse strengths of the L2 penalty to choose from, the strongest first; for features of unit variance.
STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)


@dataclass(frozen=True, eq=False)
class Labelled:
    """Records with features and labels.

    Attributes:
        features: shape (records, width).
        labels: shape (records, classes).
        patients: shape (records,).
    """

    features: Features
    labels: Bools
    patients: NDArray[np.int64]

    def take(self, rows: NDArray[np.integer]) -> Labelled:
        """Return some of the records."""
        return Labelled(self.features[rows], self.labels[rows], self.patients[rows])


@dataclass(frozen=True, eq=False)
class LinearProbe:
    """A fitted probe.

    Attributes:
        scaler: brings features to the mean 0 and variance 1 of those it was fitted to.
        weights: shape (width, classes); nan for a class that had no positive or no negative to learn from.
        bias: shape (classes,).
        strength: the inverse strength of the penalty.
    """

    scaler: Any
    weights: Floats
    bias: Floats
    strength: float

    def score(self, features: Features) -> Floats:
        """Return log-odds, shape (records, classes); nan for a class that could not be learnt."""
        return np.asarray(self.scaler.transform(features) @ self.weights + self.bias, np.float64)


def fit_probe(
    labelled: Labelled,
    *,
    validation: Labelled | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> LinearProbe:
    """Fit a probe to all labelled records, with the penalty that tells records left out of a fit best.

    One strength serves all classes, that of the smallest cross-entropy: unlike the AUROC it is defined for
    classes with a single positive. Penalties are weakened until the cross-entropy rises, since it has one
    minimum and weak penalties take the longest. Where nothing can be compared, the strongest is taken.

    Args:
        labelled: what it learns from.
        validation: other records to choose the penalty on; if not given, that is done by cross-validation
            over five groups of the labelled patients.
        seed: of the groups.
        progress: called with the fits done and the fits to do.
    """
    splits = [(labelled, validation)] if validation else _groups(labelled, seed)
    total, done = len(STRENGTHS) * len(splits) + 1, 0
    losses = []
    for strength in STRENGTHS:
        found = []
        for fitted, left_out in splits:
            found.append(_losses(_fit(fitted, strength).score(left_out.features), left_out.labels))
            done += 1
            if progress:
                progress(done, total)
        values = np.concatenate(found) if found else np.zeros(0)
        losses.append(values.mean() if len(values) else np.inf)
        if losses[-1] > min(losses):
            break
    probe = _fit(labelled, STRENGTHS[int(np.argmin(losses))])
    if progress:
        progress(total, total)
    return probe


def _groups(labelled: Labelled, seed: int) -> list[tuple[Labelled, Labelled]]:
    """Split the patients into groups; return for each the records of the others and its own."""
    from sklearn.model_selection import GroupKFold

    count = min(FOLDS, len(np.unique(labelled.patients)))
    if count < 2:
        return []
    groups = GroupKFold(count, shuffle=True, random_state=seed)
    found = groups.split(labelled.features, groups=labelled.patients)
    return [(labelled.take(rest), labelled.take(own)) for rest, own in found]


def _fit(labelled: Labelled, strength: float) -> LinearProbe:
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(labelled.features)
    features = scaler.transform(labelled.features)
    width, classes = features.shape[1], labelled.labels.shape[1]
    weights, bias = np.full((width, classes), np.nan), np.full(classes, np.nan)
    for column in learnable(labelled.labels).nonzero()[0]:
        fitted = LogisticRegression(C=strength, max_iter=1000).fit(features, labelled.labels[:, column])
        weights[:, column], bias[column] = fitted.coef_[0], fitted.intercept_[0]
    return LinearProbe(scaler, weights, bias, strength)


def learnable(labels: Bools) -> Bools:
    """Tell which classes have a positive and a negative, shape (classes,)."""
    return np.asarray(labels.any(axis=0) & ~labels.all(axis=0), np.bool_)


def _losses(scores: Floats, labels: Bools) -> Floats:
    """Return the cross-entropy of every record and class that has a score."""
    there = np.isfinite(scores)
    return np.logaddexp(0, scores[there]) - scores[there] * labels[there]
