"""Findings about Q waves and QS complexes, region by region."""

from __future__ import annotations

from collections.abc import Iterator

from merl.findings.derived import pathological_q, qs_complexes
from merl.findings.regions import FACING, Region, in_contiguous
from merl.findings.statement import Statement, when
from merl.measurements import Measurements

#: Regions that nobody looks to for Q waves.
_LEFT_OUT = ("I, II and V3 to V6", "I, II and V4 to V6")


def q_waves(m: Measurements) -> Iterator[Statement]:
    """Say where there are pathological Q waves, and where there are none."""
    for region in FACING:
        if region.name not in _LEFT_OUT:
            yield from _in(region, m)
    yield when(
        in_contiguous(pathological_q(m)),
        "Q waves in two or more adjacent leads",
        "pathological Q waves in two contiguous leads",
    )
    yield when(in_contiguous(qs_complexes(m)), "QS complexes in two contiguous leads")
    yield when(
        in_contiguous(m.q_duration >= 40),
        "initial negative QRS deflection of 40 ms or more",
        "Q waves of 40 ms or more in two contiguous leads",
    )


def _in(region: Region, m: Measurements) -> Iterator[Statement]:
    pathological = pathological_q(m)
    yield when(
        region.most(pathological), f"pathological Q waves in {region.name}", f"Q waves in {region.name}"
    )
    if len(region.leads) < 4:
        yield when(
            region.most(pathological & (m.q_duration >= 30)), f"Q wave of 30 ms or more in {region.name}"
        )
    yield when(region.most(qs_complexes(m)), f"QS complexes in {region.name}", f"QS complex in {region.name}")
    yield when(
        region.every(~pathological & (m.r_amplitude > 0.08)),
        f"no pathological Q waves in {region.name}",
        f"initial r waves in {region.name}",
    )
