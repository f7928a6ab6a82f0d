"""From a record to the model's input, by a specification that travels with the checkpoint."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from merl.errors import RecordError, UsageError
from merl.records import RATES, STANDARD_LEADS, ECGRecord

MAX_SECONDS = 600.0
_MAX_RATIO = round(
    RATES[1] / RATES[0]
)  # 499.999 Hz is taken for 500 Hz, 20 us in ten seconds: its own filter
# would have ten million taps


class SignalSpec(BaseModel):
    """What a model wants to see of an ECG.

    Attributes:
        leads: names in the order of the model's input rows.
        sampling_rate: in hertz.
        seconds: length of one window.
        scaling: ``millivolt`` keeps the signal as it is; ``minmax`` maps each window to [0, 1] by one minimum
            and one maximum over all its leads, padding included, as MERL does (Liu et al., ICML 2024).
        missing_leads: what becomes of a lead that a record does not have and that cannot be computed:
            ``refuse`` the record, or put ``zero`` millivolts, for models trained with leads masked.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    leads: tuple[str, ...] = Field(STANDARD_LEADS, min_length=1)
    sampling_rate: float = Field(100.0, ge=RATES[0], le=RATES[1], allow_inf_nan=False)
    seconds: float = Field(10.0, gt=0, le=MAX_SECONDS)
    scaling: Literal["millivolt", "minmax"] = "millivolt"
    missing_leads: Literal["refuse", "zero"] = "refuse"

    @field_validator("leads")
    @classmethod
    def _distinct(cls, leads: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(leads)) != len(leads):
            raise ValueError(f"a lead is named twice: {', '.join(leads)}")
        return leads

    @model_validator(mode="after")
    def _some_samples(self) -> SignalSpec:
        if not self.samples:
            raise ValueError(f"{self.seconds:g} s at {self.sampling_rate:g} Hz hold no sample; give more")
        return self

    @property
    def samples(self) -> int:
        """Samples in one window."""
        return round(self.sampling_rate * self.seconds)

    def windows(self, record: ECGRecord) -> NDArray[np.float32]:
        """Cut a record into model inputs.

        Leads are taken by name; III, aVR, aVL and aVF are computed from I and II where absent. What is still
        missing is refused or zeros by ``missing_leads``; one lead of the model is always needed. A record
        shorter than a window is padded with zeros at its end; a longer one is cut into consecutive windows,
        and what remains is covered by a last window that ends with the record.

        Returns:
            Shape (windows, leads, samples), at least one window, in millivolts or in [0, 1] by ``scaling``.

        Raises:
            RecordError: a lead is missing and may not be, or all are, a lead has NaN, every lead is flat, the
                values are no millivolts, or the record is longer than ten minutes.
        """
        if record.seconds > MAX_SECONDS:
            raise RecordError(
                f"record {record.name!r} lasts {record.seconds:g} s and at most {MAX_SECONDS:g} s are scored"
                " at once; cut it into pieces"
            )
        signal = _pick_leads(record, self.leads, zero=self.missing_leads == "zero")
        _check_values(record.name, signal, self.leads)
        signal = resample(signal, record.sampling_rate, self.sampling_rate)
        return self.scale(_cut(signal, self.samples))

    def as_records(self, recordings: Any) -> list[ECGRecord]:
        """Take records as they are, and an array as recordings in this specification.

        Args:
            recordings: records, also a generator of them, or millivolts of shape (records, leads, samples)
                with the leads, the sampling rate and the length named here.

        Raises:
            UsageError: it is neither, or the array has another shape.
        """
        if isinstance(recordings, ECGRecord):
            raise UsageError("a single record was given where a list is taken; write [record]")
        if np.iterable(recordings) and not hasattr(recordings, "__array__"):
            recordings = list(recordings)  # a generator can be looked at only once
        if np.iterable(recordings) and all(isinstance(item, ECGRecord) for item in recordings):
            return list(recordings)
        try:
            signals = np.asarray(recordings)
        except ValueError:  # rows of unequal length
            signals = np.empty(0, object)
        if signals.dtype.kind not in "iuf" or signals.shape[1:] != (len(self.leads), self.samples):
            raise UsageError(
                f"an array of shape {signals.shape} and type {signals.dtype} was given; give records, or"
                f" millivolts of shape (records, {len(self.leads)}, {self.samples}): the leads"
                f" {', '.join(self.leads)} for {self.seconds:g} s at {self.sampling_rate:g} Hz"
            )
        return [
            ECGRecord(signal, self.sampling_rate, self.leads, name=str(number))
            for number, signal in enumerate(signals.astype(np.float32))
        ]

    def scale(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Bring windows in millivolts, shape (windows, leads, samples), into model units by ``scaling``."""
        return _minmax(windows) if self.scaling == "minmax" else windows


def resample(signal: NDArray[np.float32], rate: float, target: float) -> NDArray[np.float32]:
    """Resample along the last axis with a polyphase anti-aliasing filter; equal rates change nothing.

    The line from first to last sample is taken out before filtering and put back after, so that an offset
    makes no step at the ends.

    Args:
        signal: shape (leads, samples).
        rate: of the signal, in hertz.
        target: in hertz.

    Returns:
        Shape (leads, ceil(samples * target / rate)).
    """
    if rate == target:
        return signal
    from scipy.signal import resample_poly

    ratio = (Fraction(target) / Fraction(rate)).limit_denominator(_MAX_RATIO)
    out = resample_poly(
        signal.astype(np.float64), ratio.numerator, ratio.denominator, axis=-1, padtype="line"
    )
    return np.asarray(out, np.float32)


def _pick_leads(record: ECGRecord, leads: tuple[str, ...], *, zero: bool) -> NDArray[np.float32]:
    complete = record.with_limb_leads()
    rows = dict(zip(complete.leads, complete.signal, strict=True))
    missing = [lead for lead in leads if lead not in rows]
    if missing and (not zero or len(missing) == len(leads)):
        raise RecordError(
            f"record {record.name!r} has no lead {', '.join(missing)}; it has {', '.join(record.leads)},"
            f" and the model needs {'one' if zero else 'every one'} of its leads"
        )
    absent = np.zeros_like(record.signal[0])
    return np.stack([rows.get(lead, absent) for lead in leads])  # (leads, samples)


def _check_values(name: str, signal: NDArray[np.float32], leads: tuple[str, ...]) -> None:
    broken = [lead for lead, row in zip(leads, signal, strict=True) if not np.isfinite(row).all()]
    if broken:
        raise RecordError(f"record {name!r} has invalid samples in {', '.join(broken)}; cut them out")
    spans = np.ptp(signal, axis=1)  # a lead that was off is flat, and that happens; twelve of them do not
    if not spans.any():
        raise RecordError(f"record {name!r} is flat in every lead; no electrode was recording")
    typical = float(np.median(spans[spans > 0]))
    if not 0.02 <= typical <= 200:  # volts and microvolts taken for millivolts are a thousandfold off
        raise RecordError(
            f"record {name!r} spans {typical:.3g} mV in its median lead, which no ECG does;"
            " give the signal in millivolts"
        )


def _cut(signal: NDArray[np.float32], samples: int) -> NDArray[np.float32]:
    length = signal.shape[1]
    if length < samples:
        return np.pad(signal, ((0, 0), (0, samples - length)))[None].astype(np.float32, copy=False)
    starts = list(range(0, length - samples + 1, samples))
    if starts[-1] + samples < length:
        starts.append(length - samples)
    return np.stack([signal[:, start : start + samples] for start in starts]).astype(np.float32, copy=False)


def _minmax(pieces: NDArray[np.float32]) -> NDArray[np.float32]:
    low = pieces.min(axis=(1, 2), keepdims=True)
    span = pieces.max(axis=(1, 2), keepdims=True) - low
    return np.asarray((pieces - low) / np.where(span > 0, span, 1))  # a constant window becomes zeros
