import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from merl.errors import DataError, UsageError
from merl.evaluation.metrics import RankedClass, areas, auroc, macro


def test_equals_scikit_learn_also_with_ties():
    random = np.random.default_rng(0)
    labels = random.random((300, 4)) < [0.02, 0.1, 0.5, 0.95]
    scores = np.round(random.normal(size=(300, 4)) + labels, 1)
    expected = [score(labels, scores, average=None) for score in (roc_auc_score, average_precision_score)]
    np.testing.assert_allclose(areas(scores, labels), expected, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(auroc(scores, labels), areas(scores, labels)[0])


def test_equals_scikit_learn_under_weights():
    random = np.random.default_rng(0)
    labels = random.random(200) < 0.1
    scores = np.round(random.normal(size=200) + labels, 1)
    weights = random.integers(0, 4, size=(200, 6)).astype(float)
    weights[scores == scores.max()] = 0  # the highest scores may weigh nothing
    found = RankedClass(scores, labels).areas(weights)
    for column, both in zip(weights.T, found.T, strict=True):
        expected = [
            score(labels, scores, sample_weight=column) for score in (roc_auc_score, average_precision_score)
        ]
        np.testing.assert_allclose(both, expected, rtol=0, atol=1e-12)


def test_by_eye():
    labels = np.array([[1, 1], [1, 0], [0, 0], [0, 0]])
    scores = np.array([[0.9, 0.1], [0.4, 0.1], [0.4, 0.1], [0.1, 0.1]])
    np.testing.assert_allclose(auroc(scores, labels), [3.5 / 4, 0.5])


def test_a_class_with_one_side_only_has_neither_area_and_no_part_in_the_mean():
    labels = np.array([[1, 0, 1], [1, 0, 0]])
    values = areas(np.array([[0.1, 0.1, 0.9], [0.2, 0.2, 0.1]]), labels)
    assert np.isnan(values[:, :2]).all()
    assert [macro(row, labels.sum(axis=0)) for row in values] == [1.0, 1.0]


def test_macro_min10_leaves_rare_classes_out():
    assert macro([0.6, 1.0], [10, 9], min_positives=10) == 0.6
    assert np.isnan(macro([0.6, 1.0], [9, 9], min_positives=10))


@pytest.mark.parametrize(
    ("scores", "labels", "error", "message"),
    [
        ([[0.1], [0.2]], [[1]], UsageError, "records, classes"),
        ([[0.1], [0.2]], [[1], [2]], UsageError, "0 or 1"),
        ([[0.1], [np.nan]], [[1], [0]], DataError, "record 1"),
    ],
)
def test_refuses_what_it_cannot_score(scores, labels, error, message):
    with pytest.raises(error, match=message):
        auroc(scores, labels)
