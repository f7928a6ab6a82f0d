import numpy as np
import pytest

from merl.ckepe.diffing import diff, same_meaning
from merl.ckepe.prompt_set import Phrase
from tests.ckepe.hand import by_hand


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("prolonged PR interval", "Long PR intervals"),
        ("PR interval above 0.2 s", "PR interval over 200 ms"),
        ("P waves before each QRS complex", "P wave before every QRS"),
        ("auricular flutter", "atrial flutter"),
        ("first-degree AV block", "AV block of first degree"),
    ],
)
def test_other_words_for_the_same(one, other):
    assert same_meaning(one, other)
    assert same_meaning(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ST elevation in V1", "ST elevation in V2"),
        ("P wave before the QRS complex", "QRS complex before the P wave"),
        ("PR interval above 200 ms", "PR interval below 200 ms"),
        ("PR interval above 200 ms", "PR interval above 220 ms"),
        ("distinct P waves", "no distinct P waves"),
        ("left atrial and right ventricular enlargement", "right atrial and left ventricular enlargement"),
        ("abnormal QRS", "abnormal QRS duration"),
        ("prolonged PR interval", "prolonged PR segment"),
        ("more P waves than QRS complexes", "more QRS complexes than P waves"),
        ("2:1 block", "3:1 block"),
    ],
)
def test_what_differs_in_one_thing_is_not_the_same(one, other):
    assert not same_meaning(one, other)
    assert not same_meaning(other, one)


def kinds(difference):
    return [
        (change.kind, change.before and change.before.text, change.after and change.after.text)
        for change in difference.changes
    ]


def test_every_phrase_of_both_sets_is_accounted_for_once():
    before = by_hand(A=("a", "long PR interval", "flat T waves", "P waves", "tall R in V6"))
    after = by_hand(
        A=("a", "tall R in V6", "prolonged PR interval", "not P waves", "ST elevation in V1"),
    )
    assert kinds(diff(before, after)) == [
        ("same", "tall R in V6", "tall R in V6"),
        ("reworded", "long PR interval", "prolonged PR interval"),
        ("changed", "P waves", "P waves"),
        ("removed", "flat T waves", None),
        ("added", None, "ST elevation in V1"),
    ]
    assert all(change.kind == "same" for change in diff(before, before).changes)


def test_a_role_that_changed_is_a_change():
    before = by_hand(A=("a", Phrase(text="long QT", role="finding")))
    after = by_hand(A=("a", Phrase(text="long QT", role="synonym")))
    assert [change.kind for change in diff(before, after).changes] == ["changed"]


def test_classes_that_came_went_or_changed_their_name():
    difference = diff(by_hand(A=("a", "x y z"), B=("b",)), by_hand(A=("other",), C=("c", "u v w")))
    assert (difference.removed_classes, difference.added_classes) == (("B",), ("C",))
    assert difference.renamed == {"A": ("a", "other")}
    assert [(change.code, change.kind) for change in difference.changes] == [("A", "removed"), ("C", "added")]


def test_near_is_asked_for_and_never_pairs_opposites():
    def embed(texts):
        return np.array([[1.0, 0.0] if "left" in text or "right" in text else [0.6, 0.8] for text in texts])

    before = by_hand(A=("a", "left bundle branch block", "saw shaped baseline"))
    after = by_hand(A=("a", "right bundle branch block", "sawtooth baseline"))
    assert [change.kind for change in diff(before, after).changes] == ["removed"] * 2 + ["added"] * 2
    assert kinds(diff(before, after, near=0.9, embed=embed)) == [
        ("near", "saw shaped baseline", "sawtooth baseline"),
        ("removed", "left bundle branch block", None),
        ("added", None, "right bundle branch block"),
    ]
