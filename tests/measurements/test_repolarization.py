import numpy as np
import pytest

from merl.measurements.repolarization import repolarization
from tests.measurements.drawn import NORMAL, at, each, median_beat


def found(rr=0.8, **changed):
    return repolarization(median_beat(NORMAL | changed, rr))


def test_an_inverted_t_wave_is_negative_in_its_lead_only():
    measured = found(T=(0.30, 0.04, each(0.3, V5=-0.4)))
    assert measured["t_amplitude"][at("V5")] == pytest.approx(-0.4, abs=0.02)
    assert np.delete(measured["t_amplitude"], at("V5")) == pytest.approx(0.3, abs=0.02)
    assert measured["t_min"][at("V5")] == pytest.approx(-0.4, abs=0.02)
    assert measured["t_max"][at("V5")] == pytest.approx(0, abs=0.02)


def test_a_raised_st_segment_is_measured_in_its_lead():
    raised, normal = found(ST=(0.10, 0.04, each(0, V2=0.25, III=-0.2))), found()
    difference = raised["st_60"] - normal["st_60"]
    assert difference[at("V2")] == pytest.approx(0.25, abs=0.05)
    assert difference[at("III")] == pytest.approx(-0.2, abs=0.05)
    assert np.abs(np.delete(difference, [at("V2"), at("III")])).max() < 0.01
    assert (raised["st_j"] - normal["st_j"])[at("V2")] > 0.05


def test_qt_ends_where_the_steepest_tangent_meets_the_baseline():
    # A Gaussian's tangent one width after its centre meets zero two widths after it: 380 ms from the R peak.
    beat = median_beat(NORMAL)
    to_peak = (220 - beat.onset) * 2
    assert repolarization(beat)["qt_interval"] == pytest.approx(380 + to_peak, abs=10)
    assert found(T=(0.36, 0.04, 0.3))["qt_interval"] - found()["qt_interval"] == pytest.approx(60, abs=6)


def test_qtc_is_by_bazett():
    for rr in (0.6, 0.8, 1.1):
        measured = found(rr)
        assert measured["qtc"] == pytest.approx(measured["qt_interval"] / np.sqrt(rr))


def test_a_flat_t_wave_has_no_end():
    measured = found(T=(0.30, 0.04, 0.0))
    assert "qt_interval" not in measured
    assert np.abs(measured["t_amplitude"]).max() < 0.05


def test_the_next_beat_may_leave_no_room_for_t():
    measured = found(rr=0.05)
    assert "t_max" not in measured
    assert "st_60" in measured
