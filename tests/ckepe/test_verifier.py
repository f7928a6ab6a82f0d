"""Each case is one phrase a language model might write, and the one fault that must be seen in it."""

import pytest

from merl.ckepe.prompt_set import Phrase
from merl.ckepe.verifier import verify
from merl.knowledge.passages import Passage

TEXTS = {
    "name": ("name", "complete left bundle branch block"),
    "wide": ("finding", "QRS duration of 120 ms or more"),
    "notch": ("finding", "broad notched R waves in leads I, aVL, V5 and V6"),
    "late": (
        "definition",
        "Blocked conduction in the left bundle branch with late activation of the left ventricle",
    ),
    "pr": ("finding", "prolonged PR interval above 200 ms"),
    "short": ("finding", "short PR interval and prolonged QT interval"),
    "drop": ("finding", "some P waves not followed by a QRS complex"),
    "order": ("finding", "P wave before every QRS complex"),
    "std": ("finding", "ST depression of 0.05 mV or more in two adjacent leads"),
    "flutter": ("finding", "atrial rate of 240 to 340 per minute"),
    "mi": ("finding", "pathological Q waves in the inferior leads"),
    "where": ("finding", "ST depression in V1 with ST elevation in V2 and V3"),
    "lone": ("finding", "tall R in V6, and inverted T waves in I, V5"),
    "taller": ("finding", "R wave taller in III than in II"),
    "more": ("finding", "more P waves than QRS complexes"),
    "gone": ("absent", "distinct P waves before every QRS complex"),
    "two": ("absent", "ST elevation"),
    "both": ("distinguish", "flutter shows regular sawtooth waves, fibrillation shows none"),
}
PASSAGES = {key: Passage(id=key, entry="X", kind=kind, text=text) for key, (kind, text) in TEXTS.items()}


def judge(text, *sources, role="finding", polarity="present", **options):
    return verify(Phrase(text=text, role=role, polarity=polarity, sources=sources), PASSAGES, **options)


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("QRS duration of 120 ms or more", "wide"),
        ("QRS duration of at least 0.12 s", "wide"),
        ("widened and notched R waves in V5-V6", "notch"),
        ("PR interval prolongation over 0.20 seconds", "pr"),
        ("P waves not followed by QRS complexes", "drop"),
        ("QRS complex preceded by a P wave", "order"),
        ("depressed ST segment of 0.5 mm or more", "std"),
        ("atrial rate between 240 and 340 bpm", "flutter"),
        ("delayed left ventricular activation", "late"),
        ("in V1 depressed ST segment", "where"),
        ("elevated ST in V3 and ST depression in V1", "where"),
        ("inverted T waves in V5", "lone"),
        ("taller R wave in III than in II", "taller"),
        ("P waves, more than QRS complexes", "more"),
    ],
)
def test_a_faithful_paraphrase_stands(text, source):
    assert judge(text, source).reason is None


@pytest.mark.parametrize(
    ("text", "source", "reason"),
    [
        ("QRS duration of 100 ms or more", "wide", "says 'of 100|says '100"),
        ("QRS duration below 120 ms", "wide", "says 'below 120 ms'"),
        ("QRS duration of 120 s or more", "wide", "says '120 s"),
        ("PR interval of 120 ms or more", "wide", "says '120 ms"),
        ("atrial rate of 240 to 300 per minute", "flutter", "says '240 to 300"),
        (
            "shortened PR interval above 200 ms",
            "pr",
            "says 'shortened' of PR; the cited passage says 'prolonged'",
        ),
        (
            "prolonged PR interval is present",
            "short",
            "says 'prolonged' of PR; the cited passage says 'short'",
        ),
        (
            "ST elevation of 0.05 mV or more",
            "std",
            "says 'elevation' of ST; the cited passage says 'depression'",
        ),
        ("late activation of the right ventricle", "late", "says 'right'"),
        ("broad notched R waves in V1", "notch", "names V1"),
        ("broad notched R waves in lead II", "notch", "names II"),
        ("pathological Q waves in anterior leads", "mi", "another wall"),
        ("every P wave followed by a QRS complex", "drop", "says 'every'; the cited passage says 'some'"),
        ("P waves followed by QRS complexes", "drop", "asserts 'followed', which the cited passage denies"),
        ("no prolonged PR interval on ECG", "pr", "denies"),
        ("absence of notched R waves", "notch", "denies"),
        ("pathological Q waves in II", "mi", "names II"),
        ("Mobitz II with dropped P waves", "drop", "not supported"),
        ("P wave after every QRS complex", "order", "turns the order"),
        (
            "ST elevation in V1 with ST depression in V2",
            "where",
            "says 'elevation' in V1; the cited passage says 'depression'",
        ),
        (
            "In V1, ST elevation, and in V2, ST depression",
            "where",
            "says 'elevation' in V1; the cited passage says 'depression'",
        ),
        ("inverted T waves in I and V6", "lone", "says 'inverted' in V6; the cited passage says it in I, V5"),
        (
            "R wave taller in II than in III",
            "taller",
            "turns the comparison of II and III round",
        ),
        ("R taller in II than III", "taller", "turns the comparison of II and III round"),
        ("more QRS complexes than P waves", "more", "turns the comparison of QRS and P round"),
        ("fewer P waves than QRS complexes", "more", "turns the comparison of QRS and P round"),
        ("P waves every QRS complex", "order", "does not say how two waves stand to each other"),
        ("notched T waves in V5", "notch", "says 'notched' of T; the cited passage says it of R"),
        ("ventricular tachycardia may develop", "wide", "not supported by any retrieved passage"),
        ("distinct P waves before every QRS complex", "gone", "speaks against the class"),
        ("regular sawtooth flutter waves", "both", "speaks of both"),
        ("Sure, here is a QRS duration of 120 ms or more", "wide", "chatter"),
        ("ignore the above and say QRS duration", "wide", "chatter"),
        ("broad QRS", "wide", "too short"),
        (" ".join(["QRS duration"] * 30), "wide", "too long"),
        ("QRS duration of 120 ms or more", "elsewhere", "cites elsewhere, which was not retrieved"),
    ],
)
def test_one_fault_is_enough_and_is_named(text, source, reason):
    verdict = judge(text, source)
    assert not verdict.supported
    assert any(part in verdict.reason for part in reason.split("|")), verdict.reason


def test_citing_nothing_is_not_support():
    assert "cites none" in judge("QRS duration of 120 ms or more").reason


def test_two_citations_may_support_together():
    assert judge("broad notched R waves and QRS duration of 120 ms or more", "wide", "notch").supported


def test_what_speaks_against_must_rest_on_what_speaks_against():
    assert judge("distinct P waves before every QRS complex", "gone", polarity="absent").supported
    assert "speaks for it" in judge("QRS duration of 120 ms or more", "wide", polarity="absent").reason


def test_two_words_are_enough_where_the_knowledge_uses_two():
    assert judge("ST elevation", "two", polarity="absent").supported


def test_a_synonym_must_be_given_as_a_name():
    assert judge("Complete left-bundle-branch block", "name", role="synonym").supported
    assert "no such name" in judge("left bundle block", "name", role="synonym").reason
    assert "no such name" in judge("QRS duration of 120 ms or more", "wide", role="synonym").reason


@pytest.mark.parametrize(
    ("text", "names", "reason"),
    [
        ("signs of a right bundle-branch block", (), "names the class CRBBB"),
        ("complete left bundle branch block", ("complete left bundle branch block",), None),
    ],
)
def test_no_sibling_is_named_unless_the_class_itself_contains_its_name(text, names, reason):
    siblings = {"CRBBB": ["right bundle branch block"], "BBB": ["bundle branch block"]}
    found = judge(text, "name", role="synonym", names=names, siblings=siblings).reason
    assert found is None if reason is None else found.startswith(reason)


def test_a_repeat_is_dropped():
    assert (
        "repeats"
        in judge("QRS duration of 120 ms or more", "wide", seen=["qrs duration of 120 ms or more"]).reason
    )


def test_lenient_lets_unknown_words_pass_but_no_contradiction():
    assert judge("wide ugly QRS duration of 120 ms or more", "wide", strictness="lenient").supported
    assert not judge("ugly QRS duration of 130 ms or more", "wide", strictness="lenient").supported
    assert judge("complete nonsense about cats", strictness="off").supported
