"""A classically trained classifier: an ECG encoder and one linear layer, told the labels.

It stands here to be compared with, in studies alone; no model of this package learns from labels.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from merl.checkpoints import fill
from merl.datasets.tasks import TaskData
from merl.encoders.registry import ENCODERS
from merl.errors import ConfigError, MerlError, unknown
from merl.files import atomic_path
from merl.model import cpu_has_bf16
from merl.preprocessing import SignalSpec
from merl.studies.config import Classifier

Progress = Callable[[int, int, str], None]
_WARMUP = 0.1  # share of the steps in which the learning rate rises


class Network(nn.Module):
    """An ECG encoder, its features averaged over time, and a logit for each class.

    Raises:
        ConfigError: the encoder is unknown.
    """

    def __init__(self, encoder: str, spec: SignalSpec, classes: int) -> None:
        super().__init__()
        if encoder not in ENCODERS:
            raise ConfigError(unknown("encoder", encoder, ENCODERS, "merl models"))
        self.ecg_encoder = ENCODERS[encoder](leads=len(spec.leads), samples=spec.samples)
        self.head = nn.Linear(self.ecg_encoder.width, classes)

    def forward(self, signals: Tensor) -> Tensor:
        """Score signals, (batch, leads, samples), by logits, (batch, classes)."""
        features = self.ecg_encoder(signals)
        return self.head(features.mean(-1) if self.ecg_encoder.steps else features)


class Windows:
    """The windows of some records, held in memory.

    Attributes:
        signals: float16, shape (windows, leads, samples): millivolts to three digits.
        record: index of each window's record, shape (windows,).
    """

    def __init__(self, data: TaskData, spec: SignalSpec, progress: Progress | None = None) -> None:
        parts: list[NDArray[np.float16]] = []
        for index in range(len(data)):
            parts.append(spec.windows(data.read(index)).astype(np.float16))
            if progress:
                progress(index + 1, len(data), f"reading {data.task} {data.split}")
        self.signals = np.concatenate(parts)
        self.record = np.repeat(np.arange(len(parts)), [len(part) for part in parts])

    def batch(self, rows: NDArray[np.int64]) -> Tensor:
        """Return some windows in single precision, shape (rows, leads, samples)."""
        return torch.from_numpy(self.signals[rows].astype(np.float32))


def kept_or_fitted(path: Path, network: Network, make: Callable[[], Network]) -> Network:
    """Fill a network from the file that an earlier call wrote, or make it now and write that file.

    Raises:
        CheckpointError: the file does not fit the network.
        MerlError: the training failed.
    """
    if path.is_file():
        fill(network, load_file(path), f"{path} is no network of this classifier; delete it")
        return network.eval()
    made = make()
    with atomic_path(path) as part:
        save_file(made.state_dict(), part)
    return made


def fit(
    config: Classifier,
    spec: SignalSpec,
    windows: Windows,
    labels: NDArray[np.bool_],
    *,
    encoder: str,
    seed: int,
    progress: Progress | None = None,
) -> Network:
    """Train a network by binary cross-entropy on every class.

    Args:
        config: how.
        spec: of the windows.
        windows: of the training records.
        labels: shape (records, classes).
        encoder: of the network.
        seed: of weights and order.
        progress: called with (done, of, what).

    Raises:
        MerlError: the loss is not finite.
    """
    torch.manual_seed(seed)
    network = Network(encoder, spec, labels.shape[1]).train()
    truth = torch.from_numpy(labels[windows.record].astype(np.float32))
    count = len(windows.record)
    steps_per_epoch = max(1, count // config.batch_size)
    steps = config.epochs * steps_per_epoch
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=config.weight_decay, fused=True)
    for step in range(steps):
        epoch, at = divmod(step, steps_per_epoch)
        if at == 0:
            order = np.random.default_rng([seed, 2, epoch]).permutation(count)
        rows = order[at * config.batch_size : (at + 1) * config.batch_size]
        for group in optimizer.param_groups:
            group["lr"] = config.learning_rate * _rise_and_fall(step / steps)
        with torch.autocast("cpu", torch.bfloat16, enabled=cpu_has_bf16()):
            logits = network(windows.batch(rows))
        loss = F.binary_cross_entropy_with_logits(logits.float(), truth[rows])
        if not torch.isfinite(loss):
            raise MerlError(f"the classifier's loss is {loss.item()} in step {step + 1}; lower learning_rate")
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        if progress:
            progress(step + 1, steps, f"training a classifier, loss {loss.item():.3f}")
    return network.eval()


@torch.inference_mode()
def logits(network: Network, windows: Windows, *, batch_size: int = 256) -> NDArray[np.float64]:
    """Return each record's logits, averaged over its windows, shape (records, classes)."""
    parts = []
    for rows in np.array_split(np.arange(len(windows.record)), -(-len(windows.record) // batch_size)):
        with torch.autocast("cpu", torch.bfloat16, enabled=cpu_has_bf16()):
            parts.append(network(windows.batch(rows)).float().numpy())
    found = np.concatenate(parts).astype(np.float64)
    sums = np.zeros((windows.record[-1] + 1, found.shape[1]))
    np.add.at(sums, windows.record, found)
    return sums / np.bincount(windows.record)[:, None]


def _rise_and_fall(done: float) -> float:
    """Return the factor of the learning rate: a linear rise, then half a cosine."""
    if done < _WARMUP:
        return max(done, 0.01) / _WARMUP
    return 0.5 * (1 + math.cos(math.pi * (done - _WARMUP) / (1 - _WARMUP)))
