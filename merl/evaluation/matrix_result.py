"""The result of a matrix: prompt sets, checkpoints and ways of combining phrases, over tasks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from merl.evaluation.reading import read_result
from merl.evaluation.result import Gap, Result, Share
from merl.files import write_text

Kind = Literal["prompt sets", "checkpoints", "ensembles", "controls"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Arm(_Strict):
    """What is scored on every task: a prompt set or control, by a checkpoint, in one way.

    Attributes:
        control: what it shows, if it is a control.
    """

    checkpoint: str
    ensemble: str
    prompt_set: str
    control: str | None = None


class Mean(Arm):
    """An arm's mean over the averaged tasks, each weighing the same.

    Attributes:
        macro_auroc_min10: the mean of each task's classes with at least 10 positives.
    """

    macro_auroc: Share
    interval: tuple[Share, Share]
    macro_auroc_min10: Share
    interval_min10: tuple[Share, Share]


class ArmDifference(_Strict):
    """A difference in macro AUROC, on the same resampled patients.

    Attributes:
        p_holm: adjusted for the number of comparisons of its kind, on all tasks or of means.
    """

    difference: Gap
    interval: tuple[Gap, Gap]
    p_value: Share
    p_holm: Share


class ArmComparison(_Strict):
    """Two arms that differ in one thing; differences are ``b`` minus ``a``.

    Attributes:
        kind: in what they differ; a control is compared with the prompt set given last, as ``a``.
        per_task: by task.
        mean: over the averaged tasks; ``None`` for fewer than two.
        mean_min10: the same, of classes with at least 10 positives.
    """

    kind: Kind
    a: Arm
    b: Arm
    per_task: dict[str, ArmDifference]
    mean: ArmDifference | None = None
    mean_min10: ArmDifference | None = None


class LeftOut(_Strict):
    """A task that was not scored.

    Attributes:
        failed: whether its data are there and something is wrong with them.
    """

    task: str
    reason: str
    failed: bool


class MatrixResult(_Strict):
    """Prompt sets x checkpoints x ensembles x tasks.

    Attributes:
        results: one for each task, checkpoint and ensemble, in this order, with its prompt sets and controls.
        averaged: the tasks that means are over: those with a class of at least 10 positives.
        means: of each arm; empty for fewer than two such tasks.
        comparisons: every two arms that differ in one thing.
        left_out: tasks that could not be scored, and why.
    """

    results: Annotated[list[Result], Field(min_length=1)]
    averaged: list[str]
    means: list[Mean]
    comparisons: list[ArmComparison]
    left_out: list[LeftOut] = []

    def save(self, path: str | Path) -> None:
        """Write the result as JSON, atomically."""
        write_text(path, self.model_dump_json(indent=2) + "\n")

    @classmethod
    def load(cls, path: str | Path) -> MatrixResult:
        """Read a result from JSON.

        Raises:
            DataError: the file is missing, not JSON or no matrix; all faults are named together.
        """
        return read_result(cls, path, "merl evaluate all")
