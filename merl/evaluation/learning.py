"""What probe and transfer share: training labels drawn, encoded and learnt from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from merl.datasets.tasks import TaskData
from merl.errors import DataError, UsageError
from merl.evaluation.drawing import draw
from merl.evaluation.features import Report, labelled
from merl.evaluation.intervals import MIN_RESAMPLES
from merl.evaluation.linear import FOLDS, Labelled, fit_probe, learnable
from merl.evaluation.metrics import Floats
from merl.model import MERL

Draws = Sequence[NDArray[np.int64]]  # the rows of the training split drawn with each seed


@dataclass(frozen=True, eq=False)
class Encoded:
    """One encoder's features: to learn from, to choose the penalty on (or ``None``), and to score."""

    training: Labelled
    validation: Labelled | None
    scored: Labelled

    @classmethod
    def of(
        cls, encoder: MERL, training: TaskData, validation: TaskData | None, scored: TaskData, report: Report
    ) -> Encoded:
        """Encode the splits."""
        return cls(
            labelled(encoder, training, report),
            labelled(encoder, validation, report) if validation else None,
            labelled(encoder, scored, report),
        )

    def scores(self, draws: Draws, seed: int, what: str, report: Report) -> tuple[list[Floats], list[float]]:
        """Fit a probe to each draw and score with it.

        Returns:
            For each draw the log-odds of the scored records, (records, classes), nan for a class that could
            not be learnt; and the inverse penalties that were chosen.
        """
        scores, strengths = [], []
        for number, rows in enumerate(draws):
            probe = fit_probe(
                self.training.take(rows),
                validation=self.validation,
                seed=seed + number,
                progress=partial(_tell, report, what, number),
            )
            scores.append(probe.score(self.scored.features))
            strengths.append(probe.strength)
        return scores, strengths


def _tell(report: Report, what: str, number: int, done: int, total: int) -> None:
    report(done, total, f"{what}, draw {number + 1}")


def check_counts(seeds: int, bootstrap: int) -> None:
    """Refuse too few seeds or resamples.

    Raises:
        UsageError: they are.
    """
    if seeds < 1:
        raise UsageError(f"{seeds} seeds draw no labels; give 1 or more, 3 show a spread")
    if bootstrap < MIN_RESAMPLES:
        raise UsageError(
            f"{bootstrap} bootstrap resamples are too few; give at least {MIN_RESAMPLES}, best 1000"
        )


def load_training(load: Callable[[], TaskData]) -> TaskData:
    """Load a training split, or say what to do without one.

    Raises:
        DataError: it is not there.
    """
    try:
        return load()
    except DataError as problem:
        raise DataError(
            f"{problem}; a probe learns from the labels of the training folds: complete the data set, or"
            " learn from another one's with `merl transfer --source TASK`"
        ) from None


def draw_all(training: TaskData, fraction: float, seeds: int, seed: int) -> Draws:
    """Draw a share of the training records with every seed; all of them are drawn once.

    Raises:
        UsageError: it is no share, or less than one record.
        DataError: no class could be learnt from every draw.
    """
    count = 1 if fraction == 1 else seeds
    rows = [draw(training.labels, training.patients, fraction, seed + i) for i in range(count)]
    if not np.all([learnable(training.labels[drawn]) for drawn in rows], axis=0).any():
        raise DataError(
            f"{len(rows[0])} of the {len(training)} training records of {training.task} leave no class with"
            " both a positive and a negative; give a larger --fraction"
        )
    return rows


def penalty_chosen_on(validation: TaskData | None) -> str:
    """Say on which records the penalty was chosen."""
    if validation is None:
        return f"cross-validation over {FOLDS} groups of patients within the drawn labels"
    return f"the validation split ({len(validation)} records, all of its labels)"
