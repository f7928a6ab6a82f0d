"""Findings about the amplitude of the QRS complex."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from merl.findings.derived import cornell, r_height, s_depth, sokolow_lyon
from merl.findings.regions import CHEST, LIMB, lead, leads
from merl.findings.statement import Statement, when
from merl.measurements import Measurements

#: Heights of R and depths of S that are spoken of, in millivolts.
_R_ABOVE = {
    "aVL": (0.7, 0.9, 1.1, 1.3),
    "I": (1.0, 1.3, 1.5),
    "II": (1.2, 1.5, 2.0),
    "III": (1.0, 1.5),
    "aVF": (1.0, 1.5, 2.0),
    "V1": (0.5, 0.7),
    "V4": (2.0, 2.5, 3.0),
    "V5": (2.0, 2.6, 3.0),
    "V6": (1.5, 2.0, 2.6),
}
_S_ABOVE = {
    "V1": (1.0, 1.5, 2.0),
    "V2": (1.5, 2.0, 2.5, 3.0),
    "V3": (1.5, 2.0),
    "V5": (0.7,),
    "V6": (0.5, 0.7),
    "III": (0.7, 1.0),
}


def voltage(m: Measurements) -> Iterator[Statement]:
    """Say how tall R waves and how deep S waves are, and what their sums come to."""
    yield from _single_waves(m)
    yield from _sums(m)
    yield from _left_ventricle(m)
    yield from _high(m)
    yield from _low(m)


def _single_waves(m: Measurements) -> Iterator[Statement]:
    r, s = r_height(m), s_depth(m)
    for name, heights in _R_ABOVE.items():
        for mv in heights:
            yield when(
                lead(r, name) > mv,
                f"R wave in {name} above {mv:.1f} mV",
                f"R wave of {mv:.1f} mV or more in {name}",
                f"R wave in {name} of {mv * 10:.0f} mm or more",
            )
    for name, depths in _S_ABOVE.items():
        for mv in depths:
            yield when(
                lead(s, name) > mv,
                f"S wave in {name} above {mv:.1f} mV",
                f"S wave of {mv * 10:.0f} mm or more in {name}",
                f"deep S wave in {name} of {mv:.1f} mV or more",
            )


def _sums(m: Measurements) -> Iterator[Statement]:
    """Say the sums; published are 3.5 mV by Sokolow and Lyon, and 2.8 (men) and 2.0 mV (women) at Cornell."""
    for mv in (3.0, 3.5, 4.0):
        yield when(
            sokolow_lyon(m) >= mv,
            f"Sokolow-Lyon index of {mv:.1f} mV or more",
            f"S in V1 plus R in V5 or V6 above {mv * 10:.0f} mm",
            f"S V1 plus R V5 or V6, {mv:.1f} mV or more",
        )
        in_v5 = lead(s_depth(m), "V1") + lead(r_height(m), "V5")
        yield when(in_v5 >= mv, f"S wave in V1 plus R wave in V5 of {mv:.1f} mV or more")
    for mv in (2.0, 2.4, 2.8):
        yield when(
            cornell(m) > mv,
            f"R wave in aVL plus S wave in V3 above {mv:.1f} mV",
            f"Cornell voltage above {mv:.1f} mV",
            f"Cornell voltage, R aVL plus S V3, above {mv:.1f} mV",
        )
    left = lead(r_height(m), "I") + lead(s_depth(m), "III")
    for mv in (2.5, 2.0):
        yield when(left > mv, f"R wave in I plus S wave in III above {mv:.1f} mV")


def _left_ventricle(m: Measurements) -> Iterator[Statement]:
    r, s = r_height(m), s_depth(m)
    v5, v6 = lead(r, "V5"), lead(r, "V6")
    yield when((v5 > 2) & (v6 > 1.5), "tall R waves in V5 and V6")
    tall = (v5 > 1.9) & (v6 > 1.3)
    deep_v1, deep_v2 = lead(s, "V1") > 1.3, lead(s, "V2") > 1.7
    yield when(tall & deep_v1, "tall R waves in V5 and V6 with deep S waves in V1")
    yield when(tall & deep_v1 & deep_v2, "deep S in V1 and V2 with tall R in V5 and V6")
    yield when(
        ((v5 > 1.9) | (v6 > 1.6)) & (deep_v1 | (lead(s, "V2") > 1.9)),
        "tall R waves and deep S waves",
        "high QRS amplitudes in the chest leads",
    )
    taller = np.fmax(v5, v6)
    yield when(taller > 2.6, "R wave in V5 or V6 above 2.6 mV", "R wave in V5 or V6 of 26 mm or more")
    yield when(taller > 3.0, "R wave in V5 or V6 of 3.0 mV or more")


def _high(m: Measurements) -> Iterator[Statement]:
    largest = leads(np.maximum(r_height(m), s_depth(m)), *LIMB).max(axis=1)
    yield when(largest >= 2.0, "R or S wave of 2.0 mV or more in a limb lead")
    yield when(largest >= 1.8, "high QRS amplitudes in the limb leads")
    limb, chest = (leads(m.qrs_peak_to_peak, *names).max(axis=1) for names in (LIMB, CHEST))
    yield when((limb > 1.7) & (chest > 3.2), "high QRS amplitudes in limb and chest leads")
    yield when(
        ((limb > 1.9) & (chest > 3.2)) | (chest > 4.3) | (limb > 2.5),
        "large QRS deflections",
        "high voltage of the QRS complexes",
        "high QRS amplitudes",
    )


def _low(m: Measurements) -> Iterator[Statement]:
    """Say where amplitudes are low: with a number as in the Minnesota code 9-1, in words a little earlier."""
    limb, chest = (leads(m.qrs_peak_to_peak, *names).max(axis=1) for names in (LIMB, CHEST))
    yield when(limb < 0.5, "QRS amplitude below 0.5 mV in all limb leads")
    yield when(limb < 0.62, "small QRS complexes in the limb leads", "low QRS amplitude in the limb leads")
    yield when(chest < 1.0, "QRS amplitude below 1.0 mV in all chest leads")
    yield when(chest < 1.25, "small QRS complexes in the chest leads", "low QRS amplitude in the chest leads")
    yield when(
        (limb < 0.8) & (chest < 1.5),
        "small QRS complexes in limb and chest leads",
        "diffusely low QRS amplitudes",
        "low QRS amplitudes from peak to nadir",
    )
    total = leads(m.qrs_peak_to_peak, "I", "II", "III").sum(axis=1)
    yield when(total < 1.5, "sum of QRS amplitudes in I, II and III below 1.5 mV")
    left = sokolow_lyon(m)
    yield when(
        (left > 1.2) & (left < 3) & (cornell(m) < 1.8) & (limb > 0.8) & (limb < 1.8),
        "QRS amplitudes within normal limits",
    )
