from dataclasses import replace

import numpy as np
import pytest

from merl.measurements.p_wave import p_wave
from tests.measurements.drawn import NORMAL, at, each, median_beat


def found(rr=0.8, **changed):
    return p_wave(median_beat(NORMAL | changed, rr))


@pytest.mark.parametrize("later", [0, 0.04, 0.08])
def test_pr_is_from_the_start_of_p(later):
    beat = median_beat(NORMAL | {"P": (-0.164 - later, 0.018, 0.15)})
    start = 164 + later * 1000 + 1.5 * 18  # to 30 % it is a good one and a half widths
    assert p_wave(beat)["pr_interval"] == pytest.approx(start - (220 - beat.onset) * 2, abs=8)


def test_a_wide_p_wave_lasts_longer():
    assert found(P=(-0.17, 0.026, 0.15))["p_duration"] - found()["p_duration"] == pytest.approx(
        2 * 1.55 * 8, abs=8
    )


def test_p_is_measured_above_its_feet_in_each_lead():
    measured = found(P=(-0.164, 0.018, each(0.15, II=0.3, aVR=-0.12)))
    assert measured["p_max"][at("II")] == pytest.approx(0.3, abs=0.03)
    assert measured["p_max"][at("V5")] == pytest.approx(0.15, abs=0.03)
    assert measured["p_min"][at("aVR")] == pytest.approx(-0.12, abs=0.03)


def test_a_negative_end_of_p_in_v1_has_its_force():
    measured = found(
        P=(-0.184, 0.014, each(0.15, V1=0.10)),
        p=(-0.140, 0.014, each(0.10, V1=-0.12)),
    )
    assert measured["p_terminal_force"] == pytest.approx(0.12 * 45, rel=0.4)  # 0.12 mV, some 45 ms
    assert found()["p_terminal_force"] == pytest.approx(0, abs=0.2)


def test_without_a_p_wave_only_the_consistency_is_told():
    assert set(found(P=(-0.164, 0.018, 0.0))) == {"p_consistency"}


def test_what_is_the_same_before_every_beat_is_consistent():
    beat = median_beat(NORMAL)
    assert p_wave(beat)["p_consistency"] == pytest.approx(1)
    noise = np.random.default_rng(0).normal(0, 0.5, beat.beats.shape)
    assert p_wave(replace(beat, beats=beat.beats + noise))["p_consistency"] < 0.3


def test_a_fast_rhythm_has_no_p_wave_of_its_own():
    assert found(rr=0.40) == {}
    assert "pr_interval" in found(rr=0.45)
