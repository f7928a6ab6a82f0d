"""Objectives of multimodal ECG-report learning: cross-modal (CMA) and uni-modal alignment (UMA)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def cma(ecg: Tensor, text: Tensor, temperature: float | Tensor, same: Tensor | None = None) -> Tensor:
    """Cross-modal alignment: InfoNCE from ECG to text plus from text to ECG, the sum of both (MERL, eq. 2).

    Args:
        ecg: unit-length ECG embeddings, shape (batch, dim).
        text: unit-length text embeddings, shape (batch, dim), row i the report of ECG i.
        temperature: the similarities are divided by it; 0.07 as published.
        same: boolean, shape (batch, batch), where text j is also a true text of ECG i, the diagonal included;
            its share of the probability is then divided among all of them (supervised contrastive targets,
            Khosla et al. 2020). ``None``: only the diagonal, as published.

    Returns:
        A scalar.
    """
    logits = ecg.float() @ text.float().T / temperature  # (batch, batch)
    if same is None:
        target = torch.arange(len(logits), device=logits.device)
        return F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)
    weights = same.to(logits.dtype)
    return F.cross_entropy(logits, weights / weights.sum(1, keepdim=True)) + F.cross_entropy(
        logits.T, weights.T / weights.T.sum(1, keepdim=True)
    )


def uma(first: Tensor, second: Tensor, temperature: float | Tensor) -> Tensor:
    """Uni-modal alignment: InfoNCE between two views of the same ECG features, both directions (MERL, eq. 4).

    Args:
        first: unit-length embeddings of one view, shape (batch, dim).
        second: unit-length embeddings of the other view, shape (batch, dim).
        temperature: 0.07 as published.

    Returns:
        A scalar.
    """
    return cma(first, second, temperature)
