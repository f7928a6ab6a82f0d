import pytest

from merl.errors import ConfigError, DataError
from merl.knowledge.entries import load_entries
from merl.pretraining.sources import Pair
from merl.studies.config import UnseenClass, load_study
from merl.studies.withholding import Withholding
from tests.studies.conftest import UNSEEN

REPORTS = [
    "sinus rhythm. left axis deviation",
    "atrial fibrillation with rapid ventricular response. left axis deviation",
    "no longer atrial fibrillation",
    "atrial fibrillation",
    "sinus rhythm. left axis deviation",
]
PAIRS = [Pair(key, f"{key:05d}", report) for key, report in enumerate(REPORTS)]


@pytest.fixture
def withholding():
    return Withholding({"AFIB": UnseenClass.model_validate(UNSEEN["AFIB"])}, load_entries())


def test_the_whole_statement_goes_and_an_emptied_report_with_it(withholding):
    left, account = withholding.take_out(PAIRS)
    assert [(pair.key, pair.report) for pair in left] == [
        (0, "sinus rhythm. left axis deviation"),
        (1, "left axis deviation"),
        (4, "sinus rhythm. left axis deviation"),
    ]
    assert (account.reports, account.emptied) == (5, 2)
    assert (account.statements, account.statements_in_all) == (3, 8)
    assert account.named_before == {"AFIB": 3}
    assert account.texts == 3  # the whole report, and each of its two statements
    assert account.named_after == {"AFIB": 0}
    assert {"AFIB", "CAF", "PAF", "RAPIDAF"} == set(account.concepts["AFIB"])


def test_a_class_that_is_left_stops_the_study(withholding):
    with pytest.raises(DataError, match=r"still named in training texts \(AFIB in 2\)"):
        withholding.search(["sinus rhythm. possible atrial fibrillation"])


def test_a_name_across_two_statements_takes_the_report_with_it(withholding):
    assert withholding.keep("rhythm atrial. fibrillation") == ""


def test_a_concept_that_is_no_entry():
    unseen = {"X": UnseenClass(name="x", concepts=("AFIBB",))}
    with pytest.raises(ConfigError, match=r"unseen\.X: unknown knowledge entry 'AFIBB'"):
        Withholding(unseen, load_entries())


@pytest.mark.realdata
def test_nothing_of_whites_unseen_classes_is_left_in_ptbxl(merl_data):
    """By a search of its own: the plain words of each class, in the texts that training would draw."""
    from merl.pretraining.sources import PTBXLSource

    study = load_study("unseen")
    pairs, _ = PTBXLSource(merl_data, folds=(1,)).pairs()
    left, account = Withholding(study.unseen, load_entries()).take_out(pairs)
    text = "\n".join(pair.report for pair in left)
    for words in (
        "fibrillation", "bundle branch", "inferior infarct", "inferior myocardial inf", "sinus tachycardia",
        "bradycardia", "first degree", "prolonged pr", "premature atrial", "supraventricular premature",
        "st segment", "st depression", "st-t", "rbbb", "lbbb",
    ):  # fmt: skip
        assert words not in text
    assert "ventricular premature complexes" in text
    assert min(account.named_before.values()) >= 10
    assert len(left) > 0.95 * len(pairs)
