"""What probe and transfer share: training labels drawn, encoded and learnt from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from merl.errors import DataError, UsageError
from merl.evaluation.controls import Row
from merl.evaluation.drawing import draw
from merl.evaluation.linear import FOLDS, Labelled, fit_probe, learnable
from merl.evaluation.metrics import Floats
from merl.evaluation.request import Request
from merl.evaluation.scoring import Progress, Seen, see

if TYPE_CHECKING:
    from merl.ckepe.prompt_set import PromptSet
    from merl.datasets.task_data import TaskData
    from merl.model import MERL

Draws = Sequence[NDArray[np.int64]]  # the rows of the training split drawn with each seed


@dataclass(frozen=True, eq=False)
class Learner:
    """What a probe learns from and scores, in one encoder's features.

    Attributes:
        training: what draws are of.
        validation: what the penalty is chosen on; ``None`` if that is within the drawn records.
        scored: what is scored.
    """

    training: Labelled
    validation: Labelled | None
    scored: Labelled

    def scores(
        self, draws: Draws, seed: int, what: str, progress: Progress
    ) -> tuple[list[Floats], list[float]]:
        """Fit a probe to each draw and score with it.

        Returns:
            For each draw the log-odds of the scored records, (records, classes), nan for a class that could
            not be learnt; and the inverse penalties that were chosen.
        """
        scores, strengths = [], []
        for number, rows in enumerate(draws):
            step = partial(_tell, progress, what, number)
            with threadpool_limits(1):  # threads that share such small work mostly wait for each other
                probe = fit_probe(
                    self.training.take(rows), validation=self.validation, seed=seed + number, progress=step
                )
            scores.append(probe.score(self.scored.features))
            strengths.append(probe.strength)
        return scores, strengths


def _tell(progress: Progress, what: str, number: int, done: int, total: int) -> None:
    progress(done, total, f"{what}, draw {number + 1}")


def see_split(models: Sequence[MERL], data: TaskData, request: Request, progress: Progress) -> list[Seen]:
    """Embed a split by several encoders; records that one of them cannot use are left out, if allowed."""
    return see(
        models,
        [data] * len(models),
        untrained=False,
        allow_missing=request.allow_missing,
        progress=progress,
    )


def labelled(seen: Seen) -> Labelled:
    """Put the labels of records beside their features."""
    return Labelled(seen.ecgs.astype(np.float32), seen.records.labels, seen.records.patients)


def prompt_scores(model: MERL, prompt_set: PromptSet, seen: Seen) -> Floats:
    """Score records, as the model sees them, against prompts in the default way, (records, classes)."""
    from merl.zeroshot import embed_prompts

    row = Row(prompt_set.name, prompt_set)
    return seen.score(row, embed_prompts(model, prompt_set)).scores[row.name]


def silent(_done: int, _total: int, _what: str) -> None:
    """Report nothing."""


def check_seeds(seeds: int) -> None:
    """Refuse to draw no labels.

    Raises:
        UsageError: that is asked for.
    """
    if seeds < 1:
        raise UsageError(f"{seeds} seeds draw no labels; give 1 or more, 3 show a spread")


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
