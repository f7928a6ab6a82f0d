"""Objectives of multimodal ECG-report learning, composable by name and weight.

Cross-modal alignment (CMA) draws an ECG towards the texts that are true of it, uni-modal alignment (UMA) two
views of one ECG towards each other (Liu et al., ICML 2024). Each is a function of tensors, and ``OBJECTIVES``
names them as functions of one ``Batch``. Embeddings are of unit length, shape (batch, dim), row i of each
belongs to record i, and each objective returns a scalar.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from merl.distributed import gather_with_gradient
from merl.errors import ConfigError, MerlError, unknown

T = TypeVar("T")


@dataclass(frozen=True)
class Batch:
    """What the objectives compare; what none of the chosen ones needs may be left out.

    A text that several records drew is encoded once and its row repeated, which weights a distinct text by
    the number of records that drew it.

    Attributes:
        ecg: ECG embeddings, shape (records, dim).
        text: embeddings of the text drawn for each record, shape (records, dim).
        same: boolean, shape (records, records), where the text drawn for record j is also true of record i,
            the diagonal included. Before ``joint`` the columns already are the records of all processes:
            gather the numbers of the drawn texts, then look up which are true of the process's own records.
        views: two views of the same ECG features, each (records, dim).
        meaning: the drawn texts as a frozen text encoder embeds them, shape (records, text dim).
        temperature: cosines are divided by it.
        bias: added to the logits of ``cma-sigmoid``.
        meaning_temperature: divides the cosines of ``meaning`` that are the targets of ``cma-soft``.
    """

    ecg: Tensor
    text: Tensor
    same: Tensor | None = None
    views: tuple[Tensor, Tensor] | None = None
    meaning: Tensor | None = None
    temperature: float | Tensor = 0.07
    bias: float | Tensor = -10.0
    meaning_temperature: float = 0.1

    def joint(self) -> Batch:
        """Join the batches of all processes, in the order of their ranks; alone, nothing changes.

        Gradients flow to each process's own rows. A text drawn in two processes is encoded by both and counts
        as often as it was drawn, just as in one process.
        """
        gather = gather_with_gradient
        return replace(
            self,
            ecg=gather(self.ecg),
            text=gather(self.text),
            same=None if self.same is None else gather(self.same),
            views=None if self.views is None else (gather(self.views[0]), gather(self.views[1])),
            meaning=None if self.meaning is None else gather(self.meaning),
        )

    def with_near_duplicates(self, threshold: float) -> Batch:
        """Let texts of the joint batch count as the same if their ``meaning`` has a cosine of ``threshold``.

        Sentence encoders take opposites for similar (left and right, long and short): keep it near 1.

        Raises:
            ConfigError: the batch has no ``meaning``.
        """
        meaning = _given(self.meaning, "finding near duplicates", "meaning")
        near = _cosines(meaning, meaning) >= threshold
        near.fill_diagonal_(True)  # a cosine with itself may round to just below 1
        return replace(self, same=near if self.same is None else self.same | near)


class Temperature(nn.Module):
    """A learned temperature, by its logarithm as CLIP's ``logit_scale`` (Radford et al. 2021), with a floor.

    Raises:
        ConfigError: not 0 < floor <= start.
    """

    def __init__(self, start: float = 0.07, floor: float = 0.01) -> None:
        super().__init__()
        if not 0 < floor <= start:
            raise ConfigError(f"temperature {start} with the floor {floor}: give 0 < floor <= temperature")
        self.highest = -math.log(floor)
        self.logit_scale = nn.Parameter(torch.tensor(-math.log(start)))

    def forward(self) -> Tensor:
        """Return the temperature, a scalar of at least the floor."""
        with torch.no_grad():  # the parameter itself: behind a clamp it would get no gradient to return by
            self.logit_scale.clamp_(max=self.highest)
        return torch.exp(-self.logit_scale)


def cma(ecg: Tensor, text: Tensor, temperature: float | Tensor, truth: Tensor | None = None) -> Tensor:
    """Cross-modal alignment: InfoNCE from ECG to text plus from text to ECG, the sum of both (MERL, eq. 2).

    Args:
        ecg: ECG embeddings.
        text: text embeddings.
        temperature: the cosines are divided by it; 0.07 as published.
        truth: how far text j is true of ECG i, boolean or at least 0, shape (batch, batch), the diagonal
            included. The target of each softmax is shared among the true ones in proportion (supervised
            contrastive targets, Khosla et al. 2020). ``None``: only the diagonal, as published.

    Raises:
        MerlError: a text is not marked true of its own ECG.
    """
    logits = _cosines(ecg, text) / temperature  # (batch, batch)
    weights = torch.eye(len(logits), device=logits.device) if truth is None else _checked(truth)
    weights = weights.to(logits.dtype)
    return F.cross_entropy(logits, weights / weights.sum(1, keepdim=True)) + F.cross_entropy(
        logits.T, (weights / weights.sum(0)).T
    )


def cma_soft(
    ecg: Tensor, text: Tensor, temperature: float | Tensor, meaning: Tensor, meaning_temperature: float = 0.1
) -> Tensor:
    """Cross-modal alignment to soft targets: the softmax of how similar the texts are to each other.

    The targets are those of X-CLR (Sobal et al., "X-Sample Contrastive Loss", arXiv 2407.18134), taken from
    captions by a frozen sentence encoder at temperature 0.1; there between images, here between ECG and text
    in both directions. Towards temperature 0 only equal texts are true.
    """
    similar = _cosines(meaning, meaning).detach()  # (batch, batch)
    return cma(ecg, text, temperature, torch.exp((similar - 1) / meaning_temperature))  # at most 1


def cma_sigmoid(
    ecg: Tensor, text: Tensor, temperature: float | Tensor, bias: float | Tensor, same: Tensor
) -> Tensor:
    """Cross-modal alignment pair by pair, each true or not by a sigmoid (SigLIP, Zhai et al. 2023).

    As published, temperature and bias are learned from 0.1 and -10 (nearly all pairs are false), ``same`` is
    the diagonal alone, and the sum over all pairs is divided by the batch.

    Raises:
        MerlError: a text is not marked true of its own ECG.
    """
    logits = _cosines(ecg, text) / temperature + bias  # (batch, batch)
    return F.softplus(torch.where(_checked(same), -logits, logits)).sum() / len(logits)


def uma(first: Tensor, second: Tensor, temperature: float | Tensor) -> Tensor:
    """Uni-modal alignment: InfoNCE between two views of the same ECG features, both ways (MERL, eq. 4)."""
    return cma(first, second, temperature)


def _multi(batch: Batch) -> Tensor:
    return cma(batch.ecg, batch.text, batch.temperature, _given(batch.same, "cma-multi", "same"))


def _sigmoid(batch: Batch) -> Tensor:
    same = _given(batch.same, "cma-sigmoid", "same")
    return cma_sigmoid(batch.ecg, batch.text, batch.temperature, batch.bias, same)


def _soft(batch: Batch) -> Tensor:
    meaning = _given(batch.meaning, "cma-soft", "meaning")
    return cma_soft(batch.ecg, batch.text, batch.temperature, meaning, batch.meaning_temperature)


OBJECTIVES: dict[str, Callable[[Batch], Tensor]] = {
    "cma": lambda batch: cma(batch.ecg, batch.text, batch.temperature),
    "cma-multi": _multi,
    "cma-sigmoid": _sigmoid,
    "cma-soft": _soft,
    "uma": lambda batch: uma(*_given(batch.views, "uma", "views"), batch.temperature),
}


def total(batch: Batch, weights: Mapping[str, float]) -> Tensor:
    """Sum the objectives named by ``weights``, each times its weight.

    Raises:
        ConfigError: a name is unknown, none is given, or the batch lacks what an objective compares.
    """
    strange = [unknown("objective", name, OBJECTIVES) for name in weights if name not in OBJECTIVES]
    if strange or not weights:
        raise ConfigError("; ".join(strange) or f"no objective is given; allowed are {', '.join(OBJECTIVES)}")
    return torch.stack([weight * OBJECTIVES[name](batch) for name, weight in weights.items()]).sum()


def _cosines(first: Tensor, second: Tensor) -> Tensor:
    """Multiply unit-length rows in single precision or better, also where autocast would take half."""
    with torch.autocast(first.device.type, enabled=False):
        dtype = torch.promote_types(first.dtype, torch.float32)
        return first.to(dtype) @ second.to(dtype).T


def _checked(truth: Tensor) -> Tensor:
    if not (truth.diagonal() > 0).all():  # rows and columns in another order would train on noise, silently
        raise MerlError("a text is not marked true of its own ECG; `same` needs its records in one order")
    return truth


def _given(field: T | None, who: str, name: str) -> T:
    if field is None:
        raise ConfigError(f"{who} needs Batch.{name}, which is None; give it, or leave {who} out")
    return field
