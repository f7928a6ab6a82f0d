"""Prompt sets side by side: AUROC of each, and their differences on the same resampled patients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from merl.errors import DataError
from merl.evaluation.bootstrap import Resamples, bootstrap_auroc
from merl.evaluation.intervals import Spread, auroc_interval, difference_test, holm, spread
from merl.evaluation.metrics import MIN_POSITIVES, Bools, Floats, auroc, macro
from merl.evaluation.result import ClassDifference, ClassResult, Comparison, PromptSetResult


@dataclass(frozen=True, eq=False)
class Measured:
    """Scores of several prompt sets on the same records, with their bootstrap.

    Attributes:
        classes: codes in the order of the columns.
        positives: positive records, shape (classes,).
        patients: patients of the rarer side, shape (classes,); 0 where a class cannot be scored.
        records: how many.
        sets: AUROC of every class, shape (classes,), by the name of the prompt set.
        resamples: the bootstrap, its first axis in the order of ``sets``.
    """

    classes: tuple[str, ...]
    positives: NDArray[np.int64]
    patients: NDArray[np.int64]
    records: int
    sets: Mapping[str, Floats]
    resamples: Resamples

    @property
    def scored(self) -> Bools:
        """Which classes have an AUROC, shape (classes,)."""
        return self.patients > 0

    @property
    def frequent(self) -> Bools:
        """Which of them have at least 10 positives, shape (classes,)."""
        return self.scored & (self.positives >= MIN_POSITIVES)


def measure(
    scores: Mapping[str, ArrayLike],
    labels: ArrayLike,
    patients: ArrayLike,
    classes: Sequence[str],
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> Measured:
    """Score every prompt set and resample the patients once for all of them.

    Args:
        scores: for each prompt set its scores, shape (records, classes).
        labels: shape (records, classes), true where the class applies.
        patients: one identifier for each record, shape (records,).
        classes: codes in the order of the columns.
        resamples: bootstrap resamples.
        seed: of the resampling.

    Raises:
        UsageError: shapes that do not fit.
        DataError: a score is not finite, or no class has both a positive and a negative.
    """
    sets = {name: auroc(values, labels) for name, values in scores.items()}
    truth = np.asarray(labels, bool)
    rarer = _rarer_side(truth, np.asarray(patients))
    if not rarer.any():
        raise DataError(f"no class has both a positive and a negative among the {len(truth)} records")
    drawn = bootstrap_auroc(list(scores.values()), truth, patients, resamples=resamples, seed=seed)
    return Measured(tuple(classes), truth.sum(axis=0), rarer, len(truth), sets, drawn)


def prompt_set_result(
    measured: Measured, name: str, *, sha256: str, class_names: Mapping[str, str]
) -> PromptSetResult:
    """Write down one prompt set: macro AUROC with intervals, and each class."""
    row = list(measured.sets).index(name)
    values, drawn = measured.sets[name], measured.resamples
    parts = drawn.per_class[row]
    mean = macro(values, measured.positives)
    frequent = macro(values, measured.positives, MIN_POSITIVES) if measured.frequent.any() else None
    return PromptSetResult(
        name=name,
        sha256=sha256,
        macro_auroc=mean,
        interval=auroc_interval(mean, _spread(measured, drawn.macro[row], parts, measured.scored)),
        macro_auroc_min10=frequent,
        interval_min10=None
        if frequent is None
        else auroc_interval(frequent, _spread(measured, drawn.macro_min10[row], parts, measured.frequent)),
        per_class={
            code: _class_result(measured, c, class_names.get(code, code), float(values[c]), parts)
            for c, code in enumerate(measured.classes)
        },
    )


def comparisons(measured: Measured) -> list[Comparison]:
    """Compare every pair of prompt sets, the one given first as ``a``; differences are ``b`` minus ``a``."""
    return [_compare(measured, a, b) for a, b in combinations(measured.sets, 2)]


def _compare(measured: Measured, a: str, b: str) -> Comparison:
    drawn, names = measured.resamples, list(measured.sets)
    i, j = names.index(a), names.index(b)
    gaps = measured.sets[b] - measured.sets[a]  # (classes,)
    parts = drawn.per_class[j] - drawn.per_class[i]
    gap = macro(gaps, measured.positives)
    interval, p_value = difference_test(
        gap, _spread(measured, drawn.macro[j] - drawn.macro[i], parts, measured.scored)
    )
    gap10 = interval10 = p_value10 = None
    if measured.frequent.any():
        gap10 = macro(gaps, measured.positives, MIN_POSITIVES)
        draws10 = drawn.macro_min10[j] - drawn.macro_min10[i]
        interval10, p_value10 = difference_test(gap10, _spread(measured, draws10, parts, measured.frequent))
    columns = np.flatnonzero(measured.scored)
    tests = [
        difference_test(float(gaps[c]), _spread(measured, parts[:, c], parts, _only(measured, c)))
        for c in columns
    ]
    adjusted = holm([p for _, p in tests])
    return Comparison(
        a=a,
        b=b,
        difference=gap,
        interval=interval,
        p_value=p_value,
        difference_min10=gap10,
        interval_min10=interval10,
        p_value_min10=p_value10,
        per_class={
            measured.classes[c]: ClassDifference(
                difference=float(gaps[c]), interval=test[0], p_value=test[1], p_holm=float(p_holm)
            )
            for c, test, p_holm in zip(columns, tests, adjusted, strict=True)
        },
    )


def _class_result(measured: Measured, c: int, name: str, value: float, parts: Floats) -> ClassResult:
    positives, patients = int(measured.positives[c]), int(measured.patients[c])
    if not patients:
        side = "negatives" if positives else "positives"
        return ClassResult(
            name=name,
            auroc=None,
            interval=None,
            positives=positives,
            skipped_resamples=int(measured.resamples.skipped[c]),
            note=f"no {side} among {measured.records} records; left out of every mean",
        )
    note = None
    if patients == 1:
        note = "one patient decides, so the interval is all of 0 to 1"
    elif positives < MIN_POSITIVES:
        note = f"fewer than {MIN_POSITIVES} positives"
    return ClassResult(
        name=name,
        auroc=value,
        interval=auroc_interval(value, _spread(measured, parts[:, c], parts, _only(measured, c))),
        positives=positives,
        skipped_resamples=int(measured.resamples.skipped[c]),
        note=note,
    )


def _only(measured: Measured, c: int | np.integer) -> Bools:
    return np.arange(len(measured.classes)) == c


def _spread(measured: Measured, draws: Floats, parts: Floats, kept: Bools) -> Spread:
    """Describe the spread of a mean over the kept classes, given the draws of all classes."""
    return spread(draws, parts[:, kept], measured.patients[kept])


def _rarer_side(truth: Bools, patients: NDArray[np.generic]) -> NDArray[np.int64]:
    """Count the patients with a positive and those with a negative record; return the smaller, (classes,)."""
    index = np.unique(patients, return_inverse=True)[1]
    counts = []
    for labels in truth.T:
        counts.append(min(len(np.unique(index[labels])), len(np.unique(index[~labels]))))
    return np.array(counts, np.int64)
