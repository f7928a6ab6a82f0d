"""What one process computes of a batch: the model and what only training needs, as one module."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from merl.model import MERL
from merl.objectives import Temperature
from merl.pretraining.config import PretrainConfig


class Pairing(nn.Module):
    """The model with what only training needs, as one module: what runs in it is seen by every wrapper."""

    def __init__(self, model: MERL, config: PretrainConfig) -> None:
        super().__init__()
        self.model = model
        self.dropout = nn.Dropout(0.1)
        self.fixed = config.temperature
        floor = config.temperature_floor
        self.temperature = None if floor is None else Temperature(config.temperature, floor)
        self.bias = nn.Parameter(torch.tensor(-10.0)) if "cma-sigmoid" in config.objectives else None
        self.views = "uma" in config.objectives
        if not self.views:  # a weight that is never used would keep processes waiting for its gradient
            model.linear1.requires_grad_(False)
            model.linear2.requires_grad_(False)

    def forward(self, signals: Tensor, texts: list[str] | Tensor, row: Tensor) -> dict[str, Any]:
        """Embed one process's part of a batch.

        Args:
            signals: shape (records, leads, samples).
            texts: the distinct texts drawn for them, or their embeddings by the frozen text encoder.
            row: index of each record's text among them, shape (records,).

        Returns:
            Fields of a ``Batch``.
        """
        ecg, pooled = self.model.ecg_views(signals)
        embedded = texts if isinstance(texts, Tensor) else self.model.text_encoder.embed(texts)
        found: dict[str, Any] = {
            "ecg": F.normalize(ecg.float(), dim=-1),
            "text": F.normalize(self.model.project_text(embedded).float(), dim=-1)[row],
            "temperature": self.fixed if self.temperature is None else self.temperature(),
        }
        if self.bias is not None:
            found["bias"] = 1 * self.bias  # a bare parameter would escape DDP
        if self.views:
            views = (self.dropout(head(pooled)) for head in (self.model.linear1, self.model.linear2))
            found["views"] = tuple(F.normalize(view.float(), dim=-1) for view in views)
        return found
