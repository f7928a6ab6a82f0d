import weakref

import numpy as np
import pytest
import torch

from merl.embedding import embed_records, embed_windows
from merl.errors import RecordError
from merl.evaluation.controls import untrained_encoder
from merl.model import MERL, MERLConfig, TrainingData
from merl.preprocessing import SignalSpec
from merl.records import STANDARD_LEADS, ECGRecord

SPEC = SignalSpec(sampling_rate=50, seconds=2)


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(7)
    seen = TrainingData(dataset="toy", folds=(1,), records=1, licence="none", attribution="nobody")
    return MERL(MERLConfig(name="toy", embed_dim=8, spec=SPEC, training=seen), sha256="ab").eval()


def windows(count):
    random = np.random.default_rng(0)
    return [random.normal(size=(1, 12, 100)).astype(np.float32) for _ in range(count)]


def test_order_holds_and_torch_keeps_its_threads(model):
    given = windows(70)
    threads = torch.get_num_threads()
    found = embed_windows(model, iter(given), batch_size=8)
    assert torch.get_num_threads() == threads
    np.testing.assert_allclose(
        found, np.concatenate([embed_windows(model, [one]) for one in given]), atol=0.02
    )
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)


class Held(np.ndarray):
    """An array that can be referred to weakly."""


def test_only_a_few_batches_are_held(model):
    given, most = list[weakref.ref](), 0

    def read():
        nonlocal most
        for one in windows(200):
            held = one.copy().view(Held)
            given.append(weakref.ref(held))
            most = max(most, sum(ref() is not None for ref in given))
            yield held

    embed_windows(model, read(), batch_size=4)
    assert most <= 4 * (min(torch.get_num_threads(), 4) + 3)


def test_a_faulty_record_stops_what_is_under_way(model):
    good = ECGRecord(windows(1)[0][0], 50, STANDARD_LEADS, "good")
    flat = ECGRecord(np.zeros((12, 100), np.float32), 50, STANDARD_LEADS, "flat")
    with pytest.raises(RecordError, match="'flat' is flat in every lead"):
        embed_records(model, [*[good] * 9, flat, *[good] * 9], batch_size=2)


def test_an_untrained_encoder_is_the_same_for_one_architecture_and_no_chance_is_used_up(model):
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    one = untrained_encoder(model)
    assert torch.rand(1) == expected
    torch.manual_seed(9)
    other = untrained_encoder(MERL(MERLConfig(name="other", embed_dim=8, spec=SPEC), sha256="cd"))
    assert one.sha256 == other.sha256 not in {model.sha256, None}
    assert one.config.training is None
    given = windows(3)
    np.testing.assert_array_equal(embed_windows(one, given), embed_windows(other, given))
    assert not np.allclose(embed_windows(one, given), embed_windows(model, given), atol=0.1)
    assert untrained_encoder(model, seed=1).sha256 != one.sha256
