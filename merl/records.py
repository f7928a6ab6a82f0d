"""ECG recordings: the signal in millivolts, never parted from its sampling rate and lead names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from merl.errors import RecordError

#: The twelve standard leads in the order of the 2007 AHA/ACC/HRS recommendations as PTB-XL stores them.
STANDARD_LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
_SPELLING = {lead.lower(): lead for lead in STANDARD_LEADS}
_AROUND = re.compile(r"^mdc_ecg_lead_|^(?:ecg|ekg)[ _](?:lead[ _])?|^lead[ _]|-ref$", re.IGNORECASE)

#: The least and the highest sampling rate of a recording, in hertz; nobody records an ECG outside.
RATES = (1.0, 100_000.0)

#: Limb leads as sums of I and II (Einthoven's law and Goldberger's leads), exact by definition.
_FROM_I_AND_II = {"III": (-1.0, 1.0), "aVR": (-0.5, -0.5), "aVL": (1.0, -0.5), "aVF": (-0.5, 1.0)}


def canonical_lead(name: str) -> str:
    """Return a lead's standard spelling; other names lose what is said before them and stay as they are.

    ``AVR``, ``Lead aVR``, ``ECG aVR``, ``ECG aVR-Ref`` and ``MDC_ECG_LEAD_AVR`` are aVR. MLII, the modified
    limb lead of Holter recordings, is not lead II and keeps its own name; neither is -aVR aVR.
    """
    bare = _AROUND.sub("", name.strip()).strip()
    return _SPELLING.get(bare.lower(), bare) or name.strip()


@dataclass(frozen=True, eq=False)
class ECGRecord:
    """One ECG recording.

    Attributes:
        signal: float32, shape (leads, samples), in millivolts.
        sampling_rate: in hertz, within ``RATES``.
        leads: one name for each row of ``signal``, in standard spelling.
        name: an identifier that carries nothing about the patient.
        derived: those of ``leads`` that were not recorded but computed from I and II.
    """

    signal: NDArray[np.float32]
    sampling_rate: float
    leads: tuple[str, ...]
    name: str = ""
    derived: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.signal.ndim != 2 or len(self.signal) != len(self.leads):
            raise RecordError(
                f"record {self.name!r}: the signal has shape {self.signal.shape} for {len(self.leads)}"
                " lead names; give (leads, samples) with one name a row"
            )
        if not RATES[0] <= self.sampling_rate <= RATES[1]:  # also where it is not a number
            raise RecordError(
                f"record {self.name!r}: a sampling rate of {self.sampling_rate:g} Hz is not possible;"
                f" give one from {RATES[0]:g} to {RATES[1]:g}"
            )
        if len(set(self.leads)) != len(self.leads):
            raise RecordError(f"record {self.name!r} names a lead twice: {', '.join(self.leads)}")
        if self.signal.shape[1] == 0:
            raise RecordError(f"record {self.name!r} has no samples")

    @property
    def seconds(self) -> float:
        """The duration in seconds."""
        return float(self.signal.shape[1] / self.sampling_rate)

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
        derived = tuple(lead for lead in self.derived if lead in leads)
        return replace(self, signal=self.signal[rows], leads=tuple(leads), derived=derived)

    def with_limb_leads(self) -> ECGRecord:
        """Return the record with III, aVR, aVL and aVF computed where it lacks them and has I and II.

        The new leads come last and are named in ``derived``. Nothing else can be computed exactly, so nothing
        else is: V4 is never made from V3 and V5, nor MLII taken for II.
        """
        missing = tuple(lead for lead in _FROM_I_AND_II if lead not in self.leads)
        if not missing or "I" not in self.leads or "II" not in self.leads:
            return self
        one, two = self.signal[self.leads.index("I")], self.signal[self.leads.index("II")]
        shares = np.array([_FROM_I_AND_II[lead] for lead in missing], np.float32)
        rows = shares[:, :1] * one + shares[:, 1:] * two  # (missing, samples)
        return replace(
            self,
            signal=np.concatenate([self.signal, rows]),
            leads=self.leads + missing,
            derived=self.derived + missing,
        )
