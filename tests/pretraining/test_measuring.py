import numpy as np
import pytest

from merl.pretraining import measuring, sources
from merl.pretraining.measuring import measure_pairs
from merl.pretraining.preparation import prepare


@pytest.fixture(scope="module")
def pairs(tiny_ptbxl, tmp_path_factory):
    source = sources.open_source(tiny_ptbxl, folds=(1, 2, 3), sampling_rate=100)
    leads = ("V6", "V5", "V4", "V3", "V2", "V1", "aVF", "aVL", "aVR", "III", "II", "I")
    return prepare(source, tmp_path_factory.mktemp("ready"), sampling_rate=100, leads=leads, seconds=10)


def test_every_record_is_measured_in_the_order_of_the_pairs_and_of_the_leads(pairs, tmp_path):
    table = measure_pairs(pairs, tmp_path / "measured.npz")
    rates = 50 + np.arange(1, 10)  # the simulated records beat faster from one to the next
    np.testing.assert_allclose(table.heart_rate, rates, rtol=0.03)
    signals = pairs.signals(range(9))
    largest = np.argmax(np.ptp(signals, axis=2), axis=1)  # of the leads as prepared
    assert (11 - np.argmax(table.qrs_peak_to_peak, axis=1) == largest).all()


def test_a_table_that_is_there_is_read_and_one_of_other_pairs_is_not(pairs, tmp_path, monkeypatch):
    kept = tmp_path / "measured.npz"
    first = measure_pairs(pairs, kept)
    monkeypatch.setattr(measuring, "measure", None)  # would fail if it were called
    np.testing.assert_array_equal(measure_pairs(pairs, kept).qrs_area, first.qrs_area)
    shard = pairs.manifest.shards[0].model_copy(update={"sha256": {"signals-00000.npy": "0" * 64}})
    other = pairs.manifest.model_copy(update={"shards": (shard,)})  # other signals of the same records
    monkeypatch.setattr(pairs, "manifest", other)
    with pytest.raises(TypeError):
        measure_pairs(pairs, kept)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut short"])
def test_a_damaged_table_is_made_anew(pairs, tmp_path, content):
    kept = tmp_path / "measured.npz"
    kept.write_bytes(content)
    assert len(measure_pairs(pairs, kept).heart_rate) == 9


def test_several_processes_find_the_same(pairs, tmp_path, monkeypatch):
    one = measure_pairs(pairs, tmp_path / "one.npz")
    monkeypatch.setattr(measuring, "_PART", 4)
    told = []
    several = measure_pairs(pairs, tmp_path / "two.npz", workers=2, progress=lambda *step: told.append(step))
    np.testing.assert_array_equal(one.t_amplitude, several.t_amplitude)
    assert [done for done, *_ in told] == [4, 8, 9]
