import json

import numpy as np
import pytest
from scipy.special import expit
from sklearn.metrics import f1_score

from merl.calibration import Calibration, Scoring, calibrate_classes, probabilities
from merl.errors import DataError, UsageError

SCORING = Scoring(checkpoint_sha256="a" * 64, prompts_sha256="b" * 64, ensemble="mean", absent_weight=0.0)


def simulate(records=4000, slope=30.0, intercept=-2.0):
    random = np.random.default_rng(0)
    scores = 0.1 * random.normal(size=(records, 1))
    return scores, random.random((records, 1)) < expit(slope * scores + intercept)


def test_the_curve_behind_the_labels_is_found():
    (one,) = calibrate_classes(*simulate())
    assert one.slope == pytest.approx(30, rel=0.1)
    assert one.intercept == pytest.approx(-2, rel=0.1)


def test_probabilities_agree_with_the_rate_in_the_mean():
    scores, labels = simulate()
    assert probabilities(calibrate_classes(scores, labels), scores).mean() == pytest.approx(
        labels.mean(), abs=0.001
    )


def test_the_threshold_has_the_highest_f1():
    scores, labels = simulate(300)
    (one,) = calibrate_classes(scores, labels)
    best = max(f1_score(labels, scores >= threshold) for threshold in scores[:, 0])
    assert f1_score(labels, scores >= one.threshold) == pytest.approx(best)
    assert one.threshold not in scores  # between two scores, so that rounding does not matter


@pytest.mark.parametrize(("value", "rate"), [(False, 1 / 42), (True, 41 / 42)])
def test_a_class_on_one_side_gets_its_rate_and_no_threshold(value, rate):
    scores = np.linspace(0, 1, 40)[:, None]
    (one,) = calibrate_classes(scores, np.full((40, 1), value))
    assert one.threshold is None
    np.testing.assert_allclose(probabilities([one], scores), rate, rtol=1e-6)


def test_separated_scores_stay_finite_and_turned_scores_say_nothing():
    scores = np.linspace(0, 1, 40)[:, None]
    assert 0 < calibrate_classes(scores, scores > 0.5)[0].slope < 100
    turned = calibrate_classes(scores, scores < 0.5)[0]
    assert turned.slope == 0  # a curve that falls would turn the order of the scores round
    assert calibrate_classes(np.zeros((40, 1)), scores > 0.5)[0].slope == 0


def test_scores_that_are_no_numbers_are_refused():
    with pytest.raises(DataError, match="record 1 are not finite"):
        calibrate_classes(np.array([[0.1], [np.nan]]), np.array([[True], [False]]))


@pytest.fixture
def calibration():
    fitted = calibrate_classes(*simulate(100))
    return Calibration(**SCORING.model_dump(), n_records=100, per_class={"AFIB": fitted[0]})


def test_saved_and_read_back_alone_or_out_of_a_result(calibration, tmp_path):
    calibration.save(tmp_path / "calibration.json")
    assert Calibration.load(tmp_path / "calibration.json", "any") == calibration
    item = {"name": "plain", "sha256": "b" * 64, "calibration": calibration.model_dump(mode="json")}
    other = {"name": "other", "sha256": "c" * 64, "calibration": None}
    (tmp_path / "result.json").write_text(json.dumps({"prompt_sets": [other, item]}))
    assert Calibration.load(tmp_path / "result.json", "b" * 64) == calibration
    with pytest.raises(DataError, match="holds no calibration"):
        Calibration.load(tmp_path / "result.json", "c" * 64)
    with pytest.raises(UsageError, match=r"of other prompts \(other, plain\)"):
        Calibration.load(tmp_path / "result.json", "d" * 64)


@pytest.mark.parametrize(
    ("text", "message"), [("{", "cannot read"), ("[]", "mapping"), ('{"slope": 1}', "unknown key 'slope'")]
)
def test_a_file_that_is_no_calibration_is_refused(tmp_path, text, message):
    (tmp_path / "file.json").write_text(text)
    with pytest.raises(DataError, match=message):
        Calibration.load(tmp_path / "file.json", "b" * 64)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"checkpoint_sha256": "c" * 64}, "another checkpoint"),
        ({"prompts_sha256": "c" * 64}, "another prompt set"),
        ({"ensemble": "max"}, "another ensemble"),
        ({"absent_weight": 0.5}, "another absent_weight"),
        ({"contrast": 0.5}, "another contrast"),
        ({"checkpoint_sha256": None}, "save the model"),
    ],
)
def test_it_serves_nothing_else(calibration, change, message):
    calibration.require(SCORING)
    with pytest.raises(UsageError, match=message):
        calibration.require(SCORING.model_copy(update=change))


def test_classes_go_by_code(calibration):
    with pytest.raises(UsageError, match="lacks the class 'SR'"):
        calibration.probabilities(np.zeros((1, 1)), ["SR"])
