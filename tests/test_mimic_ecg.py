import csv
import shutil
from pathlib import Path

import pytest

from merl.datasets import mimic_ecg
from merl.datasets.mimic_ecg import MIMICECG
from merl.errors import DataError
from merl.readers import read_record


@pytest.fixture
def tables(tiny_mimic, tmp_path) -> Path:
    """The tables alone, to be changed."""
    root = tmp_path / "mimic-iv-ecg"
    root.mkdir()
    for name in ("record_list.csv", "machine_measurements.csv"):
        shutil.copy(tiny_mimic / name, root)
    return root


def rewrite(path, change):
    with path.open(newline="") as handle:
        rows = list(csv.reader(handle))
    change(rows)
    with path.open("w", newline="") as handle:
        csv.writer(handle).writerows(rows)


def test_records_meet_their_reports_by_study(tiny_mimic, monkeypatch):
    monkeypatch.setattr(mimic_ecg, "_CHUNK_ROWS", 7)  # the tables are in opposite orders
    pairs, left_out = MIMICECG(tiny_mimic.parent).reports()
    assert [row for row, _, _ in pairs] == list(range(40))
    assert pairs[0][2] == "Sinus rhythm. Left axis deviation. Abnormal ECG. Rate 60"
    assert pairs[3][2] == "Atrial fibrillation. Low voltage. Rate 63"
    assert pairs[3][1] == f"{tiny_mimic}/files/p1000/p10000001/s40000021/40000021"
    assert left_out == {
        "report of fewer than 4 words": 1,
        "record without a report": 1,
        "report without a record": 1,
    }


def test_leads_come_by_name(tiny_mimic, simulated):
    record = read_record(MIMICECG(tiny_mimic).reports()[0][5][1])
    assert record.leads[3:6] == ("aVR", "aVF", "aVL")
    assert record.sampling_rate == 500
    assert record.signal[4] == pytest.approx(simulated(rate=500, seed=5)[5], abs=0.0026)  # gain 200


@pytest.mark.parametrize(
    ("table", "change", "sentence"),
    [
        ("record_list.csv", lambda rows: rows[0].__setitem__(4, "file"), "lacks the columns path"),
        (
            "machine_measurements.csv",
            lambda rows: rows[0].__setitem__(21, "x"),
            "lacks the columns report_17",
        ),
        ("machine_measurements.csv", lambda rows: rows[3].__setitem__(1, ""), "cannot read .*get it again"),
        ("machine_measurements.csv", lambda rows: rows.append(rows[1]), "has 1 rows of a study that another"),
        (
            "record_list.csv",
            lambda rows: rows.extend(rows[1:3]),
            "has 2 rows of a study that another row has",
        ),
    ],
)
def test_a_damaged_table_is_refused(tables, table, change, sentence):
    rewrite(tables / table, change)
    with pytest.raises(DataError, match=sentence) as caught:
        MIMICECG(tables).reports()
    assert table in str(caught.value)


def test_missing_things_are_named(tables, tmp_path):
    (tables / "record_list.csv").unlink()
    with pytest.raises(
        DataError, match=r"record_list\.csv is missing; complete the download of MIMIC-IV-ECG"
    ):
        MIMICECG(tables).reports()
    with pytest.raises(DataError, match="there is no MIMIC-IV-ECG in"):
        MIMICECG(tmp_path / "elsewhere")
