"""Judging a model without any class label: how well it finds reports, and how much of its space it uses."""

from __future__ import annotations

import torch
from torch import Tensor

from merl.errors import UsageError

#: How many nearest ECGs of a report are looked at, at most.
MOST_LOOKED_AT = 10


def retrieval_recall(
    ecg: Tensor, text: Tensor, report: Tensor, ks: tuple[int, ...] = (1, 5, MOST_LOOKED_AT)
) -> list[float]:
    """Return how often a report finds one of its own ECGs among the nearest k.

    Many ECGs have the same report word for word; each of them is a right answer.

    Args:
        ecg: unit-length ECG embeddings, shape (records, dim).
        text: unit-length embeddings of the distinct reports, shape (reports, dim).
        report: index of each record's report, shape (records,).
        ks: how many nearest ECGs are looked at.

    Returns:
        Recall at each k, 0 to 1, averaged over the distinct reports.

    Raises:
        UsageError: there are fewer records than the largest k.
    """
    if len(ecg) < max(ks):
        raise UsageError(f"recall at {max(ks)} needs as many records; got {len(ecg)}, give more")
    nearest = (text @ ecg.T).topk(max(ks), dim=1).indices  # (reports, k)
    right = report[nearest] == torch.arange(len(text), device=report.device)[:, None]
    return [right[:, :k].any(1).float().mean().item() for k in ks]


def rankme(embeddings: Tensor) -> float:
    """Return the effective rank of embeddings: the exponential of the entropy of their singular values.

    Between 1, all on a line, and the dimension, all directions alike (RankMe, Garrido et al., ICML 2023).

    Args:
        embeddings: shape (records, dim).
    """
    values = torch.linalg.svdvals(embeddings.float())
    shares = values / values.sum() + 1e-7  # as published
    return float(torch.exp(-(shares * shares.log()).sum()))
