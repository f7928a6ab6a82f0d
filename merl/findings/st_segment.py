"""Findings about the ST segment, region by region."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from merl.findings.derived import isoelectric_st
from merl.findings.regions import FACING, MAIN, REGIONS, Region, in_contiguous, in_every, lead, number
from merl.findings.statement import Statement, Truth, when
from merl.measurements import LEADS, Measurements

_SEVERAL_REGIONS = ("I", "II", "aVL", "aVF", "V3", "V4", "V5", "V6")


def st_segment(m: Measurements) -> Iterator[Statement]:
    """Say where the ST segment is depressed, elevated or on the baseline."""
    for region in REGIONS:
        if region in FACING:
            yield from _depression(region, m)
        yield from _elevation(region, m)
        yield when(
            region.every((np.abs(m.st_60) < 0.04) & (np.abs(m.st_j) < 0.05)),
            f"isoelectric ST segments in {region.name}",
        )
    yield from _in_several_leads(m)


def _depression(region: Region, m: Measurements) -> Iterator[Statement]:
    for mm in (0.5, 1, 2):
        yield when(region.most(m.st_60 <= -mm / 10), f"ST depression of {mm:g} mm or more in {region.name}")
    for mm in (0.5, 1):
        yield when(
            region.most(m.st_j <= -mm / 10), f"J point depression of {mm:g} mm or more in {region.name}"
        )
    yield when(  # in words a little earlier than 0.5 mm: the median beat is smoother than the paper's
        region.most(m.st_60 <= -0.0425),
        f"ST depression in {region.name}",
        f"ST segment below the baseline in {region.name}",
    )
    yield when(
        region.most((m.st_60 <= -0.0425) & (m.st_60 <= m.st_j)),
        f"horizontal or downsloping ST depression in {region.name}",
    )


def _elevation(region: Region, m: Measurements) -> Iterator[Statement]:
    """Say where ST is elevated: at the J point and 60 ms later in the same lead."""

    def raised(millivolts: float) -> Truth:
        return region.most((m.st_j >= millivolts) & (m.st_60 >= millivolts))

    for mm in (1, 2):
        yield when(raised(mm / 10), f"ST elevation of {mm} mm or more in {region.name}")
        yield when(region.most(m.st_j >= mm / 10), f"J point elevation of {mm} mm or more in {region.name}")
    yield when(
        raised(0.08), f"ST elevation in {region.name}", f"ST segment above the baseline in {region.name}"
    )


def _in_several_leads(m: Measurements) -> Iterator[Statement]:
    yield when(
        (number(m.st_60 <= -0.05, *_SEVERAL_REGIONS[:4]) >= 1)
        & (number(m.st_60 <= -0.05, *_SEVERAL_REGIONS[4:]) >= 2),
        "ST depression of 0.5 mm or more in leads of several regions",
    )
    yield when(in_contiguous(m.st_60 <= -0.05), "ST depression of 0.5 mm or more in two contiguous leads")
    raised = (m.st_60 >= 0.1) & (m.st_j >= 0.1)
    yield when(in_contiguous(raised), "ST elevation of 1 mm or more in two contiguous leads")
    yield when(
        in_every(raised, "II", "III") & (lead(m.st_60, "III") > lead(m.st_60, "II")),
        "ST elevation higher in III than in II",
    )
    below = number(m.st_60 < -0.045, *_SEVERAL_REGIONS)
    yield when(below >= 3, "ST segment lying below the baseline in several leads")
    yield when(below >= 5, "widespread ST depression")
    low = m.st_60 < -0.02
    yield when(number(low & (m.st_60 > -0.05), *MAIN) >= 3, "slight ST depression below 0.5 mm")
    yield when(number(low & (m.st_60 > -0.1), *MAIN) >= 3, "slight ST deviation of less than 1 mm")
    yield when(
        isoelectric_st(m, 0.042, *LEADS),
        "isoelectric ST segments in all leads",
        "ST segments on the baseline",
    )
