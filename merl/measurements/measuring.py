"""From a signal to its measurements."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from merl.errors import UsageError
from merl.measurements.beats import (
    FINE_RATE,
    RATE,
    Array,
    align,
    find_beats,
    typical_beats,
    without_wander,
)
from merl.measurements.p_wave import p_wave
from merl.measurements.repolarization import repolarization
from merl.measurements.rhythm import rhythm
from merl.measurements.table import LEADS, Measurements
from merl.measurements.waves import MedianBeat, qrs_waves
from merl.preprocessing import resample
from merl.records import RATES

_FEWEST_BEATS = 4
_SHORTEST = 1.5  # seconds


def measure(signal: ArrayLike, sampling_rate: float) -> Measurements:
    """Measure one 12-lead ECG.

    Where fewer than four beats are found, or no two that are alike as in noise, all but the number of
    ``beats`` is NaN; in less than 1.5 seconds that is NaN too. Other rates than 100 Hz are resampled to it
    first, so that one ECG has the same measurements at each.

    Args:
        signal: (12, samples) in millivolts, in the order of ``LEADS``.
        sampling_rate: in hertz, at least 100.

    Raises:
        UsageError: the signal has another shape or values that are not finite, or the rate is lower.
    """
    coarse = resample(_checked(signal, sampling_rate), sampling_rate, RATE).astype(np.float64)
    if coarse.shape[1] < _SHORTEST * RATE:
        return Measurements.of({})
    coarse = without_wander(coarse)
    peaks = find_beats(coarse)
    return Measurements.of({"beats": float(len(peaks)), **_measured(coarse, peaks)})


def _measured(coarse: Array, peaks: NDArray[np.int64]) -> dict[str, float | Array]:
    """Measure a signal without wander, (12, samples), and beats, both at ``RATE``, as far as it goes."""
    from scipy.signal import resample_poly

    if len(peaks) < _FEWEST_BEATS:
        return {}
    fine = resample_poly(coarse, FINE_RATE // RATE, 1, axis=1)
    beats = align(fine, peaks * (FINE_RATE // RATE))
    if beats is None:
        return {}
    found: dict[str, float | Array] = {**rhythm(beats)}
    cut = typical_beats(fine, beats)
    if cut is None:
        return found
    beat = MedianBeat.of(cut, float(np.median(beats.rr)))
    return found | qrs_waves(beat) | repolarization(beat) | p_wave(beat)


def _checked(signal: ArrayLike, sampling_rate: float) -> NDArray[np.float32]:
    """Take a signal as single precision, or say why it cannot be measured."""
    if not RATE <= sampling_rate <= RATES[1]:  # also where it is not a number
        raise UsageError(
            f"a signal at {sampling_rate:g} Hz cannot be measured; give one at {RATE} to {RATES[1]:g} Hz"
        )
    try:
        with np.errstate(over="ignore"):
            values = np.asarray(signal).astype(np.float32)
    except (TypeError, ValueError):  # no numbers, or rows of unequal length
        values = np.empty(0, np.float32)
    if values.ndim != 2 or len(values) != len(LEADS) or not values.shape[1]:
        raise UsageError(
            f"a signal of shape {np.shape(values)} cannot be measured; give millivolts of shape"
            f" ({len(LEADS)}, samples) in the order {', '.join(LEADS)}"
        )
    broken = [lead for lead, row in zip(LEADS, values, strict=True) if not np.isfinite(row).all()]
    if broken:
        raise UsageError(
            f"the signal has values that are not finite in {', '.join(broken)}; cut them out or put 0"
        )
    return values
