"""The MERL dual encoder: an ECG network and a text encoder that meet in one embedding space.

Liu et al., "Zero-Shot ECG Classification with Multimodal Learning and Test-time Clinical Knowledge
Enhancement", ICML 2024 (arXiv 2403.06659). Names of modules follow the released checkpoints.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Literal

import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from merl.encoders.registry import ENCODERS
from merl.encoders.text import MINILM, MINILM_SHA256, SentenceEncoder
from merl.errors import CheckpointError, ConfigError, unknown
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
        begun_with: the checkpoint that training began with, and what it had seen.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    dataset: str
    folds: tuple[int, ...]
    records: int
    licence: str
    attribution: str
    rephrased_by: str | None = None
    begun_with: str | None = None


class MERLConfig(BaseModel):
    """Everything needed to build the model and feed it; stored as ``config.json`` beside the weights.

    Attributes:
        heads: of the attention pooling; encoders without a feature map have none.
        projection: how ECG and text reach their shared space: as in MERL, or by one linear map each as in
            METS (Li et al., MIDL 2023); ``none`` is an ECG encoder alone.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    schema_: Literal["merl/checkpoint/v1"] = Field("merl/checkpoint/v1", alias="schema")
    name: str
    encoder: str = "resnet18"
    embed_dim: int = Field(256, gt=0)
    heads: int = Field(4, gt=0)
    projection: Literal["merl", "linear", "none"] = "merl"
    spec: SignalSpec
    text: TextIdentity = TextIdentity()
    training: TrainingData | None = None


class AttentionPool(nn.Module):
    """Pool a sequence with a class token as the only query (MERL, after CLIP's attention pooling).

    As released, the class token receives its position twice: once by itself and once with the sequence.
    """

    def __init__(self, steps: int, dim: int, heads: int) -> None:
        super().__init__()
        self.positional_embedding = nn.Parameter(torch.randn(steps + 1, dim) / dim)
        self.cls_token = nn.Parameter(torch.randn(1, 1, dim))
        self.mhsa = nn.MultiheadAttention(dim, heads, batch_first=True)
        self.c_proj = nn.Linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        """Pool features, shape (batch, steps or fewer, dim), into one vector each, shape (batch, dim).

        The query is the same for every ECG, so each head's keys need only be told apart along one direction,
        and values may be averaged before they are mapped: the same result as ``self.mhsa`` for the first
        position, without a matrix product over the whole sequence.
        """
        dim, heads, size = self.mhsa.embed_dim, self.mhsa.num_heads, self.mhsa.head_dim
        to_query, to_key, to_value = self.mhsa.in_proj_weight.view(3, dim, dim)
        query_bias, _, value_bias = self.mhsa.in_proj_bias.view(3, dim)  # all keys share theirs: no matter
        positions = self.positional_embedding[: x.shape[1] + 1]  # (steps + 1, dim)
        first = self.cls_token[0] + 2 * positions[:1]  # (1, dim)
        query = F.linear(first, to_query, query_bias).view(heads, 1, size) / math.sqrt(size)
        directions = (query @ to_key.view(heads, size, dim))[:, 0]  # (heads, dim)

        x = x + positions[1:].to(x.dtype)
        scores = torch.cat(
            [F.linear(first, directions).expand(len(x), 1, heads), F.linear(x, directions)], dim=1
        )
        weights = scores.softmax(dim=1).transpose(1, 2)  # (batch, heads, steps + 1)
        seen = weights[..., 1:].to(x.dtype) @ x + weights[..., :1] * first  # (batch, heads, dim)
        values = torch.einsum("bhd,hsd->bhs", seen, to_value.view(heads, size, dim).to(seen.dtype))
        pooled = self.mhsa.out_proj(values.flatten(1) + value_bias)
        return self.c_proj(pooled)


class MERL(nn.Module):
    """An ECG encoder and a text encoder with heads into a shared space.

    The text encoder is frozen and no part of the weights, but for its last ``config.text.trained_layers``
    layers: those are ``text_layers``, the very modules that the encoder runs.

    Attributes:
        config: what the model is and what it expects.
        sha256: hash of the weights it was loaded from, or ``None`` for a model in training.
        text_folder: where its text encoder lies, or ``None`` for the installed one.

    Raises:
        ConfigError: the configuration names an unknown encoder, or widths or lengths that do not fit it.
    """

    def __init__(
        self, config: MERLConfig, sha256: str | None = None, text_folder: Path | None = None
    ) -> None:
        super().__init__()
        if config.encoder not in ENCODERS:
            raise ConfigError(unknown("encoder", config.encoder, ENCODERS, "merl models"))
        if config.embed_dim % config.heads:
            raise ConfigError(
                f"embed_dim {config.embed_dim} cannot be divided among {config.heads} attention heads;"
                f" give a multiple of {config.heads}"
            )
        self.config = config
        self.sha256 = sha256
        self.text_folder = text_folder
        self.ecg_encoder = ENCODERS[config.encoder](leads=len(config.spec.leads), samples=config.spec.samples)
        width, steps, dim = self.ecg_encoder.width, self.ecg_encoder.steps, config.embed_dim
        if config.projection == "none":
            if dim != width:
                raise ConfigError(f"without projection embed_dim is the width of {config.encoder}: {width}")
            return
        linear = config.projection == "linear"
        if linear:
            self.proj_e: nn.Module = nn.Linear(width, dim)
        elif steps:
            self.downconv = nn.Conv1d(width, dim, 1)
            self.att_pool_head = AttentionPool(steps, dim, config.heads)
        else:
            self.proj_e = nn.Sequential(
                *(nn.Linear(width, dim), nn.BatchNorm1d(dim), nn.ReLU()),
                *(nn.Linear(dim, dim), nn.BatchNorm1d(dim)),
            )
        pooled = dim if steps and not linear else width
        self.linear1 = nn.Linear(pooled, dim, bias=False)
        self.linear2 = nn.Linear(pooled, dim, bias=False)
        self.proj_t: nn.Module = (
            nn.Linear(config.text.dim, dim)
            if linear
            else nn.Sequential(nn.Linear(config.text.dim, dim), nn.GELU(), nn.Linear(dim, dim))
        )
        if config.text.trained_layers:
            self.text_layers = self.text_encoder.last_layers(config.text.trained_layers).requires_grad_()

    @property
    def name(self) -> str:
        """The checkpoint's name, as results cite it."""
        return self.config.name

    @property
    def spec(self) -> SignalSpec:
        """The input contract: leads, sampling rate, seconds and scaling."""
        return self.config.spec

    @cached_property
    def text_encoder(self) -> SentenceEncoder:
        """The text encoder, loaded when first used.

        Raises:
            CheckpointError: the model has none, or the one found is not the one it was trained with.
        """
        text = self.config.text
        if text.place == "absent" or self.config.projection == "none":
            remedy = (
                f"import it again with --text and the folder of {text.name}"
                if self.config.projection != "none"
                else "it is an ECG encoder without heads, import the whole model instead"
            )
            raise CheckpointError(f"{self.name} embeds ECGs but cannot read text; {remedy}")
        encoder = SentenceEncoder(
            self.text_folder,
            text.max_tokens,
            pooling=text.pooling,
            lowercase=text.lowercase,
            template=text.template,
        )
        if encoder.sha256 != text.sha256:
            raise CheckpointError(
                f"{self.name} was trained with the text encoder {text.name}"
                f" ({text.sha256[:12]}), but {encoder.name} ({encoder.sha256[:12]}) is installed"
            )
        return encoder

    def ecg_views(self, signals: Tensor) -> tuple[Tensor, Tensor]:
        """Encode signals into what the two objectives of pretraining compare.

        Args:
            signals: float, shape (batch, leads, samples or fewer).

        Returns:
            The embedding for cross-modal alignment, shape (batch, embed_dim), and the encoder's features
            averaged over time, which ``linear1`` and ``linear2`` take for uni-modal alignment: as released,
            (batch, embed_dim) after ``downconv``, or (batch, width) before ``proj_e``.
        """
        features = self.ecg_encoder(signals)
        if self.config.projection != "merl" or not self.ecg_encoder.steps:
            pooled = features.mean(-1) if self.ecg_encoder.steps else features
            return pooled if self.config.projection == "none" else self.proj_e(pooled), pooled
        features = F.linear(features.transpose(1, 2), self.downconv.weight[..., 0], self.downconv.bias)
        return self.att_pool_head(features), features.mean(1)  # of (batch, steps, embed_dim)

    def encode_ecg(self, signals: Tensor, *, normalize: bool = False) -> Tensor:
        """Encode signals that meet ``spec``.

        Args:
            signals: float, shape (batch, leads, samples), leads in the order of ``spec.leads``.
            normalize: scale the embeddings to unit length.

        Returns:
            Embeddings, shape (batch, embed_dim); without projections, features averaged over time.

        Raises:
            CheckpointError: the signals have another shape.
        """
        expected = (len(self.spec.leads), self.spec.samples)
        if tuple(signals.shape[1:]) != expected:
            raise CheckpointError(
                f"{self.name} takes signals of shape (batch, {expected[0]}, {expected[1]}), got"
                f" {tuple(signals.shape)}; prepare records with model.spec.windows(record)"
            )
        embeddings, _ = self.ecg_views(signals)
        return F.normalize(embeddings, dim=-1) if normalize else embeddings

    @classmethod
    def from_pretrained(cls, name: str | Path, *, revision: str | None = None) -> MERL:
        """Load a checkpoint, as ``merl.load_model`` does."""
        from merl.checkpoints import load_model

        return load_model(name, revision=revision)

    def save_pretrained(self, folder: str | Path) -> None:
        """Write a checkpoint folder, as ``merl.checkpoints.save_checkpoint`` does."""
        from merl.checkpoints import save_checkpoint

        save_checkpoint(self, folder)

    def push_to_hub(self, repo_id: str, *, private: bool = False, token: str | None = None) -> str:
        """Write a checkpoint to the Hugging Face hub, as ``merl.checkpoints.push_to_hub`` does."""
        from merl.checkpoints import push_to_hub

        return push_to_hub(self, repo_id, private=private, token=token)

    def project_text(self, embeddings: Tensor, *, normalize: bool = False) -> Tensor:
        """Map the text encoder's embeddings, (texts, text.dim), to the shared space, (texts, embed_dim)."""
        projected = self.proj_t(embeddings)
        return F.normalize(projected, dim=-1) if normalize else projected

    def encode_text(self, texts: Sequence[str], *, normalize: bool = False, truncate: bool = False) -> Tensor:
        """Encode texts into the shared space.

        Args:
            texts: any number.
            normalize: scale the embeddings to unit length.
            truncate: cut a text that is longer than the text encoder reads instead of refusing it.

        Returns:
            Embeddings, shape (texts, embed_dim).

        Raises:
            PromptError: a text is longer than the text encoder reads and ``truncate`` is off.
            CheckpointError: the model has no text encoder, or another one is found.
        """
        embeddings = torch.from_numpy(self.text_encoder.encode(list(texts), truncate=truncate))
        return self.project_text(embeddings.to(next(self.proj_t.parameters())), normalize=normalize)


def cpu_has_bf16() -> bool:
    """Tell whether this processor multiplies bfloat16 natively; emulated, it is far slower than fp32."""
    return bool(getattr(torch.cpu, "_is_avx512_bf16_supported", bool)())  # private: its absence means no
