import numpy as np
import pytest

from merl.measurements.waves import qrs_waves
from tests.measurements.drawn import NORMAL, at, each, median_beat


def waves(**changed):
    return qrs_waves(median_beat(NORMAL | changed))


def test_amplitudes_are_those_drawn():
    found = waves(Q=(-0.028, 0.008, each(0, III=-0.3, aVF=-0.25)))
    assert found["r_amplitude"][at("II")] == pytest.approx(1.2, abs=0.05)
    assert found["r_amplitude"][at("V1")] == pytest.approx(0.3, abs=0.05)
    assert found["s_amplitude"][at("V1")] == pytest.approx(-0.8, abs=0.05)
    assert found["s_amplitude"][at("V5")] == pytest.approx(-0.1, abs=0.05)
    assert found["q_amplitude"][at("III")] == pytest.approx(-0.3, abs=0.05)
    assert found["q_amplitude"][at("V5")] == pytest.approx(0, abs=0.02)
    assert found["qrs_peak_to_peak"][at("V1")] == pytest.approx(1.1, abs=0.08)
    assert not found["r_prime_amplitude"].any()
    assert not found["r_notches"].any()


def test_a_q_wave_lasts_as_long_as_it_was_drawn():
    inferior = each(0, II=-0.4, III=-0.4, aVF=-0.4)
    narrow, wide = (waves(Q=q)["q_duration"] for q in [(-0.028, 0.006, inferior), (-0.038, 0.012, inferior)])
    assert narrow[at("III")] == pytest.approx(26, abs=6)
    assert wide[at("III")] == pytest.approx(45, abs=8)
    assert wide[at("V5")] == 0


def test_a_complex_without_an_r_wave_is_qs():
    found = waves()
    assert found["qs"].tolist() == each(0, aVR=1).tolist()
    assert found["q_amplitude"][at("aVR")] == pytest.approx(-0.9, abs=0.02)
    assert found["s_amplitude"][at("aVR")] == 0
    assert np.flatnonzero(np.isnan(found["r_peak_time"])).tolist() == [at("aVR")]
    assert 20 < found["q_duration"][at("aVR")] < 80


def test_r_prime_is_a_second_wave_and_a_notch_is_not():
    found = waves(
        r=(-0.030, 0.009, each(0, V1=0.4, V6=0.9)),
        R=(0.0, 0.010, each(0.8, V1=-0.8, V6=0.7)),
        S=(0.035, 0.010, each(-0.1, V1=0.9, V6=0.9)),
    )
    assert found["r_amplitude"][at("V1")] == pytest.approx(0.4, abs=0.05)
    assert found["r_prime_amplitude"][at("V1")] == pytest.approx(0.9, abs=0.05)
    assert found["r_peak_time"][at("V1")] > found["r_peak_time"][at("V5")] + 25
    assert found["r_prime_amplitude"][at("V6")] == 0
    assert found["r_notches"][at("V6")] >= 1


def test_a_complex_twice_as_wide_lasts_longer():
    normal, wide = waves()["qrs_duration"], waves(R=(0, 0.025, 0.9), S=(0.06, 0.02, -0.4))["qrs_duration"]
    assert 60 < normal < 100
    assert normal + 40 < wide < 200


@pytest.mark.parametrize(("one", "avf", "axis"), [(1, 0, 0), (0, 1, 90), (-1, 0, 180), (0.5, -0.75, -60)])
def test_the_axis_is_that_of_the_area(one, avf, axis):
    found = waves(R=(0, 0.01, each(0.5, I=one, aVF=avf)), S=(0.025, 0.008, 0.0))
    assert (found["qrs_axis"] - axis + 180) % 360 - 180 == pytest.approx(0, abs=3)


def test_without_a_frontal_vector_there_is_no_axis():
    assert "qrs_axis" not in waves(
        P=(-0.164, 0.018, 0.0),
        R=(0, 0.01, each(0.5, I=0, aVF=0)),
        S=(0.02, 0.01, 0.0),
        T=(0.3, 0.04, each(0.3, I=0, aVF=0)),
    )
