import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from merl.errors import RecordError
from merl.preprocessing import SignalSpec, resample
from merl.records import STANDARD_LEADS, ECGRecord


def record(signal, rate=100.0, leads=STANDARD_LEADS) -> ECGRecord:
    return ECGRecord(np.asarray(signal, np.float32), rate, leads, "r")


def test_a_record_at_the_models_rate_passes_bit_for_bit(simulated):
    given_record = record(simulated())
    windows = SignalSpec().windows(given_record)
    assert windows.shape == (1, 12, 1000)
    assert windows.dtype == np.float32
    np.testing.assert_array_equal(windows[0], given_record.signal)


def test_leads_are_taken_by_name(simulated):
    signal = simulated()
    shuffled = record(signal[::-1], leads=STANDARD_LEADS[::-1])
    np.testing.assert_array_equal(SignalSpec().windows(shuffled), SignalSpec().windows(record(signal)))


def test_limb_leads_follow_from_i_and_ii(simulated):
    keep = [0, 1, 6, 7, 8, 9, 10, 11]
    signal = simulated()
    part = record(signal[keep], leads=tuple(STANDARD_LEADS[row] for row in keep))
    np.testing.assert_allclose(SignalSpec().windows(part)[0], signal, atol=1e-6)


def test_a_lead_that_cannot_be_computed_is_named(simulated):
    part = record(simulated()[1:8], leads=STANDARD_LEADS[1:8])  # III without I is no help for I
    with pytest.raises(RecordError, match=r"no lead I, V3, V4, V5, V6; it has II, III"):
        SignalSpec().windows(part)


def test_missing_leads_become_zeros_where_the_model_was_trained_for_it(simulated):
    signal = simulated()
    spec = SignalSpec(missing_leads="zero")
    holter = record(signal[[1, 6]], leads=("II", "V1"))  # II alone gives no other limb lead
    windows = spec.windows(holter)
    np.testing.assert_array_equal(windows[0, [1, 6]], signal[[1, 6]].astype(np.float32))
    assert not np.delete(windows[0], [1, 6], axis=0).any()
    np.testing.assert_allclose(
        spec.windows(record(signal[:2], leads=("I", "II")))[0, :6], signal[:6], atol=1e-6
    )
    np.testing.assert_array_equal(spec.windows(record(signal)), SignalSpec().windows(record(signal)))


def test_zeros_are_millivolts_before_minmax(simulated):
    part = record(simulated()[[1]] - 2.0, leads=("II",))
    windows = SignalSpec(missing_leads="zero", scaling="minmax").windows(part)
    assert (windows[0, 0] == 1).all()  # zero is the highest of what lies below it
    assert (windows[0, 1].min(), windows[0, 1].max() < 1) == (0, True)


def test_a_record_with_none_of_the_models_leads_is_refused_even_so(simulated):
    part = record(simulated()[:1], leads=("MLII",))
    with pytest.raises(RecordError, match="has no lead II, V1; it has MLII, and the model needs one of"):
        SignalSpec(leads=("II", "V1"), missing_leads="zero").windows(part)


@given(
    rate=st.sampled_from([250.0, 257.0, 360.0, 500.0, 1000.0]),
    hertz=st.floats(1, 30),
    offset=st.floats(-5, 5),
)
@settings(max_examples=30, deadline=None)
def test_resampling_keeps_amplitude_phase_and_offset_of_a_sine(rate, hertz, offset):
    def sine(at):
        return np.sin(2 * np.pi * hertz * np.arange(round(10 * at)) / at) + offset

    out = resample(sine(rate)[None].astype(np.float32), rate, 100.0)
    assert out.shape == (1, 1000)
    np.testing.assert_allclose(out[0, 50:-50], sine(100.0)[50:-50], atol=0.02)


def test_an_odd_rate_needs_no_giant_filter(simulated):
    signal = simulated(rate=500).astype(np.float32)
    begun = time.monotonic()
    found = resample(signal, 499.999, 100.0)
    assert time.monotonic() - begun < 1
    np.testing.assert_allclose(found, resample(signal, 500.0, 100.0), atol=1e-6)
    assert resample(signal[:, :400], 100_000.0, 1.0).shape == (12, 1)


def test_a_generator_of_records_is_a_list_of_them(simulated):
    given = [record(simulated()), record(simulated(seed=1))]
    assert SignalSpec().as_records(item for item in given) == given


def test_what_the_new_rate_cannot_carry_is_filtered_out():
    hum = np.sin(2 * np.pi * 80 * np.arange(5000) / 500)[None].astype(np.float32)
    assert np.abs(resample(hum, 500.0, 100.0)[:, 50:-50]).max() < 0.02  # unfiltered it would fold to 20 Hz
    assert np.abs(hum[:, ::5]).max() > 0.9


@given(samples=st.integers(2, 4000))
@settings(max_examples=40, deadline=None)
def test_windows_cover_every_sample_once_but_for_the_last_overlap(samples):
    signal = np.tile(np.arange(1, samples + 1, dtype=np.float32) / 50, (2, 1))
    signal[:, 0] = 0
    signal[1] += 1
    windows = SignalSpec(leads=("I", "II")).windows(record(signal, leads=("I", "II")))
    assert windows.shape == (max(1, -(-samples // 1000)), 2, 1000)
    if samples < 1000:
        np.testing.assert_array_equal(windows[0, 0, :samples], signal[0])
        assert not windows[0, :, samples:].any()
    else:
        np.testing.assert_array_equal(np.unique(windows[:, 0]), np.unique(signal[0]))
        np.testing.assert_array_equal(windows[-1, 0], signal[0, -1000:])
        np.testing.assert_array_equal(windows[0, 0], signal[0, :1000])


def test_minmax_is_one_range_over_all_leads_padding_included(simulated):
    signal = simulated(seconds=5) + 3.0
    windows = SignalSpec(scaling="minmax").windows(record(signal))
    assert (windows.min(), windows.max()) == (0.0, 1.0)
    np.testing.assert_allclose(
        windows[0, :, :500], signal / signal.max(), atol=1e-6
    )  # the padding is the minimum


def test_one_flat_lead_passes_and_twelve_do_not(simulated):
    signal = simulated()
    signal[7] = 0.5
    np.testing.assert_array_equal(SignalSpec().windows(record(signal))[0, 7], np.float32(0.5))
    with pytest.raises(RecordError, match="flat in every lead"):
        SignalSpec(scaling="minmax").windows(record(np.ones((12, 1000))))


def test_a_flat_window_of_a_longer_record_is_zeros_in_minmax(simulated):
    signal = np.hstack([simulated(), np.zeros((12, 1000))])
    windows = SignalSpec(scaling="minmax").windows(record(signal))
    assert windows[0].max() == 1
    assert not windows[1].any()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_invalid_samples_are_refused_where_they_are_needed(simulated, value):
    signal = simulated()
    signal[9, 3] = value
    with pytest.raises(RecordError, match="invalid samples in V4"):
        SignalSpec().windows(record(signal))
    assert SignalSpec(leads=("I", "II")).windows(record(signal)).shape == (1, 2, 1000)


@pytest.mark.parametrize("factor", [1000, 0.001])
def test_microvolts_and_volts_taken_for_millivolts_are_refused(simulated, factor):
    with pytest.raises(RecordError, match="give the signal in millivolts"):
        SignalSpec().windows(record(simulated() * factor))


def test_more_than_ten_minutes_are_refused():
    with pytest.raises(RecordError, match="lasts 1800 s and at most 600 s"):
        SignalSpec(leads=("I",)).windows(record(np.ones((1, 180_000)), leads=("I",)))


def test_the_spec_survives_json_and_refuses_what_it_does_not_know():
    spec = SignalSpec(leads=("II", "V1"), sampling_rate=500, seconds=2.5, scaling="minmax")
    assert spec.samples == 1250
    assert SignalSpec.model_validate_json(spec.model_dump_json()) == spec
    for wrong in (
        {"rate": 100},
        {"leads": ()},
        {"leads": ("I", "I")},
        {"sampling_rate": 0},
        {"scaling": "z"},
        {"missing_leads": "nan"},
    ):
        with pytest.raises(ValidationError):
            SignalSpec(**wrong)
