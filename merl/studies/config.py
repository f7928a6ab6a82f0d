"""What a study is told: a YAML file, every key of it checked."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from merl.encoders.text import MINILM
from merl.errors import ConfigError, UsageError, unknown
from merl.files import read_yaml, validate
from merl.pretraining.config import PretrainConfig

Share = Annotated[float, Field(gt=0, le=1)]
Texts = Literal["whole", "withheld"]

#: Where a cell begins, beside a checkpoint: with random weights, or with an ECG encoder trained on labels.
SCRATCH, LABELS = "scratch", "labels"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, populate_by_name=True)


class Axes(_Strict):
    """What is varied; every combination is a cell.

    Attributes:
        encoder: ECG encoders, as ``merl models`` lists them.
        text: ``all-MiniLM-L6-v2``, or folders of transformers.
        share: of the training records, drawn at random, smaller shares within larger ones.
        start: ``scratch``; ``labels``, an ECG encoder first trained on labels; or a checkpoint.
        texts: ``whole`` reports, or with what names an unseen class ``withheld``.
    """

    encoder: tuple[str, ...] = Field(("resnet18",), min_length=1)
    text: tuple[str, ...] = Field((MINILM,), min_length=1)
    share: tuple[Share, ...] = Field((1.0,), min_length=1)
    start: tuple[str, ...] = Field((SCRATCH,), min_length=1)
    texts: tuple[Texts, ...] = Field(("whole",), min_length=1)


class UnseenClass(_Strict):
    """A class that the reports are not to name.

    Attributes:
        name: as it is prompted.
        concepts: entries of the knowledge base, each with all that is a kind of it.
        wordings: what reports also call it.
    """

    name: str = Field(min_length=1)
    concepts: tuple[str, ...] = Field(min_length=1)
    wordings: tuple[str, ...] = ()


class Evaluation(_Strict):
    """What every cell is scored on.

    Attributes:
        name: how the table calls it.
        task: a task of ``merl tasks``, with its classes; or
        statements: a label set whose statements are read by concept, for the seen and unseen classes.
        split: of the data set.
        prompts: a prompt set of the task; by concept, classes are prompted by their names.
        lead_as: leads that stand in for another, as ``{MLII: II}``.
        allow_missing: leave out records whose files are missing; the result counts them.
        gives_way: a class that counts only where it is alone, as that of normal beats in a window.
    """

    name: str = Field(min_length=1)
    task: str | None = None
    statements: str | None = None
    split: Literal["train", "val", "test", "all"] = "val"
    prompts: str = "plain"
    lead_as: dict[str, str] = {}
    allow_missing: bool = False
    gives_way: str | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Evaluation:
        if (self.task is None) == (self.statements is None):
            raise ValueError(f"{self.name!r} names a task or statements, one of the two")
        return self


class Classifier(_Strict):
    """A classically trained network, which is told the labels of its training records.

    Attributes:
        labels_of: the evaluation whose classes it learns, on the training split of that data set; it is
            scored on that evaluation and, by concept, on all others by concept.
        share: of the labelled records it is given, drawn at random.
        limit: the most records it is given; all of the share if not given.
    """

    labels_of: str
    encoder: str = "resnet18"
    share: Share = 1.0
    limit: int | None = Field(None, gt=1)
    epochs: int = Field(5, gt=0)
    batch_size: int = Field(128, gt=1)
    learning_rate: float = Field(1e-3, gt=0)
    weight_decay: float = Field(1e-2, ge=0)


class Cell(NamedTuple):
    """One combination of the axes."""

    encoder: str
    text: str
    share: float
    start: str
    texts: Texts


class StudyConfig(_Strict):
    """One study.

    Attributes:
        pretraining: as in a configuration of ``merl pretrain``, but for its name, its encoder and its text
            encoder; its seed also draws the shares and the resamples.
        same_steps: a cell on a share of the records trains so many epochs that it takes as many steps as on
            all of them; otherwise as many epochs.
        unseen: classes by concept that are kept from the reports where ``texts`` are ``withheld``.
        classifiers: classically trained ones to compare with, by name.
        start: the classifier whose ECG encoder a cell that starts with ``labels`` takes over; it is trained
            anew for the cell's encoder.
        bootstrap: resamples of patients behind the intervals.
    """

    schema_: Literal["merl/study/v1"] = Field(alias="schema")
    name: str = Field(min_length=1, pattern=r"^[\w.-]+$")
    pretraining: PretrainConfig
    same_steps: bool = True
    axes: Axes = Axes()
    unseen: dict[str, UnseenClass] = {}
    evaluations: tuple[Evaluation, ...] = Field(min_length=1)
    classifiers: dict[str, Classifier] = {}
    start: str | None = None
    bootstrap: int = Field(1000, ge=20)

    @model_validator(mode="before")
    @classmethod
    def _left_to_the_axes(cls, values: Any) -> Any:
        """Refuse in ``pretraining`` what the axes say, and give it the study's name."""
        given = values.get("pretraining") if isinstance(values, dict) else None
        if not isinstance(given, dict):
            return values
        text = given.get("text")
        taken = [key for key in ("name", "encoder") if key in given]
        taken += ["text.encoder"] if isinstance(text, dict) and "encoder" in text else []
        if taken:
            raise ValueError(f"{', '.join(taken)} in pretraining is what the axes vary; leave it out there")
        return values | {"pretraining": given | {"name": str(values.get("name", "study"))}}

    @field_validator("pretraining")
    @classmethod
    def _to_the_end(cls, pretraining: PretrainConfig) -> PretrainConfig:
        if pretraining.validation_folds:
            raise ValueError("cells are compared as their last epoch leaves them; leave validation_folds out")
        return pretraining

    @field_validator("evaluations")
    @classmethod
    def _named_once(cls, evaluations: tuple[Evaluation, ...]) -> tuple[Evaluation, ...]:
        names = [item.name for item in evaluations]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two are called {twice[0]!r}; every name once")
        return evaluations

    @model_validator(mode="after")
    def _consistent(self) -> StudyConfig:
        if "withheld" in self.axes.texts:
            self._check_withholding()
        if not self.unseen and (odd := [item.name for item in self.evaluations if item.statements]):
            raise ValueError(f"{odd[0]!r} is by concept, seen and unseen, and no class is unseen; list them")
        names = [item.name for item in self.evaluations]
        for name, item in self.classifiers.items():
            if item.labels_of not in names:
                raise ValueError(f"classifier {name!r}: {unknown('evaluation', item.labels_of, names)}")
        if LABELS in self.axes.start and self.start not in self.classifiers:
            raise ValueError("a start with labels needs start: one of the classifiers")
        return self

    def _check_withholding(self) -> None:
        if not self.unseen:
            raise ValueError("texts are withheld and no class is unseen; list them under unseen")
        for share in ("rephrase_share", "findings_share"):
            if any(getattr(stage, share) for stage in self.pretraining.stages):
                raise ValueError(f"{share} would say what unseen classes are or look like; leave it out")
        strange = [start for start in self.axes.start if start != SCRATCH]
        if strange:
            raise ValueError(f"a start with {strange[0]} may have met the unseen classes; start from scratch")

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Every combination of the axes, the last axis varying fastest."""
        axes = self.axes
        return tuple(
            Cell(*each) for each in product(axes.encoder, axes.text, axes.share, axes.start, axes.texts)
        )

    def pretraining_of(self, cell: Cell) -> PretrainConfig:
        """Return the configuration of a cell's pretraining."""
        values = self.pretraining.model_dump()
        values |= {"name": f"{cell.encoder}-{cell.share:g}-{cell.texts}", "encoder": cell.encoder}
        values["text"]["encoder"] = cell.text
        if self.same_steps:
            for stage in (values, *values["then"]):
                stage["epochs"] = round(stage["epochs"] / cell.share)
                stage["crop_epochs"] = round(stage["crop_epochs"] / cell.share)
        return validate(PretrainConfig, values, f"the pretraining of {self.name}", ConfigError)


def shipped_studies() -> dict[str, Path]:
    """Return the files of the studies that come with the package, by name."""
    folder = Path(__file__).parent.parent / "configs" / "studies"
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def load_study(name: str | Path) -> StudyConfig:
    """Read a study from its YAML file, or a shipped one by its name.

    Raises:
        UsageError: neither a file nor a shipped name.
        ConfigError: the file breaks the schema; all faults are named together.
    """
    path = Path(name) if Path(name).is_file() else shipped_studies().get(str(name))
    if path is None:
        raise UsageError(unknown("study", str(name), shipped_studies()))
    return validate(StudyConfig, read_yaml(path, ConfigError), path, ConfigError)
