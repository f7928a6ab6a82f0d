import numpy as np
import pytest

from merl.evaluation.bootstrap import bootstrap_areas
from merl.evaluation.intervals import Spread, difference_test, holm, share_interval, spread
from merl.evaluation.metrics import auroc


def simulate(random, shift, positives=20, records=200):
    labels = np.arange(records)[:, None] < positives
    return random.normal(size=(records, 1)) + shift * labels, labels


def test_intervals_cover_the_truth_with_20_positives():
    """Percentile intervals cover about 88 % here; 2.4 standard errors of 300 simulations are 3 %."""
    random, covered = np.random.default_rng(1), 0
    for trial in range(300):
        scores, labels = simulate(random, shift=1.8124)  # a true AUROC of 0.9
        drawn = bootstrap_areas([scores], labels, np.arange(200), resamples=100, seed=trial).auroc
        low, high = share_interval(auroc(scores, labels)[0], spread(drawn.macro[0], drawn.per_class[0], [20]))
        covered += low <= 0.9 <= high
    assert 0.92 <= covered / 300 <= 0.98


def test_p_values_are_uniform_where_nothing_differs():
    random, p_values = np.random.default_rng(2), []
    for trial in range(300):
        shared, labels = simulate(random, shift=1.0)
        sets = [shared + random.normal(size=shared.shape) for _ in range(2)]
        drawn = bootstrap_areas(sets, labels, np.arange(200), resamples=100, seed=trial).auroc
        difference = auroc(sets[1], labels)[0] - auroc(sets[0], labels)[0]
        parts = drawn.per_class[1] - drawn.per_class[0]
        p_values.append(difference_test(difference, spread(parts[:, 0], parts, [20]))[1])
    assert (np.array(p_values) <= 0.05).mean() <= 0.09
    assert np.mean(p_values) == pytest.approx(0.5, abs=0.06)


def test_a_perfect_score_is_not_certain_and_few_patients_are_less_so():
    few, many = (
        share_interval(1.0, spread(np.ones(100), np.ones((100, 1)), [patients])) for patients in (5, 50)
    )
    assert few[1] == many[1] == 1.0
    assert few[0] < many[0] < 1.0


def test_one_patient_says_nothing():
    one = spread(np.full(100, 0.9), np.full((100, 1), 0.9), [1])
    assert share_interval(0.9, one) == (0.0, 1.0)
    assert difference_test(0.3, one) == ((-1.0, 1.0), 1.0)


def test_a_rare_class_takes_the_spread_of_the_others():
    random = np.random.default_rng(0)
    steady = np.column_stack([random.normal(0.8, 0.05, 500), np.full(500, 0.8)])  # the second: one patient
    assert spread(steady.mean(axis=1), steady, [20, 1]).widening > 3
    assert spread(steady.mean(axis=1), steady, [20, 20]).widening < 1.1


def test_equal_sets_give_p_one_and_a_clear_difference_the_smallest_p():
    assert difference_test(0.0, Spread(np.zeros(99), 1.0, 30.0, 31.0)) == ((0.0, 0.0), 1.0)
    draws = np.random.default_rng(0).normal(0.2, 0.01, 99)
    interval, p_value = difference_test(0.2, Spread(draws, 1.0, 30.0, 31.0))
    assert p_value == pytest.approx(1 / 100)
    assert 0.15 < interval[0] < 0.2 < interval[1] < 0.25


def test_holm_by_hand():
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03, 0.5]), [0.04, 0.09, 0.09, 0.5])
    assert holm([]).shape == (0,)
