import pytest
import torch

from merl.evaluation.features import at_layer, reads_text
from merl.model import MERL, MERLConfig, TextIdentity
from merl.preprocessing import SignalSpec

SPEC = SignalSpec(leads=("I", "II"), sampling_rate=50, seconds=4)


def model(**changed):
    torch.manual_seed(0)
    return MERL(MERLConfig(**{"name": "toy", "embed_dim": 8, "spec": SPEC} | changed), sha256="ab").eval()


@pytest.mark.parametrize("encoder", ["resnet18", "cnn"])
def test_the_encoders_features_are_its_last_ones_averaged_over_time(encoder):
    whole = model(encoder=encoder)
    alone, signals = at_layer(whole, "encoder"), torch.randn(3, 2, 200)
    with torch.inference_mode():
        expected = whole.ecg_encoder(signals)
        expected = expected.mean(-1) if whole.ecg_encoder.steps else expected
        torch.testing.assert_close(alone.encode_ecg(signals), expected)
    assert alone.config.embed_dim == expected.shape[1]
    assert (alone.sha256, alone.ecg_encoder) == ("ab", whole.ecg_encoder)
    assert alone.config != whole.config  # so that the cache keeps the two apart


def test_the_embedding_is_the_models_own():
    whole = model()
    assert at_layer(whole, "embedding") is whole


def test_what_reads_text():
    assert reads_text(model())
    assert not reads_text(model(text=TextIdentity(place="absent")))
    assert not reads_text(at_layer(model(), "encoder"))
