"""Findings about the T wave, region by region."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from merl.findings.derived import (
    TALL_T,
    biphasic_t,
    flat_t,
    inverted_t,
    isoelectric_st,
    low_t,
    normal_t,
    r_height,
)
from merl.findings.regions import FACING, MAIN, Region, in_every, number
from merl.findings.statement import Statement, when
from merl.measurements import Measurements


def t_waves(m: Measurements) -> Iterator[Statement]:
    """Say where the T wave is inverted, flat, upright or tall."""
    for region in FACING:
        yield from _polarity(region, m)
        yield from _height(region, m)
    yield from _flat_in_several_leads(m)
    yield from _abnormal_in_several_leads(m)


def _polarity(region: Region, m: Measurements) -> Iterator[Statement]:
    t, name = m.t_amplitude, region.name
    yield when(
        region.most(inverted_t(m)),
        f"inverted T waves in {name}",
        f"T wave inversion in {name}",
        f"negative T waves in {name}",
        f"T waves inverted in {name}",
    )
    for mm in (1, 2, 3, 5):
        yield when(
            region.most(t <= -mm / 10),
            f"T wave inversion of {mm} mm or more in {name}",
            f"T waves negative by {mm} mm or more in {name}",
        )
    yield when(region.every(t > 0.1), f"upright T waves in {name}")
    yield when(region.every(normal_t(m)), f"T waves of normal height in {name}")
    yield when(region.most(biphasic_t(m, 0.05)), f"biphasic T waves in {name}")
    opposite = np.sign(t) != np.sign(m.qrs_area)
    yield when(
        region.most(opposite & (np.abs(t) > 0.1) & (np.abs(m.qrs_area) > 0.008)),
        f"T wave opposite in direction to the QRS in {name}",
    )


def _height(region: Region, m: Measurements) -> Iterator[Statement]:
    t, r, name = m.t_amplitude, r_height(m), region.name
    yield when(region.most(flat_t(m)), f"flat T waves in {name}", f"isoelectric T waves in {name}")
    yield when(region.most(low_t(m)), f"low T waves in {name}", f"T waves of reduced height in {name}")
    yield when(
        region.most(t > TALL_T),
        f"tall T waves in {name}",
        f"high T wave voltage in {name}",
        f"tall peaked T waves in {name}",
    )
    yield when(
        region.most((t < 0.1 * r) & (t > -0.08) & (r > 0.4)),
        f"T wave below a tenth of the R wave in {name}",
        f"T wave amplitude below 10 percent of the R wave in {name}",
    )


def _flat_in_several_leads(m: Measurements) -> Iterator[Statement]:
    several = ("I", "II", "aVL", "aVF", "V2", "V3", "V4", "V5", "V6")
    yield when(
        number(flat_t(m) | low_t(m), *several) >= 5,
        "T wave flattening in leads of several regions",
        "flat T waves in several leads",
        "generally flat T waves",
        "low T waves in most leads",
    )
    low = number(np.abs(m.t_amplitude) < 0.1, "I", "II", "aVL", "V4", "V5", "V6")
    yield when(low >= 5, "T wave peak below 1 mm in I, II, aVL, V4 to V6")
    left, t, r = ("V4", "V5", "V6"), np.abs(m.t_amplitude), r_height(m)
    yield when(number((r > 1) & (t < 0.06 * r), *left) >= 2, "flat T waves in V5 and V6 despite tall R waves")
    yield when(
        number((r > 1) & (t < 0.05 * r), *left) >= 2,
        "T wave below a twentieth of an R wave of 10 mm or more",
    )


def _abnormal_in_several_leads(m: Measurements) -> Iterator[Statement]:
    t, inverted = m.t_amplitude, number(inverted_t(m), *MAIN)
    yield when(inverted >= 4, "T waves inverted in several leads")
    yield when(
        (inverted >= 4) & (number(inverted_t(m), "I", "II") >= 1),
        "T wave inversion across limb and precordial leads",
        "widespread T wave inversion",
    )
    yield when(t.max(axis=1) > 1.2, "T wave amplitude above 12 mm")
    yield when(
        in_every(normal_t(m) & (t > 0.12), *MAIN),
        "T waves of normal height in all leads",
        "upright asymmetric T waves in I, II and V3 to V6",
    )
    slight = ((t < -0.02) & (t > -0.1)) | biphasic_t(m, 0.04)
    yield when(number(slight, *MAIN) >= 2, "T waves biphasic or negative by less than 1 mm")
    yield when(
        (inverted >= 2) & isoelectric_st(m, 0.05, *MAIN),
        "T wave abnormality with isoelectric ST segment",
        "abnormal T wave polarity with isoelectric ST segments",
    )
