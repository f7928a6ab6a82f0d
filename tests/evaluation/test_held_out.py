import numpy as np
import pytest

from merl.calibration import Scoring
from merl.evaluation.held_out import ScoredFold, calibration_error, judge, validation_of

SCORING = Scoring(checkpoint_sha256="ab", prompts_sha256="cd", ensemble="mean", absent_weight=0)


def fold(split, labels, scores, patients=None):
    patients = np.arange(len(labels)) if patients is None else patients
    return ScoredFold({"plain": scores}, labels, patients, ("A", "B"), "Toy", split)


def simulate(split, seed, records=400, shift=2.0):
    random = np.random.default_rng(seed)
    labels = random.random((records, 2)) < [0.3, 0.1]
    return fold(split, labels, 0.1 * (random.normal(size=labels.shape) + shift * labels))


def run(records, validation):
    return judge("plain", records, validation, SCORING, resamples=50, seed=0)


def test_another_split_is_judged_by_the_thresholds_of_the_validation_fold():
    val, test = simulate("val", 0), simulate("test", 1)
    made = run(test, val)
    thresholds = [one.threshold for one in made["calibration"].per_class.values()]
    said = test.scores["plain"] >= thresholds
    assert made["thresholded"].per_class["A"].accuracy == (said == test.labels)[:, 0].mean()
    assert made["calibration"].n_records == 400
    assert (made["calibration"].split, made["calibration"].checkpoint_sha256) == ("val", "ab")
    assert made["thresholded"].f1.value > 0.6
    assert made["probabilities"].brier < made["probabilities"].brier_of_rate
    assert validation_of(val, test).held_out == "they were fitted on the split val"


def test_test_labels_do_not_move_the_thresholds():
    val, test = simulate("val", 0), simulate("test", 1)
    turned = fold("test", test.labels[::-1], test.scores["plain"])
    assert run(test, val)["calibration"] == run(turned, val)["calibration"]


def test_within_the_validation_fold_no_patient_judges_what_it_fitted():
    """Scores that only name the patient are learnt by heart, and must score as chance."""
    random = np.random.default_rng(0)
    patients = np.repeat(np.arange(60), 4)
    labels = np.repeat(random.random((60, 2)) < 0.3, 4, axis=0)
    noise = np.repeat(random.normal(size=(60, 2)), 4, axis=0)
    val = fold("val", labels, noise, patients)
    made = run(val, val)
    by_heart = [
        np.mean((val.scores["plain"][:, c] >= one.threshold) == labels[:, c])
        for c, one in enumerate(made["calibration"].per_class.values())
    ]
    assert made["thresholded"].accuracy.value < np.mean(by_heart) - 0.01
    assert made["probabilities"].brier >= made["probabilities"].brier_of_rate - 0.005
    assert "other four" in validation_of(val, val).held_out


def test_a_class_never_seen_on_the_fold_has_no_threshold_and_no_decision():
    val, test = simulate("val", 0), simulate("test", 1)
    val.labels[:, 1] = False
    made = run(test, val)
    assert made["calibration"].per_class["B"].threshold is None
    assert list(made["thresholded"].per_class) == list(made["probabilities"].per_class) == ["A"]
    val.labels[:] = False
    made = run(test, val)
    assert (made["thresholded"], made["probabilities"]) == (None, None)


def test_without_a_fold_only_nearest_text_is_left():
    assert run(simulate("test", 1), None).keys() == {"nearest"}
    few = simulate("val", 0, records=4)
    assert validation_of(few, few).held_out is None
    assert "fewer than 5 patients" in validation_of(few, few).note


def test_calibration_error_by_hand():
    truth = np.array([[0.0], [0.0], [1.0], [1.0]])
    assert calibration_error(np.full((4, 1), 0.5), truth) == pytest.approx(0.5)  # four bins of one record
    assert calibration_error(truth, truth) == 0
    many = np.repeat(truth, 50, axis=0)
    assert calibration_error(np.where(many == 1, 0.8, 0.1), many) == pytest.approx(0.15)
