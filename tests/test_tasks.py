import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from merl.datasets.ptbxl import FOLDS
from merl.datasets.tasks import TASKS, get_task, load_task
from merl.errors import DataError, RecordError, UsageError
from merl.label_sets import load_label_set
from tests import layouts

SIZES = {"ptbxl-super": 5, "ptbxl-sub": 23, "ptbxl-form": 19, "ptbxl-rhythm": 12} | {
    "cpsc2018": 9, "csn": 63, "georgia": 23, "mitbih-aami": 5, "mitbih-rhythm": 15,
    "ludb": 57, "code15": 6, "sph": 44,
}  # fmt: skip


def truth(data) -> list[set[str]]:
    return [{data.classes[i] for i in np.flatnonzero(row)} for row in data.labels]


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        ("ptbxl-super", [{"NORM"}, {"CD", "MI"}]),  # 1AVB counts at likelihood 0
        ("ptbxl-sub", [{"NORM"}, {"_AVB", "IMI"}]),
        ("ptbxl-form", [{"LNGQT"}]),
        ("ptbxl-rhythm", [{"SR"}, {"AFIB"}]),
    ],
)
def test_labels_follow_the_protocol(tiny_ptbxl, task, expected):
    data = load_task(task, tiny_ptbxl, "val")
    assert truth(data) == expected  # records without a label of the task are dropped
    assert data.classes == tuple(load_label_set(task).classes)
    assert len(data.classes) == SIZES[task]
    assert data.labels.dtype == np.bool_
    assert len(data) == len(data.names) == len(data.patients) == len(expected)


@pytest.mark.parametrize(("split", "first", "count"), [("train", 1, 24), ("val", 25, 3), ("test", 28, 3)])
def test_splits_are_folds_and_records_keep_their_patient_and_signal(tiny_ptbxl, split, first, count):
    data = load_task("ptbxl-rhythm", tiny_ptbxl.parent, split)
    assert len(data) == count * 2 // 3
    assert data.names[0] == f"{first:05d}_lr"
    assert data.patients[0] == 1000 + first
    record = data.read(1)
    assert record.name == data.names[1] == data.paths[1].name == f"{first + 2:05d}_lr"
    assert record.signal.shape == (12, 1000)


def test_wrong_names_are_refused_with_near_ones(tiny_ptbxl):
    with pytest.raises(
        UsageError, match=r"unknown task 'ptbxl-rythm'; did you mean 'ptbxl-rhythm'.*merl tasks"
    ):
        get_task("ptbxl-rythm")
    with pytest.raises(UsageError, match="unknown split 'valid'; did you mean 'val'"):
        load_task("ptbxl-form", tiny_ptbxl, "valid")  # type: ignore[arg-type]


def test_classes_must_be_those_of_the_label_set(tiny_ptbxl, tmp_path):
    root = Path(shutil.copytree(tiny_ptbxl, tmp_path / "ptb-xl"))
    table = root / "scp_statements.csv"
    table.write_text(table.read_text().replace(",MI,IMI", ",MI,XMI"))
    with pytest.raises(DataError, match=r"IMI, XMI on one side only"):
        load_task("ptbxl-sub", root, "val")
    assert len(load_task("ptbxl-super", root, "val")) == 2


def test_the_higher_rate_must_be_there(tiny_ptbxl):
    with pytest.raises(DataError, match="2 of 2 records have no"):
        load_task("ptbxl-super", tiny_ptbxl, "val", sampling_rate=500)


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("task", "val", "train"),
    [
        ("ptbxl-super", 2147, 17088),
        ("ptbxl-sub", 2147, 17088),
        ("ptbxl-form", 901, 7200),
        ("ptbxl-rhythm", 2100, 16832),
    ],
)
def test_real_sizes(merl_data, task, val, train):
    data = load_task(task, merl_data, "val")
    assert len(data) == val
    assert data.labels.any(axis=0).all()  # every class occurs
    assert len(load_task(task, merl_data, "train")) == train
    assert data.read(0).signal.shape == (12, 1000)


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("task", "name", "added", "changed"),
    [
        ("ptbxl-super", "super_class", 1, 1),  # it seems to come from an earlier release of PTB-XL
        ("ptbxl-sub", "sub_class", 1, 1),
        ("ptbxl-form", "form", 0, 0),
        ("ptbxl-rhythm", "rhythm", 0, 0),
    ],
)
def test_labels_agree_with_the_official_release(merl_data, task, name, added, changed):
    data = load_task(task, merl_data, "val")
    table = pd.read_csv(merl_data / f"merl-official/data_split/ptbxl/{name}/ptbxl_{name}_val.csv")
    columns = list(table.columns[6:])
    # the release writes codes without their underscores, and its columns are matched by name
    assert sorted(code.strip("_") for code in data.classes) == sorted(columns)
    official = {
        Path(row["filename_lr"]).name: {code for code in columns if row[code] == 1}
        for _, row in table.iterrows()
    }
    ours = {
        record: {code.strip("_") for code in codes}
        for record, codes in zip(data.names, truth(data), strict=True)
    }
    assert not set(official) - set(ours)
    assert len(set(ours) - set(official)) == added
    assert sum(ours[record] != official[record] for record in official) == changed


def test_every_task_has_its_label_set():
    assert {task: len(load_label_set(task).classes) for task in TASKS} == SIZES
    assert set(FOLDS) == {"train", "val", "test", "all"}


def test_csn_counts_whole_codes_and_has_sinus_bradycardia(tmp_path):
    layouts.csn(tmp_path, {
        "JS00001": "426177001,164934002", "JS00002": "164890007", "JS00003": "427084000,164909002",
        "JS00004": "164889003", "JS00005": "733534002",
    })  # fmt: skip
    data = load_task("csn", tmp_path, "all")
    assert data.names == ("JS00001", "JS00002", "JS00003", "JS00004")  # a code that is not named is no class
    assert truth(data) == [{"SB", "TWC"}, {"AF"}, {"ST", "LBBB"}, {"AFIB"}]  # flutter, tachycardia
    assert not data.labels[:, data.classes.index("LFBBB")].any()  # of the same code as LBBB


def test_georgia_scores_complete_blocks_and_premature_beats_as_the_challenge_does(tmp_path):
    layouts.challenge_record(tmp_path / "E00001", "713427006,63593006")
    layouts.challenge_record(tmp_path / "E00002", "164873001")
    data = load_task("georgia", tmp_path, "all")
    assert (data.names, truth(data)) == (("E00001",), [{"RBBB", "PAC"}])


@pytest.fixture
def mitbih(tmp_path) -> Path:
    marks = [*layouts.MITBIH_NOTES, (100, "N", ""), (7300, "V", "")]
    return layouts.mitbih(tmp_path / "mitbih", 101, marks)


def test_windows_of_mitbih_by_beat_and_rhythm(mitbih):
    data = load_task("mitbih-aami", mitbih, "train", allow_missing=True)
    assert (data.names, truth(data)) == (("101/000", "101/002"), [{"N"}, {"V"}])
    assert len(data.missing) == 10 * 180
    data = load_task("mitbih-rhythm", mitbih.parent, "train", allow_missing=True)
    assert [truth(data)[i] for i in (0, 2, 3, 4)] == [{"N"}, {"N", "AFIB"}, {"AFIB"}, {"N"}]
    assert len(data) == 180


def test_a_lead_stands_in_for_another_only_by_name(mitbih):
    data = load_task("mitbih-aami", mitbih, "train", allow_missing=True)
    assert data.read(0).leads == ("MLII", "V1")
    data = load_task("mitbih-aami", mitbih, "train", allow_missing=True, lead_as={"MLII": "II"})
    assert data.read(0).leads == ("II", "V1")
    with pytest.raises(RecordError, match="names a lead twice"):
        load_task("mitbih-aami", mitbih, "train", allow_missing=True, lead_as={"MLII": "V1"}).read(0)


def test_missing_records_are_listed_and_left_out_only_when_allowed(tmp_path):
    layouts.csn(tmp_path, {f"JS0000{n}": "426177001" for n in range(1, 5)})
    (tmp_path / "WFDBRecords/00/000/JS00002.mat").unlink()
    (tmp_path / "WFDBRecords/00/000/JS00003.hea").unlink()
    with pytest.raises(
        DataError, match=r"2 of 4 records have no .hea, .mat or no labels in .*JS00002, JS00003;"
    ):
        load_task("csn", tmp_path, "all")
    data = load_task("csn", tmp_path, "all", allow_missing=True)
    assert (data.names, data.missing) == (("JS00001", "JS00004"), ("JS00002", "JS00003"))
    assert len(data.labels) == len(data.patients) == len(data.rows) == 2


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_patients_stay_in_one_split(tmp_path, split):
    codes = {f"A{n:05d}": (f"S{n // 3}", "1") for n in range(60)}
    root = layouts.sph(tmp_path / "sph", codes)
    mine = set(load_task("sph", root, split).patients)
    others = [
        set(load_task("sph", root, other).patients) for other in ("train", "val", "test") if other != split
    ]
    assert mine
    assert not mine & set.union(*others)


def test_hdf5_records_come_in_the_tables_order(tmp_path):
    root = layouts.code15(tmp_path / "c", [
        (11, 1, "exams_part0.hdf5", 5), (12, 2, "exams_part0.hdf5", -1), (13, 3, "exams_part0.hdf5", 0),
    ])  # fmt: skip
    data = load_task("code15", root, "all")
    assert truth(data) == [{"AF"}, {"1dAVb"}]  # who has none of the six is left out, as on every data set
    assert [data.read(i).name for i in range(2)] == list(data.names) == ["11", "13"]


@pytest.mark.realdata
def test_real_samples_of_the_other_data_sets(merl_data):
    samples = merl_data / "challenge-2021-samples"
    for task, count, label, positives in (
        ("cpsc2018", 8, "CRBBB", 3), ("csn", 26, "SB", 9), ("georgia", 22, "NSR", 6),
    ):  # fmt: skip
        data = load_task(task, samples, "all")
        assert len(data) == count
        assert data.labels[:, data.classes.index(label)].sum() == positives
        assert {data.read(i).sampling_rate for i in range(len(data))} == {500}
    data = load_task("mitbih-aami", merl_data, "val")
    assert len(data) == 1969
    assert data.labels.sum(0).tolist() == [1951, 194, 623, 163, 5]
    assert data.read(0).leads == ("MLII", "V1")
    with pytest.raises(DataError, match=r"3960 of 3960 records have no .hea, .dat, .atr"):
        load_task("mitbih-aami", merl_data, "test")
