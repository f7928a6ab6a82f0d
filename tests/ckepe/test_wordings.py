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
    # turns of phrase
    ("U wave taller than the T wave", "U wave above that of T", "U wave below that of T"),
    ("ST in V4 equal to or above V1", "ST in V4 no smaller than in V1", "ST in V4 smaller than in V1"),
    ("QRS rate as fast as the P waves", "QRS rate as fast as the Ps", "QRS rate slower than that of the Ps"),
    (
        "P terminal force of 0.04 mm·s or more",
        "P terminal force of at least 0.04 mm·s",
        "P force below 0.04 mm·s",
    ),
    ("ST elevation in men below 40", "man under forty with ST elevation", "man over forty with ST elevation"),
    ("QRS axis above 75 degrees", "QRS axis to the right of +75°", "QRS axis to the left of +75°"),
    (
        "ventricular rate half of a sinus rate",
        "half as fast as the sinus rate",
        "twice as fast as the sinus rate",
    ),
    ("prolonged S wave upstroke", "drawn-out upstroke of the S wave", "brief upstroke of the S wave"),
    ("Osborn wave at the J point", "Osborn wave at the end of the QRS", "Osborn wave at the start of QRS"),
    (
        "fibrillatory waves of the baseline",
        "fibrillating baseline without P waves",
        "fibrillating baseline with P waves",
    ),
    (
        "inverted T waves in I, aVL and V3 to V6 following Q waves",
        "T waves negative in V3 to V6 after the Q waves",
        "T waves negative in V2 after the Q waves",
    ),
    ("Some but not all P waves are blocked", "some P waves are blocked", "no P waves"),
    (
        "ST elevation in the right-sided chest leads",
        "ST elevation in V1",
        "ST elevation in V6",
    ),
    ("constant PR above 200 ms", "PR that never changes and is over 200 ms", "PR that is never over 200 ms"),
    ("T inversion with slow descent", "T inversion that descends slowly", "T inversion that ascends slowly"),
    # notation
    ("S wave in V1 plus R wave in V5 of 3.5 mV", "SV1 + RV5 of 35 mm", "SV1 + RV6 of 35 mm"),
    ("P waves beating independently of QRS complexes", "Ps unrelated to the QRSs", "Ps tied to the QRSs"),
    ("QRS of 120 ms or more", "12-lead ECG with QRS of 120 ms or more", "12-lead ECG with QRS of 12 ms"),
    (
        "mixture of 2:1, 3:1 and 4:1 conduction",
        "conduction mixed, 2:1, 3:1 or 4:1",
        "conduction mixed, 2:1 or 5:1",
    ),
    ("one P wave for each QRS complex", "1:1 relation of P and QRS", "2:1 relation of P and QRS"),
    ("T wave of 5 mm to 10 mm", "T wave of 0.5 to 1 mV", "T wave of 0.5 to 2 mV"),
    (
        "R peak above 50 ms in V1 or 60 ms in V6",
        "R peak over 50 ms in V1, or over 60 ms in V6",
        "R peak over 70 ms in V6",
    ),
    ("T inversion after age 14", "T inversion past the age of 14", "T inversion before the age of 14"),
    (
        "rate half of a regular sinus rate",
        "rate half that of a sinus rate",
        "rate a third that of a sinus rate",
    ),
    ("frontal axis outside -30 to 90 degrees", "axis out of the range -30 to +90", "axis within -30 to +90"),
    ("no organized QRS complexes", "no organised QRS complexes", "organised QRS complexes"),
    # change and direction
    ("R wave height growing from V1 to V5", "R waves climb from V1 to V5", "R waves dwindle from V1 to V5"),
    (
        "R wave height growing from V1 to V5",
        "R wave building up from V1 to V5",
        "R wave tailing off from V1 to V5",
    ),
    ("downsloping ST segment", "ST segment that slopes away", "ST segment that runs uphill"),
    ("flat R growth from V1 to V4", "poor R growth from V1 to V4", "R growth from V1 to V4"),
    (
        "slow descent and steep ascent of the T wave",
        "T falls slowly and rises steeply",
        "T falls steeply and rises slowly",
    ),
    (
        "biphasic P in V1 with high start and deep end",
        "P in V1 with a deep finish",
        "P in V1 with a deep beginning",
    ),
    ("T wave opposite to the QRS complex", "T pointing away from the QRS", "T pointing with the QRS"),
    (
        "J point 1 mm or more below the baseline",
        "J point lower than the baseline",
        "J point higher than the baseline",
    ),
    (
        "pauses, ST elevation that persists",
        "ST elevation that never resolves",
        "ST elevation that comes and goes",
    ),
    ("irregular RR intervals", "RR intervals, no two of them alike", "RR intervals like a metronome"),
    # what is compared with what, and what comes first
    ("U wave exceeding the T wave", "U waves overshadowing the T waves", "T waves overshadowing the U waves"),
    ("T wave and U wave fused", "T wave and U wave run into one another", "T wave taller than the U wave"),
    (
        "ST elevation higher in III than in II",
        "ST elevation more marked in III than II",
        "ST elevation more marked in II than III",
    ),
    (
        "wide QRS preceded by a premature P wave",
        "wide QRS with a premature P wave in front",
        "wide QRS with a premature P wave behind it",
    ),
    (
        "QRS axis between -30 and -90 degrees",
        "axis to the left, -30 to -90 degrees",
        "axis to the right, -30 to -90 degrees",
    ),
    (
        "QRS axis between -30 and -90 degrees",
        "left QRS axis of -30 to -90 degrees",
        "right QRS axis of -30 to -90 degrees",
    ),
    (
        "left ventricle activated from the right side",
        "left ventricle reached from the right",
        "right ventricle reached from the left",
    ),
    ("rsR' complexes in V1 to V3", "rsR' in the right precordial leads", "rsR' in the left precordial leads"),
    ("narrow QRS complexes above 100/min", "narrow rhythm at over 100/min", "wide rhythm at over 100/min"),
    (
        "T waves inverted below the baseline",
        "T waves dipping below the baseline",
        "T waves standing above the baseline",
    ),
    ("fast rhythm above 100/min", "rapid rhythm above 100/min", "wide rhythm above 100/min"),
    ("a rate of 60 to 100/min", "a heart rate between 60 and 100", "a heart rate between 50 and 100"),
]


def judge(text, *statements, polarity="present", **kinds):
    """Judge a phrase that cites all of some findings, beside passages of other kinds."""
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


def test_a_wave_and_its_leads_alone_say_nothing():
    assert judge("R wave in V5 and V6", "loss of R wave height in V5 and V6") == (
        "names a wave and says nothing of it"
    )
