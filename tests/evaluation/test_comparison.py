import numpy as np
import pytest

from merl.errors import DataError
from merl.evaluation.comparison import comparisons, measure, prompt_set_result

CLASSES = ("COMMON", "RARE", "EVERY", "NEVER")


@pytest.fixture(scope="module")
def measured():
    random = np.random.default_rng(0)
    labels = np.zeros((200, 4), bool)
    labels[:60, 0] = True
    labels[:1, 1] = True
    labels[:, 2] = True
    weak = random.normal(size=(200, 4)) + 0.5 * labels
    strong = weak + 1.5 * labels
    return measure(
        {"plain": weak, "knowledge": strong}, labels, np.arange(200) // 2, CLASSES, resamples=200, seed=1
    )


def test_classes_without_two_sides_are_out_of_the_mean_and_said(measured):
    result = prompt_set_result(measured, "plain", sha256="0", class_names={"COMMON": "common rhythm"})
    assert result.per_class["COMMON"].name == "common rhythm"
    assert result.per_class["EVERY"].auroc is None
    assert "no negatives among 200" in result.per_class["EVERY"].note
    assert "no positives among 200" in result.per_class["NEVER"].note
    scored = [result.per_class[code].auroc for code in ("COMMON", "RARE")]
    assert result.macro_auroc == pytest.approx(np.mean(scored), abs=1e-12)
    assert result.macro_auroc_min10 == scored[0]
    assert result.interval[0] < result.macro_auroc < result.interval[1]
    scored = [result.per_class[code].average_precision for code in ("COMMON", "RARE")]
    assert result.macro_average_precision == pytest.approx(np.mean(scored), abs=1e-12)
    assert result.macro_average_precision_min10 == scored[0]
    low, high = result.average_precision_interval_min10
    assert 0.2 < low < scored[0] < high < 0.7
    assert result.per_class["NEVER"].average_precision is None


def test_a_class_of_one_patient_claims_nothing(measured):
    rare = prompt_set_result(measured, "plain", sha256="0", class_names={}).per_class["RARE"]
    assert rare.interval == (0.0, 1.0)
    assert "one patient" in rare.note
    assert 20 < rare.skipped_resamples < 140  # (1 - 1/100) ** 100 is 37 % of 200


def test_the_difference_is_b_minus_a_with_its_interval_and_p_value(measured):
    (pair,) = comparisons(measured)
    assert (pair.a, pair.b) == ("plain", "knowledge")
    common = pair.per_class["COMMON"]
    assert common.difference > 0.1
    assert pair.difference_min10 == pytest.approx(common.difference)
    assert common.interval[0] > 0
    assert common.p_value == pytest.approx(1 / 201)
    assert common.p_holm == pytest.approx(2 / 201)  # two classes can be compared
    assert pair.per_class.keys() == {"COMMON", "RARE"}
    precision = pair.average_precision
    assert precision.per_class["COMMON"].difference > 0.1
    assert precision.per_class["COMMON"].interval[0] > 0
    assert precision.per_class["COMMON"].p_holm == pytest.approx(2 / 201)


def test_the_order_of_the_sets_turns_the_sign_and_nothing_else():
    random = np.random.default_rng(5)
    labels = random.random((120, 2)) < 0.3
    a, b = random.normal(size=(2, 120, 2)) + labels
    there = comparisons(measure({"a": a, "b": b}, labels, range(120), "XY", resamples=100))[0]
    back = comparisons(measure({"b": b, "a": a}, labels, range(120), "XY", resamples=100))[0]
    assert there.difference == pytest.approx(-back.difference)
    assert there.interval == pytest.approx([-end for end in reversed(back.interval)])
    assert there.p_value == back.p_value


def test_nothing_to_score_is_an_error():
    with pytest.raises(DataError, match="no class has both"):
        measure({"plain": np.zeros((5, 1))}, np.ones((5, 1), bool), range(5), ("A",), resamples=20)
