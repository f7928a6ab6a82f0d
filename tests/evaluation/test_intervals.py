import numpy as np
import pytest

from merl.evaluation.bootstrap import bootstrap_areas
from merl.evaluation.intervals import (
    Spread,
    all_or_nothing,
    difference_test,
    holm,
    insignificant,
    share_interval,
    spread,
)
from merl.evaluation.metrics import auroc


def simulate(random, shift, positives=20, records=200):
    labels = np.arange(records)[:, None] < positives
    return random.normal(size=(records, 1)) + shift * labels, labels


def test_intervals_cover_the_truth_with_20_positives():
    """Percentile intervals cover about 88 % here; 2.4 standard errors of 300 simulations are 3 %."""
    random, covered = np.random.default_rng(1), 0
    for trial in range(300):
        scores, labels = simulate(random, shift=1.8124)  # a true AUROC of 0.9
        drawn = bootstrap_areas([scores], labels, np.arange(200), resamples=100, seed=trial)
        low, high = share_interval(auroc(scores, labels)[0], spread(drawn[0, 0], [20]))
        covered += low <= 0.9 <= high
    assert 0.92 <= covered / 300 <= 0.98


def test_p_values_are_uniform_where_nothing_differs():
    random, p_values = np.random.default_rng(2), []
    for trial in range(300):
        shared, labels = simulate(random, shift=1.0)
        sets = [shared + random.normal(size=shared.shape) for _ in range(2)]
        drawn = bootstrap_areas(sets, labels, np.arange(200), resamples=100, seed=trial)[0]
        difference = auroc(sets[1], labels)[0] - auroc(sets[0], labels)[0]
        p_values.append(difference_test(difference, spread(drawn[1] - drawn[0], [20]))[1])
    assert (np.array(p_values) <= 0.05).mean() <= 0.09
    assert np.mean(p_values) == pytest.approx(0.5, abs=0.06)


def test_a_perfect_score_is_not_certain_and_few_patients_are_less_so():
    few, many = (share_interval(1.0, spread(np.ones((100, 1)), [patients])) for patients in (5, 50))
    assert few[1] == many[1] == 1.0
    assert few[0] < many[0] < 1.0


def test_what_flatters_the_draws_is_taken_off_the_interval_but_not_off_the_estimate():
    of = Spread(0.34, 0.02, 200.0, 200.0, 999)
    plain, moved = share_interval(0.3, of, 0.1), share_interval(0.3, of, 0.1, flattered=True)
    assert moved[0] == pytest.approx(plain[0] - 0.04, abs=0.01)
    assert moved[1] == pytest.approx(0.3, abs=0.01)
    assert moved[0] < 0.3 <= moved[1]


def test_one_patient_says_nothing():
    one = spread(np.full((100, 1), 0.9), [1])
    assert share_interval(0.9, one) == (0.0, 1.0)
    assert difference_test(0.3, one) == ((-1.0, 1.0), 1.0)


def test_a_rare_class_takes_the_spread_of_the_others():
    random = np.random.default_rng(0)
    steady = np.column_stack([random.normal(0.8, 0.05, 500), np.full(500, 0.8)])  # the second: one patient
    alone = steady[:, 0].std(ddof=1) / 2
    assert spread(steady, [20, 1]).error > 3 * alone
    assert spread(steady, [20, 20]).error < 1.1 * alone


def test_a_resample_without_a_class_says_nothing_of_the_mean():
    random = np.random.default_rng(0)
    draws = random.normal([0.9, 0.5], 0.02, size=(500, 2))
    gaps = draws.copy()
    gaps[random.random(500) < 0.3, 1] = np.nan  # a mean of what is left would jump between 0.7 and 0.9
    assert spread(gaps, [20, 20]).error == pytest.approx(spread(draws, [20, 20]).error, rel=0.1)


def test_classes_may_weigh_differently_and_go_together():
    random = np.random.default_rng(0)
    first, second = random.normal(0.8, [0.04, 0.02], size=(2000, 2)).T
    both = np.column_stack([first, second])
    expected = np.std(0.75 * first + 0.25 * second, ddof=1)
    assert spread(both, [500, 500], shares=[0.75, 0.25]).error == pytest.approx(expected, rel=0.01)
    same = np.column_stack([first, first])
    assert spread(same, [500, 500]).error == pytest.approx(first.std(ddof=1), rel=0.01)


def test_equal_sets_give_p_one_and_a_clear_difference_the_smallest_p():
    assert difference_test(0.0, Spread(0.0, 0.0, 30.0, 31.0, 99)) == ((0.0, 0.0), 1.0)
    interval, p_value = difference_test(0.2, Spread(0.2, 0.01, 30.0, 31.0, 99))
    assert p_value == pytest.approx(1 / 100)
    assert 0.15 < interval[0] < 0.2 < interval[1] < 0.25


def test_the_interval_ends_at_zero_where_p_is_five_percent():
    of = Spread(0.0, 0.01, 12.0, 13.0, 999)
    interval, p_value = difference_test(of.quantile * 0.01, of)
    assert p_value == pytest.approx(0.05)
    assert interval[0] == pytest.approx(0)


def test_holm_by_hand():
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03, 0.5]), [0.04, 0.09, 0.09, 0.5])
    assert holm([]).shape == (0,)


def test_a_class_that_is_found_always_or_never_is_not_certain():
    certain, half = all_or_nothing([1.0, 0.5], [4, 4])
    assert 0 < certain < half
    assert all_or_nothing(1.0, 4) > all_or_nothing(1.0, 40)


def test_no_class_of_few_patients_makes_a_mean_significant():
    random = np.random.default_rng(0)
    gaps = np.array([0.0, 0.4])  # the second class: two patients, whose draws hardly stray
    draws = gaps + random.normal(0, 0.01, size=(999, 2))
    sure, unsure = (spread(draws, [20, 2], least=least) for least in (0.0, insignificant(gaps)))
    assert difference_test(0.2, sure)[1] < 0.01
    assert difference_test(0.2, unsure)[1] > 0.05
    frequent = spread(draws, [20, 20], least=insignificant(gaps))
    assert difference_test(0.2, frequent)[1] < 0.01, "what many patients show stands"
