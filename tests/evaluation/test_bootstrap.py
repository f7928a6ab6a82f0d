import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from merl.errors import UsageError
from merl.evaluation.bootstrap import bootstrap_areas, resample_weights


@pytest.fixture
def case():
    random = np.random.default_rng(3)
    labels = random.random((150, 3)) < [0.3, 0.1, 0.5]
    labels[:, 1] = False
    labels[:2, 1] = True  # two positives: many a resample has none
    scores = np.round(random.normal(size=(150, 3)) + labels, 1)
    patients = random.integers(100, 220, size=150)
    return scores, labels, patients


def test_every_resample_equals_scikit_learn_on_the_repeated_records(case):
    scores, labels, patients = case
    drawn = bootstrap_areas([scores], labels, patients, resamples=70, seed=5)[:, 0]
    weights = np.concatenate(list(resample_weights(patients, 70, 5, records=150)), axis=1)
    for resample in (0, 1, 63, 64, 69):
        rows = np.repeat(np.arange(150), weights[:, resample].astype(int))
        expected = [
            [
                score(labels[rows, c], scores[rows, c]) if 0 < labels[rows, c].mean() < 1 else np.nan
                for c in range(3)
            ]
            for score in (roc_auc_score, average_precision_score)
        ]
        np.testing.assert_allclose(drawn[:, resample], expected, rtol=0, atol=1e-12)


def test_patients_are_drawn_whole_and_as_many_as_there_are(case):
    patients = case[2]
    weights = np.concatenate(list(resample_weights(patients, 10, 0, records=150)), axis=1)
    first = np.array([np.flatnonzero(patients == patient)[0] for patient in np.unique(patients)])
    np.testing.assert_array_equal(weights[first].sum(axis=0), len(first))
    for patient in np.unique(patients):
        rows = weights[patients == patient]
        assert (rows == rows[0]).all()


def test_all_prompt_sets_see_the_same_patients(case):
    scores, labels, patients = case
    drawn = bootstrap_areas([scores, 2 * scores + 1], labels, patients, resamples=30)
    np.testing.assert_array_equal(drawn[:, 0], drawn[:, 1])


def test_one_patient_for_each_record_is_asked_for(case):
    scores, labels, patients = case
    with pytest.raises(UsageError, match="150 records"):
        bootstrap_areas([scores], labels, patients[:-1])
