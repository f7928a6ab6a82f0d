import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from merl.datasets.ptbxl import FOLDS
from merl.datasets.tasks import TASKS, get_task, load_task
from merl.errors import DataError, UsageError
from merl.label_sets import load_label_set

SIZES = {"ptbxl-super": 5, "ptbxl-sub": 23, "ptbxl-form": 19, "ptbxl-rhythm": 12}


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
    assert set(FOLDS) == {"train", "val", "test"}
