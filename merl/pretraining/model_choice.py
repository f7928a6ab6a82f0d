"""Judging a model without any class label: how well it finds reports, and how much of its space it uses."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from merl.encoders.text_cache import cached_embeddings
from merl.errors import UsageError
from merl.model import MERL
from merl.pretraining.prepared import PreparedPairs

#: How many nearest ECGs of a report are looked at.
KS = (1, 5, 10)
MOST_LOOKED_AT = max(KS)


@torch.inference_mode()
def judge(model: MERL, held_out: PreparedPairs, *, batch_size: int = 128) -> dict[str, float]:
    """Measure a model in evaluation mode on pairs it was not trained on.

    Returns:
        Recall at 1, 5 and 10 of reports that look for their ECG, and the effective rank of the embeddings.
    """
    device = next(model.parameters()).device
    distinct, report = np.unique(np.array(held_out.reports), return_inverse=True)
    reports = [str(one) for one in distinct]
    if model.config.text.trained_layers:
        text = model.encode_text(reports, normalize=True, truncate=True)
    else:  # frozen: embedded once for all epochs
        found = torch.from_numpy(cached_embeddings(model.text_encoder, reports))
        text = model.project_text(found.to(device), normalize=True)
    parts = [
        model.encode_ecg(torch.from_numpy(held_out.signals(rows)).to(device), normalize=True)
        for rows in np.array_split(np.arange(len(report)), -(-len(report) // batch_size))
    ]
    ecg = torch.cat(parts).float()
    recall = retrieval_recall(ecg, text.float(), torch.from_numpy(report).to(device))
    return {f"recall@{k}": value for k, value in zip(KS, recall, strict=True)} | {"rankme": rankme(ecg)}


def retrieval_recall(ecg: Tensor, text: Tensor, report: Tensor, ks: tuple[int, ...] = KS) -> list[float]:
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
