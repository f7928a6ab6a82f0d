"""The result of an evaluation: what is printed, drawn and reported is read from it, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from merl.calibration import Calibration
from merl.evaluation.evidence import Evidence
from merl.evaluation.reading import read_result
from merl.files import write_text

Share = Annotated[float, Field(ge=0, le=1)]
Gap = Annotated[float, Field(ge=-1, le=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Estimate(_Strict):
    """A figure from 0 to 1 with its 95 % interval, by patients."""

    value: Share
    interval: tuple[Share, Share]


class ClassDecision(_Strict):
    """How well one class is said to be there or not; 0 where nothing was said and something is asked."""

    accuracy: Share
    precision: Share
    recall: Share
    f1: Share


class Decisions(_Strict):
    """Yes and no instead of scores, as METS reports them: means over classes, and each class.

    Attributes:
        n_records: they were made on.
        per_class: those with a positive and a negative here and, for thresholds, on the validation fold.
    """

    n_records: int
    accuracy: Estimate
    precision: Estimate
    recall: Estimate
    f1: Estimate
    per_class: dict[str, ClassDecision]


class ClassProbability(_Strict):
    """The mean squared error of a class's probabilities, and how far they are from the rates that came true.

    Attributes:
        brier: 0 is perfect.
        brier_of_rate: of the validation fold's rate for every record alike: what knows nothing of the ECG.
        calibration_error: expected calibration error over ten bins of equally many records.
    """

    brier: Share
    brier_of_rate: Share
    calibration_error: Share


class Probabilities(ClassProbability):
    """Probabilities of the calibrated scores on records they were not fitted on: means, and each class."""

    per_class: dict[str, ClassProbability]


class ClassResult(_Strict):
    """One class under one prompt set.

    Attributes:
        name: as the prompt set writes it.
        auroc: 0 to 1; ``None`` where the class has no positive or no negative, ``note`` says which.
        interval: 95 %, by patients.
        average_precision: 0 to 1, its chance level is the share of positives; ``None`` as ``auroc`` is.
        positives: records with the class.
        skipped_resamples: resamples that held no positive or no negative.
        note: what a reader must know before quoting the figure.
    """

    name: str
    auroc: Share | None
    interval: tuple[Share, Share] | None
    average_precision: Share | None = None
    average_precision_interval: tuple[Share, Share] | None = None
    positives: int
    skipped_resamples: int = 0
    note: str | None = None


class PromptSetResult(_Strict):
    """One prompt set: means over the classes that can be scored, and each class.

    Attributes:
        name: the prompt file's stem, or the set's own name.
        sha256: of the set's content, the same from a file and in memory.
        macro_auroc_min10: over classes with at least 10 positives; ``None`` if there are none.
        control: what the row shows, if it is a control; ``None`` for a prompt set that was given.
        nearest: every record with exactly one label is given the class of the highest score; ``accuracy`` is
            the share given the right one. ``None`` where no record has exactly one label.
        thresholded: each class by its threshold, which comes from other patients of the validation fold or
            from that fold; ``None`` where there is none, as the result's ``validation`` says.
        probabilities: held out in the same way.
        calibration: fitted on the whole validation fold, with its thresholds.
    """

    name: str
    sha256: str
    macro_auroc: Share
    interval: tuple[Share, Share]
    macro_auroc_min10: Share | None
    interval_min10: tuple[Share, Share] | None
    macro_average_precision: Share | None = None
    average_precision_interval: tuple[Share, Share] | None = None
    macro_average_precision_min10: Share | None = None
    average_precision_interval_min10: tuple[Share, Share] | None = None
    per_class: dict[str, ClassResult]
    control: str | None = None
    nearest: Decisions | None = None
    thresholded: Decisions | None = None
    probabilities: Probabilities | None = None
    calibration: Calibration | None = None


class ClassDifference(_Strict):
    """``b`` minus ``a`` in one class; ``p_holm`` is the p value adjusted for the number of classes."""

    difference: Gap
    interval: tuple[Gap, Gap]
    p_value: Share
    p_holm: Share


class _Pair(_Strict):
    a: str
    b: str


class Differences(_Strict):
    """``b`` minus ``a``: of the means, and in each class."""

    difference: Gap
    interval: tuple[Gap, Gap]
    p_value: Share
    difference_min10: Gap | None
    interval_min10: tuple[Gap, Gap] | None
    p_value_min10: Share | None
    per_class: dict[str, ClassDifference]


class Comparison(Differences, _Pair):
    """Two prompt sets on the same records and resamples; differences are of the AUROC, ``b`` minus ``a``.

    Attributes:
        average_precision: the same of the average precision.
    """

    average_precision: Differences | None = None


class Validation(_Strict):
    """Where thresholds and calibration come from.

    Attributes:
        held_out: how they are kept from the records they are judged on; ``None`` if there are none.
        note: why there are none.
    """

    n_records: int = 0
    held_out: str | None = None
    note: str | None = None


class Checkpoint(_Strict):
    """The model behind the scores.

    Attributes:
        sha256: of its weights; ``None`` for a model that was never saved.
        training: what it was trained on, in words.
        in_distribution: whether it was trained on this data set, though without labels.
    """

    name: str
    sha256: str | None
    training: str | None
    in_distribution: bool


class Bootstrap(_Strict):
    """How the intervals were made."""

    resamples: int
    unit: str = "patient"
    level: Share = 0.95


class Result(_Strict):
    """A task's scores under one or more prompt sets. AUROC runs from 0 to 1.

    Attributes:
        leads: the only leads the model saw; ``None`` if it saw all that the records have.
        lead_as: leads that stood in for another, by name.
        labels: whose they are: ``fixed``, or ``merl-compat`` for those of MERL's release.
        missing_records: left out since files of theirs were missing.
        prompt_sets: in the order they were given.
        validation: where thresholds and calibration come from, or why there are none.
        comparisons: every pair of prompt sets, the one given first as ``a``, and the set given last with each
            control as ``a``; empty for a single set.
        ensemble: how the phrases of a class became its score.
        absent_weight: how much phrases that speak against a class counted; 0 if they did not.
        contrast: how much of what an ECG has in common with all the classes was taken off its scores.
        scoring_chosen_here: whether the default way of scoring was settled with labels of this very split.
        seeds: by purpose.
        versions: of the software that computed it.
        evidence: what the figures rest on, where it was asked for.
    """

    task: str
    dataset: str
    split: str
    n_records: int
    n_patients: int
    leads: tuple[str, ...] | None = None
    lead_as: dict[str, str] = {}
    labels: str = "fixed"
    missing_records: int = 0
    prompt_sets: list[PromptSetResult] = Field(min_length=1)
    comparisons: list[Comparison]
    validation: Validation | None = None
    checkpoint: Checkpoint
    bootstrap: Bootstrap
    ensemble: str = "mean"
    absent_weight: Share = 0.0
    contrast: Share = 0.0
    scoring_chosen_here: bool = False
    seeds: dict[str, int]
    versions: dict[str, str]
    evidence: Evidence | None = None

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        """Refuse parts that disagree: whoever shows them looks up one in the other."""
        classes = self.prompt_sets[0].per_class.keys()
        names = {item.name for item in self.prompt_sets}
        for item in self.prompt_sets:
            if item.per_class.keys() != classes:
                raise ValueError(
                    f"{item.name!r} is scored on other classes than {self.prompt_sets[0].name!r}"
                )
        for pair in self.comparisons:
            if not {pair.a, pair.b} <= names or not pair.per_class.keys() <= classes:
                raise ValueError(f"{pair.a!r} and {pair.b!r} are compared, but not both are scored so")
        if self.evidence and self.evidence.examples.keys() != classes:
            raise ValueError("the evidence is of other classes than the figures")
        return self

    def save(self, path: str | Path) -> None:
        """Write the result as JSON, atomically."""
        write_text(path, self.model_dump_json(indent=2) + "\n")

    @classmethod
    def load(cls, path: str | Path) -> Result:
        """Read a result from JSON.

        Raises:
            DataError: the file is missing, not JSON or not a result; all faults are named together.
        """
        return read_result(cls, path, "merl evaluate")
