"""Prompt sets side by side: what each reaches, and their differences on the same resampled patients.

Nothing here minds what the names stand for: checkpoints and ensembling rules compare in the same way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from merl.errors import NoDataError
from merl.evaluation.bootstrap import bootstrap_areas
from merl.evaluation.intervals import (
    Spread,
    all_or_nothing,
    difference_test,
    holm,
    insignificant,
    share_interval,
    spread,
)
from merl.evaluation.metrics import MIN_POSITIVES, Bools, Floats, areas, macro
from merl.evaluation.result import (
    ClassDifference,
    ClassResult,
    Comparison,
    Differences,
    PromptSetResult,
)


@dataclass(frozen=True, eq=False)
class Figure:
    """AUROC or average precision of every set, with its bootstrap.

    Attributes:
        sets: of every class, shape (classes,), by the name of the set; nan where undefined.
        draws: in every resample, shape (resamples, classes), by the name of the set; nan where undefined.
        chance: what it is by chance, shape (classes,).
        flattered: whether few patients raise it.
    """

    sets: Mapping[str, Floats]
    draws: Mapping[str, Floats]
    chance: Floats
    flattered: bool


@dataclass(frozen=True, eq=False)
class Measured:
    """Scores of several prompt sets on the same records, measured.

    Attributes:
        classes: codes in the order of the columns.
        positives: positive records, shape (classes,).
        patients: patients of the rarer side, shape (classes,); 0 where a class cannot be scored.
        skipped: resamples without a positive or without a negative, shape (classes,).
        records: how many.
        auroc: by set.
        average_precision: by set.
    """

    classes: tuple[str, ...]
    positives: NDArray[np.int64]
    patients: NDArray[np.int64]
    skipped: NDArray[np.int64]
    records: int
    auroc: Figure
    average_precision: Figure

    @property
    def scored(self) -> Bools:
        """Which classes have an AUROC, shape (classes,)."""
        return self.patients > 0

    @property
    def frequent(self) -> Bools:
        """Which of them have at least 10 positives, shape (classes,)."""
        return self.scored & (self.positives >= MIN_POSITIVES)

    def spread(self, draws: Floats, kept: Bools, least: Floats) -> Spread:
        """Describe the spread of a mean over the kept classes, given draws and least variance of all."""
        return spread(draws[:, kept], self.patients[kept], least=least[kept])


def measure(
    scores: Mapping[str, ArrayLike],
    labels: ArrayLike,
    patients: ArrayLike,
    classes: Sequence[str],
    *,
    resamples: int = 1000,
    seed: int = 0,
    drawn_from: ArrayLike | None = None,
) -> Measured:
    """Score every prompt set and resample the patients once for all of them.

    Args:
        scores: for each prompt set its scores, shape (records, classes).
        labels: shape (records, classes), true where the class applies.
        patients: one identifier for each record, shape (records,).
        classes: codes in the order of the columns.
        resamples: bootstrap resamples.
        seed: of the resampling.
        drawn_from: the patients to draw from, where these are not all, so that tasks can share the draws.

    Raises:
        UsageError: shapes that do not fit.
        NoDataError: no class has both a positive and a negative.
        DataError: a score is not finite.
    """
    values = [areas(given, labels) for given in scores.values()]
    truth = np.asarray(labels, bool)
    rarer = rarer_side(truth, np.asarray(patients))
    if not rarer.any():
        raise NoDataError(f"no class has both a positive and a negative among the {len(truth)} records")
    drawn = bootstrap_areas(
        list(scores.values()), truth, patients, resamples=resamples, seed=seed, drawn_from=drawn_from
    )
    auroc, precision = (
        Figure(
            sets=dict(zip(scores, (both[row] for both in values), strict=True)),
            draws=dict(zip(scores, drawn[row], strict=True)),
            chance=chance,
            flattered=row == 1,
        )
        for row, chance in enumerate((np.full(truth.shape[1], 0.5), truth.mean(axis=0)))
    )
    return Measured(
        classes=tuple(classes),
        positives=truth.sum(axis=0),
        patients=rarer,
        skipped=np.isnan(drawn[0, 0]).sum(axis=0),
        records=len(truth),
        auroc=auroc,
        average_precision=precision,
    )


def prompt_set_result(
    measured: Measured, name: str, *, sha256: str, class_names: Mapping[str, str], **judged: Any
) -> PromptSetResult:
    """Write down one prompt set: means with intervals, and each class.

    Args:
        measured: what ``measure`` returns.
        name: of the set.
        sha256: of its content.
        class_names: by code.
        judged: further fields of the result, such as ``held_out.judge`` returns.
    """
    (auroc, auroc10), (precision, precision10) = (
        [_estimate(measured, figure, name, kept) for kept in (measured.scored, measured.frequent)]
        for figure in (measured.auroc, measured.average_precision)
    )
    return PromptSetResult(
        name=name,
        sha256=sha256,
        macro_auroc=auroc[0],
        interval=auroc[1],
        macro_auroc_min10=auroc10[0],
        interval_min10=auroc10[1],
        macro_average_precision=precision[0],
        average_precision_interval=precision[1],
        macro_average_precision_min10=precision10[0],
        average_precision_interval_min10=precision10[1],
        per_class={
            code: _class_result(measured, c, name, class_names.get(code, code))
            for c, code in enumerate(measured.classes)
        },
        **judged,
    )


def joined(parts: Mapping[str, tuple[Measured, str]]) -> Measured:
    """Put sets, each named in what it was measured in, side by side under new names.

    They must have been measured on the same records and resamples.
    """
    first, _ = next(iter(parts.values()))
    return replace(
        first,
        auroc=_side_by_side({name: (one.auroc, its) for name, (one, its) in parts.items()}),
        average_precision=_side_by_side(
            {name: (one.average_precision, its) for name, (one, its) in parts.items()}
        ),
    )


def _side_by_side(parts: Mapping[str, tuple[Figure, str]]) -> Figure:
    first, _ = next(iter(parts.values()))
    return Figure(
        sets={name: figure.sets[its] for name, (figure, its) in parts.items()},
        draws={name: figure.draws[its] for name, (figure, its) in parts.items()},
        chance=first.chance,
        flattered=first.flattered,
    )


def comparisons(measured: Measured) -> list[Comparison]:
    """Compare every pair of prompt sets, the one given first as ``a``."""
    return [compare(measured, a, b) for a, b in combinations(measured.auroc.sets, 2)]


def compare(measured: Measured, a: str, b: str) -> Comparison:
    """Compare two sets; differences are ``b`` minus ``a``."""
    return Comparison(
        a=a,
        b=b,
        **dict(_differences(measured, measured.auroc, a, b)),
        average_precision=_differences(measured, measured.average_precision, a, b),
    )


def _differences(measured: Measured, figure: Figure, a: str, b: str) -> Differences:
    gaps = figure.sets[b] - figure.sets[a]  # (classes,)
    parts = figure.draws[b] - figure.draws[a]  # (resamples, classes)
    least = insignificant(gaps)
    gap = macro(gaps, measured.positives)
    interval, p_value = difference_test(gap, measured.spread(parts, measured.scored, least))
    gap10 = interval10 = p_value10 = None
    if measured.frequent.any():
        gap10 = macro(gaps, measured.positives, MIN_POSITIVES)
        interval10, p_value10 = difference_test(gap10, measured.spread(parts, measured.frequent, least))
    return Differences(
        difference=gap,
        interval=interval,
        p_value=p_value,
        difference_min10=gap10,
        interval_min10=interval10,
        p_value_min10=p_value10,
        per_class=_class_differences(measured, gaps, parts),
    )


def _class_differences(measured: Measured, gaps: Floats, parts: Floats) -> dict[str, ClassDifference]:
    columns = np.flatnonzero(measured.scored)
    tests = [difference_test(float(gaps[c]), spread(parts[:, [c]], measured.patients[[c]])) for c in columns]
    adjusted = holm([p for _, p in tests])
    return {
        measured.classes[c]: ClassDifference(
            difference=float(gaps[c]), interval=test[0], p_value=test[1], p_holm=float(p_holm)
        )
        for c, test, p_holm in zip(columns, tests, adjusted, strict=True)
    }


def _estimate(measured: Measured, figure: Figure, name: str, kept: Bools) -> tuple[Any, Any]:
    """Return the mean over the kept classes and its interval; ``None`` for both if there are none."""
    if not kept.any():
        return None, None
    values = figure.sets[name]
    mean, chance = float(values[kept].mean()), float(figure.chance[kept].mean())
    least = all_or_nothing(values, measured.patients) if figure.flattered else np.zeros(len(kept))
    of = measured.spread(figure.draws[name], kept, least)
    return mean, share_interval(mean, of, chance, flattered=figure.flattered)


def _class_result(measured: Measured, c: int, prompt_set: str, name: str) -> ClassResult:
    positives, patients = int(measured.positives[c]), int(measured.patients[c])
    skipped = int(measured.skipped[c])
    if not patients:
        side = "negatives" if positives else "positives"
        return ClassResult(
            name=name,
            auroc=None,
            interval=None,
            positives=positives,
            skipped_resamples=skipped,
            note=f"no {side} among {measured.records} records; left out of every mean",
        )
    note, this = None, np.arange(len(measured.classes)) == c
    if patients == 1:
        note = "one patient decides, so the interval is all of 0 to 1"
    elif positives < MIN_POSITIVES:
        note = f"fewer than {MIN_POSITIVES} positives"
    auroc, precision = (
        _estimate(measured, figure, prompt_set, this)
        for figure in (measured.auroc, measured.average_precision)
    )
    return ClassResult(
        name=name,
        auroc=auroc[0],
        interval=auroc[1],
        average_precision=precision[0],
        average_precision_interval=precision[1],
        positives=positives,
        skipped_resamples=skipped,
        note=note,
    )


def rarer_side(truth: Bools, patients: NDArray[np.generic]) -> NDArray[np.int64]:
    """Count the patients with a positive and those with a negative record; return the smaller, (classes,)."""
    index = np.unique(patients, return_inverse=True)[1]
    sides = [(index[labels], index[~labels]) for labels in truth.T]
    return np.array([min(len(np.unique(side)) for side in both) for both in sides], np.int64)
