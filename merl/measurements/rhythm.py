"""The rhythm: rate, regularity and premature beats, from where the beats are."""

from __future__ import annotations

import numpy as np

from merl.measurements.beats import Array, Beats


def rhythm(beats: Beats) -> dict[str, float]:
    """Measure the rhythm of three beats or more.

    Returns:
        Attributes of ``Measurements``; those that need more beats are left out where these are too few.
    """
    rr = beats.rr
    middle = float(np.median(rr))
    found = {"heart_rate": 60 / middle, "rr_variation": float(rr.std() / rr.mean())}
    if len(rr) > 2:
        found["rr_successive"] = float(np.sqrt((np.diff(rr) ** 2).mean()) / middle)
    return found | _premature(beats) | _patterns(rr)


def _premature(beats: Beats) -> dict[str, float]:
    """Count beats that come early: with a pause after them, at the record's end, or of another shape."""
    rr, unlike = beats.rr, ~beats.typical[1:]
    middle = np.median(rr)
    pause = np.append(rr[1:] > 1.05 * middle, True)
    premature = (rr < 0.82 * middle) & (pause | unlike)
    return {
        "premature_beats": float(premature.sum()),
        "wide_premature": float((premature & unlike).sum()),
    }


def _patterns(rr: Array) -> dict[str, float]:
    """How far RR intervals, in seconds, repeat every second and every third beat."""
    found: dict[str, float] = {}
    if len(rr) < 6:
        return found
    unequal = (rr[:-1] < 0.85 * rr[1:]) | (rr[1:] < 0.85 * rr[:-1])
    turns = np.sign(np.diff(rr))
    found["bigeminy"] = float(unequal.mean() * (turns[1:] * turns[:-1] < 0).mean())
    if len(rr) >= 7:
        away = rr - rr.mean()
        found["trigeminy"] = float((away[3:] * away[:-3]).sum() / ((away**2).sum() + 1e-9))
    return found
