"""Means over tasks, with intervals that mind which tasks share their patients."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from merl.evaluation.comparison import Measured
from merl.evaluation.intervals import Interval, Spread, difference_test, insignificant, share_interval, spread
from merl.evaluation.metrics import Bools, Floats


@dataclass(frozen=True, eq=False)
class Averaged:
    """Tasks that are averaged, each weighing the same, and within a task each class.

    The tasks of a data set were measured on the same resampled patients, so what they share is in the draws
    of their mean. Data sets have no patients in common: the resamples of each are taken in an order of its
    own, lest the same numbers of the generator couple them.

    Attributes:
        tasks: what was measured, with the same names of sets.
        datasets: of each task.
        seed: of the resampling.
    """

    tasks: Sequence[Measured]
    datasets: Sequence[str]
    seed: int = 0

    def mean(self, name: str, *, frequent: bool = False) -> tuple[float, Interval]:
        """Return the mean AUROC of a set and its 95 % interval.

        Args:
            name: of the set.
            frequent: only classes with at least 10 positives, which every task must have.
        """
        values = [task.auroc.sets[name] for task in self.tasks]
        draws = [task.auroc.draws[name] for task in self.tasks]
        least = [np.zeros(len(task.scored)) for task in self.tasks]
        mean, of = self._mean(values, draws, frequent, least)
        return mean, share_interval(mean, of)

    def difference(self, a: str, b: str, *, frequent: bool = False) -> tuple[float, Interval, float]:
        """Return the mean of ``b`` minus that of ``a``, its 95 % interval and p value."""
        values = [task.auroc.sets[b] - task.auroc.sets[a] for task in self.tasks]
        draws = [task.auroc.draws[b] - task.auroc.draws[a] for task in self.tasks]
        least = [insignificant(gaps) for gaps in values]
        mean, of = self._mean(values, draws, frequent, least)
        return (mean, *difference_test(mean, of))

    def _mean(
        self, values: Sequence[Floats], draws: Sequence[Floats], frequent: bool, least: Sequence[Floats]
    ) -> tuple[float, Spread]:
        kept: list[Bools] = [task.frequent if frequent else task.scored for task in self.tasks]
        mean = float(np.mean([one[keep].mean() for one, keep in zip(values, kept, strict=True)]))
        columns = [
            one[self._order(dataset, len(one))][:, keep]
            for one, dataset, keep in zip(draws, self.datasets, kept, strict=True)
        ]
        patients = [task.patients[keep] for task, keep in zip(self.tasks, kept, strict=True)]
        shares = [np.full(keep.sum(), 1 / (len(self.tasks) * keep.sum())) for keep in kept]
        floor = np.concatenate([one[keep] for one, keep in zip(least, kept, strict=True)])
        return mean, spread(np.hstack(columns), np.concatenate(patients), np.concatenate(shares), least=floor)

    def _order(self, dataset: str, resamples: int) -> NDArray[np.int64]:
        return np.random.default_rng([self.seed, zlib.crc32(dataset.encode())]).permutation(resamples)
