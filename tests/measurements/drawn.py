"""Beats drawn from Gaussian waves at known places, so that the intervals and amplitudes are known."""

from collections.abc import Iterable, Mapping

import numpy as np

from merl.measurements import LEADS
from merl.measurements.beats import AFTER, BEFORE, FINE_RATE
from merl.measurements.waves import MedianBeat

#: Seconds from the R peak to a wave's centre, its width in seconds, and its height in millivolts.
Wave = tuple[float, float, float | np.ndarray]


def each(others: float = 0.0, **leads: float) -> np.ndarray:
    """A height in each lead, that of ``others`` where a lead is not named."""
    return np.array([leads.get(lead, others) for lead in LEADS])


#: P begins two widths before its centre, 160 ms before QRS does; T has its steepest fall one width after.
NORMAL: Mapping[str, Wave] = {
    "P": (-0.164, 0.018, 0.15),
    "R": (0.0, 0.010, each(0.8, II=1.2, aVR=-0.9, V1=0.3)),
    "S": (0.025, 0.008, each(-0.1, aVR=0.0, V1=-0.8, V2=-0.6)),
    "T": (0.30, 0.04, each(0.3, aVR=-0.3)),
}


def beat(waves: Mapping[str, Wave], time: np.ndarray) -> np.ndarray:
    """One beat with its R peak at time 0, shape (12, samples)."""
    signal = np.zeros((len(LEADS), len(time)))
    for centre, width, height in waves.values():
        signal += np.multiply.outer(each() + height, np.exp(-0.5 * ((time - centre) / width) ** 2))
    return signal


def ecg(
    places: Iterable[float],
    waves: Mapping[str, Wave] = NORMAL,
    *,
    other: Mapping[float, Mapping[str, Wave]] | None = None,
    rate: float = 100,
    seconds: float = 10,
    noise: float = 0.005,
) -> np.ndarray:
    """An ECG with R peaks at some seconds, those in ``other`` with other waves: (12, samples) at a rate."""
    time = np.arange(round(seconds * rate)) / rate
    signal = np.random.default_rng(0).normal(0, noise, (len(LEADS), len(time)))
    for place in places:
        signal += beat((other or {}).get(place, waves), time - place)
    return signal


def median_beat(waves: Mapping[str, Wave], rr: float = 0.8) -> MedianBeat:
    """The median of three equal beats."""
    one = beat(waves, np.arange(-BEFORE, AFTER) / FINE_RATE)
    return MedianBeat.of(np.stack([one] * 3), rr)


def at(lead: str) -> int:
    """The row of a lead."""
    return LEADS.index(lead)
