from pathlib import Path

import numpy as np
import pytest
import torch

from merl.datasets.task_data import TaskData
from merl.errors import MerlError
from merl.evaluation.fine_tuning import FineTuning, fine_tune
from merl.evaluation.metrics import auroc
from merl.model import MERL, MERLConfig
from merl.preprocessing import SignalSpec
from merl.records import ECGRecord

RECIPE = FineTuning(epochs=6, batch_size=8, learning_rate=3e-3)


@pytest.fixture
def model():
    torch.manual_seed(0)
    spec = SignalSpec(leads=("I", "II"), sampling_rate=50, seconds=2)
    return MERL(MERLConfig(name="toy", embed_dim=8, spec=spec)).eval().requires_grad_(False)


@pytest.fixture
def data():
    """Sixteen records: the first class is a faster wave; the second one nobody has; one record is longer."""

    def read(path, row):
        seconds = 5 if row == 15 else 2
        time = np.arange(50 * seconds) / 50
        wave = np.sin(2 * np.pi * (3 if row % 2 else 8) * time + row)
        return ECGRecord(np.stack([wave, wave]).astype(np.float32), 50, ("I", "II"), str(row))

    labels = np.stack([np.arange(16) % 2 == 1, np.zeros(16, bool)], axis=1)
    names, everyone = tuple(map(str, range(16))), np.arange(16)
    return TaskData(
        task="toy", dataset="Toy", split="train", classes=("A", "B"), labels=labels, patients=everyone,
        split_patients=everyone, names=names, paths=tuple(map(Path, names)), rows=everyone, reader=read,
    )  # fmt: skip


def test_it_learns_and_leaves_the_model_as_it_is(model, data):
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    told = []
    tuned = fine_tune(model, data, np.arange(12), recipe=RECIPE, progress=lambda *done: told.append(done))
    scores = tuned.score(data)
    assert auroc(scores[12:, :1], data.labels[12:, :1])[0] == 1
    assert np.isnan(scores[:, 1]).all()
    assert told[-1] == (12, 12)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_the_seed_decides(model, data):
    recipe = FineTuning(epochs=1, batch_size=8)
    tuned = [fine_tune(model, data, np.arange(8), recipe=recipe, seed=seed) for seed in (0, 0, 1)]
    scores = [one.score(data)[:, 0] for one in tuned]
    assert np.array_equal(scores[0], scores[1])
    assert not np.array_equal(scores[0], scores[2])


def test_a_loss_gone_astray_is_said(model, data):
    recipe = FineTuning(epochs=3, batch_size=4, learning_rate=1e30)
    with pytest.raises(MerlError, match="lower its learning rate"):
        fine_tune(model, data, np.arange(12), recipe=recipe)
