from pathlib import Path

import numpy as np
import pytest

from merl.datasets.task_data import TaskData
from merl.errors import DataError
from merl.evaluation.comparison import measure
from merl.evaluation.methods import compare_methods
from merl.evaluation.metrics import auroc

NAMES = {"A": "class a", "B": "class b", "C": "class c"}


@pytest.fixture
def made():
    random = np.random.default_rng(0)
    labels = random.random((150, 3)) < [0.5, 0.3, 0.2]
    scores = {
        "one": [labels + random.normal(size=(150, 3)) for _ in range(3)],
        "other": [0.2 * labels + random.normal(size=(150, 3))],
    }
    return scores, labels, np.arange(150) // 2


def compare(made, **changed):
    scores, labels, patients = made
    names = tuple(map(str, range(150)))
    data = TaskData(
        task="toy", dataset="Toy", split="val", classes=("A", "B", "C"), labels=labels, patients=patients,
        split_patients=np.unique(patients), names=names, paths=tuple(map(Path, names)), rows=np.arange(150),
    )  # fmt: skip
    return compare_methods({**scores, **changed}, data, NAMES, resamples=60)


def test_figures_are_means_over_the_seeds(made):
    scores, labels, _ = made
    (one, other), (pair,), left_out = compare(made)
    by_seed = [auroc(found, labels).mean() for found in scores["one"]]
    assert one.by_seed == pytest.approx(by_seed)
    assert one.macro_auroc == pytest.approx(np.mean(by_seed))
    assert one.deviation == pytest.approx(np.std(by_seed, ddof=1))
    assert one.per_class["B"].auroc == pytest.approx(np.mean([auroc(s, labels)[1] for s in scores["one"]]))
    assert one.interval[0] < one.macro_auroc < one.interval[1]
    assert other.deviation is None
    assert pair.difference == pytest.approx(other.macro_auroc - one.macro_auroc)
    assert left_out == ()


def test_one_seed_is_what_a_prompt_set_would_be(made):
    scores, labels, patients = made
    from merl.evaluation.comparison import prompt_set_result

    alone = measure({"other": scores["other"][0]}, labels, patients, list(NAMES), resamples=60)
    expected = prompt_set_result(alone, "other", sha256="", class_names=NAMES)
    _, found = compare(made)[0]
    assert (found.macro_auroc, found.interval) == (expected.macro_auroc, expected.interval)
    assert found.per_class == expected.per_class


def test_the_same_seed_thrice_has_the_interval_of_one(made):
    scores, *_ = made
    repeated, _ = compare(made, one=[scores["one"][0]] * 3)[0]
    once, _ = compare(made, one=[scores["one"][0]])[0]
    assert repeated.interval == pytest.approx(once.interval)
    assert repeated.deviation == pytest.approx(0)


def test_a_class_that_one_seed_could_not_learn_counts_for_none(made):
    scores, *_ = made
    gap = scores["one"][1].copy()
    gap[:, 1] = np.nan
    methods, pairs, left_out = compare(made, one=[scores["one"][0], gap])
    assert left_out == ("B",)
    assert all(list(method.per_class) == ["A", "C"] for method in methods)
    assert "B" not in pairs[0].per_class
    assert methods[1].macro_auroc == pytest.approx(auroc(scores["other"][0], made[1])[[0, 2]].mean())


def test_nothing_learnt_is_an_error(made):
    with pytest.raises(DataError, match="no class has both a positive and a negative"):
        compare(made, one=[np.full((150, 3), np.nan)])
