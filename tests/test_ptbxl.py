import csv
import shutil
from pathlib import Path

import pandas as pd
import pytest

from merl.datasets.ptbxl import FOLDS, PTBXL
from merl.errors import DataError, UsageError


@pytest.fixture
def copy(tiny_ptbxl, tmp_path) -> Path:
    return Path(shutil.copytree(tiny_ptbxl, tmp_path / "ptb-xl"))


def rewrite(path: Path, change) -> None:
    with path.open(newline="") as handle:
        rows = list(csv.reader(handle))
    change(rows)
    with path.open("w", newline="") as handle:
        csv.writer(handle).writerows(rows)


def test_folds_are_disjoint_and_whole():
    parts = [FOLDS[split] for split in ("train", "val", "test")]
    assert sorted(fold for folds in parts for fold in folds) == list(FOLDS["all"]) == list(range(1, 11))


def test_the_folder_or_its_parent_will_do(tiny_ptbxl):
    assert PTBXL(tiny_ptbxl).root == PTBXL(tiny_ptbxl.parent).root == tiny_ptbxl


def test_reports_come_with_their_paths_and_without_labels(tiny_ptbxl, monkeypatch):
    read, columns = pd.read_csv, []

    def spy(path, **options):
        table = read(path, **options)
        columns.extend(table.columns if len(table) else [])
        return table

    monkeypatch.setattr(pd, "read_csv", spy)
    paths, reports = PTBXL(tiny_ptbxl).reports([2, 9])
    assert set(columns) == {"filename_lr", "strat_fold", "report"}
    assert [path.name for path in paths] == [f"{n:05d}_lr" for n in (4, 5, 6, 25, 26, 27)]
    assert reports[:3] == ("sinusrhythmus normales ekg", "av block i", "vorhofflimmern")


def test_a_missing_report_is_empty(copy):
    rewrite(copy / "ptbxl_database.csv", lambda rows: rows[1].__setitem__(2, ""))
    assert PTBXL(copy).reports([1])[1][:2] == ("", "av block i")


def test_a_missing_fold_is_named_with_those_there(copy):
    rewrite(copy / "ptbxl_database.csv", lambda rows: rows.__delitem__(slice(-3, None)))
    with pytest.raises(
        DataError, match=r"no records of fold 10 in .*; it has the folds 1, 2, 3, 4, 5, 6, 7, 8, 9"
    ):
        PTBXL(copy).reports([9, 10])


def test_missing_waveforms_are_counted_and_the_first_named(copy):
    for number in (1, 2, 4, 5):
        (copy / f"records100/00000/{number:05d}_lr.dat").unlink()
    with pytest.raises(
        DataError, match=r"4 of 6 records .*00001_lr, .*00002_lr, .*00004_lr; complete"
    ) as caught:
        PTBXL(copy).reports([1, 2])
    assert "00005" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows[0].__setitem__(2, "text"), "lacks the columns report"),
        (lambda rows: rows.__delitem__(slice(1, None)), "no records of fold 1 "),
    ],
)
def test_a_damaged_table_is_refused(copy, change, message):
    rewrite(copy / "ptbxl_database.csv", change)
    with pytest.raises(DataError, match=message):
        PTBXL(copy).reports([1])


@pytest.mark.parametrize("content", [b"", b'a,b\n"unfinished', b"\xff\xfe\x00"])
def test_a_table_that_is_no_csv_is_refused(copy, content):
    (copy / "ptbxl_database.csv").write_bytes(content)
    with pytest.raises(DataError, match=r"ptbxl_database\.csv"):
        PTBXL(copy).reports([1])


def test_missing_things_are_named(copy, tmp_path):
    with pytest.raises(DataError, match="there is no PTB-XL in"):
        PTBXL(tmp_path / "elsewhere")
    (copy / "scp_statements.csv").unlink()
    with pytest.raises(DataError, match=r"scp_statements.csv is missing"):
        PTBXL(copy).statements()


def test_codes_that_are_no_dictionary_are_refused(copy):
    rewrite(copy / "ptbxl_database.csv", lambda rows: rows[1].__setitem__(3, "__import__('os')"))
    with pytest.raises(DataError, match="no dictionary"):
        PTBXL(copy).labelled([1])


def test_only_published_rates_exist(tiny_ptbxl):
    with pytest.raises(UsageError, match="250 Hz"):
        PTBXL(tiny_ptbxl).labelled([1], sampling_rate=250)


@pytest.mark.realdata
def test_real_folds_and_patients(merl_data):
    dataset = PTBXL(merl_data)
    train, val = dataset.labelled(FOLDS["train"]), dataset.labelled(FOLDS["val"])
    assert (len(train), len(val)) == (17418, 2183)
    assert not set(train["patient_id"]) & set(val["patient_id"])
    paths, reports = dataset.reports(FOLDS["train"])
    assert len(paths) == len(reports) == 17418
    assert len(set(reports) | set(dataset.reports(FOLDS["val"])[1])) == 8878  # distinct reports in folds 1-9
