"""What a checkpoint is: the ``config.json`` that lies beside its weights."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from merl.encoders.text import MINILM, MINILM_SHA256
from merl.preprocessing import SignalSpec


class TextIdentity(BaseModel):
    """Which text encoder a checkpoint was trained with; another one would change every score.

    Attributes:
        name: as its makers call it.
        sha256: hash of its weights.
        dim: length of its embeddings.
        pooling: how tokens become one embedding, see ``SentenceEncoder``.
        max_tokens: the longest text it reads, the two special tokens included.
        lowercase: texts are lower-cased before they are read.
        place: ``installed`` with the package, in the ``folder`` text/ of the checkpoint, or ``absent``: the
            model then embeds ECGs only.
        template: said around every text, as ``{text}``.
        trained_layers: how many of its last layers were trained with the model, which are part of the
            checkpoint; the hash is of what they were before.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = MINILM
    sha256: str = MINILM_SHA256
    dim: int = 384
    pooling: Literal["mean", "pooler"] = "mean"
    max_tokens: int = Field(256, gt=2)
    lowercase: bool = False
    place: Literal["installed", "folder", "absent"] = "installed"
    template: str = "{text}"
    trained_layers: int = Field(0, ge=0)


class TrainingData(BaseModel):
    """What a checkpoint has seen, so that a result on the same data set can say so.

    Attributes:
        rephrased_by: hash of the knowledge base whose names and findings stood for report sentences.
        findings: how many findings measured on the waveforms stood for reports.
        findings_sha256: hash of their texts and of the records that show them.
        begun_with: the checkpoint that training began with, and what it had seen.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    dataset: str
    folds: tuple[int, ...]
    records: int
    licence: str
    attribution: str
    rephrased_by: str | None = None
    findings: int = 0
    findings_sha256: str | None = None
    begun_with: str | None = None


class MERLConfig(BaseModel):
    """Everything needed to build the model and feed it; stored as ``config.json`` beside the weights.

    Attributes:
        heads: of the attention pooling; encoders without a feature map have none.
        projection: how ECG and text reach their shared space: ``merl``, as published; ``linear``, by one
            linear map each (METS, Li et al., MIDL 2023), the ECG's of the mean over time; ``concat``, the
            same, but the ECG's of mean and maximum over time, standardised by batch norm (concat pooling, as
            in Strodthoff et al. 2021); ``none``, an ECG encoder alone.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    schema_: Literal["merl/checkpoint/v1"] = Field("merl/checkpoint/v1", alias="schema")
    name: str
    encoder: str = "resnet18"
    embed_dim: int = Field(256, gt=0)
    heads: int = Field(4, gt=0)
    projection: Literal["merl", "linear", "concat", "none"] = "merl"
    spec: SignalSpec
    text: TextIdentity = TextIdentity()
    training: TrainingData | None = None
