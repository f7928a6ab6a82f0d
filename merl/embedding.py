"""ECG embeddings: records in, unit vectors out, with every core at work and only a few batches in memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from merl.model import MERL, cpu_has_bf16
from merl.records import ECGRecord
from merl.workers import workers

if TYPE_CHECKING:
    Windows = NDArray[np.float32]


def embed_records(
    model: MERL,
    records: Iterable[ECGRecord],
    *,
    batch_size: int = 64,
    progress: Callable[[int], None] | None = None,
) -> NDArray[np.float32]:
    """Embed records; a record longer than the model's window is the mean of its windows.

    Args:
        model: the model.
        records: any number of records, also a generator: only a few batches are held.
        batch_size: records read together and windows encoded together.
        progress: called with the number of records done.

    Returns:
        Unit-length embeddings, shape (records, embed_dim); of an encoder without heads its features, as long
        as they are.

    Raises:
        RecordError: a record does not meet the model's contract.
    """
    windows = (model.spec.windows(record) for record in records)
    return embed_windows(model, windows, batch_size=batch_size, progress=progress)


def embed_windows(
    model: MERL,
    records: Iterable[Windows],
    *,
    batch_size: int = 64,
    progress: Callable[[int], None] | None = None,
) -> NDArray[np.float32]:
    """Embed records that are cut into the model's windows already, each (windows, leads, samples).

    The next batches are read while others are encoded.
    """
    rows: list[NDArray[np.float32]] = []
    waiting: deque[Future[NDArray[np.float32]]] = deque()

    def take() -> None:
        rows.extend(waiting.popleft().result())
        if progress:
            progress(len(rows))

    with workers() as (pool, count):
        for batch in _batches(records, batch_size):
            waiting.append(pool.submit(_embed, model, batch, batch_size))
            if len(waiting) > count:
                take()
        while waiting:
            take()
    return np.stack(rows) if rows else np.zeros((0, model.config.embed_dim), np.float32)


@torch.inference_mode()
def _embed(model: MERL, batch: list[Windows], batch_size: int) -> NDArray[np.float32]:
    signals = torch.from_numpy(np.concatenate(batch))  # (windows, leads, samples)
    headless = model.config.projection == "none"
    with torch.autocast("cpu", torch.bfloat16, enabled=cpu_has_bf16()):
        encoded = torch.cat([model.encode_ecg(part) for part in signals.split(batch_size)]).float()
    parts = (encoded if headless else F.normalize(encoded, dim=-1)).split([len(item) for item in batch])
    means = torch.stack([part.mean(0) for part in parts])  # (records, embed_dim)
    return (means if headless else F.normalize(means, dim=-1)).numpy()


def _batches(records: Iterable[Windows], size: int) -> Iterator[list[Windows]]:
    batch: list[Windows] = []
    for record in records:
        batch.append(record)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
