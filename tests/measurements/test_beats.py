import numpy as np
import pytest
from scipy.signal import resample_poly

from merl.measurements.beats import (
    AFTER,
    BEFORE,
    FINE_RATE,
    align,
    find_beats,
    samples,
    similarity,
    typical_beats,
    without_wander,
)
from tests.measurements.drawn import NORMAL, ecg

PLACES = np.round(np.arange(0.7, 9.6, 0.8), 3)
WIDE = {"R": (0.03, 0.035, -1.5), "T": (0.30, 0.05, 0.5)}


def fine(signal):
    return resample_poly(signal, FINE_RATE // 100, 1, axis=1)


@pytest.mark.parametrize("noisy", [False, True])
def test_every_beat_is_found_even_with_a_noisy_lead(noisy):
    signal = ecg(PLACES)
    if noisy:
        signal[3] += np.random.default_rng(1).normal(0, 1, signal.shape[1])
    found = find_beats(without_wander(signal)) / 100
    assert len(found) == len(PLACES)
    np.testing.assert_allclose(found, PLACES, atol=0.03)


def test_a_tall_t_wave_is_no_beat():
    assert len(find_beats(ecg(PLACES, NORMAL | {"T": (0.30, 0.04, 0.6)}))) == len(PLACES)


def test_wander_is_taken_out_and_the_beat_stays():
    signal, time = ecg(PLACES), np.arange(1000) / 100
    quiet = without_wander(signal + 2 + np.sin(2 * np.pi * 0.1 * time))
    inner = slice(200, 800)
    assert np.abs(quiet[:, inner] - without_wander(signal)[:, inner]).max() < 0.05
    assert np.ptp(quiet[1, inner]) == pytest.approx(np.ptp(signal[1, inner]), rel=0.1)


def test_beats_are_moved_onto_each_other():
    signal = fine(ecg(PLACES, rate=100))
    true = np.round(PLACES * FINE_RATE).astype(int)
    jitter = np.random.default_rng(2).integers(-12, 13, len(true))
    beats = align(signal, true + jitter)
    assert beats is not None
    assert np.ptp(beats.places - true) <= 4  # 8 ms, from 48 ms
    assert beats.typical.all()
    np.testing.assert_allclose(beats.rr, 0.8, atol=0.008)


def test_a_beat_of_another_shape_is_not_typical_and_not_in_the_median():
    other = {PLACES[5]: WIDE}
    signal = fine(ecg(PLACES, other=other))
    beats = align(signal, np.round(PLACES * FINE_RATE).astype(int))
    assert beats is not None
    assert np.flatnonzero(~beats.typical).tolist() == [5]
    cut = typical_beats(signal, beats)
    assert cut is not None
    assert cut.shape == (len(PLACES) - 2, 12, BEFORE + AFTER)  # the last one is cut off by the end
    np.testing.assert_allclose(cut[:, 1, BEFORE], 1.2, atol=0.1)


def test_beats_cut_off_by_an_end_are_left_out():
    signal = fine(ecg([0.05, 1.0, 1.8, 2.6], seconds=3))
    beats = align(signal, np.array([25, 500, 900, 1300]))
    assert beats is not None
    assert len(beats.places) == 3
    cut = typical_beats(signal, beats)
    assert cut is not None
    assert len(cut) == 2  # that at 2.6 s has no 600 ms after it
    assert typical_beats(signal[:, : 900 + AFTER - 100], beats) is None


def test_too_few_beats_and_noise_have_no_common_shape():
    signal = fine(ecg(PLACES))
    assert align(signal, np.array([350, 750])) is None
    noise = np.random.default_rng(3).normal(size=(12, 5000))
    assert align(noise, np.arange(400, 4600, 400)) is None


def test_similarity_is_the_cosine_over_all_leads():
    beats = np.random.default_rng(4).normal(size=(3, 12, 50))
    cosine = (beats[0] * beats[2]).sum() / np.sqrt((beats[0] ** 2).sum() * (beats[2] ** 2).sum())
    assert similarity(beats)[0, 2] == pytest.approx(cosine)
    assert np.isfinite(similarity(np.zeros((2, 12, 50)))).all()


@pytest.mark.parametrize(("seconds", "count"), [(0.004, 2), (0.06, 30), (0.14, 70), (0.16, 80), (0.56, 280)])
def test_times_are_whole_samples(seconds, count):
    assert samples(seconds) == count
