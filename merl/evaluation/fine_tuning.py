"""The whole ECG encoder trained on labels, with a linear head: what frozen features are measured against."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from merl.datasets.task_data import TaskData
from merl.embedding import embed_records
from merl.errors import MerlError
from merl.evaluation.features import at_layer
from merl.evaluation.linear import learnable
from merl.evaluation.metrics import Bools, Floats
from merl.model import MERL, cpu_has_bf16

Progress = Callable[[int, int], None]


class FineTuning(BaseModel):
    """How an encoder is tuned: AdamW, the learning rate falling to zero along half a cosine.

    Nothing is chosen on labels that are held out: the weights of the last epoch are scored.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    epochs: int = Field(20, gt=0)
    batch_size: int = Field(32, gt=1)
    learning_rate: float = Field(5e-4, gt=0)
    weight_decay: float = Field(0.01, ge=0)


@dataclass(frozen=True, eq=False)
class FineTuned:
    """A tuned encoder with its head, (width -> classes), and which classes it could learn."""

    encoder: MERL
    head: nn.Linear
    learnt: Bools

    @torch.inference_mode()
    def score(self, data: TaskData, progress: Progress | None = None) -> Floats:
        """Return log-odds, shape (records, classes); nan for a class that could not be learnt."""
        step = (lambda done: progress(done, len(data))) if progress else None
        features = embed_records(self.encoder, (data.read(i) for i in range(len(data))), progress=step)
        scores = self.head(torch.from_numpy(features)).double().numpy()
        return np.where(self.learnt, scores, np.nan)


def fine_tune(
    model: MERL,
    data: TaskData,
    rows: NDArray[np.int64],
    *,
    recipe: FineTuning,
    seed: int = 0,
    progress: Progress | None = None,
) -> FineTuned:
    """Train a copy of the encoder and a new head on the labels of some records.

    Args:
        model: where the encoder comes from; it is left as it is.
        data: the training split.
        rows: the records to learn from; of one longer than the model's window a random window each epoch.
        recipe: epochs, batch and learning rate.
        seed: of the head, the order of the records and the windows.
        progress: called with the steps done and the steps to do.

    Raises:
        RecordError: a record cannot be read or does not meet the model's contract.
        MerlError: the loss is no longer finite.
    """
    random = np.random.default_rng(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        head = nn.Linear(model.ecg_encoder.width, data.labels.shape[1])
    encoder = copy.deepcopy(at_layer(model, "encoder")).train().requires_grad_()
    weights = [*encoder.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(weights, lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    steps = recipe.epochs * math.ceil(len(rows) / recipe.batch_size)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    done = 0
    for _ in range(recipe.epochs):
        for batch in np.array_split(random.permutation(rows), steps // recipe.epochs):
            truth = torch.from_numpy(data.labels[batch]).float()
            with torch.autocast("cpu", torch.bfloat16, enabled=cpu_has_bf16()):
                features = encoder.encode_ecg(_signals(encoder, data, batch, random))
            loss = F.binary_cross_entropy_with_logits(head(features.float()), truth)
            if not torch.isfinite(loss):
                raise MerlError(
                    f"fine-tuning went astray: the loss is {loss.item()}; lower its learning rate"
                )
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
            done += 1
            if progress:
                progress(done, steps)
    return FineTuned(encoder.eval(), head, learnable(data.labels[rows]))


def _signals(encoder: MERL, data: TaskData, batch: NDArray[np.int64], random: np.random.Generator) -> Tensor:
    """Read one window of each record, (batch, leads, samples)."""
    windows = (encoder.spec.windows(data.read(int(row))) for row in batch)
    return torch.from_numpy(np.stack([found[random.integers(len(found))] for found in windows]))
