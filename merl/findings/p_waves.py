"""Findings about the shape of the P wave."""

from __future__ import annotations

from collections.abc import Iterator

from merl.findings.derived import p_axis, sinus_p
from merl.findings.regions import in_every, lead, number
from merl.findings.statement import Statement, when
from merl.measurements import Measurements

#: Milliseconds allowed for the feet of the P wave: it is measured where it passes 30 % of its height.
_FEET = 12


def p_waves(m: Measurements) -> Iterator[Statement]:
    """Say how broad and how tall the P waves are, where they are alike and upright in II."""
    sinus = sinus_p(m)
    duration = m.p_duration + _FEET
    yield when(
        sinus & (duration >= 120),
        "broad P wave of 120 ms or more in lead II",
        "P wave duration of 120 ms or more",
        "broad P waves",
    )
    yield when(sinus & (duration < 110), "P wave duration below 110 ms")
    yield when(sinus & (duration < 102), "narrow P waves")
    yield from _height(m)
    # 0.04 mm·s are 4 mV·ms
    yield when(sinus & (m.p_terminal_force >= 4), "P terminal force in V1 of 0.04 mm·s or more")
    yield when(
        sinus & (m.p_terminal_force > 4.5),
        "deep negative terminal part of the P wave in V1",
        "negative terminal P wave deflection in V1",
    )
    inverted = (-m.p_min > 1.5 * m.p_max) & (m.p_min < -0.05)
    yield when(
        (m.p_consistency > 0.5) & in_every(inverted, "II", "III", "aVF"),
        "negative P waves in II, III and aVF",
        "inverted P waves in II, III and aVF",
        "abnormal P wave axis",
    )
    yield when(sinus & (lead(m.p_max, "III") > lead(m.p_max, "I")), "P wave taller in III than in I")
    yield when(sinus & (p_axis(m) > 75), "rightward P wave axis above 75 degrees", "P axis beyond 75 degrees")
    yield when(
        sinus & (duration < 120) & (lead(m.p_max, "II") > 0.2),
        "pointed narrow P wave with duration below 120 ms",
    )


def _height(m: Measurements) -> Iterator[Statement]:
    """Say how tall P is: 0.25 mV in II and 0.15 mV in V1 are right atrial signs (Hancock et al. 2009)."""
    sinus = sinus_p(m)
    in_ii, in_v1 = lead(m.p_max, "II"), lead(m.p_max, "V1")
    inferior = number(m.p_max > 0.25, "II", "III", "aVF")
    yield when(sinus & (inferior >= 2), "peaked P wave above 0.25 mV in II, III and aVF")
    yield when(sinus & (in_ii >= 0.25), "P wave of 2.5 mm or more in II")
    yield when(sinus & (in_ii > 0.22), "tall P wave in lead II")
    yield when(sinus & (in_ii < 0.15), "P wave in II below 0.15 mV")
    yield when(sinus & (in_ii < 0.1), "low P waves")
    yield when(sinus & (in_v1 >= 0.15), "upright initial P wave in V1 of 1.5 mm or more")
    yield when(sinus & (in_v1 > 0.14), "tall P wave in V1")
