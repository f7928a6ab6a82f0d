"""What is asked of an evaluation: which records, and which prompt sets for their task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from merl.ckepe.prompt_set import PromptSet
from merl.errors import PromptError, UsageError
from merl.evaluation.intervals import MIN_RESAMPLES

if TYPE_CHECKING:
    from merl.datasets.tasks import TaskData

Split = Literal["train", "val", "test", "all"]
Prompts = Sequence[PromptSet | str | Path]
_FROM_MAPPING = "labels"  # the label set of prompts made from a mapping of code to name


@dataclass(frozen=True)
class Request:
    """What holds for every task, prompt set and model of an evaluation; its parts are those of ``evaluate``.

    Raises:
        UsageError: too few resamples, or a weight outside 0 to 1.
    """

    data: str | Path
    split: Split = "val"
    bootstrap: int = 1000
    seed: int = 0
    leads: Sequence[str] | None = None
    absent_weight: float = 0.0
    contrast: float = 0.0
    lead_as: Mapping[str, str] | None = None
    labels: Literal["fixed", "merl-compat"] = "fixed"
    official: str | Path | None = None
    allow_missing: bool = False

    def __post_init__(self) -> None:
        if self.bootstrap < MIN_RESAMPLES:
            raise UsageError(
                f"{self.bootstrap} bootstrap resamples are too few; give at least {MIN_RESAMPLES}, best 1000"
            )

    def load(self, task: str, model: Any, split: Split | None = None) -> TaskData:
        """Load a task's records at the published rate that serves a model.

        Args:
            task: its name.
            model: with its ``spec``.
            split: another one than is asked for.

        Raises:
            UsageError: an unknown task or split.
            DataError: the data set is missing or damaged.
        """
        from merl.datasets.tasks import load_task

        records = load_task(
            task,
            self.data,
            split or self.split,
            sampling_rate=published_rate(model),
            labels=self.labels,
            official=self.official,
            allow_missing=self.allow_missing,
            lead_as=self.lead_as,
        )
        return records if self.leads is None else replace(records, leads=tuple(self.leads))


def published_rate(model: Any) -> int:
    """Return the sampling rate in hertz, of those that PTB-XL is published at, that serves a model."""
    return 100 if model.spec.sampling_rate <= 100 else 500


def find_sets(prompts: Prompts | PromptSet | str | Path, task: str) -> list[PromptSet]:
    """Find the prompt sets of a task by path or name.

    Raises:
        UsageError: none is given, one is unknown, or two are called the same.
        PromptError: one is malformed or was made for another label set.
    """
    given = [prompts] if isinstance(prompts, str | Path | PromptSet) else prompts
    sets = [item if isinstance(item, PromptSet) else PromptSet.find(item, task) for item in given]
    if not sets:
        raise UsageError("no prompt set given; give at least one, such as 'plain'")
    names = [item.name for item in sets]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UsageError(f"two prompt sets are called {twice[0]!r}; rename one file, results go by its name")
    return sets


def check_classes(prompt_set: PromptSet, task: str, classes: Sequence[str]) -> None:
    """Refuse a prompt set that is not for exactly the classes of a task.

    Raises:
        PromptError: it is for another label set, or lacks or adds a class.
    """
    if prompt_set.label_set not in {task, _FROM_MAPPING}:
        raise PromptError(
            f"the prompt set {prompt_set.name!r} was made for the label set {prompt_set.label_set!r},"
            f" not for {task!r}; make one with `merl prompts generate {task}`"
        )
    missing = [code for code in classes if code not in prompt_set.classes]
    extra = [code for code in prompt_set.classes if code not in classes]
    faults = [f"lacks {', '.join(missing)}"] * bool(missing) + [f"adds {', '.join(extra)}"] * bool(extra)
    if faults:
        raise PromptError(
            f"the prompt set {prompt_set.name!r} {' and '.join(faults)}; {task} has exactly"
            f" the classes {', '.join(classes)}"
        )
