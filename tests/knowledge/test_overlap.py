import pytest

from merl.knowledge.entries import load_entries
from merl.knowledge.overlap import find_overlap
from merl.label_sets import LabelClass, LabelSet, load_label_set


def overlap(source, target):
    return find_overlap(load_label_set(source), load_label_set(target), load_entries())


def sources(source, target):
    return {code: set(item.sources) for code, item in overlap(source, target).classes.items()}


def test_superclasses_stand_for_what_is_a_kind_of_them():
    assert sources("ptbxl-super", "cpsc2018") == {
        "NORM": {"NORM"}, "AFIB": set(), "1AVB": {"CD"}, "CLBBB": {"CD"}, "CRBBB": {"CD"}, "PAC": set(),
        "VPC": set(), "STD": {"STTC"}, "STE": {"STTC"},
    }  # fmt: skip


def test_kinds_stand_for_what_they_are_kinds_of_and_the_highest_counts():
    found = overlap("cpsc2018", "ptbxl-super").classes
    assert set(found["CD"].sources) == {"1AVB", "CLBBB", "CRBBB"}
    assert found["CD"].take == "highest"
    assert found["HYP"].sources == ()


def test_the_same_concept_hides_kinds_and_what_it_is_a_kind_of():
    found = sources("ptbxl-rhythm", "mitbih-rhythm")
    assert found["AFIB"] == {"AFIB"}  # and not SVARR, which it is a kind of
    assert found["N"] == {"SR"}


def test_of_several_that_it_is_a_kind_of_the_nearest_count_and_the_lowest_score_of_them():
    item = overlap("ptbxl-rhythm", "mitbih-rhythm").classes["AB"]
    assert (set(item.sources), item.take) == ({"BIGU", "SVARR"}, "lowest")


def test_every_pair_has_its_reason():
    found = overlap("ptbxl-super", "cpsc2018").classes
    assert found["NORM"].reason == "the same concept, normal ECG [NORM] (SCP-ECG NORM)"
    assert found["1AVB"].reason == "first degree AV block [1AVB] is a kind of conduction disturbance [CD]"
    assert found["PAC"].reason.startswith("no class of ptbxl-super is atrial premature complex [PAC]")
    assert (
        "are kinds of conduction disturbance [CD]" in overlap("cpsc2018", "ptbxl-super").classes["CD"].reason
    )


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (LabelClass(name="flutter", snomed="164890007"), ("AFLT",)),  # known by its code alone
        (LabelClass(name="flutter"), ()),
        (LabelClass(name="flutter", snomed="1"), ()),
    ],
)
def test_a_class_without_an_entry_is_known_by_its_code(item, expected):
    mine = LabelSet(name="mine", classes={"X": item})
    found = find_overlap(load_label_set("ptbxl-rhythm"), mine, load_entries()).classes["X"]
    assert found.sources == expected
    assert expected or found.reason == "no knowledge entry says what it is"


def test_entries_that_share_a_code_of_diagnoses_are_no_same_concept():
    """LBBB and CLBBB share an ICD-10 code, and LVH and RVH."""
    found = overlap("ptbxl-sub", "csn").classes
    assert found["LVH"].sources == ("LVH",)
    assert set(found["LBBB"].sources) == {"CLBBB", "ILBBB"}
