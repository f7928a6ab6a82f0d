import numpy as np
import pytest
import torch

from merl.errors import CheckpointError, ConfigError, MerlError
from merl.preprocessing import SignalSpec
from merl.studies.classifier import Network, fit, kept_or_fitted, logits
from merl.studies.config import Classifier

SPEC = SignalSpec(leads=("I",), sampling_rate=50, seconds=1)
CONFIG = Classifier(labels_of="a", encoder="cnn", epochs=8, batch_size=8, learning_rate=0.01)


class Drawn:
    """Windows of noise, the second class of records ten times as strong; the last record has two."""

    def __init__(self):
        random = np.random.default_rng(0)
        self.labels = random.random((32, 1)) < 0.5
        self.record = np.array([*range(32), 31])
        strength = np.where(self.labels[self.record], 1.0, 0.1)[..., None]
        self.signals = (random.standard_normal((33, 1, 50)) * strength).astype(np.float16)

    def batch(self, rows):
        return torch.from_numpy(self.signals[rows].astype(np.float32))


def test_a_classifier_learns_from_labels_and_scores_records():
    drawn = Drawn()
    network = fit(CONFIG, SPEC, drawn, drawn.labels, encoder="cnn", seed=0)
    found = logits(network, drawn, batch_size=7)
    assert found.shape == (32, 1)
    assert found[drawn.labels].min() > found[~drawn.labels].max()
    one_by_one = logits(network, drawn, batch_size=1)
    assert np.allclose(found, one_by_one, atol=0.1)  # in bfloat16


def test_the_same_seed_makes_the_same_network():
    drawn, few = Drawn(), CONFIG.model_copy(update={"epochs": 1})
    made = [fit(few, SPEC, drawn, drawn.labels, encoder="cnn", seed=seed).head.weight for seed in (0, 0, 1)]
    assert torch.equal(made[0], made[1])
    assert not torch.equal(made[0], made[2])


def test_a_network_is_kept(tmp_path):
    path = tmp_path / "network.safetensors"
    made = kept_or_fitted(path, Network("cnn", SPEC, 1), lambda: Network("cnn", SPEC, 1).eval())
    kept = kept_or_fitted(path, Network("cnn", SPEC, 1), lambda: pytest.fail("made anew"))
    assert torch.equal(made.head.weight, kept.head.weight)
    with pytest.raises(CheckpointError, match="is no network of this classifier; delete it"):
        kept_or_fitted(path, Network("cnn", SPEC, 2), lambda: pytest.fail("made anew"))


def test_what_cannot_be_trained():
    with pytest.raises(ConfigError, match="did you mean 'resnet18'"):
        Network("resnet81", SPEC, 1)
    drawn = Drawn()
    drawn.signals[:] = np.nan
    with pytest.raises(MerlError, match="loss is nan in step 1; lower learning_rate"):
        fit(CONFIG, SPEC, drawn, drawn.labels, encoder="cnn", seed=0)
