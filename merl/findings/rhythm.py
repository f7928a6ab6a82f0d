"""Findings about the heart rate, the regularity of the beats, and beats that come early."""

from __future__ import annotations

from collections.abc import Iterator

from merl.findings.derived import regular, sinus_p
from merl.findings.statement import Statement, Truth, when
from merl.measurements import Measurements

_RATES_BETWEEN = ((60, 100), (50, 60), (60, 70), (70, 80), (80, 90), (90, 100), (100, 120))


def rate(m: Measurements) -> Iterator[Statement]:
    """Say how fast the ventricles beat, from the median RR interval."""
    for limit in (90, 100, 110, 120, 130, 140, 150):
        yield when(
            m.heart_rate > limit,
            f"heart rate above {limit}/min",
            f"ventricular rate of {limit}/min or more",
            f"RR intervals shorter than {round(60_000 / limit)} ms",
        )
    for limit in (45, 50, 55, 60):
        yield when(
            m.heart_rate < limit,
            f"heart rate below {limit}/min",
            f"ventricular rate below {limit}/min",
            f"RR intervals longer than {round(60_000 / limit)} ms",
        )
    for low, high in _RATES_BETWEEN:
        yield when(
            (m.heart_rate >= low) & (m.heart_rate < high),
            f"heart rate of {low} to {high}/min",
            f"rate between {low} and {high}/min",
        )


def rhythm(m: Measurements) -> Iterator[Statement]:
    """Say how regular the beats are, and whether P waves go before them."""
    yield when(regular(m), "regular RR intervals", "equal RR intervals throughout", "regular rhythm")
    yield when(m.rr_variation > 0.1, "irregular RR intervals", "RR intervals of varying length")
    yield when(
        (m.rr_variation > 0.1) & (m.qrs_duration < 120) & (m.wide_premature == 0),
        "narrow QRS complexes at irregular intervals",
    )
    yield when(
        _irregularly_irregular(m),
        "irregularly irregular RR intervals",
        "completely irregular ventricular rhythm",
        "RR intervals without any pattern",
    )
    yield from _gradual_change(m)
    yield when(
        m.p_consistency < 0.3,
        "no consistent P waves before the QRS complexes",
        "P waves not recognizable",
        "absent P waves",
    )
    yield from _regular_rhythms(m)


def _irregularly_irregular(m: Measurements) -> Truth:
    """Tell the records whose RR intervals change from beat to beat, without like P waves."""
    return (m.rr_successive > 0.2) & (m.p_consistency < 0.4) & (m.wide_premature < 3)


def _gradual_change(m: Measurements) -> Iterator[Statement]:
    wandering = (m.rr_variation > 0.07) & (m.rr_successive < 0.2) & (m.premature_beats == 0) & sinus_p(m)
    yield when(
        wandering,
        "RR intervals lengthening and shortening gradually",
        "cyclic variation of the RR interval with constant P waves",
    )
    # no range is less than twice the standard deviation; RR stands for PP, for each P has its QRS
    deviation = m.rr_variation * 60_000 / m.heart_rate
    yield when(wandering & (deviation > 60), "PP intervals varying by more than 120 ms")


def _regular_rhythms(m: Measurements) -> Iterator[Statement]:
    steady = regular(m)
    sinus = steady & sinus_p(m)
    yield when(
        sinus,
        "regular RR intervals with upright P waves",
        "one P wave before every QRS complex",
        "upright P wave in II before each QRS complex",
    )
    yield when(sinus & (m.heart_rate < 60), "slow regular rhythm with P waves")
    yield when(sinus & (m.heart_rate > 100), "fast regular rhythm with P waves")
    yield when(
        steady & (m.heart_rate > 110) & (m.qrs_duration < 110),
        "fast regular rhythm with narrow QRS complexes",
    )


def premature_beats(m: Measurements) -> Iterator[Statement]:
    """Say which beats come early, and in what order."""
    narrow = m.premature_beats - m.wide_premature
    yield when(
        (narrow >= 1) & (narrow <= 3) & (m.p_consistency > 0.4) & (m.qrs_duration < 120),
        "early narrow beat",
        "premature narrow QRS complex of the same shape as the others",
        "early beat with the QRS shape of the other beats",
    )
    yield when(
        m.wide_premature >= 1,
        "premature wide QRS complex",
        "early wide beat of bizarre shape",
        "wide early beat differing in shape from the other beats",
    )
    yield when(m.wide_premature == 1, "single broad beat differing in shape from the other beats")
    yield when(m.wide_premature >= 2, "two or more early wide beats", "several premature wide complexes")
    yield when(
        (m.premature_beats >= 1) & ~_irregularly_irregular(m),
        "beat coming sooner than expected",
        "premature beat",
        "early beat interrupting the basic rhythm",
    )
    yield when(regular(m), "no premature beats", "all beats at equal distances")
    yield from _groups_of_beats(m)


def _groups_of_beats(m: Measurements) -> Iterator[Statement]:
    yield when(
        (m.bigeminy > 0.5) & (m.premature_beats >= 3) & ~_irregularly_irregular(m),
        "alternating short and long RR intervals",
        "every second QRS complex comes early",
        "beats in pairs, each followed by a longer interval",
    )
    yield when(
        (m.trigeminy > 0.4) & (m.rr_variation > 0.12) & (m.bigeminy < 0.4),
        "every third QRS complex comes early",
        "beats in groups of three",
    )
