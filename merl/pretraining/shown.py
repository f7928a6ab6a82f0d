"""What the waveforms of the training records show, said as findings; no report and no label is read."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from merl.findings import Finding, findings
from merl.measurements import Measurements

Indices = NDArray[np.int64]

#: Share of the records that show a finding: what fewer show may be a slip of the measurement, what more show
#: tells them apart too little.
_RAREST, _COMMONEST = 0.001, 0.6
_BLOCK = 16384  # records that are spoken of at a time, for the sake of memory
_BALANCE = 0.5  # a finding is drawn by the number of records that show it to the power of minus this


@dataclass
class ShownFindings:
    """Findings, and which of them the waveform of which record shows.

    Attributes:
        texts: of the findings, in lower case.
        kinds: what each is about, by number, shape (texts,).
        weights: by which those of one kind are drawn, shape (texts,).
        bits: one for each record and text, shape (records, texts / 8).
    """

    texts: list[str]
    kinds: Indices
    weights: NDArray[np.float64]
    bits: NDArray[np.uint8]

    @classmethod
    def of(cls, measurements: Measurements) -> ShownFindings:
        """Say what the measurements of records show, one row each; not what nearly all or hardly any do."""
        records = len(measurements.heart_rate)
        told, counts, bits = list[Finding](), np.zeros(0, np.int64), list[NDArray[np.uint8]]()
        for start in range(0, records, _BLOCK):
            told = findings(measurements.rows(slice(start, start + _BLOCK)))
            shown = np.array([one.true_of for one in told])  # (texts, block)
            counts = shown.sum(1) + (counts if start else 0)
            bits.append(np.packbits(shown.T, axis=1))
        kinds = sorted({one.kind for one in told})
        every = cls(
            texts=[one.text for one in told],
            kinds=np.array([kinds.index(one.kind) for one in told], np.int64),
            weights=np.maximum(counts, 1) ** -_BALANCE,
            bits=np.concatenate(bits),
        )
        return every._keep((counts >= max(2.0, _RAREST * records)) & (counts <= _COMMONEST * records))

    def without(self, texts: Iterable[str]) -> ShownFindings:
        """Leave out the findings that are worded as some texts are."""
        left_out = frozenset(texts)
        return self._keep(np.array([text not in left_out for text in self.texts], bool))

    def _keep(self, kept: NDArray[np.bool_]) -> ShownFindings:
        """Keep some of the findings, told by a boolean each."""
        starts = range(0, len(self.bits), _BLOCK)
        parts = [np.unpackbits(self.bits[i : i + _BLOCK], axis=1, count=len(kept))[:, kept] for i in starts]
        return ShownFindings(
            texts=[text for text, stays in zip(self.texts, kept, strict=True) if stays],
            kinds=self.kinds[kept],
            weights=self.weights[kept],
            bits=np.concatenate([np.packbits(part, axis=1) for part in parts]),
        )

    @property
    def sha256(self) -> str:
        """Hash of the texts and of what they are true of."""
        digest = hashlib.sha256("\n".join(self.texts).encode())
        digest.update(np.ascontiguousarray(self.bits).tobytes())
        return digest.hexdigest()

    def draw(self, record: int, rng: random.Random) -> int | None:
        """Choose one finding that a record shows: each kind is as likely, and in it a rare one likelier.

        Returns:
            Its index, or ``None`` where the record shows none.
        """
        shown = np.flatnonzero(np.unpackbits(self.bits[record], count=len(self.texts)))
        if not len(shown):
            return None
        kinds = self.kinds[shown]
        alike = shown[kinds == rng.choice(np.unique(kinds).tolist())]
        return int(rng.choices(alike.tolist(), self.weights[alike].tolist())[0])

    def true_of(self, records: Indices, chosen: Indices) -> NDArray[np.bool_]:
        """Tell which of some findings some records show, shape (records, findings)."""
        return (self.bits[np.ix_(records, chosen >> 3)] >> (7 - (chosen & 7))) & 1 == 1
