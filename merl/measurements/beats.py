"""Where the beats are, which of them look alike, and the median of those.

Beats are found at 100 Hz and measured at 500 Hz, on the same signal interpolated: a beat's place and the
edges of its waves are then known to 2 ms.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

#: Hertz at which beats are found; other signals are resampled to it.
RATE = 100
#: Hertz at which beats are measured.
FINE_RATE = 500

_HALF_QRS = int(0.06 * FINE_RATE)  # what is compared between beats: 60 ms on each side of the peak
_SHIFTS = np.arange(-30, 31, 2)  # how far a beat may be moved to lie on the others, in samples
_ALIKE = 0.85  # correlation over the twelve leads
_ROUNDING = 0.05  # envelopes below are a flat signal's rounding errors: 14 nV a sample in all leads
#: What is cut out as a beat: so many samples before and after its place.
BEFORE, AFTER = int(0.44 * FINE_RATE), int(0.6 * FINE_RATE)

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Beats:
    """Beats found in a record.

    Attributes:
        places: their samples at ``FINE_RATE``, ascending.
        typical: which of them look alike, as the largest such group does.
    """

    places: NDArray[np.int64]
    typical: NDArray[np.bool_]

    @property
    def rr(self) -> Array:
        """The RR intervals in seconds, one fewer than beats."""
        return np.diff(self.places) / FINE_RATE


def samples(seconds: float) -> int:
    """Whole samples at ``FINE_RATE`` in a time."""
    return int(seconds * FINE_RATE)


def milliseconds(count: float) -> float:
    """How long so many samples at ``FINE_RATE`` last."""
    return count / FINE_RATE * 1000


def without_wander(signal: Array) -> Array:
    """Take out the wander of the baseline, below 0.5 Hz, from leads by samples at ``RATE``."""
    return _filtered(signal, "highpass", 0.5)


def find_beats(signal: Array) -> NDArray[np.int64]:
    """Find the QRS complexes by the steepness of all leads together.

    Band-pass, slope, moving average and threshold are the steps of Pan and Tompkins (IEEE Trans Biomed Eng
    32:230, 1985), here forth and back over the whole record and over all leads at once.

    Args:
        signal: (12, samples) at ``RATE``, in millivolts, of 1.5 seconds or more.

    Returns:
        Their samples at ``RATE``, ascending.
    """
    from scipy.ndimage import uniform_filter1d
    from scipy.signal import find_peaks

    window = int(1.5 * RATE)
    slope = np.abs(np.gradient(_filtered(signal, "bandpass", (5.0, 30.0)), axis=1))
    slope /= np.median(slope, axis=1, keepdims=True) * 20 + 1e-3  # a noisy lead counts less
    envelope = uniform_filter1d(np.sqrt((np.minimum(slope, 3) ** 2).sum(0)), int(0.1 * RATE))
    starts = range(0, len(envelope) - window + 1, window // 2)
    highest = [envelope[start : start + window].max() for start in starts]
    least = max(0.4 * float(np.median(highest)), _ROUNDING)
    peaks, _ = find_peaks(envelope, height=least, distance=int(0.25 * RATE))
    return np.asarray(peaks, np.int64)


def align(fine: Array, peaks: NDArray[np.int64]) -> Beats | None:
    """Move beats onto their common shape and tell which of them share it.

    Args:
        fine: (12, samples) at ``FINE_RATE``.
        peaks: samples at ``FINE_RATE``.

    Returns:
        The beats that are not cut off by an end; nothing if there are fewer than three or no two alike.
    """
    margin = _HALF_QRS + 40
    peaks = peaks[(peaks >= margin) & (peaks + margin < fine.shape[1])]
    if len(peaks) < 3:
        return None
    windows = np.lib.stride_tricks.sliding_window_view(fine, 2 * _HALF_QRS, axis=1)  # (12, starts, samples)
    starts = peaks - _HALF_QRS
    shape = np.median(windows[:, starts], axis=1)
    for _ in range(2):
        fits = [np.einsum("lsw,lw->s", windows[:, start + _SHIFTS], shape) for start in starts]
        shifts = _SHIFTS[np.argmax(fits, axis=1)]
        complexes = windows[:, starts + shifts].swapaxes(0, 1)  # (beats, 12, samples)
        alike = similarity(complexes) > _ALIKE
        typical = alike[alike.sum(1).argmax()]
        shape = np.median(complexes[typical], axis=0)
    return Beats(peaks + shifts, typical) if typical.sum() > 1 else None


def similarity(beats: Array) -> Array:
    """Cosines between beats, (beats, 12, samples), over all leads: (beats, beats)."""
    flat = beats.reshape(len(beats), -1)
    flat = flat / (np.linalg.norm(flat, axis=1, keepdims=True) + 1e-9)
    return np.asarray(flat @ flat.T)


def typical_beats(fine: Array, beats: Beats) -> Array | None:
    """Cut out the typical beats from 440 ms before to 600 ms after their places.

    Returns:
        Shape (beats, 12, samples); nothing where fewer than two lie in the record as a whole.
    """
    places = beats.places[beats.typical]
    places = places[(places >= BEFORE) & (places + AFTER < fine.shape[1])]
    if len(places) < 2:
        return None
    windows = np.lib.stride_tricks.sliding_window_view(fine, BEFORE + AFTER, axis=1)
    return windows[:, places - BEFORE].swapaxes(0, 1)


def _filtered(signal: Array, kind: str, edges: float | tuple[float, float]) -> Array:
    """Filter forth and back at ``RATE``, without a shift in time."""
    from scipy.signal import sosfiltfilt

    return np.asarray(sosfiltfilt(_butterworth(kind, edges), signal, axis=1))


@cache
def _butterworth(kind: str, edges: float | tuple[float, float]) -> Array:
    """Second-order sections of a Butterworth filter of second order."""
    from scipy.signal import butter

    return np.asarray(butter(2, edges, kind, fs=RATE, output="sos"))
