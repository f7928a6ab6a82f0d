import numpy as np
import pytest

from merl.datasets.tasks import load_task
from merl.preprocessing import SignalSpec
from merl.pretraining.sources import PTBXLSource
from merl.studies.records import chosen, make_ready, read_pairs

SPEC = SignalSpec(leads=("I", "II"), sampling_rate=50, seconds=2)


@pytest.fixture
def whole(tiny_ptbxl):
    return read_pairs(PTBXLSource(tiny_ptbxl, folds=(1, 2, 3)))


def test_smaller_shares_lie_within_larger_ones(whole):
    small, large = whole.draw(1 / 3, 0), whole.draw(2 / 3, 0)
    assert (len(small.found), len(large.found)) == (3, 6)
    assert set(small.found) < set(large.found) < set(whole.found)
    assert [pair.key for pair in large.found] == sorted(pair.key for pair in large.found)
    assert small.left_out == {"not drawn for this share": 6}
    assert whole.draw(1.0, 0) == whole
    assert whole.draw(1 / 3, 1) != small


def test_pairs_are_prepared_once_and_other_texts_apart(whole, tmp_path):
    first = make_ready(whole, SPEC, tmp_path, None)
    seen = []
    again = make_ready(whole, SPEC, tmp_path, lambda *told: seen.append(told))
    assert again.folder == first.folder
    assert not seen  # no record was read anew
    reworded = whole.__class__(
        **{**whole.__dict__, "found": tuple(p._replace(report="x") for p in whole.found)}
    )
    other = make_ready(reworded, SPEC, tmp_path, None)
    assert other.folder != first.folder
    assert set(other.reports) == {"x"}


def test_labelled_records_are_drawn_with_all_that_belongs_to_them(tiny_ptbxl):
    data = load_task("ptbxl-rhythm", tiny_ptbxl, "train")
    some = chosen(data, 0.5, None, seed=0)
    assert len(some) == len(data) // 2
    for row, name in enumerate(some.names):
        place = data.names.index(name)
        assert np.array_equal(some.labels[row], data.labels[place])
        assert (some.patients[row], some.paths[row]) == (data.patients[place], data.paths[place])
    assert len(chosen(data, 1.0, 5, seed=0)) == 5
    assert len(chosen(data, 0.01, None, seed=0)) == 2
