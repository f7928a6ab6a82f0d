import numpy as np
import pytest
from sklearn.metrics import accuracy_score, precision_recall_fscore_support

from merl.evaluation.decisions import decisions, nearest_decisions

CLASSES = ("A", "B", "C")


def case():
    random = np.random.default_rng(0)
    labels = random.random((200, 3)) < [0.3, 0.1, 0.5]
    return random.normal(size=(200, 3)) + labels, labels


def judge(said, labels, patients=None, **options):
    patients = np.arange(len(labels)) if patients is None else patients
    return decisions(said, labels, patients, CLASSES, resamples=50, seed=0, **options)


def test_equals_scikit_learn_per_class_and_in_the_mean():
    scores, labels = case()
    said = scores > 0.7
    made = judge(said, labels)
    precision, recall, f1, _ = precision_recall_fscore_support(labels, said, average=None)
    for c, code in enumerate(CLASSES):
        one = made.per_class[code]
        assert one.accuracy == pytest.approx(accuracy_score(labels[:, c], said[:, c]))
        assert (one.precision, one.recall, one.f1) == pytest.approx((precision[c], recall[c], f1[c]))
    assert made.f1.value == pytest.approx(f1.mean())
    low, high = made.f1.interval
    assert 0 < low < made.f1.value < high < 1


def test_nothing_said_is_zero_and_one_sided_classes_are_left_out():
    labels = np.array([[1, 1, 0], [0, 1, 0], [0, 1, 0], [1, 1, 0]], bool)
    made = judge(np.zeros((4, 3), bool), labels)
    assert list(made.per_class) == ["A"]
    assert (made.precision.value, made.recall.value, made.f1.value) == (0, 0, 0)
    assert judge(labels[:, 1:], labels[:, 1:]) is None


def test_nearest_text_counts_records_with_exactly_one_label():
    scores = np.array([[0.9, 0.1, 0], [0.2, 0.8, 0], [0.1, 0.3, 0.2], [0, 0, 1]])
    labels = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1, 1]], bool)  # the last has two
    made = nearest_decisions(scores, labels, np.arange(4), CLASSES, resamples=50, seed=0)
    assert made.n_records == 3
    assert made.accuracy.value == pytest.approx(2 / 3)  # of records, not of classes
    assert made.per_class["A"].recall == 0.5
    assert made.per_class["B"].precision == 0.5
    assert "C" not in made.per_class


def test_no_record_with_one_label_has_no_nearest_text():
    labels = np.ones((4, 3), bool)
    assert nearest_decisions(np.zeros((4, 3)), labels, np.arange(4), CLASSES, resamples=50, seed=0) is None


def test_records_of_one_patient_are_not_independent():
    scores, labels = case()
    repeated = np.repeat(labels, 5, axis=0)
    said = np.repeat(scores > 0.7, 5, axis=0)
    wide = judge(said, repeated, np.repeat(np.arange(200), 5)).accuracy.interval
    narrow = judge(said, repeated).accuracy.interval
    assert wide[1] - wide[0] > 1.8 * (narrow[1] - narrow[0])


def test_rare_classes_found_always_or_never_claim_little():
    labels = np.zeros((60, 3), bool)
    labels[0:2, 0] = labels[2:4, 1] = labels[4:6, 2] = True
    said = labels & [True, True, False]
    low, high = judge(said, labels).recall.interval
    assert low < 0.55 < 2 / 3 < 0.75 < high
