"""What a pretraining run is told: a YAML file, every key of it checked."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, field_validator, model_validator

from merl.encoders.text import MINILM
from merl.errors import unknown
from merl.objectives import OBJECTIVES
from merl.preprocessing import SignalSpec


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class TextConfig(_Strict):
    """The text side of a run.

    Attributes:
        encoder: ``all-MiniLM-L6-v2``, which comes with the installation, or the folder of a transformer.
        pooling: how token states become one embedding: their mean, or the transformer's own pooler.
        max_tokens: what is longer is cut.
        lowercase: texts are lower-cased first.
        template: said around every text, in training and in scoring, as ``{text}``.
        trained_layers: how many of the last layers are trained; 0 is a frozen encoder.
    """

    encoder: str = MINILM
    pooling: Literal["mean", "pooler"] = "mean"
    max_tokens: int = Field(256, gt=2)
    lowercase: bool = False
    template: str = "{text}"
    trained_layers: int = Field(0, ge=0)

    @field_validator("template")
    @classmethod
    def _has_a_place(cls, template: str) -> str:
        if template.count("{text}") != 1:
            raise ValueError("a template says where the text goes, once, as {text}")
        return template


class Stage(_Strict):
    """A part of a run in which nothing changes but the learning rate, which rises and falls once.

    Attributes:
        learning_rate: the highest, of all but the text layers.
        text_learning_rate: the highest of the text layers that are trained; at 0 they stay as they are.
            Trained towards an ECG encoder that knows nothing yet they would forget what they know (LiT,
            Zhai et al., CVPR 2022).
        warmup: share of the stage in which the learning rates rise; then they fall along a cosine to 0.
        sentence_share: how often one sentence stands for its report.
        sentence_balance: how much likelier a rare sentence of a report is than a frequent one: the number of
            records that say it to the power of minus this. Two thirds of all sentences say that the rhythm is
            sinus or the ECG normal.
        rephrase_share: how often such a sentence is said in the knowledge base's words.
        findings_share: how often neither stands for a record but a finding that is measured on its waveform.
        lead_masking: share of records that lose random leads.
        single_lead: share of records left with one lead, or with the limb leads.
        crop_shift: largest circular shift in time, as a share of the record.
        crop_epochs: first epochs of the stage, which see only half of each record's time.
        noise: standard deviation of added white noise, in model units.
    """

    epochs: int = Field(12, gt=0)
    learning_rate: float = Field(1e-3, gt=0)
    text_learning_rate: float = Field(1e-4, ge=0)
    warmup: float = Field(0.1, ge=0, lt=1)
    sentence_share: float = Field(0.5, ge=0, le=1)
    sentence_balance: float = Field(0.0, ge=0, le=1)
    rephrase_share: float = Field(0.0, ge=0, le=1)
    findings_share: float = Field(0.0, ge=0, le=1)
    lead_masking: float = Field(0.0, ge=0, lt=1)
    single_lead: float = Field(0.0, ge=0, lt=1)
    crop_shift: float = Field(0.0, ge=0, lt=1)
    crop_epochs: int = Field(0, ge=0)
    noise: float = Field(0.0, ge=0)


class PretrainConfig(Stage):
    """One pretraining run: its first stage, what holds throughout, and the stages that follow.

    Attributes:
        then: further stages, each with all its settings.
        projection: the heads, as of ``MERLConfig``.
        folds: the data set's folds that are trained on; empty for a data set without folds.
        validation_folds: folds whose reports and waveforms choose the epoch of the last stage to keep, by
            retrieval.
        batch_size: records in a step, over all processes together.
        objectives: weight of each objective by name.
        temperature: divides the cosines; the start of a learned one.
        temperature_floor: makes the temperature learned, and no lower than this.
        near_duplicates: cosine of the frozen text embeddings from which on two texts count as the same.
        precision: ``auto`` is bf16 where the processor has it.
    """

    name: str = Field(min_length=1)
    encoder: str = "resnet18"
    embed_dim: int = Field(256, gt=0)
    projection: Literal["merl", "linear", "concat"] = "merl"
    spec: SignalSpec
    text: TextConfig = TextConfig()
    folds: tuple[int, ...] = ()
    validation_folds: tuple[int, ...] = ()
    batch_size: int = Field(256, gt=1)
    weight_decay: float = Field(1e-2, ge=0)
    objectives: dict[str, PositiveFloat] = Field({"cma-multi": 1.0, "uma": 1.0}, min_length=1)
    temperature: float = Field(0.07, gt=0)
    temperature_floor: float | None = Field(None, gt=0)
    near_duplicates: float | None = Field(None, gt=0, le=1)
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    seed: int = Field(0, ge=0)
    then: tuple[Stage, ...] = ()

    @field_validator("objectives")
    @classmethod
    def _known(cls, objectives: dict[str, float]) -> dict[str, float]:
        strange = [unknown("objective", name, OBJECTIVES) for name in objectives if name not in OBJECTIVES]
        if strange:
            raise ValueError("; ".join(strange))
        if not any(name.startswith("cma") for name in objectives):
            raise ValueError("none brings ECG and text together; give one of the cma objectives too")
        return objectives

    @model_validator(mode="after")
    def _consistent(self) -> PretrainConfig:
        both = sorted({*self.folds} & {*self.validation_folds})
        if both:
            raise ValueError(f"fold {both[0]} is both trained on and validated on; give it to one of the two")
        floor = self.temperature_floor
        if floor is not None and floor > self.temperature:
            raise ValueError(f"temperature {self.temperature} lies below its floor {floor}; lower the floor")
        masked = any(stage.lead_masking or stage.single_lead for stage in self.stages)
        if masked and self.spec.scaling != "millivolt":
            raise ValueError(
                "leads are masked at zero millivolts, which minmax scaling has moved; set scaling: millivolt,"
                " or leave lead_masking and single_lead out"
            )
        trained = [self.trains_text(stage) for stage in self.stages]
        if trained != sorted(trained):
            raise ValueError("a stage with text_learning_rate 0 follows one that trains text; put it first")
        return self

    @property
    def stages(self) -> tuple[Stage, ...]:
        """All stages in their order."""
        return (self, *self.then)

    @property
    def total_epochs(self) -> int:
        """Epochs of all stages together."""
        return sum(stage.epochs for stage in self.stages)

    def stage_of(self, epoch: int) -> tuple[Stage, int]:
        """Return the stage that an epoch belongs to, and how many epochs precede it in that stage."""
        for stage in self.stages:
            if epoch < stage.epochs:
                return stage, epoch
            epoch -= stage.epochs
        return self.stages[-1], self.stages[-1].epochs

    def trains_text(self, stage: Stage) -> bool:
        """Tell whether text layers move in a stage."""
        return self.text.trained_layers > 0 and stage.text_learning_rate > 0

    @property
    def needs_findings(self) -> bool:
        """Whether a stage is taught what the waveforms show."""
        return any(stage.findings_share for stage in self.stages)

    @property
    def needs_meaning(self) -> bool:
        """Whether the drawn texts are compared with each other by a frozen text encoder."""
        return "cma-soft" in self.objectives or self.near_duplicates is not None
