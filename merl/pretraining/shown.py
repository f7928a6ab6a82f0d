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
        blocks = [slice(start, start + _BLOCK) for start in range(0, records, _BLOCK)]
        told = (findings(measurements.rows(block)) for block in blocks)
        counts = np.sum([[one.true_of.sum() for one in found] for found in told], axis=0)
        kept = np.flatnonzero((counts >= max(2.0, _RAREST * records)) & (counts <= _COMMONEST * records))
        said = [findings(measurements.rows(slice(1)))[place] for place in kept]
        kinds = sorted({one.kind for one in said})
        return cls(
            texts=[one.text for one in said],
            kinds=np.array([kinds.index(one.kind) for one in said], np.int64),
            weights=counts[kept] ** -_BALANCE,
            bits=np.concatenate([_bits(findings(measurements.rows(block)), kept) for block in blocks]),
        )

    def without(self, texts: Iterable[str]) -> ShownFindings:
        """Leave out the findings that are worded as some texts are."""
        left_out = frozenset(texts)
        kept = np.array([text not in left_out for text in self.texts], bool)
        bits = np.unpackbits(self.bits, axis=1, count=len(self.texts))[:, kept]
        chosen = [text for text in self.texts if text not in left_out]
        return ShownFindings(chosen, self.kinds[kept], self.weights[kept], np.packbits(bits, axis=1))

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


def _bits(found: list[Finding], kept: Indices) -> NDArray[np.uint8]:
    """Pack what the findings kept are true of, a row for each record."""
    shown = np.array([found[place].true_of for place in kept], bool).reshape(len(kept), len(found[0].true_of))
    return np.packbits(shown.T, axis=1)
