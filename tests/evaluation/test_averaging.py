import numpy as np
import pytest

from merl.evaluation.averaging import Averaged
from merl.evaluation.comparison import measure


def measured(seed, classes=2, drawn_from=None, patients=60):
    random = np.random.default_rng(seed)
    labels = random.random((patients, classes)) < 0.4
    weak = random.normal(size=labels.shape) + labels
    strong = weak + 0.5 * labels
    return measure(
        {"weak": weak, "strong": strong},
        labels,
        np.arange(patients),
        tuple("ABCD"[:classes]),
        resamples=300,
        drawn_from=drawn_from,
    )


def width(interval):
    return interval[1] - interval[0]


def test_the_mean_weighs_tasks_alike_whatever_their_classes():
    tasks = [measured(0, classes=1), measured(1, classes=4)]
    mean, interval = Averaged(tasks, ["X", "Y"]).mean("weak")
    assert mean == pytest.approx(np.mean([task.auroc.sets["weak"].mean() for task in tasks]))
    assert interval[0] < mean < interval[1]
    gap, gap_interval, p_value = Averaged(tasks, ["X", "Y"]).difference("weak", "strong")
    other, _ = Averaged(tasks, ["X", "Y"]).mean("strong")
    assert gap == pytest.approx(other - mean)
    assert gap_interval[0] > 0
    assert p_value < 0.05


def test_tasks_of_one_data_set_share_their_patients_and_others_do_not():
    """A task beside itself is no more evidence; beside an equal one of other patients it is twice as much."""
    task = measured(3)
    alone = width(Averaged([task], ["X"]).difference("weak", "strong")[1])
    shared = width(Averaged([task, task], ["X", "X"]).difference("weak", "strong")[1])
    apart = width(Averaged([task, task], ["X", "Y"]).difference("weak", "strong")[1])
    assert shared == pytest.approx(alone, rel=0.03)  # but for the degrees of freedom
    assert apart == pytest.approx(alone / 2**0.5, rel=0.1)


def test_tasks_draw_the_same_patients_though_not_all_have_a_record_in_each():
    random = np.random.default_rng(5)
    everyone = np.arange(80)
    labels = random.random((80, 1)) < 0.4
    scores = random.normal(size=(80, 1)) + labels
    half = np.arange(0, 80, 2)
    options = {"resamples": 50, "drawn_from": everyone}
    whole = measure({"a": scores}, labels, everyone, "A", **options)
    nothing = np.where(np.isin(everyone, half)[:, None], scores, np.nan)
    part = measure({"a": scores[half]}, labels[half], half, "A", **options)
    assert np.isnan(nothing).any()
    assert np.corrcoef(whole.auroc.draws["a"][:, 0], part.auroc.draws["a"][:, 0])[0, 1] > 0.5
    without = measure({"a": scores[half]}, labels[half], half, "A", resamples=50)
    assert np.corrcoef(whole.auroc.draws["a"][:, 0], without.auroc.draws["a"][:, 0])[0, 1] < 0.4
