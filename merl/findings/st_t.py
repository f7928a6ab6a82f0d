"""Findings about the ST segment together with the T wave."""

from __future__ import annotations

from collections.abc import Iterator

from merl.findings.derived import (
    cornell,
    inverted_t,
    isoelectric_st,
    normal_t,
    pathological_q,
    r_height,
    sokolow_lyon,
)
from merl.findings.regions import FACING, MAIN, in_every, lead, leads, number
from merl.findings.statement import Statement, when
from merl.measurements import Measurements


def st_t(m: Measurements) -> Iterator[Statement]:
    """Say where ST segment and T wave change together, and what with."""
    for region in FACING:
        yield when(
            region.most(inverted_t(m) & (m.st_60 < -0.045)),
            f"ST depression and T wave inversion in {region.name}",
            f"ST-T changes in {region.name}",
        )
        yield when(
            region.most(inverted_t(m) & (m.st_60 < -0.045) & (m.st_60 <= m.st_j)),
            f"downsloping ST depression with inverted T waves in {region.name}",
        )
        yield when(
            region.most(inverted_t(m) & pathological_q(m)), f"Q waves with inverted T waves in {region.name}"
        )
    yield from _secondary(m)
    yield from _after_r_prime(m)
    yield when(
        in_every(m.st_60 > 0.08, "III", "aVF") & in_every(m.st_60 < -0.03, "I", "aVL"),
        "reciprocal ST depression in I and aVL",
        "ST elevation in III and aVF with ST depression in I and aVL",
    )
    yield when(
        isoelectric_st(m, 0.042, *MAIN) & in_every(normal_t(m), *MAIN),
        "isoelectric ST segments with upright T waves",
        "no ST-T abnormality",
    )


def _after_r_prime(m: Measurements) -> Iterator[Statement]:
    second = lead(m.r_prime_amplitude, "V1") > 0.08
    yield when(second & (lead(m.t_amplitude, "V1") < -0.05), "T inversion in V1 following an r' wave")
    yield when(
        second & in_every((m.st_60 < -0.03) & (m.t_amplitude < -0.05), "V1", "V2"),
        "ST depression and T inversion in V1 and V2 after r'",
    )


def _secondary(m: Measurements) -> Iterator[Statement]:
    """Say what follows from a QRS complex that is tall or wide."""
    st, t = leads(m.st_60, "V5", "V6"), leads(m.t_amplitude, "V5", "V6")
    high = (sokolow_lyon(m) > 3) | (cornell(m) > 2.2)
    yield when(
        high & (st.min(axis=1) < -0.05) & (t.min(axis=1) < -0.07),
        "strain pattern in V5 or V6 with high voltage",
        "strain type ST depression and T inversion under tall R waves",
    )
    yield when(
        in_every((m.st_60 > 0.1) & (m.t_amplitude > 0.2), "V1", "V2", "V3") & (m.qrs_duration > 115),
        "discordant ST elevation with upright T wave in V1 to V3",
    )
    yield when(
        (m.qrs_duration > 118)
        & (number((m.st_60 < -0.03) & (m.t_amplitude < -0.05) & (r_height(m) > 0.5), "I", "aVL", "V6") >= 2),
        "ST depression and T inversion opposite to tall R in I, aVL, V6",
        "secondary ST segment and T wave opposite to a wide QRS",
    )
