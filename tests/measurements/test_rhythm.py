import numpy as np
import pytest

from merl.measurements.beats import FINE_RATE, Beats
from merl.measurements.rhythm import rhythm


def beats(rr, unlike=()):
    places = np.round(np.cumsum([0.5, *rr]) * FINE_RATE).astype(int)
    typical = np.ones(len(places), bool)
    typical[list(unlike)] = False
    return Beats(places, typical)


def test_a_regular_rhythm():
    found = rhythm(beats([0.8] * 11))
    assert found["heart_rate"] == pytest.approx(75)
    for name in ("rr_variation", "rr_successive", "premature_beats", "wide_premature", "bigeminy"):
        assert found[name] == pytest.approx(0), name
    assert found["trigeminy"] == pytest.approx(0)


def test_variation_is_of_all_and_of_neighbours():
    rr = np.array([0.6, 0.8, 1.0, 0.8, 0.6])
    found = rhythm(beats(rr))
    assert found["rr_variation"] == pytest.approx(rr.std() / rr.mean())
    assert found["rr_successive"] == pytest.approx(0.2 / 0.8)


def test_an_early_beat_with_a_pause_is_premature():
    rr = [0.8, 0.8, 0.5, 1.1, 0.8, 0.8, 0.8]
    found = rhythm(beats(rr))
    assert (found["premature_beats"], found["wide_premature"]) == (1, 0)
    found = rhythm(beats(rr, unlike=[3]))
    assert (found["premature_beats"], found["wide_premature"]) == (1, 1)


def test_an_early_beat_without_a_pause_is_premature_if_its_shape_is_another():
    rr = [0.8, 0.8, 0.6, 0.8, 0.8, 0.8, 0.8]
    assert rhythm(beats(rr))["premature_beats"] == 0
    assert rhythm(beats(rr, unlike=[3]))["wide_premature"] == 1
    assert rhythm(beats([*rr[:2], *rr[3:], 0.6]))["premature_beats"] == 1  # the last, with nothing after it


def test_a_late_beat_of_another_shape_is_not_premature():
    assert rhythm(beats([0.8, 0.8, 1.2, 0.8, 0.8, 0.8], unlike=[3]))["premature_beats"] == 0


def test_bigeminy_and_trigeminy():
    double = rhythm(beats([0.5, 1.1] * 5))
    assert double["bigeminy"] == pytest.approx(1)
    triple = rhythm(beats([0.8, 0.5, 1.1] * 4))
    assert triple["trigeminy"] > 0.6
    assert triple["trigeminy"] > double["trigeminy"] + 0.6
    assert triple["bigeminy"] < 0.8


def test_few_beats_leave_out_what_needs_more():
    assert "rr_successive" not in rhythm(beats([0.8, 0.8]))
    assert "bigeminy" not in rhythm(beats([0.8] * 5))
    assert "trigeminy" not in rhythm(beats([0.8] * 6))
    assert {"bigeminy", "trigeminy"} <= set(rhythm(beats([0.8] * 7)))
