"""The ST segment, the T wave and the QT interval of the median beat."""

from __future__ import annotations

import numpy as np

from merl.measurements.beats import Array, milliseconds, samples
from merl.measurements.waves import MedianBeat


def repolarization(beat: MedianBeat) -> dict[str, float | Array]:
    """Measure ST segment and T wave.

    The T wave is looked for from 80 ms after the QRS complex until 62 % of the RR interval and 100 ms, at
    most 560 ms, after its start.

    Returns:
        Attributes of ``Measurements``, without those of the T wave where the next beat leaves no room for it,
        and without the QT interval where the end of T cannot be told.
    """
    signal, later = beat.signal, beat.offset + samples(0.06)
    found: dict[str, float | Array] = {
        "st_j": signal[:, beat.offset + samples(0.01)].copy(),
        "st_60": signal[:, later - 5 : later + 5].mean(1),
    }
    start = beat.offset + samples(0.08)
    end = min(signal.shape[1] - 1, beat.onset + samples(min(0.62 * beat.rr + 0.1, 0.56)))
    if end - start <= samples(0.06):
        return found
    wave = signal[:, start:end]
    low, high = wave.min(1), wave.max(1)
    found |= {"t_min": low, "t_max": high, "t_amplitude": np.where(-low > high, low, high)}
    t_end = _t_end(wave)
    if t_end is not None and 200 < (qt := milliseconds(start + t_end - beat.onset)) < 700:
        found |= {"qt_interval": qt, "qtc": qt / beat.rr**0.5}  # Bazett, Heart 7:353, 1920
    return found


def _t_end(wave: Array) -> float | None:
    """Where T ends in (12, samples) of it, in samples, or nothing where there is no falling limb.

    The tangent to the steepest fall ends T (Lepeschkin and Surawicz, Circulation 6:378, 1952), here that of
    the root mean square of the leads, where it meets half of its least value.
    """
    from scipy.ndimage import uniform_filter1d

    size = np.sqrt((wave**2).mean(0))
    top = int(np.argmax(size))
    slope = np.gradient(uniform_filter1d(size, 9))
    steepest = top + int(np.argmin(slope[top:]))
    if len(size) - top <= 10 or size[top] <= 0.03 or slope[steepest] >= 0:
        return None
    return float(steepest + (size[steepest] - size.min() * 0.5) / -slope[steepest])
