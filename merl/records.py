"""ECG recordings: the signal in millivolts, never parted from its sampling rate and lead names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from merl.errors import RecordError

#: The twelve standard leads in the order of the 2007 AHA/ACC/HRS recommendations as PTB-XL stores them.
STANDARD_LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
_SPELLING = {lead.lower(): lead for lead in STANDARD_LEADS}


def canonical_lead(name: str) -> str:
    """Return a lead's standard spelling (``AVR`` -> ``aVR``, ``Lead II`` -> ``II``); others stay as they are.

    MLII, the modified limb lead of Holter recordings, is not lead II and keeps its own name.
    """
    bare = name.strip().removeprefix("Lead ").removeprefix("lead ").removeprefix("ECG ").strip()
    return _SPELLING.get(bare.lower(), bare)


@dataclass(frozen=True, eq=False)
class ECGRecord:
    """One ECG recording.

    Attributes:
        signal: float32, shape (leads, samples), in millivolts.
        sampling_rate: in hertz.
        leads: one name for each row of ``signal``, in standard spelling.
        name: an identifier that carries nothing about the patient.
    """

    signal: NDArray[np.float32]
    sampling_rate: float
    leads: tuple[str, ...]
    name: str = ""

    def __post_init__(self) -> None:
        if self.signal.ndim != 2 or len(self.signal) != len(self.leads):
            raise RecordError(
                f"record {self.name!r}: the signal has shape {self.signal.shape} for {len(self.leads)}"
                " lead names; give (leads, samples) with one name a row"
            )
        if self.sampling_rate <= 0:
            raise RecordError(
                f"record {self.name!r}: a sampling rate of {self.sampling_rate:g} Hz is not possible"
            )
        if len(set(self.leads)) != len(self.leads):
            raise RecordError(f"record {self.name!r} names a lead twice: {', '.join(self.leads)}")
        if self.signal.shape[1] == 0:
            raise RecordError(f"record {self.name!r} has no samples")

    @property
    def seconds(self) -> float:
        """The duration in seconds."""
        return self.signal.shape[1] / self.sampling_rate

    def select(self, leads: Sequence[str]) -> ECGRecord:
        """Return the record with some of its leads, in the order asked for.

        Raises:
            RecordError: the record lacks one of them.
        """
        missing = [lead for lead in leads if lead not in self.leads]
        if missing:
            raise RecordError(
                f"record {self.name!r} has no lead {', '.join(missing)}; it has {', '.join(self.leads)}"
            )
        rows = [self.leads.index(lead) for lead in leads]
        return replace(self, signal=self.signal[rows], leads=tuple(leads))
