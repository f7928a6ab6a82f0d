"""Records by hand: a normal ECG, and what is said of it when something changes."""

from collections.abc import Mapping

import numpy as np

from merl.findings import findings
from merl.measurements import LEADS, Measurements

#                   I     II    III   aVR   aVL   aVF   V1    V2    V3    V4    V5    V6
NORMAL_LEADS = {
    "q_amplitude": [-0.04, -0.05, 0, -0.9, -0.02, -0.04, 0, 0, 0, -0.02, -0.05, -0.06],
    "q_duration": [16, 16, 0, 60, 0, 16, 0, 0, 0, 0, 16, 18],
    "r_amplitude": [0.7, 1.1, 0.5, 0.02, 0.3, 0.8, 0.2, 0.5, 0.9, 1.4, 1.3, 1.0],
    "s_amplitude": [-0.1, -0.15, -0.1, 0, -0.1, -0.1, -0.8, -1.1, -0.7, -0.4, -0.2, -0.1],
    "r_prime_amplitude": [0] * 12,
    "qs": [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0],
    "st_60": [0.01, 0.02, 0.01, -0.01, 0, 0.01, 0.02, 0.03, 0.03, 0.02, 0.01, 0.01],
    "st_j": [0.01, 0.02, 0.01, -0.01, 0, 0.01, 0.02, 0.03, 0.03, 0.02, 0.01, 0.01],
    "t_amplitude": [0.25, 0.3, 0.15, -0.25, 0.12, 0.2, 0.12, 0.5, 0.5, 0.45, 0.4, 0.3],
    "t_min": [0, 0, 0, -0.25, 0, 0, 0, 0, 0, 0, 0, 0],
    "t_max": [0.25, 0.3, 0.15, 0, 0.12, 0.2, 0.12, 0.5, 0.5, 0.45, 0.4, 0.3],
    "p_max": [0.08, 0.13, 0.08, 0, 0.04, 0.1, 0.05, 0.06, 0.06, 0.06, 0.06, 0.06],
    "p_min": [0, 0, 0, -0.1, 0, 0, -0.03, 0, 0, 0, 0, 0],
    "r_peak_time": [35, 38, 38, np.nan, 35, 38, 20, 24, 30, 35, 38, 38],
    "qrs_peak_to_peak": [0.85, 1.3, 0.6, 0.92, 0.4, 0.9, 1.0, 1.6, 1.6, 1.8, 1.5, 1.1],
    "qrs_area": [0.02, 0.03, 0.01, -0.02, 0.01, 0.02, -0.02, -0.02, 0.01, 0.03, 0.03, 0.02],
    "r_notches": [0] * 12,
}
NORMAL = {
    "heart_rate": 72, "rr_variation": 0.03, "rr_successive": 0.03, "premature_beats": 0,
    "qrs_duration": 92, "pr_interval": 160, "qt_interval": 380, "qtc": 415, "qrs_axis": 50, "p_duration": 94,
    "p_consistency": 0.9, "p_terminal_force": 1.5, "bigeminy": 0, "trigeminy": 0, "beats": 11,
    "wide_premature": 0,
}  # fmt: skip

# the least and the highest value of records whose measurements have nothing to do with one another
_LEAD_RANGES = {
    "q_amplitude": (-0.5, 0), "q_duration": (0, 60), "r_amplitude": (0, 3), "s_amplitude": (-2, 0),
    "r_prime_amplitude": (0, 1), "qs": (0, 1), "st_60": (-0.2, 0.2), "st_j": (-0.2, 0.2),
    "t_amplitude": (-1, 1), "t_min": (-1, 0), "t_max": (0, 1), "p_max": (0, 0.4), "p_min": (-0.1, 0),
    "r_peak_time": (10, 80), "qrs_peak_to_peak": (0.2, 4), "qrs_area": (-0.1, 0.1), "r_notches": (0, 1),
}  # fmt: skip
_RANGES = {
    "heart_rate": (30, 180), "rr_variation": (0, 0.3), "rr_successive": (0, 0.4), "premature_beats": (0, 3),
    "wide_premature": (0, 0), "qrs_duration": (70, 180), "pr_interval": (90, 300),
    "qt_interval": (300, 600), "qtc": (320, 540), "qrs_axis": (-180, 180), "p_duration": (60, 140),
    "p_consistency": (0, 1), "p_terminal_force": (0, 8), "bigeminy": (0, 1), "trigeminy": (-1, 1),
    "beats": (5, 20),
}  # fmt: skip
_COUNTED = ("qs", "r_notches", "premature_beats", "beats")


def record(**changes: float | Mapping[str, float]) -> Measurements:
    """Return a normal record, but for some measurements: a number, or numbers by lead."""
    values = {name: np.array(row, float) for name, row in (NORMAL_LEADS | NORMAL).items()}
    for name, change in changes.items():
        if isinstance(change, Mapping):
            for lead, value in change.items():
                values[name][LEADS.index(lead)] = value
        else:
            values[name][...] = change
    return Measurements.of(values)


def said(measurements: Measurements) -> set[str]:
    """Return what is true of one record."""
    return {finding.text for finding in findings(Measurements.stack([measurements])) if finding.true_of[0]}


def unrelated(records: int) -> Measurements:
    """Return records of random measurements; in each, the leads differ a little from one another."""
    rng = np.random.default_rng(0)
    values = {name: rng.uniform(*span, records) for name, span in _RANGES.items()}
    for name, (low, high) in _LEAD_RANGES.items():
        level = rng.uniform(low, high, (records, 1))
        values[name] = np.clip(level + rng.normal(0, (high - low) / 20, (records, 12)), low, high)
    return Measurements(**values | {name: values[name].round() for name in _COUNTED})
