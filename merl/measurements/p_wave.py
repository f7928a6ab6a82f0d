"""The P wave and the PR interval of the median beat."""

from __future__ import annotations

import numpy as np

from merl.measurements.beats import Array, milliseconds, samples, similarity
from merl.measurements.waves import MedianBeat
from merl.records import STANDARD_LEADS

_SHORTEST_RR = 0.42  # seconds; in faster rhythms P lies on the T wave before it
_LEAST_CURVE = 0.008  # millivolts


def p_wave(beat: MedianBeat) -> dict[str, float | Array]:
    """Measure the P wave, looked for up to 360 ms before the QRS complex.

    Returns:
        Attributes of ``Measurements``; only ``p_consistency`` where no wave is seen, and nothing where the
        rhythm is too fast for one.
    """
    start = max(0, beat.onset - samples(min(0.36, 0.46 * beat.rr)))
    end = beat.onset - samples(0.016)
    if end - start <= samples(0.06) or beat.rr <= _SHORTEST_RR:
        return {}
    before = beat.beats[:, :, start:end]
    likeness, count = similarity(before - before.mean(2, keepdims=True)), len(before)
    found: dict[str, float | Array] = {
        "p_consistency": float((likeness.sum() - count) / (count * (count - 1)))
    }
    signal = beat.signal[:, start:end]
    curve = _curvature(signal)
    middle = int(np.argmax(curve))
    if curve[middle] <= _LEAST_CURVE:
        return found
    left = max(middle - samples(0.09), 0)
    wave = _above_feet(signal[:, left : middle + samples(0.09) + 1])
    first, last = _extent(wave, middle - left)
    wave = wave[:, first : last + 1]
    return found | {
        "pr_interval": milliseconds(beat.onset - (start + left + first)),
        "p_duration": milliseconds(last - first),
        "p_max": wave.max(1),
        "p_min": wave.min(1),
        "p_terminal_force": _terminal_force(wave[STANDARD_LEADS.index("V1")]),
    }


def _curvature(signal: Array) -> Array:
    """How far (12, samples) leave the chord of 100 ms, in millivolts, root mean square over the leads.

    The tail of T and the PR segment are near straight lines, so that this tells P from them.
    """
    from scipy.ndimage import uniform_filter1d

    smooth = uniform_filter1d(signal, samples(0.03), axis=1)
    smooth = uniform_filter1d(smooth, samples(0.03), axis=1)
    lag = samples(0.05)
    curve = np.zeros_like(smooth)
    curve[:, lag:-lag] = smooth[:, lag:-lag] - (smooth[:, : -2 * lag] + smooth[:, 2 * lag :]) / 2
    return np.asarray(np.sqrt((curve**2).mean(0)))


def _above_feet(signal: Array) -> Array:
    """Take out of (12, samples) the line from the level at the start to that at the end."""
    share = np.linspace(0, 1, signal.shape[1])
    first, last = signal[:, :3].mean(1, keepdims=True), signal[:, -3:].mean(1, keepdims=True)
    return np.asarray(signal - (first * (1 - share) + last * share))


def _extent(wave: Array, middle: int) -> tuple[int, int]:
    """The samples around ``middle`` at which the leads together fall to 30 % of their height."""
    from scipy.ndimage import uniform_filter1d

    size = uniform_filter1d(np.sqrt((wave**2).mean(0)), 7)
    low = np.flatnonzero(size <= 0.3 * size[max(middle - 10, 0) : middle + 11].max())
    first = low[low <= middle].max(initial=0)
    last = low[low >= middle].min(initial=len(size) - 1)
    return int(first), int(last)


def _terminal_force(v1: Array) -> float:
    """Depth times duration of the negative second half of P in V1 (Morris et al., Circulation 29:242, 1964).

    Returns:
        In millivolt milliseconds, at least 0.
    """
    half = v1[len(v1) // 2 :]
    return -min(float(half.min()), 0.0) * milliseconds(int((half < -0.01).sum()))
