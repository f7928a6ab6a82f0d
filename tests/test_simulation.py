import numpy as np
import pytest
from scipy.signal import find_peaks

from merl.errors import UsageError
from merl.records import STANDARD_LEADS
from merl.simulation import Rhythm, simulate

RATE = 500


def lead(record, name):
    return record.signal[record.leads.index(name)].astype(float)


def r_peaks(record):
    signal = lead(record, "II")
    return find_peaks(signal, height=0.6 * signal.max(), distance=0.2 * RATE)[0] / RATE


@pytest.mark.parametrize(
    "rhythm", [Rhythm(), Rhythm(fibrillation=True), Rhythm(qrs=0.15, left_bundle_branch_block=True)]
)
def test_limb_leads_obey_einthoven_and_goldberger(rhythm):
    record = simulate(rhythm, seed=3)
    one, two = lead(record, "I"), lead(record, "II")
    expected = {
        "III": two - one,
        "aVR": -(one + two) / 2,
        "aVL": one - two / 2,
        "aVF": two - one / 2,
    }
    for name, signal in expected.items():
        np.testing.assert_allclose(lead(record, name), signal, atol=1e-6)
    assert record.leads == STANDARD_LEADS
    assert record.name.startswith("simulated-")
    assert record.signal.shape == (12, 10 * RATE)


@pytest.mark.parametrize("heart_rate", [20, 45, 72, 130, 200])
def test_the_heart_rate_is_kept(heart_rate):
    peaks = r_peaks(simulate(Rhythm(heart_rate=heart_rate), seconds=30, seed=1))
    assert len(peaks) == pytest.approx(heart_rate / 2, abs=2)
    assert 60 / np.diff(peaks).mean() == pytest.approx(heart_rate, rel=0.03)


@pytest.mark.parametrize("pr", [0.12, 0.16, 0.30])
def test_the_p_wave_comes_a_pr_interval_before_the_qrs(pr):
    record = simulate(Rhythm(heart_rate=50, pr=pr), seconds=30, seed=2)
    peaks = [peak for peak in r_peaks(record) if peak > 1]
    signal = lead(record, "II")
    before = round(0.45 * RATE)  # the mean beat from 450 ms before the R peak to it: noise averages out
    beats = [signal[round(peak * RATE) - before : round(peak * RATE)] for peak in peaks]
    mean = np.mean(beats, axis=0)[: before - round(0.07 * RATE)]  # without the QRS
    p_peak = (before - mean.argmax()) / RATE
    r_after_onset, p_after_onset = 0.45 * 0.09, 0.05
    assert p_peak == pytest.approx(pr - p_after_onset + r_after_onset, abs=0.012)


def test_fibrillation_is_irregular():
    regular, irregular = (
        simulate(Rhythm(heart_rate=80, fibrillation=flag), seconds=60, seed=4) for flag in (False, True)
    )
    spread = [
        np.diff(r_peaks(record)).std() / np.diff(r_peaks(record)).mean() for record in (regular, irregular)
    ]
    assert spread[0] < 0.03
    assert spread[1] > 0.12


def test_bundle_branch_block_widens_the_qrs():
    def width(record):  # time that the mean beat is far from the baseline around the R peak, seconds
        signal = lead(record, "V2")
        beats = [signal[round(p * RATE) - 60 : round(p * RATE) + 60] for p in r_peaks(record) if 1 < p < 9]
        mean = np.mean(beats, axis=0)
        return (np.abs(mean - np.median(mean)) > 0.2).sum() / RATE

    narrow = width(simulate(Rhythm(heart_rate=60), seed=5))
    wide = width(simulate(Rhythm(heart_rate=60, qrs=0.15, left_bundle_branch_block=True), seed=5))
    assert wide > narrow + 0.03


def test_a_seed_makes_the_same_ecg_again():
    first, again, other = (simulate(Rhythm(), seed=seed).signal for seed in (7, 7, 8))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.1


@pytest.mark.parametrize("heart_rate", [0, 19, 201, float("nan")])
def test_an_impossible_rate_is_refused(heart_rate):
    with pytest.raises(UsageError, match="cannot be simulated; give 20 to 200"):
        simulate(Rhythm(heart_rate=heart_rate))
