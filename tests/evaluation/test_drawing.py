import os
from pathlib import Path

import numpy as np
import pytest

from merl.errors import UsageError
from merl.evaluation.drawing import draw


def population(records=2000, seed=0):
    """Records of patients with one to three each; the third class is rare, the fourth rarer still."""
    random = np.random.default_rng(seed)
    patients = np.repeat(np.arange(records), random.integers(1, 4, records))[:records]
    labels = random.random((records, 4)) < [0.6, 0.3, 0.01, 0]
    labels[[5, 700, 1500], 3] = True
    labels[~labels.any(axis=1), 0] = True
    return labels, patients


@pytest.mark.parametrize("fraction", [0.01, 0.1, 0.5])
@pytest.mark.parametrize("seed", range(5))
def test_a_draw_has_its_share_of_every_class_and_whole_patients(fraction, seed):
    labels, patients = population()
    rows = draw(labels, patients, fraction, seed)
    assert len(rows) == pytest.approx(fraction * len(labels), abs=6)
    drawn, all_of_them = labels[rows].sum(axis=0), labels.sum(axis=0)
    assert drawn[:2] == pytest.approx(fraction * all_of_them[:2], abs=6)
    assert (drawn >= 1).all()
    assert drawn[2] <= max(2, round(fraction * all_of_them[2]) + 1)
    rest = np.delete(patients, rows)
    assert not set(patients[rows]) & set(rest)


def test_the_seed_decides():
    labels, patients = population()
    first = draw(labels, patients, 0.1, 0)
    assert np.array_equal(first, draw(labels, patients, 0.1, 0))
    assert not np.array_equal(first, draw(labels, patients, 0.1, 1))
    assert np.array_equal(draw(labels, patients, 1.0, 3), np.arange(len(labels)))


def test_a_class_keeps_its_positive_though_all_its_patients_go_along_with_another():
    labels = np.zeros((60, 3), bool)
    labels[:, 0] = True
    labels[:2, 1] = True  # rarer than the third class, and dealt out first
    labels[:3, 2] = True
    for seed in range(20):
        assert labels[draw(labels, np.arange(60), 0.05, seed)].any(axis=0).all()


def test_a_class_without_a_positive_stays_without():
    labels = np.array([[True, False]] * 20)
    assert len(draw(labels, np.arange(20), 0.5, 0)) == 10


@pytest.mark.parametrize(
    ("fraction", "sentence"),
    [
        (0, "a fraction of 0 of the labels; give more than 0"),
        (1.5, "1.5 of the labels"),
        (float("nan"), "nan of the labels"),
        (0.01, "a fraction of 0.01 of 12 training records is less than one; give at least 0.083"),
    ],
)
def test_no_share(fraction, sentence):
    with pytest.raises(UsageError, match=sentence):
        draw(np.ones((12, 1), bool), np.arange(12), fraction, 0)


@pytest.mark.realdata
@pytest.mark.parametrize("task", ["super", "sub", "form", "rhythm"])
def test_one_percent_of_ptbxl_has_every_class(task):
    from merl.datasets.tasks import load_task

    data = load_task(f"ptbxl-{task}", Path(os.environ["MERL_DATA"]) / "ptb-xl", "train")
    rows = draw(data.labels, data.patients, 0.01, 0)
    assert len(rows) == pytest.approx(0.01 * len(data), rel=0.05)
    assert data.labels[rows].any(axis=0).all()
