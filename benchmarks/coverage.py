"""Measure whether 95 % intervals hold the truth 95 % of the time, and whether p values are uniform by chance.

    python benchmarks/coverage.py [--simulations 2000] [--resamples 200] [--only TEXT]

Scores are normal with equal variance, so that the true AUROC is known; the true average precision follows by
integration, the true F1 at a threshold that half of the positives reach by arithmetic. Each design is a task:
the positive patients of its classes among 600 patients. In "drawn" designs so many are expected, and each
patient is positive or not by chance. In "repeated" designs patients have one to three records, all positive
or all negative, whose scores share half of their variance. Two prompt sets of equal quality share 80 % of
theirs. Prints Markdown; benchmarks/statistics.md keeps it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from scipy.stats import kstest, norm

from merl.evaluation.comparison import Measured, comparisons, measure, prompt_set_result
from merl.evaluation.decisions import decisions
from merl.evaluation.delong import delong_covariance
from merl.evaluation.result import Differences

PATIENTS, SHARED, WITHIN = 600, 0.8, 0.5
TRUTHS = (0.6, 0.8, 0.95)
LEVELS = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9)
DESIGNS = {
    "2 positives": [2],
    "5 positives": [5],
    "10 positives": [10],
    "20 positives": [20],
    "60 positives": [60],
    "20, 30, 60, 120": [20, 30, 60, 120],
    "20, 30, 60, 120 repeated": [20, 30, 60, 120],
    "20, 30, 60, 120 drawn": [20, 30, 60, 120],
    "1, 2, 4, 10, 20, 20, 60, 120": [1, 2, 4, 10, 20, 20, 60, 120],
}


@dataclass
class Tally:
    """What the simulations of one design and truth gave.

    Attributes:
        held: by interval, whether each simulation's held the truth.
        p_values: by difference.
        errors: standard errors of a single class: bootstrap, DeLong; of the difference: bootstrap, DeLong.
        estimates: the AUROC of that class.
    """

    held: dict[str, list[bool]] = field(default_factory=dict)
    p_values: dict[str, list[float]] = field(default_factory=dict)
    errors: list[list[float]] = field(default_factory=list)
    estimates: list[float] = field(default_factory=list)

    def add(self, what: str, interval: tuple[float, float] | None, truth: float) -> None:
        if interval is not None:
            self.held.setdefault(what, []).append(interval[0] <= truth <= interval[1])

    def compare(self, what: str, pair: Differences) -> None:
        self.add(f"{what} difference", pair.interval, 0)
        self.p_values.setdefault(what, []).append(pair.p_value)
        if pair.p_value_min10 is not None:
            self.p_values.setdefault(f"{what}, 10 or more", []).append(pair.p_value_min10)

    def cover(self, what: str) -> str:
        return f"{np.mean(self.held[what]):.1%}" if what in self.held else "-"


def simulate(
    random: np.random.Generator, positives: list[int], shift: float, *, kind: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return labels and two sets of scores, each (records, classes), and the records' patients."""
    labels = np.zeros((PATIENTS, len(positives)), bool)
    for c, count in enumerate(positives):
        drawn = random.binomial(PATIENTS, count / PATIENTS) if kind == "drawn" else count
        labels[random.choice(PATIENTS, drawn, replace=False), c] = True
    patients = np.arange(PATIENTS)
    if kind == "repeated":
        patients = np.repeat(patients, random.integers(1, 4, PATIENTS))
    labels = labels[patients]

    def noise() -> np.ndarray:
        own = random.normal(size=labels.shape)
        if kind != "repeated":
            return own
        of_patient = random.normal(size=(PATIENTS, labels.shape[1]))[patients]
        return WITHIN**0.5 * of_patient + (1 - WITHIN) ** 0.5 * own

    shared = SHARED**0.5 * noise() + shift * labels
    a, b = (shared + (1 - SHARED) ** 0.5 * noise() for _ in range(2))
    return labels, a, b, patients


def true_average_precision(shift: float, prevalence: float) -> float:
    """Integrate the precision at each positive over the positives' scores."""
    recall = 1 - (np.arange(20_000) + 0.5) / 20_000
    alarms = norm.sf(norm.isf(recall) + shift)  # negatives that reach the positive met at this recall
    return float(np.mean(prevalence * recall / (prevalence * recall + (1 - prevalence) * alarms)))


def true_f1(shift: float, prevalence: float) -> float:
    """F1 at the threshold that half of the positives reach."""
    return float(prevalence / (1.5 * prevalence + (1 - prevalence) * norm.sf(shift)))


def run(design: str, truth: float, simulations: int, resamples: int) -> Tally:
    positives, tally = DESIGNS[design], Tally()
    shift = norm.ppf(truth) * 2**0.5
    random = np.random.default_rng([list(DESIGNS).index(design), int(100 * truth)])
    precision, f1 = (
        float(np.mean([known(shift, count / PATIENTS) for count in positives]))
        for known in (true_average_precision, true_f1)
    )
    classes = [str(c) for c in range(len(positives))]
    for trial in range(simulations):
        labels, a, b, patients = simulate(random, positives, shift, kind=design.rpartition(" ")[2])
        drawing = {"resamples": resamples, "seed": trial}
        measured = measure({"a": a, "b": b}, labels, patients, classes, **drawing)
        result, pair = prompt_set_result(measured, "a", sha256="", class_names={}), comparisons(measured)[0]
        tally.add("macro", result.interval, truth)
        tally.add("10 or more", result.interval_min10, truth)
        tally.add("percentile", percentiles(measured.auroc.draws["a"]), truth)
        tally.add("AP", result.average_precision_interval, precision)
        tally.add("F1", decisions(a >= shift, labels, patients, classes, **drawing).f1.interval, f1)
        tally.compare("AUROC", pair)
        tally.compare("AP", pair.average_precision)
        for count, code in zip(positives, classes, strict=True):
            what = "class of 20 or more" if count >= 20 else "rarer class"
            tally.add(what, result.per_class[code].interval, truth)
            tally.p_values.setdefault(what, []).append(pair.per_class[code].p_value)
        if len(positives) == 1:
            tally.estimates.append(result.macro_auroc)
            tally.errors.append(standard_errors(measured, np.hstack([a, b]), labels[:, 0]))
    return tally


def percentiles(draws: np.ndarray) -> tuple[float, float]:
    """Return the plain interval of a macro AUROC, for comparison; draws have shape (resamples, classes)."""
    means = np.nanmean(draws[np.isfinite(draws).any(axis=1)], axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return float(low), float(high)


def standard_errors(measured: Measured, scores: np.ndarray, labels: np.ndarray) -> list[float]:
    (a, b), exact = measured.auroc.draws.values(), delong_covariance(scores, labels)
    return [
        float(np.nanstd(a, ddof=1)),
        float(exact[0, 0] ** 0.5),
        float(np.nanstd(b - a, ddof=1)),
        float((exact[0, 0] + exact[1, 1] - 2 * exact[0, 1]) ** 0.5),
    ]


COVERED = (
    "class of 20 or more",
    "rarer class",
    "macro",
    "10 or more",
    "percentile",
    "AP",
    "F1",
    "AUROC difference",
    "AP difference",
)
ERRORS = ("spread of the estimates", "bootstrap", "DeLong", "difference: bootstrap", "difference: DeLong")


def tables(tallies: dict[tuple[str, float], Tally]) -> Iterator[str]:
    yield from heading("positives", "AUROC", *COVERED)
    for (design, truth), tally in tallies.items():
        yield row(design, truth, *map(tally.cover, COVERED))
    yield from heading("positives", "AUROC", "p of", *(f"<= {level}" for level in LEVELS), "KS", "its p")
    for (design, truth), tally in tallies.items():
        for what, given in tally.p_values.items():
            single, frequent = len(DESIGNS[design]) == 1, min(DESIGNS[design]) >= 10
            if (single and "class" in what) or ((single or frequent) and "10 or more" in what):
                continue  # the same once more
            shares = [f"{np.mean(np.array(given) <= level):.3f}" for level in LEVELS]
            test = kstest(given, "uniform")
            yield row(design, truth, what, *shares, f"{test.statistic:.3f}", f"{test.pvalue:.3f}")
    yield from heading("positives", "AUROC", *ERRORS)
    for (design, truth), tally in tallies.items():
        if tally.errors:
            means = np.mean(tally.errors, axis=0)
            yield row(design, truth, *(f"{error:.4f}" for error in (np.std(tally.estimates), *means)))


def heading(*cells: str) -> Iterator[str]:
    yield from ("", row(*cells), "|---" * len(cells) + "|")


def row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--simulations", type=int, default=2000)
    parser.add_argument("--resamples", type=int, default=200)
    parser.add_argument("--only", default="", help="designs whose name holds this")
    options = parser.parse_args()
    tallies = {}
    for design in DESIGNS:
        for truth in TRUTHS if options.only in design else ():
            tallies[design, truth] = run(design, truth, options.simulations, options.resamples)
            print(
                row(design, truth, *map(tallies[design, truth].cover, COVERED)), file=sys.stderr, flush=True
            )
    print("\n".join(tables(tallies)))


if __name__ == "__main__":
    main()
