import numpy as np
import pytest

from merl.errors import DataError
from merl.evaluation.bootstrap import bootstrap_areas
from merl.evaluation.delong import delong_covariance


def two_sets(records=150, positives=40):
    random = np.random.default_rng(0)
    labels = np.arange(records) < positives
    shared = random.normal(size=(records, 1)) + labels[:, None]
    return np.round(shared + 0.5 * random.normal(size=(records, 2)), 1), labels


def test_equals_the_slow_count_over_all_pairs():
    scores, labels = two_sets()
    above = scores[labels][:, None] - scores[~labels][None]  # (positives, negatives, sets)
    right = np.where(above > 0, 1.0, np.where(above == 0, 0.5, 0.0))
    expected = np.cov(right.mean(axis=1).T) / 40 + np.cov(right.mean(axis=0).T) / 110
    np.testing.assert_allclose(delong_covariance(scores, labels), expected, rtol=1e-12)


def test_agrees_with_the_bootstrap_where_every_record_is_a_patient():
    scores, labels = two_sets()
    a, b = scores[:, :1], scores[:, 1:]
    drawn = bootstrap_areas([a, b], labels[:, None], np.arange(150), resamples=2000)[0, :, :, 0]
    exact = delong_covariance(scores, labels)
    assert drawn[0].std() == pytest.approx(exact[0, 0] ** 0.5, rel=0.06)
    of_difference = exact[0, 0] + exact[1, 1] - 2 * exact[0, 1]
    assert (drawn[1] - drawn[0]).std() == pytest.approx(of_difference**0.5, rel=0.06)


def test_one_positive_has_no_variance():
    with pytest.raises(DataError, match="1 positives and 9 negatives"):
        delong_covariance(np.zeros((10, 1)), np.arange(10) < 1)
