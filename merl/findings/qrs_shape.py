"""Findings about the axis of the QRS complex and the shape it has in the leads."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from merl.findings.derived import r_height, r_peak_time, s_depth
from merl.findings.regions import in_every, lead, leads, number
from merl.findings.statement import Statement, when
from merl.measurements import LEADS, Measurements

_AXIS_BETWEEN = (
    *((-90, -45), (-90, -30), (-30, 0), (-30, 90), (0, 30), (0, 60), (0, 90)),
    *((30, 60), (60, 90), (90, 180), (110, 180)),
)


def axis(m: Measurements) -> Iterator[Statement]:
    """Say where the QRS complex points in the frontal plane."""
    degrees, superior = m.qrs_axis, m.qrs_axis > -100
    for low, high in _AXIS_BETWEEN:
        yield when(
            (degrees >= low) & (degrees < high),
            f"frontal QRS axis between {low} and {high:+d} degrees",
            f"QRS axis between {low} and {high} degrees",
        )
    yield when(
        superior & (degrees < -30), "left axis deviation", "QRS axis beyond -30 degrees", "superior QRS axis"
    )
    yield when(degrees > 90, "right axis deviation", "QRS axis above 90 degrees", "rightward axis")
    yield when((degrees < -30) | (degrees > 90), "frontal QRS axis outside -30 to 90 degrees")
    yield when(
        (degrees > 90) & (m.qrs_duration < 118),
        "right axis deviation with narrow QRS",
        "rightward QRS axis with narrow QRS complexes",
    )
    yield when(
        superior & (degrees < -45) & (m.qrs_duration < 118),
        "marked left axis deviation with narrow QRS",
        "superior axis with narrow QRS complexes",
    )


def qrs_shape(m: Measurements) -> Iterator[Statement]:
    """Say how R grows over the chest, and what the QRS complex looks like from right, left and below."""
    yield from _r_progression(m)
    yield from _tall_on_the_right(m)
    yield from _second_r_in_v1(m)
    yield from _s_on_the_left(m)
    yield from _broad_r_on_the_left(m)
    yield from _septal_q(m)
    yield from _rs_complexes(m)
    yield from _r_peak_times(m)
    yield from _notches(m)


def _r_progression(m: Measurements) -> Iterator[Statement]:
    v1, v2, v3, v4 = (lead(m.r_amplitude, name) for name in ("V1", "V2", "V3", "V4"))
    yield when(
        (v1 < v2) & (v2 < v3) & (v3 < v4) & (v4 > 0.8),
        "R wave amplitude rising steadily from V1 to V4",
        "R wave growing steadily from V2 to V4",
    )
    yield when(
        leads(m.r_amplitude, "V3", "V4", "V5", "V6").max(axis=1) < 0.8,
        "reduced R wave amplitude in the chest leads",
        "low R waves in V3 to V6",
    )
    yield when(
        v3 < 0.3,
        "poor R wave progression in V1 to V4",
        "R waves of 3 mm or less in V3",
    )
    yield when((v3 < 0.3) & (v4 < 0.5), "loss of R wave height in V3 and V4")
    yield when((v1 < 0.3) & (v2 < 0.3) & (v3 < 0.3), "low R waves in V1 to V3")
    yield when(v4 < v2, "R wave falling between V2 and V4")
    yield when(
        leads(m.r_amplitude, "V2", "V3", "V4").min(axis=1) <= 0.2, "R wave of 2 mm or less in one of V2 to V4"
    )
    yield when(
        (leads(m.r_amplitude, "V5", "V6").max(axis=1) < 0.6) & (lead(s_depth(m), "V5") > 0.2),
        "loss of R wave height in V5 and V6",
        "low R waves in V5 and V6",
    )


def _tall_on_the_right(m: Measurements) -> Iterator[Statement]:
    r, s = r_height(m), s_depth(m)
    r1, s1, r2 = lead(r, "V1"), lead(s, "V1"), lead(r, "V2")
    dominant = (r1 > s1) & (r1 > 0.3)
    yield when(
        dominant,
        "dominant R wave in V1",
        "R wave taller than the S wave in V1",
        "R to S ratio above 1 in V1",
        "tall R wave in V1",
    )
    yield when(dominant & (lead(s, "V6") > 0.4), "dominant R wave in V1 with deep S wave in V6")
    yield when(dominant & (m.qrs_axis > 90), "right axis deviation with tall R in V1")
    yield when(
        (r1 > 0.6 * s1) & (r1 > 0.3) & (r2 > lead(s, "V2")) & (r2 > 0.7),
        "prominent tall R waves in V1 and V2",
        "tall R waves in V1 and V2",
    )
    left = np.fmax(lead(s, "V5"), lead(s, "V6"))
    yield when(r1 + left > 1.05, "R in V1 plus S in V5 or V6 above 1.05 mV")
    yield when((lead(m.q_amplitude, "V1") < -0.03) & (r1 > s1) & (r1 > 0.2), "qR complex in V1")
    yield when(in_every(s > r, "I", "II", "III"), "S waves larger than R waves in I, II and III")


def _second_r_in_v1(m: Measurements) -> Iterator[Statement]:
    second, qrs = lead(m.r_prime_amplitude, "V1"), m.qrs_duration
    # one broad late R wave is an rsR' whose notch does not reach down
    tall = lead(r_height(m), "V1") > 0.3 * lead(m.qrs_peak_to_peak, "V1")
    late = tall & (lead(m.r_peak_time, "V1") > 55) & (qrs >= 115)
    yield when(
        second > 0.08,
        "rsR' complex in V1",
        "rsr' or rSR' complex in V1",
        "second positive deflection r' in V1",
        "terminal r' in V1",
    )
    yield when(
        late,
        "broad R wave in V1",
        "broad terminal R wave in V1",
    )
    yield when(
        tall & (r_peak_time(m, "V1") > 50) & (qrs >= 115), "R peak time above 50 ms in V1 with wide QRS"
    )
    yield when(
        (second > 0.2) & (qrs >= 115),
        "M-shaped QRS in V1",
        "rsR' in V1 with wide QRS",
    )
    yield when(
        (second > 0.2) & (qrs >= 115) & in_every(s_depth(m) > 0.15, "I", "V6"),
        "rsR' complex in V1 with wide S wave in I and V6",
    )
    yield when(
        (second > 0.08) & (qrs >= 110) & (qrs < 120), "small terminal r' in V1 with QRS of 110 to 119 ms"
    )
    yield when((second > 0.08) & (qrs < 118), "rsr' in V1 with nearly normal QRS duration")
    in_avr = (lead(m.qs, "aVR") == 0) & (lead(r_height(m), "aVR") > 0.2) & (r_peak_time(m, "aVR") > 50)
    yield when(in_avr, "terminal R wave in aVR")
    yield when(lead(r_height(m), "aVR") > 0.4, "R wave in aVR above 0.4 mV")
    yield when(in_avr & (qrs >= 115), "broad terminal R wave in aVR")


def _s_on_the_left(m: Measurements) -> Iterator[Statement]:
    v5, v6 = lead(s_depth(m), "V5"), lead(s_depth(m), "V6")
    yield when((v5 > 0.6) & (v6 > 0.4), "deep S waves in V5 and V6", "S wave persisting to V6")
    yield when(in_every(m.s_amplitude < -0.2, "I", "V6"), "S wave in I and V6", "terminal S wave in I and V6")
    yield when(
        in_every(m.s_amplitude < -0.15, "I", "V6") & (m.qrs_duration >= 115),
        "wide S wave in I and V6",
        "broad S wave in I and V6 with wide QRS",
    )


def _broad_r_on_the_left(m: Measurements) -> Iterator[Statement]:
    q, s = -m.q_amplitude, -m.s_amplitude
    monophasic = (
        in_every(m.qs == 0, "I", "V6")
        & (lead(q, "I") < 0.03)
        & (lead(q, "V6") < 0.05)
        & (lead(s, "I") < 0.1)
        & (lead(s, "V6") < 0.15)
    )
    wide = m.qrs_duration >= 120
    yield when(
        monophasic & wide,
        "broad monophasic R wave in I and V6",
        "broad notched or slurred R wave in I and V6",
        "broad R wave without S wave in I and V6",
        "broad R waves in the lateral leads without septal q wave",
    )
    yield when(
        monophasic & (m.qrs_duration >= 110) & (m.qrs_duration < 120),
        "monophasic R wave in I and V6 with QRS of 110 to 119 ms",
    )
    deep = leads(s_depth(m), "V1", "V2", "V3").min(axis=1) > 0.6
    small_r = leads(m.r_amplitude, "V1", "V2").max(axis=1) < 0.35
    yield when(deep & small_r & wide, "deep wide QS or rS complex in V1 to V3")
    yield when(deep & wide & (lead(m.qs, "V1") == 1), "deep QS complex in V1 with wide QRS")


def _septal_q(m: Measurements) -> Iterator[Statement]:
    q = -m.q_amplitude
    small = (q > 0.03) & (q < 0.25) & (m.qs == 0) & (m.q_duration < 34)
    yield when(in_every(small, "I", "V6"), "septal q waves in I and V6")
    yield when(in_every(small, "V5", "V6"), "septal q wave in V5 and V6")
    yield when(number(small, "I", "aVL", "V5", "V6") >= 3, "small narrow septal q waves in I, aVL, V5 and V6")
    yield when(
        in_every(m.q_amplitude > -0.03, "I", "V5", "V6"),
        "missing septal q waves in I and V6",
        "no q wave in I, V5 and V6",
    )


def _rs_complexes(m: Measurements) -> Iterator[Statement]:
    r, s, q = r_height(m), s_depth(m), -m.q_amplitude
    rs = (m.r_amplitude > 0.03) & (s > 1.3 * m.r_amplitude) & (q < 0.04)
    yield when(in_every(rs, "II", "III", "aVF"), "rS complexes in II, III and aVF", "rS in II, III, aVF")
    yield when(
        in_every(rs, "III", "aVF") & (lead(q, "aVL") > 0.02) & (lead(r, "aVL") > 0.4),
        "qR complex in aVL with rS complexes in III and aVF",
        "rS in the inferior leads and qR in aVL",
    )
    yield when(
        in_every(rs, "I", "aVL") & in_every((r > 0.4) & (q > 0.02), "III", "aVF"),
        "rS complexes in I and aVL with qR in III and aVF",
    )
    yield when((lead(s, "III") > lead(s, "II")) & (lead(s, "III") > 0.5), "S wave in III deeper than in II")


def _r_peak_times(m: Measurements) -> Iterator[Statement]:
    """Say when R peaks: above 60 ms on the left and 50 ms in V1 is late (Surawicz et al. 2009)."""
    v1, v5, v6 = (r_peak_time(m, name) for name in ("V1", "V5", "V6"))
    yield when((v5 > 60) & (v6 > 60), "R peak time above 60 ms in V5 and V6")
    yield when((v5 > 55) & (v6 > 55), "delayed R peak in V5 or V6", "late R peak in V5 and V6")
    yield when((v5 >= 50) | (v6 >= 50), "intrinsicoid deflection of 50 ms or more in V5 or V6")
    positive = lead(r_height(m), "V1") > 0.1
    yield when(positive & (v1 > 50), "R peak time above 50 ms in V1", "late R peak in V1")
    yield when(positive & (v1 > 35), "R peak time above 35 ms in V1")


def _notches(m: Measurements) -> Iterator[Statement]:
    notched = (m.r_notches > 0) & (m.qrs_peak_to_peak > 0.5)
    yield when(
        number(notched, *LEADS) >= 2,
        "notched or slurred QRS complexes in several leads",
        "splintered QRS complexes",
        "notched QRS in several leads",
    )
