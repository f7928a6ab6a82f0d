import json

import numpy as np
import pytest

from merl.errors import RecordError
from merl.readers import read_record
from merl.records import STANDARD_LEADS

STATED = {"sampling_rate": 100, "unit": "mV", "leads": STANDARD_LEADS}


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("kind", [np.float64, np.float32, np.int16])
def test_an_array_of_leads_either_way_round(tmp_path, simulated, turned, kind):
    signal = (simulated() * 1000).astype(kind)
    np.save(tmp_path / "x.npy", signal.T if turned else signal)
    record = read_record(tmp_path / "x.npy", **STATED | {"unit": "uV"})
    assert (record.leads, record.sampling_rate, record.name) == (STANDARD_LEADS, 100, "x")
    np.testing.assert_allclose(record.signal, signal / 1000, atol=1e-6)


def test_an_archive_says_everything_in_either_layout(tmp_path, simulated):
    facts = {"sampling_rate": 100, "unit": "mV"}
    np.savez(tmp_path / "a.npz", signal=simulated(), leads=np.array(STANDARD_LEADS), **facts)
    np.savez(
        tmp_path / "b.npz", age=np.array(50), **dict(zip(STANDARD_LEADS, simulated(), strict=True)), **facts
    )
    for name in ("a.npz", "b.npz"):
        record = read_record(tmp_path / name)
        assert record.leads == STANDARD_LEADS
        np.testing.assert_allclose(record.signal, simulated(), atol=1e-6)


def test_facts_may_stand_beside_an_array(tmp_path, simulated):
    np.save(tmp_path / "x.npy", simulated())
    (tmp_path / "x.json").write_text(json.dumps(STATED))
    assert read_record(tmp_path / "x.npy").leads == STANDARD_LEADS


@pytest.mark.parametrize("left_out", STATED)
def test_nothing_is_guessed(tmp_path, simulated, left_out):
    np.save(tmp_path / "x.npy", simulated())
    with pytest.raises(RecordError, match=f"does not say its {left_out}; give it, or write it into x.json"):
        read_record(tmp_path / "x.npy", **{key: value for key, value in STATED.items() if key != left_out})


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((11, 1000)), r"shape \(11, 1000\) for 12 leads"),
        (np.zeros(12), r"shape \(12,\)"),
        (np.zeros((12, 12)), "as many samples as leads"),
        (np.zeros((12, 100), complex), "complex128"),
        (np.full((12, 100), "x"), "holds <U1"),
        (np.full((12, 100), np.nan), "invalid in I"),
        (np.array([{"patient": "Mustermann"}], object), "without pickle"),
        (b"Mustermann", "cannot read"),
        (b"", "cannot read"),
    ],
)
def test_what_is_no_recording_is_refused(tmp_path, array, message):
    path = tmp_path / "x.npy"
    path.write_bytes(array) if isinstance(array, bytes) else np.save(path, array, allow_pickle=True)
    with pytest.raises(RecordError, match=message) as caught:
        read_record(path, **STATED)
    assert "Mustermann" not in str(caught.value)


def test_archives_with_neither_layout_or_cut_short_are_refused(tmp_path, simulated):
    np.savez(tmp_path / "x.npz", ecg=simulated())
    with pytest.raises(RecordError, match=r"an array, or an \.npz of signal and leads"):
        read_record(tmp_path / "x.npz", **STATED)
    raw = (tmp_path / "x.npz").read_bytes()
    (tmp_path / "x.npz").write_bytes(raw[: len(raw) // 2])
    with pytest.raises(RecordError, match="cannot read"):
        read_record(tmp_path / "x.npz", **STATED)


def test_names_may_be_bytes(tmp_path, simulated):
    leads = np.array(STANDARD_LEADS, "S3")
    np.savez(tmp_path / "x.npz", signal=simulated(), leads=leads, sampling_rate=100, unit=np.bytes_("mV"))
    assert read_record(tmp_path / "x.npz").leads == STANDARD_LEADS


def test_a_signal_beside_arrays_of_leads_is_refused(tmp_path, simulated):
    facts = {"leads": np.array(STANDARD_LEADS), "sampling_rate": 100, "unit": "mV"}
    np.savez(tmp_path / "x.npz", signal=simulated(), V1=simulated()[6], **facts)
    with pytest.raises(RecordError, match="has signal and also arrays named as leads"):
        read_record(tmp_path / "x.npz")


@pytest.mark.parametrize("rate", [np.nan, np.inf, 0.0, 1e12])
def test_a_rate_must_be_possible(tmp_path, simulated, rate):
    facts = {"leads": np.array(STANDARD_LEADS), "unit": "mV"}
    np.savez(tmp_path / "x.npz", signal=simulated(), sampling_rate=rate, **facts)
    with pytest.raises(RecordError, match="Hz is not possible; give one from 1 to 100000"):
        read_record(tmp_path / "x.npz")
