"""What the waveforms of the training records show, said as findings; no report and no label is read."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from merl.findings import findings
from merl.measurements import Measurements

Indices = NDArray[np.int64]

#: Share of the records that show a finding: what fewer show may be a slip of the measurement, what more show
#: tells them apart too little.
_RAREST, _COMMONEST = 0.001, 0.6
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
        least, most = max(2.0, _RAREST * records), _COMMONEST * records
        kept = [one for one in findings(measurements) if least <= one.true_of.sum() <= most]
        kinds = sorted({one.kind for one in kept})
        shown = np.array([one.true_of for one in kept], bool).reshape(len(kept), records)
        return cls(
            texts=[one.text for one in kept],
            kinds=np.array([kinds.index(one.kind) for one in kept], np.int64),
            weights=np.maximum(shown.sum(1), 1.0) ** -_BALANCE,
            bits=np.packbits(shown.T, axis=1),
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
