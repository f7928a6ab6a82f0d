import pandas as pd
import pytest

from merl.datasets.audit import audit
from merl.datasets.tasks import load_task
from merl.errors import DataError, UsageError
from tests import layouts

CSN = {"train": [("JS00001", "AFIB,SB", "AF AFIB"), ("JS00002", "AF", "AF"), ("JS00009", "SR", "SR")],
       "val": [("JS00003", "SR,TWC", "SR TWC")], "test": [("JS00004", "ST", "ST")]}  # fmt: skip
COLUMNS = ["SR", "AF", "AFIB", "ST", "TWC"]


@pytest.fixture
def release(tmp_path):
    """A release in which AF is marked where AFIB is, and the training table of superclasses is permuted."""
    root = tmp_path / "merl-official"
    for split, rows in CSN.items():
        table = pd.DataFrame(
            [
                [
                    f"/chapman/WFDBRecords/00/000/{name}.mat",
                    12,
                    listed,
                    *(int(c in marked.split()) for c in COLUMNS),
                ]
                for name, listed, marked in rows
            ],
            columns=["ecg_path", "age", "diagnose", *COLUMNS],
        )
        save(table, root / f"data_split/chapman/chapman_{split}.csv")
    orders = {"train": "HYP MI NORM CD STTC", "val": "HYP NORM MI CD STTC", "test": "HYP NORM MI CD STTC"}
    for split, number in {"train": 1, "val": 25, "test": 28}.items():
        columns = orders[split].split()
        name = f"records100/00000/{number:05d}_lr"
        marks = [int(code == "NORM") for code in columns]
        row = [number, 1000 + number, 1, name, name.replace("lr", "hr"), "['NORM']", *marks]
        facts = ["ecg_id", "patient_id", "strat_fold", "filename_lr", "filename_hr", "super_class"]
        table = pd.DataFrame([row], columns=[*facts, *columns])
        save(table, root / f"data_split/ptbxl/super_class/ptbxl_super_class_{split}.csv")
    return root


def save(table, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(path, index=False)


def test_columns_are_compared_with_the_releases_own_lists(release):
    found = {item.task: item for item in audit(release)}
    assert set(found) == {"csn", "ptbxl-super"}
    csn = found["csn"]
    assert (csn.records, csn.published) == (5, 45152)
    assert csn.columns["AF"].model_dump() == {"release": 2, "exact": 1, "wrong": 1, "missed": 0}
    assert {code for code, column in csn.columns.items() if column.wrong or column.missed} == {"AF"}
    assert csn.without_column == {"SB": 1}
    assert found["ptbxl-super"].moved == ("MI", "NORM")
    assert csn.moved == ()


def test_columns_are_compared_with_a_data_set_that_is_there(release, tmp_path, tiny_ptbxl):
    data = tmp_path / "data"
    codes = {"JS00001": "164889003,426177001", "JS00002": "164890007"}
    layouts.csn(data / "csn", codes | dict.fromkeys(("JS00003", "JS00005"), "426783006"))
    (data / "ptb-xl").symlink_to(tiny_ptbxl)
    found = {item.task: item for item in audit(release, data)}
    csn = found["csn"]
    assert (csn.compared, csn.not_in_release) == (3, 1)
    differing = {code: (c.wrong, c.missed) for code, c in csn.against_data.items() if c.wrong or c.missed}
    assert differing == {"AF": (1, 0), "SB": (0, 1), "TWC": (1, 0)}
    assert found["ptbxl-super"].compared == 3
    assert not [c for c in found["ptbxl-super"].against_data.values() if c.wrong or c.missed]


def test_a_data_set_that_cannot_be_compared_says_why(release, tmp_path):
    layouts.csn(tmp_path / "data", {"JS00001": "164889003"})
    (tmp_path / "data/ConditionNames_SNOMED-CT.csv").write_text("a,b\n1,2\n")
    csn = next(item for item in audit(release, tmp_path / "data") if item.task == "csn")
    assert csn.note.startswith("CSN was not compared: ")
    assert csn.compared == 0


def test_the_compatible_labels_are_the_releases_as_they_are(release, tmp_path, tiny_ptbxl):
    layouts.csn(tmp_path / "csn", dict.fromkeys(("JS00001", "JS00002", "JS00009"), "426783006"))
    data = load_task("csn", tmp_path / "csn", "train", labels="merl-compat", official=release)
    assert data.truth == "merl-compat"
    assert data.names == ("JS00001", "JS00002", "JS00009")
    marked = [{data.classes[i] for i in row.nonzero()[0]} for row in data.labels]
    assert marked == [{"AF", "AFIB"}, {"AF"}, {"SR"}]
    permuted = load_task("ptbxl-super", tiny_ptbxl, "train", labels="merl-compat", official=release)
    assert permuted.labels[0].tolist() == [c == "NORM" for c in permuted.classes]  # by name, not by place


def test_records_of_the_release_that_are_not_there_are_missing(release, tmp_path):
    layouts.csn(tmp_path / "csn", {"JS00002": "426783006"})
    with pytest.raises(DataError, match=r"2 of 3 records have no .*JS00001, JS00009; complete"):
        load_task("csn", tmp_path / "csn", "train", labels="merl-compat", official=release)
    data = load_task(
        "csn", tmp_path / "csn", "train", labels="merl-compat", official=release, allow_missing=True
    )
    assert (data.names, data.missing) == (("JS00002",), ("JS00001", "JS00009"))


def test_wrong_use(release, tmp_path, tiny_ptbxl):
    with pytest.raises(UsageError, match="give the folder that holds its data_split"):
        load_task("ptbxl-super", tiny_ptbxl, "val", labels="merl-compat")
    with pytest.raises(DataError, match="there is no data_split of MERL's release"):
        audit(tmp_path / "nowhere")
    layouts.challenge_record(tmp_path / "g/E00001", "426783006")
    with pytest.raises(UsageError, match="does not have the task georgia"):
        load_task("georgia", tmp_path / "g", "all", labels="merl-compat", official=release)
    table = release / "data_split/chapman/chapman_train.csv"
    table.write_text(table.read_text().replace(",TWC", ",TWV"))
    with pytest.raises(DataError, match="has the columns TWV, which are no class"):
        audit(release)
    table.write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="names no records"):
        audit(release)


@pytest.mark.realdata
def test_the_official_files_have_the_known_defects(merl_data):
    found = {item.task: item for item in audit(merl_data, merl_data)}
    csn = found["csn"]
    wrong = {c: (v.release, v.exact) for c, v in csn.columns.items() if v.wrong or v.missed}
    assert wrong == {
        "VB": (916, 3), "AVB": (913, 176), "AF": (4753, 3340), "ST": (6338, 5154),
        "SA": (2828, 2107), "CR": (216, 75), "2AVB": (38, 22),
    }  # fmt: skip
    assert (len(csn.columns), csn.without_column["SB"]) == (38, 3903)
    assert (csn.records, csn.published) == (23026, 45152)
    assert set(found["ptbxl-sub"].moved) == {"_AVB", "ISC_", "RAO/RAE"}
    assert not any(item.moved for task, item in found.items() if task != "ptbxl-sub")
    rhythm = found["ptbxl-rhythm"]
    assert rhythm.compared == 18932
    assert not [c for c in rhythm.against_data.values() if c.wrong or c.missed]
