import shutil

import pytest

from merl.errors import DataError, UsageError
from merl.pretraining.sources import open_source


def test_a_data_set_is_told_by_its_files(tiny_ptbxl, tiny_mimic):
    assert open_source(tiny_ptbxl).name == open_source(tiny_ptbxl.parent).name == "ptbxl"
    assert open_source(tiny_mimic).name == open_source(tiny_mimic.parent).name == "mimic-iv-ecg"


def test_what_cannot_be_told_is_asked(tiny_ptbxl, tiny_mimic, tmp_path):
    shutil.copy(tiny_ptbxl / "ptbxl_database.csv", tmp_path)
    shutil.copy(tiny_mimic / "machine_measurements.csv", tmp_path)
    with pytest.raises(UsageError, match="holds ptbxl and mimic-iv-ecg; say which"):
        open_source(tmp_path)
    assert open_source(tmp_path, "ptbxl").name == "ptbxl"
    with pytest.raises(DataError, match="there is no data set in"):
        open_source(tmp_path / "empty")
    with pytest.raises(UsageError, match="did you mean 'ptbxl'"):
        open_source(tmp_path, "ptb-xl")
    with pytest.raises(UsageError, match="mimic-iv-ecg has no folds"):
        open_source(tiny_mimic, folds=[1])


def test_ptbxl_reports_are_cleaned_and_english(tiny_ptbxl):
    pairs, left_out = open_source(tiny_ptbxl, folds=[2], sampling_rate=100).pairs()
    assert [pair.report for pair in pairs] == [
        "sinus rhythm. normal ecg",
        "first degree av block",
        "atrial fibrillation",
    ]
    assert [pair.key for pair in pairs] == [0, 1, 2]
    assert pairs[1].path.endswith("records100/00000/00005_lr")
    assert left_out == {}


def test_reports_that_say_nothing_are_counted_and_keep_their_number(tiny_ptbxl, tmp_path):
    root = shutil.copytree(tiny_ptbxl, tmp_path / "ptb-xl")
    table = root / "ptbxl_database.csv"
    table.write_text(table.read_text().replace("av block i", "edit: NORM"))
    pairs, left_out = open_source(root, folds=[2], sampling_rate=100).pairs()
    assert [pair.key for pair in pairs] == [0, 2]
    assert left_out == {"report that says nothing of the ECG": 1}


@pytest.mark.parametrize(("wanted", "read"), [(50, 100), (100, 100), (250, 500), (500, 500)])
def test_no_record_is_read_below_the_rate_that_is_wanted(tiny_ptbxl, wanted, read):
    assert open_source(tiny_ptbxl, sampling_rate=wanted).sampling_rate == read
