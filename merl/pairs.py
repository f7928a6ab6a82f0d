"""Pairs of ECG and report as training sees them: waveforms read once, every distinct text embedded once."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from torch import Tensor

from merl.preprocessing import SignalSpec
from merl.readers import read_record
from merl.reports import sentences

Progress = Callable[[int, int, str], None]  # done, of how many, what


@dataclass
class ReportTexts:
    """The texts that may stand for each record, with each distinct text embedded once.

    Attributes:
        embeddings: unit length, shape (texts, text dim).
        full: index of each record's whole report, shape (records,).
        parts: indices of each record's sentences.
        true_of: sparse boolean, shape (records, texts): the whole report and the sentences of each record.
    """

    embeddings: Tensor
    full: NDArray[np.int64]
    parts: list[NDArray[np.int64]]
    true_of: csr_matrix

    @classmethod
    def embed(
        cls, reports: Sequence[str], encode: Callable[[Sequence[str]], NDArray[np.float32]]
    ) -> ReportTexts:
        """Split cleaned reports into sentences and embed every distinct text once."""
        index: dict[str, int] = {}

        def number(text: str) -> int:
            return index.setdefault(text, len(index))

        full = np.array([number(report) for report in reports])
        parts = [np.array([number(part) for part in sentences(report)], np.int64) for report in reports]
        rows = np.concatenate([np.full(len(part) + 1, row) for row, part in enumerate(parts)])
        columns = np.concatenate([np.append(part, whole) for part, whole in zip(parts, full, strict=True)])
        true_of = csr_matrix((np.ones(len(rows), bool), (rows, columns)), shape=(len(reports), len(index)))
        return cls(torch.from_numpy(encode(list(index))), full, parts, true_of)

    def draw(
        self, records: NDArray[np.int64], sentence_share: float, rng: random.Random
    ) -> NDArray[np.int64]:
        """Choose one text for each record of a batch: a random sentence or the whole report."""
        return np.array(
            [
                rng.choice(self.parts[record])
                if rng.random() < sentence_share and len(self.parts[record])
                else self.full[record]
                for record in records
            ]
        )


def load_waveforms(paths: Sequence[Path], spec: SignalSpec, progress: Progress | None = None) -> Tensor:
    """Read and prepare every record once.

    Returns:
        Half precision, shape (records, leads, samples), the first window of each record.

    Raises:
        RecordError: a record cannot be read; the sentence names it.
    """
    signals = torch.empty((len(paths), len(spec.leads), spec.samples), dtype=torch.float16)
    for row, path in enumerate(paths):
        signals[row] = torch.from_numpy(spec.windows(read_record(path))[0])
        if progress and row % 200 == 199:
            progress(row + 1, len(paths), "reading records")
    return signals
