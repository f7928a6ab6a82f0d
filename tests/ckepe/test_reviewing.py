import datetime
import json

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from merl.ckepe.prompt_set import ClassPrompts, Generator, Phrase, PromptSet, Rejected
from merl.ckepe.reviewing import (
    LONGEST,
    SHEET,
    ChangedMeanwhileError,
    ReviewSheet,
    apply_review,
    check_comments,
    fit,
    save_review,
)
from merl.ckepe.signatures import Mark, Review
from merl.errors import PromptError
from merl.files import sha256

DAY = datetime.date(2026, 1, 31)
ANNA, BERT = "A. Example, cardiologist", "B. Example, nurse"


@pytest.fixture
def path(tmp_path):
    phrases = (
        Phrase(text="atrial fibrillation", role="name", sources=("ecg:AFIB#name",)),
        Phrase(text="irregular RR intervals", sources=("ecg:AFIB#findings/0",)),
        Phrase(text="distinct P waves", polarity="absent", sources=("ecg:AFIB#absent/0",)),
    )
    classes = {
        "AFIB": ClassPrompts(
            name="atrial fibrillation", prompts=phrases, rejected=(Rejected(text="x", reason="no support"),)
        ),
        "SR": ClassPrompts(name="sinus rhythm", prompts=(Phrase(text="sinus rhythm", role="name"),)),
    }
    file = tmp_path / "set.yaml"
    PromptSet(label_set="mine", generator=Generator(kind="knowledge"), classes=classes).save(file)
    return file


def sheet(path, *decisions, added=(), by=ANNA):
    data = {"schema": SHEET, "by": by, "sha256": sha256(path), "decisions": decisions, "added": added}
    return ReviewSheet.read(json.dumps(data), "the sheet")


def on(number, code="AFIB", **decision):
    return {"class": code, "number": number, **decision}


def test_a_review_is_in_the_file_and_nothing_else_changes(path):
    before = PromptSet.load(path)
    save_review(
        path,
        sheet(
            path,
            on(0, agreed=True),
            on(1, text="  irregularly\nirregular RR ", comment="better", agreed=True),
            on(2, removed=True, comment="not in flutter,\nnor in SVT"),
            added=[{"class": "SR", "text": "upright P waves in II", "agreed": True}],
        ),
        DAY,
    )
    loaded = PromptSet.load(path)
    afib, sr = loaded.classes.values()
    one, two = afib.prompts
    assert one == before.classes["AFIB"].prompts[0].model_copy(
        update={"reviews": (Mark(by=ANNA, date=DAY, agreed=True, digest=one.digest),)}
    )
    assert (two.text, two.edited, two.sources) == (
        "irregularly irregular RR",
        True,
        ("ecg:AFIB#findings/0",),
    )
    assert two.reviews == (Mark(by=ANNA, date=DAY, agreed=True, comment="better", digest=two.digest),)
    assert two.agreed == (ANNA,)
    assert afib.rejected[0] == before.classes["AFIB"].rejected[0]
    gone = afib.rejected[1]
    assert (gone.text, gone.polarity, gone.sources) == ("distinct P waves", "absent", ("ecg:AFIB#absent/0",))
    assert gone.reason == f"removed in review by {ANNA}"
    assert gone.reviews[0].comment == "not in flutter,\nnor in SVT"
    assert sr.prompts[0] == before.classes["SR"].prompts[0]
    assert (sr.prompts[1].text, sr.prompts[1].edited, sr.prompts[1].agreed) == (
        "upright P waves in II",
        True,
        (ANNA,),
    )
    assert loaded.reviewed_by == (Review(by=ANNA, date=DAY),)
    assert (loaded.label_set, loaded.generator) == (before.label_set, before.generator)
    text = path.read_text()
    assert "reviewed_by:\n- {by: 'A. Example, cardiologist', date: 2026-01-31}" in text
    assert text.count("- {text:") == 6  # a phrase is a line still


def test_marks_of_others_stay_and_ones_own_are_replaced_or_taken_back(path):
    save_review(path, sheet(path, on(1, agreed=True, comment="yes")), DAY)
    save_review(path, sheet(path, on(1, comment="only at rest"), by=BERT), DAY)
    phrase = PromptSet.load(path).classes["AFIB"].prompts[1]
    assert [(mark.by, mark.agreed, mark.comment) for mark in phrase.reviews] == [
        (ANNA, True, "yes"),
        (BERT, False, "only at rest"),
    ]
    save_review(path, sheet(path, on(1)), DAY + datetime.timedelta(1))  # Anna takes hers back
    loaded = PromptSet.load(path)
    assert [mark.by for mark in loaded.classes["AFIB"].prompts[1].reviews] == [BERT]
    assert [(review.by, review.date.day) for review in loaded.reviewed_by] == [(BERT, 31), (ANNA, 1)]


def test_a_mark_on_an_earlier_wording_does_not_count(path):
    save_review(path, sheet(path, on(1, agreed=True)), DAY)
    save_review(path, sheet(path, on(1, text="regular RR intervals"), by=BERT), DAY)
    phrase = PromptSet.load(path).classes["AFIB"].prompts[1]
    assert (phrase.agreed, [mark.by for mark in phrase.reviews]) == ((), [ANNA])
    path.write_text(path.read_text().replace("text: sinus rhythm", "text: no sinus rhythm"))
    by_hand = PromptSet.load(path).classes["SR"].prompts[0]
    assert by_hand.edited
    assert by_hand.agreed == ()


@pytest.mark.parametrize("change", [{"polarity": "absent"}, {"role": "criterion"}, {"text": "other"}])
def test_what_is_changed_is_marked_as_edited(path, change):
    phrase = apply_review(PromptSet.load(path), sheet(path, on(1, **change)), DAY).classes["AFIB"].prompts[1]
    assert phrase.edited
    assert {key: getattr(phrase, key) for key in change} == change


def test_what_is_said_again_is_not_edited(path):
    same = on(1, text="irregular RR intervals", role="finding", polarity="present", agreed=True)
    assert not apply_review(PromptSet.load(path), sheet(path, same), DAY).classes["AFIB"].prompts[1].edited


@pytest.mark.parametrize(
    ("decisions", "added", "message"),
    [
        ([on(3)], [], "no phrase 3 of a class 'AFIB'"),
        ([on(0, code="NONE")], [], "no phrase 0 of a class 'NONE'"),
        ([on(0), on(0, agreed=True)], [], "phrase 0 of the class 'AFIB' is decided on twice"),
        ([], [{"class": "NONE", "text": "x"}], "no class 'NONE' to add a phrase to"),
    ],
)
def test_decisions_on_what_is_not_there_are_refused(path, decisions, added, message):
    before = path.read_bytes()
    with pytest.raises(PromptError, match=message):
        save_review(path, sheet(path, *decisions, added=added), DAY)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"by": "  "}, "by: "),
        ({"by": None}, "by: "),
        ({"by": "Anna \x1b[2J"}, "by: a name has printable characters alone"),
        ({"by": "Anna\u202egnp"}, "by: a name has printable characters alone"),
        ({"sha256": "x"}, "sha256: "),
        ({"schema": "merl/review/v2"}, "merl/review/v1"),
        ({"verdict": 1}, "unknown key 'verdict'"),
        ({"decisions": [on(0, agree=True)]}, "unknown key 'agree'; did you mean 'agreed'?"),
        ({"decisions": [on(-1)]}, "decisions.0.number"),
        ({"decisions": [on(0, text=" ")]}, "decisions.0.text"),
        ({"decisions": [on(0, text="\x1c")]}, "decisions.0.text"),
        ({"decisions": [on(0, text=["a"])]}, "decisions.0.text"),
        ({"decisions": [on(0, comment="x" * (LONGEST + 1))]}, "decisions.0.comment"),
        ({"decisions": [on(0, role="fact")]}, "decisions.0.role"),
        ({"decisions": [on(0, comment="\ud800")]}, "decisions.0.comment"),
        ({"added": [{"class": "SR"}]}, "added.0.text"),
    ],
)
def test_a_malformed_sheet_is_refused(path, change, message):
    data = {"schema": SHEET, "by": ANNA, "sha256": sha256(path)} | change
    with pytest.raises(PromptError, match=r"^the sheet: .*") as caught:
        ReviewSheet.read(json.dumps(data), "the sheet")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b"\xff", b"[" * 100_000, b'{"by": 1' + b"0" * 5000 + b"}"]
)
def test_what_is_no_json_is_refused(text):
    with pytest.raises(PromptError, match=r"^the sheet"):
        ReviewSheet.read(text, "the sheet")


def test_a_file_changed_meanwhile_is_left_as_it_is(path):
    seen = sheet(path, on(0, agreed=True))
    path.write_text(path.read_text().replace("sinus rhythm", "normal rhythm"))
    changed = path.read_bytes()
    with pytest.raises(ChangedMeanwhileError, match=r"set\.yaml was changed by someone else"):
        save_review(path, seen, DAY)
    assert path.read_bytes() == changed
    path.unlink()
    with pytest.raises(ChangedMeanwhileError):
        save_review(path, seen, DAY)
    assert not path.exists()


def of(path, number, code="AFIB", **decision):
    """A decision that says what it is about, as the page sends it."""
    phrase = PromptSet.load(path).classes[code].prompts[number]
    said = {"text": phrase.text, "role": phrase.role, "polarity": phrase.polarity}
    return on(number, code, of=said, **decision)


def test_a_review_finds_its_phrases_after_that_of_somebody_else(path):
    first = sheet(path, of(path, 0, removed=True), of(path, 2, polarity="present"))
    second = sheet(
        path,
        of(path, 0, agreed=True),
        of(path, 1, agreed=True),
        of(path, 2, agreed=True),
        of(path, 0, "SR", comment="rate?"),
        by=BERT,
    )
    save_review(path, first, DAY)
    fitted, lost = fit(second, path)
    save_review(path, fitted, DAY)
    assert [(one.of.text, one.of.polarity) for one in lost] == [
        ("atrial fibrillation", "present"),
        ("distinct P waves", "absent"),  # it was agreed to as what speaks against the class
    ]
    afib, sr = PromptSet.load(path).classes.values()
    assert [phrase.agreed for phrase in afib.prompts] == [(BERT,), ()]
    assert sr.prompts[0].reviews[0].comment == "rate?"
    assert {review.by for review in PromptSet.load(path).reviewed_by} == {ANNA, BERT}


def test_a_phrase_that_two_reviewers_add_is_added_once(path):
    new = {"class": "SR", "text": "upright P waves", "agreed": True}
    sheets = [sheet(path, added=[new], by=by) for by in (ANNA, BERT, ANNA)]
    for one in sheets:
        save_review(path, fit(one, path)[0], DAY)
    assert [phrase.agreed for phrase in PromptSet.load(path).classes["SR"].prompts] == [(), (BERT, ANNA)]


def test_a_review_of_the_file_as_it_is_stays_as_it_is(path):
    same = sheet(path, on(0, agreed=True))
    assert fit(same, path) == (same, [])
    path.write_text(path.read_text() + "\n")
    with pytest.raises(ChangedMeanwhileError):
        fit(same, path)


def test_comments_at_the_top_are_kept_and_others_not_lost_in_silence(path):
    head = "# Ours, after the meeting.\n\n# Ask Anna. ä\n"
    path.write_text(head + path.read_text(), encoding="utf-8")
    save_review(path, sheet(path, on(0, text="a # b ' c", agreed=True)), DAY)
    assert path.read_text(encoding="utf-8").startswith(head + "schema:")
    assert check_comments(path) == head
    path.write_text(path.read_text(encoding="utf-8") + "# the end\n", encoding="utf-8")
    before = path.read_bytes()
    with pytest.raises(PromptError, match=r"has comments about line .* that saving a review would lose"):
        save_review(path, sheet(path, on(1, agreed=True)), DAY)
    assert path.read_bytes() == before


@given(st.text(min_size=1, max_size=30), st.text(max_size=30), st.text(min_size=1, max_size=30))
@example("0", "0\x850", "0")  # a line break that YAML turns into a space
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_comes_back_from_the_file(path, text, comment, by):
    start = path.read_bytes()
    try:
        given_sheet = sheet(path, on(1, text=text, comment=comment, agreed=True), by=by)
    except PromptError:
        assert not text.strip() or not by.strip() or not " ".join(by.split()).isprintable()
        return
    try:
        reviewed = save_review(path, given_sheet, DAY)
        assert PromptSet.load(path) == reviewed.model_copy(update={"name": "set"})
    finally:
        path.write_bytes(start)
