"""A small ECG simulator for demonstrations: openly simulated, never a stand-in for data.

Each wave is a Gaussian in time with an amplitude for each of the eight independent leads (McSharry et al.,
IEEE TBME 50:289, 2003, use the same waves); III, aVR, aVL and aVF follow exactly from I and II.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from merl.errors import UsageError
from merl.records import STANDARD_LEADS, ECGRecord

_INDEPENDENT = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
# Amplitudes in millivolts, one row a wave, one column an independent lead.
_P = np.array([0.08, 0.15, 0.06, 0.07, 0.07, 0.07, 0.07, 0.07])
_NARROW = {  # wave: (centre as a share of the QRS duration, width as a share of it, amplitudes)
    "Q": (0.15, 0.08, np.array([-0.06, -0.08, 0.0, 0.0, 0.0, -0.05, -0.08, -0.08])),
    "R": (0.45, 0.13, np.array([0.70, 1.10, 0.25, 0.50, 0.90, 1.40, 1.40, 1.10])),
    "S": (0.78, 0.12, np.array([-0.10, -0.15, -0.90, -1.30, -0.90, -0.50, -0.20, -0.08])),
}
_NARROW_T = np.array([0.20, 0.30, -0.05, 0.35, 0.40, 0.40, 0.35, 0.25])
_LEFT_BUNDLE = {
    "R": (0.35, 0.16, np.array([0.65, 0.45, 0.12, 0.15, 0.20, 0.30, 0.70, 0.85])),
    "R'": (0.68, 0.17, np.array([0.70, 0.35, -0.20, -0.20, -0.10, 0.30, 0.80, 0.90])),
    "S": (0.55, 0.24, np.array([0.0, 0.0, -1.40, -1.90, -1.60, -0.60, 0.0, 0.0])),
}
_LEFT_BUNDLE_T = np.array([-0.20, -0.10, 0.40, 0.60, 0.50, 0.10, -0.20, -0.25])


@dataclass(frozen=True)
class Rhythm:
    """What to simulate.

    Attributes:
        heart_rate: beats a minute.
        pr: PR interval in seconds.
        qrs: QRS duration in seconds.
        fibrillation: no P waves, fibrillatory waves at 6 Hz and irregular RR intervals instead.
        left_bundle_branch_block: broad QRS with its secondary T waves.
    """

    heart_rate: float = 72
    pr: float = 0.16
    qrs: float = 0.09
    fibrillation: bool = False
    left_bundle_branch_block: bool = False


def simulate(rhythm: Rhythm, *, seconds: float = 10, sampling_rate: float = 500, seed: int = 0) -> ECGRecord:
    """Simulate a 12-lead ECG.

    Returns:
        A record called ``simulated-...``; III = II - I and the augmented leads hold exactly before rounding
        to single precision.

    Raises:
        UsageError: a heart rate outside 20-200 a minute.
    """
    if not 20 <= rhythm.heart_rate <= 200:  # beats are kept 0.28 s apart, which caps the rate
        raise UsageError(f"a heart rate of {rhythm.heart_rate:g}/min cannot be simulated; give 20 to 200")
    rng = np.random.default_rng(seed)
    time = np.arange(int(seconds * sampling_rate)) / sampling_rate
    signal = np.zeros((len(_INDEPENDENT), len(time)))
    size = rng.uniform(0.85, 1.15, (len(_INDEPENDENT), 1))
    for onset, rr in _beats(rhythm, seconds, rng):
        signal += size * _beat(rhythm, time - onset, rr)
    if rhythm.fibrillation:
        signal += _fibrillation(time, rng)
    signal += 0.03 * np.sin(2 * np.pi * (rng.uniform(0.1, 0.3) * time + rng.random((len(signal), 1))))
    signal += rng.normal(0, 0.008, signal.shape)
    kind = "af" if rhythm.fibrillation else "lbbb" if rhythm.left_bundle_branch_block else "sinus"
    return ECGRecord(
        _twelve_leads(signal).astype(np.float32),
        sampling_rate,
        STANDARD_LEADS,
        f"simulated-{kind}-{rhythm.heart_rate:.0f}bpm-pr{rhythm.pr * 1000:.0f}-{seed}",
    )


def _beats(rhythm: Rhythm, seconds: float, rng: np.random.Generator) -> list[tuple[float, float]]:
    """QRS onsets with the RR interval that follows each, from before the start to after the end."""
    beats: list[tuple[float, float]] = []
    onset, mean = -rng.uniform(0.2, 1.0), 60 / rhythm.heart_rate
    while onset < seconds + 1:
        rr = rng.gamma(20, mean / 20) if rhythm.fibrillation else mean * (1 + rng.normal(0, 0.01))
        beats.append((onset, max(rr, 0.28)))
        onset += beats[-1][1]
    return beats


def _beat(rhythm: Rhythm, time: NDArray[np.float64], rr: float) -> NDArray[np.float64]:
    """One beat with its QRS onset at time 0, shape (8, samples)."""
    waves, t_wave = (
        (_LEFT_BUNDLE, _LEFT_BUNDLE_T) if rhythm.left_bundle_branch_block else (_NARROW, _NARROW_T)
    )
    out = np.zeros((len(_INDEPENDENT), len(time)))
    for centre, width, amplitude in waves.values():
        out += np.outer(amplitude, _gauss(time, centre * rhythm.qrs, width * rhythm.qrs))
    qt = 0.40 * rr**0.5  # Bazett with a corrected QT of 400 ms
    out += np.outer(t_wave, _gauss(time, max(qt - 0.10, rhythm.qrs + 0.10), 0.04))
    if not rhythm.fibrillation:
        out += np.outer(_P, _gauss(time, 0.05 - rhythm.pr, 0.02))
    return out


def _fibrillation(time: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    wander = np.cumsum(rng.normal(0, 0.3, len(time))) * 0.02
    wave = np.sin(2 * np.pi * (6 * time) + wander) + 0.5 * np.sin(2 * np.pi * (7.3 * time) - wander)
    return np.outer([0.02, 0.05, 0.08, 0.04, 0.02, 0.02, 0.02, 0.02], wave)


def _gauss(time: NDArray[np.float64], centre: float, width: float) -> NDArray[np.float64]:
    return np.exp(-0.5 * ((time - centre) / width) ** 2)


def _twelve_leads(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    one, two = signal[0], signal[1]
    limb = np.stack([one, two, two - one, -(one + two) / 2, one - two / 2, two - one / 2])
    return np.concatenate([limb, signal[2:]])
