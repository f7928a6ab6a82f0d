import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from merl.errors import DataError, UsageError
from merl.evaluation.metrics import auroc, macro


def test_equals_scikit_learn_also_with_ties():
    random = np.random.default_rng(0)
    labels = random.random((300, 4)) < [0.02, 0.1, 0.5, 0.95]
    scores = np.round(random.normal(size=(300, 4)) + labels, 1)
    expected = roc_auc_score(labels, scores, average=None)
    np.testing.assert_allclose(auroc(scores, labels), expected, rtol=0, atol=1e-12)


def test_by_eye():
    labels = np.array([[1, 1], [1, 0], [0, 0], [0, 0]])
    scores = np.array([[0.9, 0.1], [0.4, 0.1], [0.4, 0.1], [0.1, 0.1]])
    np.testing.assert_allclose(auroc(scores, labels), [3.5 / 4, 0.5])


def test_a_class_with_one_side_only_has_no_auroc_and_no_part_in_the_mean():
    labels = np.array([[1, 0, 1], [1, 0, 0]])
    values = auroc(np.array([[0.1, 0.1, 0.9], [0.2, 0.2, 0.1]]), labels)
    assert np.isnan(values[:2]).all()
    assert macro(values, labels.sum(axis=0)) == 1.0


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
