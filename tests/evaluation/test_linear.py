import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from merl.evaluation.linear import FOLDS, STRENGTHS, Labelled, fit_probe
from merl.evaluation.metrics import auroc


def records(count=200, width=10, seed=0, signal=1.0):
    """Two classes along the first two features, the second of another size; every patient has two records."""
    random = np.random.default_rng(seed)
    labels = random.random((count, 2)) < [0.5, 0.2]
    features = random.normal(size=(count, width))
    features[:, :2] += signal * labels * [1, 1]
    features[:, 1] = 50 * features[:, 1] + 7
    return Labelled(features, labels, np.arange(count) // 2)


def test_it_is_scikit_learns_logistic_regression_on_standardised_features():
    learnt, other = records(), records(seed=1)
    probe = fit_probe(learnt)
    scores = probe.score(other.features)
    for column in range(2):
        reference = make_pipeline(StandardScaler(), LogisticRegression(C=probe.strength, max_iter=1000))
        reference.fit(learnt.features, learnt.labels[:, column])
        assert scores[:, column] == pytest.approx(reference.decision_function(other.features), abs=1e-6)
    assert (auroc(scores, other.labels) > 0.65).all()


def test_the_penalty_is_chosen_on_the_validation_records_alone():
    learnt = records(count=60, width=40)
    telling, misleading = records(seed=2, width=40, signal=3), records(seed=2, width=40)
    misleading = Labelled(misleading.features, ~misleading.labels, misleading.patients)
    assert fit_probe(learnt, validation=misleading).strength == STRENGTHS[0]  # the less it says the better
    assert fit_probe(learnt, validation=telling).strength > STRENGTHS[1]


def test_noise_is_given_a_strong_penalty_and_signal_a_weak_one():
    noise, signal = records(count=100, width=50, signal=0), records(count=2000, width=5, signal=4)
    assert fit_probe(noise).strength <= 1e-2 < fit_probe(signal).strength


def test_a_patient_is_never_on_both_sides_of_a_cross_validation():
    """With the patient written into the features, only a leak could make a weak penalty look good."""
    random = np.random.default_rng(0)
    patients = np.repeat(np.arange(30), 10)
    identity = np.eye(30)[patients] * 30
    labels = (random.random(30) < 0.5)[patients][:, None]
    assert fit_probe(Labelled(identity, labels, patients)).strength == STRENGTHS[0]


def test_a_class_that_cannot_be_learnt_has_no_score_and_disturbs_no_other():
    learnt = records()
    more = np.column_stack([learnt.labels, np.zeros(200, bool), np.ones(200, bool)])
    scores = fit_probe(Labelled(learnt.features, more, learnt.patients)).score(learnt.features)
    assert np.isnan(scores[:, 2:]).all()
    assert np.array_equal(scores[:, :2], fit_probe(learnt).score(learnt.features))


def test_one_patient_leaves_nothing_to_choose_on():
    one = Labelled(records(count=4).features, np.array([[True], [False]] * 2), np.zeros(4, int))
    assert fit_probe(one).strength == STRENGTHS[0]


def test_progress_counts_every_fit():
    told, total = [], FOLDS * len(STRENGTHS) + 1
    fit_probe(records(count=60, width=40), progress=lambda *done: told.append(done))
    assert told[:-1] == [(fit + 1, total) for fit in range(len(told) - 1)]
    assert told[-1] == (total, total)
    assert len(told) < total  # no penalty weaker than the first that makes things worse is tried
