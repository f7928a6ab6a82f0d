"""The classifier among scikit-learn's tools: checks of estimators, pipelines, cross-validation, clones."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import check_array

from merl.classifier import ZeroShotClassifier
from merl.errors import RecordError, UsageError
from tests.test_zeroshot import LABELLED, PROMPTS, TRUTH, FakeModel, prompt_set, record

NOTHING_IS_FITTED = "fit learns nothing, so it looks at neither records nor labels"
NO_FEATURES = "the contract is of leads and samples; there is no number of features to keep"
LABELS_ARE_CODES = "the check's labels are numbers; labels are the codes of the prompts' classes"
NEED_NO_LABELS = "classes are those of the prompts, whatever labels there are, and may apply together"
EXPECTED_TO_FAIL = {
    "check_fit_score_takes_y": LABELS_ARE_CODES,
    "check_pipeline_consistency": LABELS_ARE_CODES,
    "check_n_features_in_after_fitting": NO_FEATURES,
    "check_n_features_in": NO_FEATURES,
    "check_complex_data": NOTHING_IS_FITTED,
    "check_dtype_object": NOTHING_IS_FITTED,
    "check_estimators_empty_data_messages": NOTHING_IS_FITTED,
    "check_estimators_nan_inf": NOTHING_IS_FITTED,
    "check_estimator_sparse_tag": NOTHING_IS_FITTED,
    "check_fit1d": NOTHING_IS_FITTED,
    "check_classifiers_train": NOTHING_IS_FITTED,
    "check_classifiers_regression_target": NOTHING_IS_FITTED,
    "check_supervised_y_no_nan": NOTHING_IS_FITTED,
    "check_supervised_y_2d": NOTHING_IS_FITTED,
    "check_classifiers_one_label": NEED_NO_LABELS,
    "check_classifiers_classes": NEED_NO_LABELS,
    "check_dict_unchanged": "the prompts' embeddings are kept from their first use",
}


class OnRows(ZeroShotClassifier):
    """Takes what the checks give, rows of numbers, and answers with numbers; all else is the classifier's."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = True
        return tags

    def predict(self, X):  # noqa: N803
        return self.classes_.searchsorted(super().predict(X))

    def _records(self, X):  # noqa: N803
        return [record(1 + round(abs(row.sum())) % 3) for row in check_array(X).astype(float)]


@parametrize_with_checks(
    [OnRows(FakeModel(), PROMPTS)], expected_failed_checks=lambda _: EXPECTED_TO_FAIL, xfail_strict=True
)
def test_checks_of_scikit_learn(estimator, check):
    check(estimator)


def test_the_tags_say_what_is_taken():
    tags = get_tags(ZeroShotClassifier(FakeModel(), PROMPTS))
    assert tags.estimator_type == "classifier"
    assert (tags.input_tags.two_d_array, tags.input_tags.three_d_array) == (False, True)
    assert not tags.requires_fit
    assert not tags.target_tags.required


def array(*heights):
    """An array of the contract of ``FakeModel``, shape (records, 2, 4)."""
    return np.stack([record(height).signal for height in heights])


def test_an_array_is_scored_as_its_records_are():
    scorer = ZeroShotClassifier(FakeModel(), PROMPTS)
    expected = scorer.decision_function([record(1), record(3)])
    for given in (array(1, 3), array(1, 3).astype(np.float64), array(1, 3).tolist()):
        np.testing.assert_array_equal(scorer.decision_function(given), expected)
    objects = np.empty(2, object)
    objects[:] = [record(1), record(3)]
    np.testing.assert_array_equal(scorer.decision_function(objects), expected)


@pytest.mark.parametrize(
    "given",
    [
        np.zeros((3, 2, 5)),
        np.zeros((2, 4)),
        np.zeros((1, 4, 2)),
        np.zeros((1, 2, 4), complex),
        [[1, 2], [3]],
        [record(1), 3],
        7,
        "00001_lr",
    ],
)
def test_an_array_of_another_shape_or_kind_is_refused(given):
    scorer = ZeroShotClassifier(FakeModel(), PROMPTS)
    with pytest.raises(
        UsageError, match=r"give records, or millivolts of shape \(records, 2, 4\): the leads I"
    ):
        scorer.predict(given)


def test_an_array_is_checked_as_records_are():
    scorer = ZeroShotClassifier(FakeModel(), PROMPTS)
    with pytest.raises(RecordError, match="'1' has invalid samples in I"):
        scorer.predict(array(1, np.nan))
    with pytest.raises(RecordError, match="give the signal in millivolts"):
        scorer.predict(1000 * array(1))


def test_an_array_is_calibrated_and_given_probabilities():
    heights = (1, 1, 2, 3, 3, 3)
    scorer = ZeroShotClassifier(FakeModel(), PROMPTS)
    by_records = clone(scorer).calibrate(LABELLED, TRUTH).predict_proba(LABELLED)
    by_array = clone(scorer).calibrate(array(*heights), TRUTH).predict_proba(array(*heights))
    np.testing.assert_array_equal(by_array, by_records)


def test_a_clone_shares_the_model():
    pipeline = make_pipeline(FunctionTransformer(), ZeroShotClassifier(FakeModel(), PROMPTS))
    assert clone(pipeline)[-1].model is pipeline[-1].model
    again = pickle.loads(pickle.dumps(pipeline))  # noqa: S301 - our own
    np.testing.assert_array_equal(again.predict(array(1, 3)), pipeline.predict(array(1, 3)))


def test_a_pipeline_is_cross_validated_with_class_codes():
    codes = ["SR", "SR", "SR", "AFIB", "AFIB", "SR"]
    halved = make_pipeline(
        FunctionTransformer(lambda signals: signals / 2), ZeroShotClassifier(FakeModel(), PROMPTS)
    )
    found = cross_val_score(halved, 2 * array(1, 1, 1, 3, 3, 3), codes, cv=KFold(3))
    np.testing.assert_allclose(found, [1, 1, 0.5])
    found = cross_val_score(ZeroShotClassifier(FakeModel(), PROMPTS), LABELLED, codes, cv=KFold(3))
    assert found.shape == (3,)


def test_several_classes_a_record_are_cross_validated_by_their_scores():
    three = prompt_set(SR=["sinus rhythm"], P=["regular P waves"], AFIB=["atrial fibrillation"])
    truth = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 1], [0, 1, 0], [0, 0, 1]])
    scorer = ZeroShotClassifier(FakeModel(), three)
    records = [record(1), record(2), record(3), record(1, 3), record(2), record(3)]
    found = cross_val_score(scorer, records, truth, cv=KFold(2), scoring="roc_auc")
    np.testing.assert_allclose(found, 1)


def test_two_classes_are_cross_validated_as_two_columns():
    scorer = ZeroShotClassifier(FakeModel(), PROMPTS)
    records = [record(1), record(3), record(1), record(3)]
    codes = np.array(["SR", "AFIB", "SR", "AFIB"])
    truth = (codes[:, None] == scorer.classes_).astype(int)
    np.testing.assert_allclose(cross_val_score(scorer, records, truth, cv=KFold(2), scoring="roc_auc"), 1)
    with pytest.raises(ValueError, match="1d array"):
        cross_val_score(scorer, records, codes, cv=KFold(2), scoring="roc_auc", error_score="raise")


def test_a_grid_of_ensembles_is_searched():
    search = GridSearchCV(
        ZeroShotClassifier(FakeModel(), PROMPTS),
        {"ensemble": ["mean", "max"]},
        cv=KFold(2),
        error_score="raise",
    ).fit(LABELLED, ["SR", "SR", "SR", "AFIB", "AFIB", "AFIB"])
    assert search.best_params_["ensemble"] == "mean"
    assert search.best_estimator_.model is search.estimator.model


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [(["SR", "AFB"], "unknown class 'AFB'; did you mean 'AFIB'"), ([[1, 0], [0, 1]], "scoring='roc_auc'")],
)
def test_labels_that_are_no_class_codes_are_refused(labels, sentence):
    with pytest.raises(UsageError, match=sentence):
        ZeroShotClassifier(FakeModel(), PROMPTS).score([record(1), record(3)], labels)
