"""The MERL dual encoder: an ECG network and a text encoder that meet in one embedding space.

Liu et al., "Zero-Shot ECG Classification with Multimodal Learning and Test-time Clinical Knowledge
Enhancement", ICML 2024 (arXiv 2403.06659). Names of modules follow the released checkpoints.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from merl.encoders.attention_pool import AttentionPool
from merl.encoders.registry import ENCODERS
from merl.encoders.text import SentenceEncoder
from merl.errors import CheckpointError, ConfigError, unknown
from merl.model_config import MERLConfig, TextIdentity, TrainingData
from merl.preprocessing import SignalSpec

__all__ = ["MERL", "TEXT_LAYERS", "MERLConfig", "TextIdentity", "TrainingData", "cpu_has_bf16"]

TEXT_LAYERS = "text_layers."  # how the names of their weights begin


class MERL(nn.Module):
    """An ECG encoder and a text encoder with heads into a shared space.

    The text encoder is frozen and no part of the weights, but for its last ``config.text.trained_layers``
    layers: those are ``text_layers``, the very modules that the encoder runs. In a model that was loaded
    their weights wait in ``text_weights`` until it reads a text: ECGs can be embedded without transformers.

    Attributes:
        config: what the model is and what it expects.
        sha256: hash of the weights it was loaded from, or ``None`` for a model in training.
        text_folder: where its text encoder lies, or ``None`` for the installed one.
        text_weights: weights of ``text_layers`` that are still to be put in, by name.

    Args:
        defer_text: leave ``text_layers`` until a text is read.

    Raises:
        ConfigError: the configuration names an unknown encoder, or widths or lengths that do not fit it.
    """

    def __init__(
        self,
        config: MERLConfig,
        sha256: str | None = None,
        text_folder: Path | None = None,
        *,
        defer_text: bool = False,
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
        self.text_weights: Mapping[str, Tensor] | None = None
        self.ecg_encoder = ENCODERS[config.encoder](leads=len(config.spec.leads), samples=config.spec.samples)
        width, steps, dim = self.ecg_encoder.width, self.ecg_encoder.steps, config.embed_dim
        if config.projection == "none":
            if dim != width:
                raise ConfigError(f"without projection embed_dim is the width of {config.encoder}: {width}")
            return
        linear = config.projection != "merl"
        if config.projection == "concat":
            width *= 2 if steps else 1
            self.proj_e: nn.Module = nn.Sequential(nn.BatchNorm1d(width), nn.Linear(width, dim))
        elif linear:
            self.proj_e = nn.Linear(width, dim)
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
        if config.text.trained_layers and not defer_text:
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
        if self.text_weights is not None:
            self._put_text_layers(encoder)
        return encoder

    def _put_text_layers(self, encoder: SentenceEncoder) -> None:
        layers = encoder.last_layers(self.config.text.trained_layers)
        try:
            layers.load_state_dict(self.text_weights or {})
        except RuntimeError:
            raise CheckpointError(
                f"the text layers of {self.name} do not fit {encoder.name}; fetch the checkpoint again"
            ) from None
        self.text_layers, self.text_weights = layers.eval().requires_grad_(requires_grad=False), None
        encoder.retrained = True

    def state_dict(self, *args: Any, **kwargs: Any) -> Any:
        """Return all weights, those of the text layers included where they are still to be put in."""
        state = super().state_dict(*args, **kwargs)
        for name, weight in (self.text_weights or {}).items():
            state[f"{kwargs.get('prefix', '')}{TEXT_LAYERS}{name}"] = weight
        return state

    def ecg_views(self, signals: Tensor) -> tuple[Tensor, Tensor]:
        """Encode signals into what the two objectives of pretraining compare.

        Args:
            signals: float, shape (batch, leads, samples or fewer).

        Returns:
            The embedding for cross-modal alignment, shape (batch, embed_dim), and the encoder's features
            pooled over time, which ``linear1`` and ``linear2`` take for uni-modal alignment: their mean, as
            released (batch, embed_dim) after ``downconv``, or (batch, width) before ``proj_e``; with
            ``concat`` mean and maximum, (batch, 2 * width), or (batch, width) where there is no feature map.
        """
        projection, features = self.config.projection, self.ecg_encoder(signals)
        if not self.ecg_encoder.steps:
            pooled = features
        elif projection == "merl":
            features = F.linear(features.transpose(1, 2), self.downconv.weight[..., 0], self.downconv.bias)
            return self.att_pool_head(features), features.mean(1)  # of (batch, steps, embed_dim)
        elif projection == "concat":
            pooled = torch.cat([features.mean(-1), features.amax(-1)], dim=1)
        else:
            pooled = features.mean(-1)
        return pooled if projection == "none" else self.proj_e(pooled), pooled

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
