"""The result of a study: its table is read from it, and nothing else."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from merl.evaluation.result import PromptSetResult
from merl.studies.withholding import Withheld


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Score(_Strict):
    """One group of classes on the records of one evaluation.

    Attributes:
        evaluation: its name.
        group: ``all`` classes of a task, or the ``seen`` or ``unseen`` ones by concept.
        n_records: scored.
        n_patients: of them, as far as patients are told.
        n_classes: that have a positive and a negative record, over which means are taken.
        figures: means and each class; ``None`` if no class has both.
    """

    evaluation: str
    group: str
    n_records: int
    n_patients: int
    n_classes: int
    figures: PromptSetResult | None


class Row(_Strict):
    """One trained model and its scores.

    Attributes:
        method: ``zero-shot``, or the name of a classically trained classifier.
        axes: where it stands on each axis, by the axis's name.
        n_training: records it was trained on.
        epochs: how often it saw them.
        seconds: that its pretraining took; ``None`` for a classifier.
        sha256: of the checkpoint's weights; ``None`` for a classifier, which is not kept.
    """

    method: str
    axes: dict[str, str]
    n_training: int
    epochs: int
    seconds: float | None
    sha256: str | None
    scores: list[Score]


class Classes(_Strict):
    """The classes by concept: names of the seen and unseen, and why others are neither."""

    seen: dict[str, str]
    unseen: dict[str, str]
    neither: dict[str, str]


class StudyResult(_Strict):
    """A study.

    Attributes:
        config: as given, defaults filled in.
        rows: cells in the order of the axes, then classifiers.
        withheld: of every share of the records whose texts were withheld, what was taken out and the search
            of what is left.
        classes: by concept; ``None`` without unseen classes.
        versions: of the software.
    """

    schema_: Literal["merl/study-result/v1"] = Field("merl/study-result/v1", alias="schema")
    name: str
    config: dict[str, Any]
    rows: list[Row]
    withheld: dict[str, Withheld] = {}
    classes: Classes | None = None
    versions: dict[str, str]
