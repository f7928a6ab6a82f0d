"""Confidence intervals and p values from bootstrap draws, honest for few positives and for scores near 1.

Percentile intervals of an AUROC are too narrow where it matters here: with 20 positives among 2,000 records
they cover 94 % of the time at an AUROC of 0.6 but only 81 % at 0.97 (600 simulations), bias-corrected ones
84 %. So the bootstrap supplies the standard error and

* the interval is built on the logit scale, which cannot leave 0 to 1 and is skewed as the AUROC is;
* half a patient scoring at chance joins the estimate, so that a perfect score does not claim certainty;
* of an average precision, which few positives flatter, the bootstrap's bias is taken off;
* the error is widened for few patients, as a sample variance is (n / (n - 1) and Student's t), where n counts
  the patients of the rarer side. For a mean over classes both are weighted by each class's share of the
  variance (Welch and Satterthwaite), and classes with fewer than 10 patients, whose own spread is hardly
  seen, take the spread per patient pooled over the classes, or what else is known to be the least.

``benchmarks/coverage.py`` measures the coverage.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from merl.errors import UsageError
from merl.evaluation.metrics import MIN_POSITIVES, Floats

Interval = tuple[float, float]
LEVEL = 0.95
_NORMAL = 1.959964  # the quantile of that level
MIN_RESAMPLES = 20  # fewer cannot reach p = 0.05


@dataclass(frozen=True)
class Spread:
    """How far a figure strays.

    Attributes:
        centre: the mean of its draws.
        error: standard error, widened for few patients.
        freedom: degrees of freedom; 0 where one patient decides and nothing can be said.
        patients: patients on the rarer side, summed over the classes.
        resamples: behind the error.
    """

    centre: float
    error: float
    freedom: float
    patients: float
    resamples: int

    @property
    def quantile(self) -> float:
        """Student's t for a two-sided 95 % interval."""
        from scipy.special import stdtrit

        return float(stdtrit(self.freedom, 0.5 + LEVEL / 2))

    @property
    def known(self) -> bool:
        """Whether there is anything to build an interval on."""
        return self.freedom > 0 and self.resamples >= MIN_RESAMPLES


def spread(
    draws: ArrayLike, patients: ArrayLike, shares: ArrayLike | None = None, least: ArrayLike = 0.0
) -> Spread:
    """Describe the spread of a mean over classes, or of one class.

    A resample without a class says nothing of that class and is left out of its variance, not of the mean's.

    Args:
        draws: the figure of each class in each resample, shape (resamples, classes); nan where undefined.
        patients: patients of the rarer side of each class, shape (classes,), at least 1.
        shares: what each class weighs in the mean, shape (classes,); the same by default.
        least: of a mean, a variance that of no class with few patients is taken to be below, shape (classes,)
            or one for all.
    """
    parts, count = np.asarray(draws, float), np.asarray(patients, float)
    weights = np.full(len(count), 1 / len(count)) if shares is None else np.asarray(shares, float)
    defined, freedom, behind = np.isfinite(parts), count - 1, float(count.sum())
    seen = np.maximum(defined.sum(axis=0), 1)
    centres = np.where(defined, parts, 0.0).sum(axis=0) / seen
    away = np.where(defined, parts - centres, 0.0)  # (resamples, classes)
    centre = float(centres @ weights)
    if not freedom.any():
        return Spread(centre, 0.0, 0.0, behind, len(parts))
    own = (away**2).sum(axis=0) / np.maximum(seen - 1, 1)
    per_patient = own * count**2 / np.maximum(freedom, 1)
    pooled = (per_patient * freedom).sum() / freedom.sum()
    rare = (count < MIN_POSITIVES) & (len(count) > 1)
    corrected = weights**2 * np.where(rare, np.maximum(pooled / count, least), per_patient / count)
    if not corrected.any():
        return Spread(centre, 0.0, float(freedom.sum()), behind, len(parts))
    drawn = (away @ weights).var(ddof=1) - (weights**2 * away.var(axis=0, ddof=1)).sum()  # what classes share
    error = np.sqrt(max(drawn + corrected.sum(), 0.0))
    effective = corrected.sum() ** 2 / (corrected**2 / np.where(rare, freedom.sum(), freedom)).sum()
    return Spread(centre, float(error), float(effective), behind, len(parts))


def share_interval(
    estimate: float, spread: Spread, chance: float = 0.5, *, flattered: bool = False
) -> Interval:
    """Return the 95 % interval of a figure between 0 and 1; (0, 1) where one patient decides.

    The estimate always lies within it.

    Args:
        estimate: an AUROC, an average precision, an F1, or a mean of such over classes.
        spread: of its draws.
        chance: what it is by chance, in which half a patient is taken to score: 0.5 of an AUROC, the share of
            positives of an average precision.
        flattered: whether few patients raise the figure itself, so that the draws, which repeat patients, lie
            above the estimate as the estimate does above the truth. The interval is moved by as much.
    """
    from scipy.special import expit, logit

    if not spread.known:
        return (0.0, 1.0)
    n, level = spread.patients, estimate
    if flattered:
        level = min(max(2 * estimate - spread.centre, 0.0), 1.0)
    centre = (n * level + 0.5 * chance) / (n + 0.5)
    error = np.sqrt((n * spread.error) ** 2 + 0.5 * (level - chance) ** 2 * n / (n + 0.5)) / (n + 0.5)
    reach = spread.quantile * error / (centre * (1 - centre))
    low, high = (float(expit(logit(centre) + sign * reach)) for sign in (-1, 1))
    return (min(low, estimate), max(high, estimate))


def all_or_nothing(estimate: ArrayLike, patients: ArrayLike) -> Floats:
    """Return the variance of a share of patients, each found or not, with half a patient more at 0.5."""
    n = np.asarray(patients, float)
    share = (n * np.asarray(estimate) + 0.25) / (n + 0.5)
    return np.asarray(share * (1 - share) / n)


def insignificant(differences: Floats) -> Floats:
    """Return the variances with which differences are just not significant.

    As ``least`` of a mean, they keep a class of few patients from making it significant on its own.
    """
    return np.asarray((differences / _NORMAL) ** 2)


def difference_test(difference: float, spread: Spread) -> tuple[Interval, float]:
    """Return the 95 % interval of a paired difference and the p value for no difference, by Student's t.

    The interval holds zero where p is above 0.05.

    Returns:
        The interval within -1 to 1, and the two-sided p value, at least 1 / (resamples + 1): so many draws
        cannot tell more.
    """
    from scipy.special import stdtr

    if not spread.known:
        return (-1.0, 1.0), 1.0
    reach = spread.quantile * spread.error
    interval = (max(-1.0, difference - reach), min(1.0, difference + reach))
    if difference == 0:
        return interval, 1.0
    distance = abs(difference) / spread.error if spread.error else np.inf
    return interval, max(2 * float(stdtr(spread.freedom, -distance)), 1 / (spread.resamples + 1))


def holm(p_values: ArrayLike) -> Floats:
    """Adjust p values for their number by Holm's step-down method (Holm 1979).

    Returns:
        Adjusted values in the order given, at most 1.
    """
    values = np.asarray(p_values, float)
    if values.ndim != 1:
        raise UsageError(f"p values have shape {values.shape}; give one row of them")
    order: NDArray[np.intp] = np.argsort(values, kind="stable")
    steps = values[order] * np.arange(len(values), 0, -1)
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0) if len(values) else steps
    return adjusted
