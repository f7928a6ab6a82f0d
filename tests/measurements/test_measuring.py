import dataclasses
import warnings

import numpy as np
import pytest

from merl.datasets.ptbxl import PTBXL
from merl.errors import UsageError
from merl.measurements import Measurements, measure
from merl.readers import read_record
from merl.simulation import Rhythm, simulate
from tests.measurements.drawn import NORMAL, ecg

RATES = (100, 125, 128, 250, 257, 360, 500, 1000)
WIDE = {"R": (0.03, 0.035, -1.5), "T": (0.30, 0.05, 0.5)}


def simulated(rate=500, **rhythm):
    return measure(simulate(Rhythm(**rhythm), sampling_rate=rate).signal, rate)


@pytest.mark.parametrize("rate", RATES)
def test_an_ecg_has_the_same_measurements_at_every_rate(rate):
    places = 0.72 + 0.8 * np.arange(11)
    found, expected = measure(ecg(places, rate=rate), rate), measure(ecg(places), 100)
    assert found.heart_rate == pytest.approx(75, abs=0.5)
    for name in ("pr_interval", "qrs_duration", "qt_interval"):
        assert getattr(found, name) == pytest.approx(float(getattr(expected, name)), abs=8), name
    for name in ("r_amplitude", "s_amplitude", "t_amplitude", "p_max", "st_60"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), atol=0.05, err_msg=name)
    assert found.beats == 11


@pytest.mark.parametrize("heart_rate", [45, 72, 120])
def test_the_rate_of_simulated_ecgs(heart_rate):
    assert simulated(heart_rate=heart_rate).heart_rate == pytest.approx(heart_rate, rel=0.02)


def test_simulated_intervals_lie_as_far_apart_as_they_were_simulated():
    assert simulated(pr=0.24).pr_interval - simulated(pr=0.16).pr_interval == pytest.approx(80, abs=10)
    narrow, broad = simulated(), simulated(qrs=0.15, left_bundle_branch_block=True)
    assert broad.qrs_duration > 120 > narrow.qrs_duration
    assert broad.lead("qrs_area", "V1") < 0 < broad.lead("qrs_area", "V6")
    assert narrow.lead("t_amplitude", "V6") > 0 > broad.lead("t_amplitude", "V6")


def test_fibrillation_is_irregular_without_a_p_wave_of_its_own():
    sinus, fibrillation = simulated(), simulated(fibrillation=True)
    assert max(sinus.rr_variation, sinus.rr_successive) < 0.05
    assert min(fibrillation.rr_variation, fibrillation.rr_successive) > 0.1
    assert sinus.p_consistency > 0.8
    assert fibrillation.p_consistency < 0.6


def test_a_premature_wide_beat_is_counted_and_not_measured():
    places = [0.7, 1.5, 2.3, 3.1, 3.6, 4.7, 5.5, 6.3, 7.1, 7.9, 8.7]
    found = measure(ecg(places, other={3.6: WIDE}), 100)
    assert (found.beats, found.premature_beats, found.wide_premature) == (11, 1, 1)
    assert found.lead("r_amplitude", "II") == pytest.approx(1.2, abs=0.12)
    same = measure(ecg(places), 100)
    assert (same.premature_beats, same.wide_premature) == (1, 0)
    assert found.qrs_duration == pytest.approx(float(same.qrs_duration), abs=6)


def measured(found):
    return [item.name for item in dataclasses.fields(found) if not np.isnan(getattr(found, item.name)).all()]


@pytest.mark.parametrize("rate", [100, 257, 500])
def test_a_signal_without_beats_has_no_measurements(rate):
    size = (12, 10 * rate)
    noise = np.random.default_rng(0).normal(0, 0.1, size)
    signals = {
        "zero": np.zeros(size),
        "flat": np.full(size, 0.7),
        "noise": noise,
        "noise on a drift": noise + np.linspace(0, 1, size[1]),
        "three beats": ecg([0.8, 1.7, 2.6], seconds=3.4, rate=rate),
        "a second": ecg([0.5], seconds=1, rate=rate),
        "a sample": np.ones((12, 1)),
        "two seconds": ecg([0.5, 1.3], seconds=2, rate=rate),
        "huge": noise * 1e30,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name, signal in signals.items():
            assert set(measured(measure(signal, rate))) <= {"beats"}, name


def test_some_leads_without_a_signal_leave_the_others_measured():
    places, rows = 0.72 + 0.8 * np.arange(11), [0, 5, 6]
    signal = ecg(places, NORMAL)
    signal[rows] = 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = measure(signal, 100)
    assert found.heart_rate == pytest.approx(75, abs=0.5)
    assert not found.qrs_peak_to_peak[rows].any()
    assert np.isnan(found.qrs_axis)
    assert found.lead("r_amplitude", "II") == pytest.approx(1.2, abs=0.12)


@pytest.mark.parametrize(
    ("signal", "rate", "says"),
    [
        (np.zeros((11, 1000)), 100, r"shape \(11, 1000\).*\(12, samples\) in the order I, II"),
        (np.zeros((1000, 12)), 100, r"shape \(1000, 12\)"),
        (np.zeros((2, 12, 1000)), 100, r"shape \(2, 12, 1000\)"),
        (np.zeros((12, 0)), 100, r"shape \(12, 0\)"),
        ([["a"]] * 12, 100, "give millivolts of shape"),
        ([[0.0, 1.0], [0.0]], 100, "give millivolts of shape"),
        (np.zeros((12, 1000)), 99, "at 99 Hz cannot be measured; give one at 100 to 100000 Hz"),
        (np.zeros((12, 1000)), float("nan"), "at nan Hz"),
        (np.r_[np.full((1, 1000), np.nan), np.zeros((11, 1000))], 100, "not finite in I;"),
        (np.r_[np.zeros((11, 1000)), np.full((1, 1000), np.inf)], 100, "not finite in V6;"),
        (np.r_[np.zeros((11, 1000)), np.full((1, 1000), 1e200)], 100, "not finite in V6;"),
    ],
)
def test_what_cannot_be_measured_is_said_in_a_sentence(signal, rate, says):
    with pytest.raises(UsageError, match=says):
        measure(signal, rate)


def measured_files(paths):
    records = [read_record(path) for path in paths]
    return Measurements.stack([measure(record.signal, record.sampling_rate) for record in records])


@pytest.mark.realdata
def test_real_ecgs_measure_as_hearts_do(merl_data):
    dataset = PTBXL(merl_data)
    table = dataset.labelled([9]).head(200)
    found = measured_files(dataset.paths(table["filename"]))
    for name, low, high in [
        ("heart_rate", 60, 80),
        ("pr_interval", 140, 180),
        ("qrs_duration", 80, 100),
        ("qt_interval", 360, 420),
        ("qtc", 390, 450),
        ("qrs_axis", 0, 60),
    ]:
        values = getattr(found, name)
        assert np.isfinite(values).mean() > 0.9, name
        assert low < np.nanmedian(values) < high, name
    codes = table["scp_codes"]
    fibrillation = codes.map(lambda of: "AFIB" in of).to_numpy()
    sinus = codes.map(lambda of: "SR" in of).to_numpy()
    assert np.median(found.rr_successive[fibrillation]) > 3 * np.median(found.rr_successive[sinus])
    block = codes.map(lambda of: bool({"CLBBB", "CRBBB"} & set(of))).to_numpy()
    assert np.nanmedian(found.qrs_duration[block]) > np.nanmedian(found.qrs_duration[~block]) + 25


@pytest.mark.realdata
def test_real_ecgs_measure_alike_at_both_published_rates(merl_data):
    root = PTBXL(merl_data).root
    files = sorted((root / "records500").rglob("*_hr.hea"))[:20]  # a part of the data set has few of them
    assert files
    names = [file.relative_to(root / "records500").as_posix().replace("_hr.hea", "_lr.hea") for file in files]
    high, low = measured_files(files), measured_files(root / "records100" / name for name in names)
    np.testing.assert_allclose(high.heart_rate, low.heart_rate, atol=1)
    for name in ("pr_interval", "qrs_duration", "qt_interval"):
        assert np.nanmedian(np.abs(getattr(high, name) - getattr(low, name))) <= 4, name
    assert np.nanmedian(np.abs(high.r_amplitude - low.r_amplitude)) < 0.02
