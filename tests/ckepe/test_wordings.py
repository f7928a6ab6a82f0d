"""Other ways to say what a passage says, and near ways to say something else."""

import pytest

from merl.ckepe.claims import read_claim
from merl.ckepe.prompt_set import Phrase
from merl.ckepe.verifier import verify
from merl.knowledge.passages import Passage

#: (what the passage says, what is true by it, what is not)
WORDINGS = [
    ("ST elevation in V3 to V5.", "raised ST in V3 to V5. It is seen in V4.", "raised ST in V3 to V6."),
    ("QRS of 120 ms or more", "QRS that is 0.12 s or wider.", "QRS less wide than 120 ms"),
    (
        "Type I cannot be told from type II",
        "type I cannot be told from type II",
        "I cannot tell you the type",
    ),
    ("loss of R waves in all chest leads", "R waves lost in V1 to V6", "R waves lost in I, II and aVF"),
    ("small complexes in some chest leads", "small complexes in a few chest leads", "small complexes in V1"),
    ("P axis of a calcified heart", "P axis in calcification of the heart", "P axis of a torn heart"),
    ("prominent R waves in V1", "tall R waves in V1", "small R waves in V1"),
    ("biphasic P waves in V1", "P waves in V1 with a terminal part", "upright P waves in V1"),
    ("pause of twice the PP interval", "pause 2 times as long as PP", "pause of half the PP interval"),
    ("completely irregular QRS complexes", "completely irregular RR intervals", "regular RR intervals"),
    ("T wave concordant with QRS", "T wave follows the direction of QRS", "T wave opposite to QRS"),
    ("P wave and QRS are negative in I", "P and QRS in I inverted", "P and QRS in I upright"),
    ("a rate of 60 to 100/min", "a heart rate between 60 and 100", "a heart rate between 50 and 100"),
]


def judge(text, *statements, polarity="present", **kinds):
    """Judge a phrase that cites all of some findings, beside passages of other kinds that it does not cite."""
    said = {str(place): ("finding", statement) for place, statement in enumerate(statements)}
    others = {kind: (kind, statement) for kind, statement in kinds.items()}
    passages = {
        key: Passage(id=key, entry="X", kind=kind, text=text) for key, (kind, text) in (said | others).items()
    }
    return verify(Phrase(text=text, polarity=polarity, sources=tuple(said)), passages).reason


@pytest.mark.parametrize(("statement", "text"), [(said, true) for said, true, _ in WORDINGS])
def test_the_same_in_other_words_is_kept(statement, text):
    assert judge(text, statement) is None


@pytest.mark.parametrize(("statement", "text"), [(said, false) for said, _, false in WORDINGS])
def test_what_the_passage_does_not_say_is_refused(statement, text):
    assert judge(text, statement)


def test_each_thing_said_of_a_wave_stands_in_one_passage():
    passages = "inverted T waves in V1 and V2", "tall symmetric T waves in V5"
    assert judge("tall T waves in V5 and inverted T waves in V1", *passages) is None
    assert judge("tall inverted T waves in V1", *passages) == (
        "puts together what the cited passages say of different things"
    )


def test_what_the_other_side_says_better_is_no_finding():
    statement, against = (
        "inverted P wave before the QRS complex",
        "upright P wave before the QRS complex in II",
    )
    assert judge("P wave before the QRS complex", statement, absent=against) is None
    reason = judge("P wave before the QRS complex in II", statement + " in II, III", absent=against)
    assert reason is None
    assert judge("P wave before the QRS complex in lead II", statement, absent=against)


def test_a_number_stays_with_its_leads():
    passages = "R wave above 0.6 mV in V1", "R wave in aVR"
    assert judge("R wave above 0.6 mV in V1", *passages) is None
    assert judge("R wave above 0.6 mV in aVR", *passages) == (
        "says 'above 0.6 mv' of other leads than the cited passages"
    )


def test_a_sentence_that_ends_after_leads_names_no_number():
    claim = read_claim("Q waves in V3 to V5.")
    assert claim.leads == {"V3", "V4", "V5"}
    assert not claim.measures
