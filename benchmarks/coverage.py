"""Measure how often the 95 % intervals hold the truth, and how often p falls below 0.05 by chance.

    python benchmarks/coverage.py [--simulations 200] [--resamples 300]

Scores are normal with equal variance, so that the true AUROC is known. Each row is a task: the positives
of its classes among 600 records. Two prompt sets of equal quality share 80 % of their scores' variance.
"""

from __future__ import annotations

import argparse
from statistics import NormalDist

import numpy as np

from merl.evaluation.comparison import comparisons, measure, prompt_set_result

RECORDS, SHARED = 600, 0.8
TASKS = {
    "20 positives": [20],
    "60 positives": [60],
    "four classes": [20, 30, 60, 120],
    "rare classes": [1, 2, 4, 10, 20, 20, 60, 120],
}


def simulate(
    random: np.random.Generator, positives: list[int], shift: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return labels and two sets of scores, each (records, classes)."""
    labels = np.zeros((RECORDS, len(positives)), bool)
    for c, count in enumerate(positives):
        labels[random.choice(RECORDS, count, replace=False), c] = True
    shared = SHARED**0.5 * random.normal(size=labels.shape) + shift * labels
    a, b = (shared + (1 - SHARED) ** 0.5 * random.normal(size=labels.shape) for _ in range(2))
    return labels, a, b


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--simulations", type=int, default=200)
    parser.add_argument("--resamples", type=int, default=300)
    options = parser.parse_args()
    random = np.random.default_rng(0)
    print(f"{'task':<14} {'AUROC':>5} {'macro':>7} {'difference':>10} {'p <= 0.05':>9}")
    for name, positives in TASKS.items():
        for truth in (0.6, 0.75, 0.9, 0.97):
            shift = NormalDist().inv_cdf(truth) * 2**0.5
            held = np.zeros(3)
            for trial in range(options.simulations):
                labels, a, b = simulate(random, positives, shift)
                classes = [str(c) for c in range(len(positives))]
                measured = measure(
                    {"a": a, "b": b},
                    labels,
                    np.arange(RECORDS),
                    classes,
                    resamples=options.resamples,
                    seed=trial,
                )
                low, high = prompt_set_result(measured, "a", sha256="", class_names={}).interval
                pair = comparisons(measured)[0]
                held += low <= truth <= high, pair.interval[0] <= 0 <= pair.interval[1], pair.p_value <= 0.05
            macro, difference, rejected = held / options.simulations
            print(f"{name:<14} {truth:>5.2f} {macro:>7.1%} {difference:>10.1%} {rejected:>9.1%}", flush=True)


if __name__ == "__main__":
    main()
