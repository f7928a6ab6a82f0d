from merl.ckepe.linter import lint
from merl.ckepe.prompt_set import Phrase
from merl.ckepe.repairing import THIN, repair
from tests.ckepe.hand import by_hand


def texts(prompts, code):
    return [phrase.text for phrase in prompts.classes[code].prompts]


def reasons(prompts, code):
    return {line.text: line.reason for line in prompts.classes[code].rejected}


def test_what_stands_is_cited_what_does_not_is_rejected_and_the_thin_are_refilled(index):
    given = by_hand(
        A=(
            "atrial fibrillation",
            "irregularly irregular RR intervals",
            "delta wave",
            "Sure, here you are",
        ),
        S=("sinus rhythm", "atrial fibrillation"),
    )
    mended = repair(given, index=index)
    assert texts(mended, "A")[:2] == ["atrial fibrillation", "irregularly irregular RR intervals"]
    assert mended.classes["A"].prompts[1].sources == ("ecg:AFIB#findings/0",)
    assert set(reasons(mended, "A")) == {"delta wave", "Sure, here you are"}
    assert set(reasons(mended, "S")) == {"atrial fibrillation"}
    assert all(reasons(mended, "S").values())
    for code in mended.classes:
        assert len(mended.classes[code].present) >= THIN
        assert all(phrase.sources for phrase in mended.classes[code].prompts)
    assert mended.classes["A"].absent == ["distinct P waves before every QRS complex"]  # it was thin too
    assert (mended.generator.verify, mended.generator.index_sha256) == ("strict", index.sha256)
    assert lint(mended, index=index) == []


def test_a_class_with_enough_is_not_refilled(index):
    kept = [
        "QRS duration of 120 ms or more",
        "rsR' pattern in V1 or V2 with the second R wave taller",
        "broad S waves in leads I and V6",
    ]
    mended = repair(by_hand(R=("complete right bundle branch block", *kept[1:])), index=index)
    assert texts(mended, "R") == ["complete right bundle branch block", *kept[1:]]
    assert mended.classes["R"].prompts[0].role == "name"


def test_kinds_stay_as_subtypes_and_joined_strings_are_cut(index):
    joined = "atrial flutter, atrial fibrillation, martian rhythm"
    mended = repair(by_hand("imported", A=("supraventricular arrhythmia", joined)), index=index)
    kinds = [phrase for phrase in mended.classes["A"].prompts if phrase.role == "subtype"]
    assert [(phrase.text, phrase.sources) for phrase in kinds] == [
        ("atrial flutter", ("ecg:AFLT#name",)),
        ("atrial fibrillation", ("ecg:AFIB#name",)),
    ]
    assert set(reasons(mended, "A")) == {"martian rhythm"}


def test_what_speaks_for_two_classes_goes_from_both(index):
    finding = "QRS duration of 120 ms or more"
    mended = repair(
        by_hand(
            L=("complete left bundle branch block", finding),
            R=("complete right bundle branch block", finding),
        ),
        index=index,
    )
    assert finding not in texts(mended, "L") + texts(mended, "R")
    assert reasons(mended, "L")[finding] == "shared with the class R of the same label set"
    assert reasons(mended, "R")[finding] == "shared with the class L of the same label set"


def test_a_class_nobody_knows_keeps_its_name_alone(index):
    mended = repair(by_hand(X=("martian drift", "green waves in V1")), index=index)
    assert texts(mended, "X") == ["martian drift"]
    assert reasons(mended, "X") == {"green waves in V1": "no knowledge found for this class"}


def test_a_false_name_is_no_name(index):
    given = by_hand(A=("atrial fibrillation", Phrase(text="delta wave syndrome", role="name")))
    mended = repair(given, index=index)
    assert texts(mended, "A")[0] == "atrial fibrillation"
    assert "delta wave syndrome" in reasons(mended, "A")


def test_an_edit_by_hand_stays_known(index):
    edited = Phrase(text="irregularly irregular RR intervals", edited=True)
    mended = repair(by_hand(A=("atrial fibrillation", edited)), index=index)
    assert [phrase.edited for phrase in mended.classes["A"].prompts if phrase.text == edited.text] == [True]
