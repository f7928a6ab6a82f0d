import pytest

from merl.knowledge.wording import addition, conflict, read_wording


@pytest.mark.parametrize(
    ("text", "leads"),
    [
        ("ST elevation in leads II, III and aVF", {"II", "III", "aVF"}),
        ("T inversion in V1-V4", {"V1", "V2", "V3", "V4"}),
        ("tall R in V5 to V6 and I", {"V5", "V6"}),
        ("Q waves in I and V6", {"I", "V6"}),
        ("P wave in II above", {"II"}),
        ("AV block, Mobitz type II", set()),
        ("AV block of I degree", set()),
    ],
)
def test_leads_are_told_from_numerals(text, leads):
    assert read_wording(text).leads >= leads
    assert bool(read_wording(text).leads) == bool(leads)


@pytest.mark.parametrize(
    ("text", "negated"),
    [
        ("no P waves", True),
        ("absence of P waves", True),
        ("P waves are absent", True),
        ("P waves before every QRS", False),
        ("without QRS widening, P waves present", False),
    ],
)
def test_negation_reaches_to_the_end_of_its_clause(text, negated):
    assert ("p", negated) in read_wording(text).words


@pytest.mark.parametrize(
    ("one", "two", "group"),
    [
        ("left bundle branch block", "right bundle branch block", "side"),
        ("complete RBBB", "incomplete RBBB", "completeness"),
        ("long QT", "shortened QT interval", "length"),
        ("1st degree AV block", "second-degree AV block", "degree"),
        ("inferior infarction", "inferolateral infarction", "wall"),
        ("atrial tachycardia", "ventricular tachycardia", "chamber"),
        ("left bundle branch block", "LBBB, complete", None),
    ],
)
def test_names_that_exclude_each_other(one, two, group):
    assert conflict(one, two) == group


def test_a_name_that_says_more_is_another_concept():
    assert addition("infarction of the lower wall", "inferior infarction") == "wall"
    assert addition("bundle branch block", "left bundle branch block") == "side"
    assert addition("left bundle branch block", "bundle branch block, left") is None
