"""Every class of the benchmarks has its entry, compared with the data sets' own files."""

import csv
import os
from collections import Counter
from pathlib import Path

import pytest

from merl.knowledge.coverage import coverage
from merl.knowledge.index import KnowledgeIndex
from merl.label_sets import LabelClass, LabelSet, load_label_set, shipped_label_sets

#: Classes of the issue's label systems, counted in their files.
COUNTS = {
    "challenge2021": 133,
    "code15": 6,
    "cpsc2018": 9,
    "csn": 63,
    "georgia": 23,
    "ludb": 57,
    "mitbih-aami": 5,
    "mitbih-beats": 21,
    "mitbih-rhythm": 15,
    "ptbxl-all": 71,
    "ptbxl-form": 19,
    "ptbxl-rhythm": 12,
    "ptbxl-sub": 23,
    "ptbxl-super": 5,
    "sph": 44,
}


@pytest.fixture(scope="module")
def index():
    return KnowledgeIndex.default()


def rows(name):
    with (Path(os.environ["MERL_DATA"]) / name).open(encoding="utf-8-sig") as lines:
        return list(csv.DictReader(lines))


def test_every_class_of_every_label_set_has_one_entry(index):
    found = coverage(index, map(load_label_set, shipped_label_sets()))
    assert {row.label_set: row.with_entry for row in found} == COUNTS
    assert {row.missing for row in found} == {()}
    assert all(row.with_numbers <= row.with_entry == row.classes for row in found)


def test_a_class_without_an_entry_is_named(index):
    labels = LabelSet(name="mine", classes={"ZZ": LabelClass(name="xylophone"), "YY": LabelClass(name="PVC")})
    (row,) = coverage(index, [labels])
    assert (row.classes, row.with_entry, row.with_numbers, row.missing) == (2, 1, 1, ("ZZ",))


def test_one_code_means_other_things_in_other_sets(index):
    meant = {
        (name, code): [entry.id for entry in index.lookup(code, load_label_set(name))]
        for name in ("csn", "challenge2021", "code15", "ludb")
        for code in ("AF", "ST")
        if code in load_label_set(name).classes
    }
    assert meant["csn", "AF"] == ["AFLT"]
    assert meant["csn", "ST"] == meant["code15", "ST"] == ["STACH"]
    assert meant["challenge2021", "AF"] == meant["code15", "AF"] == ["AFIB"]
    infarcts = index.lookup("164865005", load_label_set("csn"))  # five conditions share this code
    assert {entry.id for entry in infarcts} == {"MI", "PMI", "AMI", "IMI", "LMI"}


@pytest.mark.realdata
def test_the_conditions_of_chapman_shaoxing_ningbo_are_those_of_its_file():
    published = rows("challenge-2021-samples/ConditionNames_SNOMED-CT.csv")
    ours = load_label_set("csn").classes
    assert {
        row["AcronymName"]: (" ".join(row["FullName"].split()), row["Snomed_CT"]) for row in published
    } == {code: (item.name, item.snomed) for code, item in ours.items()}


@pytest.mark.realdata
def test_the_diagnoses_of_the_challenge_are_those_of_its_mapping(index):
    published = [
        row
        for part in ("scored", "unscored")
        for row in rows(f"challenge-2021-samples/dx_mapping_{part}.csv")
    ]
    ours = load_label_set("challenge2021")
    assert {row["Abbreviation"]: (" ".join(row["Dx"].split()), row["SNOMEDCTCode"]) for row in published} == {
        code: (item.name, item.snomed) for code, item in ours.classes.items()
    }
    for row in published:  # the entry carries the code itself
        (entry,) = index.lookup(row["SNOMEDCTCode"], ours)
        assert row["SNOMEDCTCode"] in entry.codes.snomed


@pytest.mark.realdata
def test_the_statements_of_ptbxl_are_those_of_its_file(index):
    published = {row[""]: row["description"] for row in rows("ptb-xl/scp_statements.csv")}
    ours = load_label_set("ptbxl-all")
    assert published == {code: item.name for code, item in ours.classes.items()}
    for code in published:
        assert code in index.lookup(code, ours)[0].codes.scp


def test_the_beats_of_mitbih_are_named_as_wfdb_names_them():
    from wfdb.io.annotation import ann_labels

    named = {label.symbol: label.description for label in ann_labels}
    ours = load_label_set("mitbih-beats").classes
    assert {code: named[code] for code in ours} == {code: item.name for code, item in ours.items()}


@pytest.mark.realdata
def test_every_beat_and_rhythm_of_the_mitbih_records_is_a_class():
    import wfdb

    beats, rhythms = Counter(), Counter()
    for path in sorted((Path(os.environ["MERL_DATA"]) / "mitbih").glob("*.atr")):
        annotation = wfdb.rdann(str(path.with_suffix("")), "atr")
        beats.update(annotation.symbol)
        rhythms.update(note.strip("\x00(") for note in annotation.aux_note if note.startswith("("))
    marks = set('+~|"[]sT')  # of rhythm, noise, artefacts and comments
    assert set(beats) - marks <= load_label_set("mitbih-beats").classes.keys()
    assert set(rhythms) <= load_label_set("mitbih-rhythm").classes.keys()
    assert beats.total() > 10_000
