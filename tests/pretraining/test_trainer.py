import errno
import os
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from merl.errors import MerlError
from merl.model import MERL, MERLConfig, TextIdentity
from merl.preprocessing import SignalSpec
from merl.pretraining import trainer as trainer_module
from merl.pretraining.config import PretrainConfig
from merl.pretraining.pairs import ReportTexts
from merl.pretraining.trainer import Trainer

SPEC = SignalSpec(leads=("I", "II"), sampling_rate=50, seconds=2)
REPORTS = ["sinus rhythm; left axis", "atrial fibrillation", "sinus rhythm"] * 8


class Ready:
    """Twenty-four prepared pairs of two leads and two seconds, in memory."""

    spec, reports = SPEC, REPORTS

    def __init__(self, pairs_sha256="0" * 64):
        self.manifest = SimpleNamespace(pairs_sha256=pairs_sha256)
        self.stored = np.random.default_rng(1).standard_normal((24, 2, 100), np.float32)

    def __len__(self):
        return len(self.stored)

    def signals(self, rows):
        return self.stored[np.asarray(rows)]


def tiny(**changes):
    """Three batches an epoch, everything switched on."""
    given = {
        "name": "tiny", "embed_dim": 8, "spec": SPEC, "epochs": 2, "batch_size": 8, "precision": "fp32",
        "crop_shift": 0.5, "lead_masking": 0.3, "single_lead": 0.2, "noise": 0.01, "crop_epochs": 1,
        **changes,
    }  # fmt: skip
    return PretrainConfig(**given)


@pytest.fixture
def make(eye_text_encoder):
    def make(config=None, pairs=None, seed=0, **more):
        torch.manual_seed(seed)
        model = MERL(MERLConfig(name="tiny", embed_dim=8, spec=SPEC))
        return Trainer(config or tiny(), model, pairs or Ready(), ReportTexts.collect(REPORTS), **more)

    return make


def weights(run):
    return {name: tensor.clone() for name, tensor in run.pairing.state_dict().items()}


def same(one, two):
    return all(torch.equal(one[name], two[name]) for name in one)


def test_training_moves_every_weight_and_lowers_the_loss(make):
    config = tiny(
        epochs=8, lead_masking=0, single_lead=0, noise=0, learning_rate=3e-3, temperature_floor=0.01
    )
    run = make(config)
    before = weights(run)
    told = [run.train_epoch() for _ in range(8)]
    after = weights(run)
    assert not [name for name in before if torch.equal(before[name], after[name])]
    assert told[-1]["loss"] < told[0]["loss"]
    assert (run.epoch, told[-1]["step"]) == (8, 24)


@pytest.mark.parametrize("steps", [1, 3, 4])
def test_a_run_goes_on_from_any_step_bit_for_bit(make, tmp_path, monkeypatch, steps):
    whole = make()
    for _ in range(2):
        whole.train_epoch()

    first = make()
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_tell", stop_after(steps))
        with pytest.raises(KeyboardInterrupt):
            list(iter(first.train_epoch, None))
    first.save(tmp_path / "state.pt")
    again = make(seed=99)  # other weights, until it takes up the state
    again.resume(tmp_path / "state.pt")
    torch.manual_seed(12345)  # what else draws random numbers must not matter
    while again.epoch < 2:
        again.train_epoch()
    assert same(weights(whole), weights(again))


def stop_after(steps):
    def tell(run, _losses, _first):
        if run.step == steps:
            raise KeyboardInterrupt

    return tell


def test_a_state_of_another_run_is_refused(make, tmp_path):
    make().save(tmp_path / "state.pt")
    with pytest.raises(MerlError, match="made with another configuration; give another out folder"):
        make(tiny(learning_rate=0.5)).resume(tmp_path / "state.pt")
    with pytest.raises(MerlError, match="made with other data; give another out folder"):
        make(pairs=Ready("1" * 64)).resume(tmp_path / "state.pt")


@pytest.mark.parametrize("content", [b"", b"not a state", None])
def test_a_damaged_state_is_said_so(make, tmp_path, content):
    path = tmp_path / "state.pt"
    make().save(path)
    path.write_bytes(path.read_bytes()[:5000] if content is None else content)
    with pytest.raises(MerlError, match=r"state\.pt is no state of a training run; delete it"):
        make().resume(path)


def test_a_full_disk_leaves_the_last_state(make, tmp_path, monkeypatch):
    run, path = make(), tmp_path / "state.pt"
    run.save(path)
    before = path.read_bytes()

    def full(_state, part):
        part.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    run.train_epoch()
    with pytest.raises(MerlError, match="the disk is full; make room and start again"):
        run.save(path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir() if file.is_file()] == ["state.pt"]


def test_a_loss_that_is_no_number_stops_the_run(make):
    broken = Ready()
    broken.stored[3] = np.nan
    with pytest.raises(MerlError, match=r"the loss is nan in epoch 1, step \d; lower learning_rate"):
        make(pairs=broken).train_epoch()


def test_the_epoch_that_finds_reports_best_is_kept(make, monkeypatch):
    run = make(validation=Ready())
    run.train_epoch()
    told = run.validate()
    assert set(told) == {"recall@1", "recall@5", "recall@10", "rankme"}
    first = weights(run)
    run.train_epoch()
    monkeypatch.setattr(trainer_module, "judge", lambda *_: {"recall@10": 0.0})
    run.validate()
    run.keep_best()
    assert same(first, weights(run))


def test_stages_are_not_compared(make, monkeypatch):
    run = make(tiny(epochs=1, then=[{"epochs": 1}]), validation=Ready())
    run.train_epoch()
    monkeypatch.setattr(trainer_module, "judge", lambda *_: {"recall@10": 1.0})
    run.validate()
    run.train_epoch()
    second = weights(run)
    monkeypatch.setattr(trainer_module, "judge", lambda *_: {"recall@10": 0.0})
    run.validate()
    run.keep_best()
    assert same(second, weights(run))


def test_every_objective_trains(make):
    every = {"cma": 1, "cma-multi": 1, "cma-sigmoid": 0.1, "cma-soft": 1, "uma": 1}
    run = make(tiny(objectives=every, near_duplicates=0.99, temperature_floor=0.01))
    bias = run.pairing.bias.item()
    assert np.isfinite(run.train_epoch()["loss"])
    assert run.pairing.bias.item() != bias


def test_learning_rates_rise_and_fall_once_a_stage(make):
    second = {"epochs": 4, "learning_rate": 1e-3, "text_learning_rate": 1e-4, "warmup": 0.25}
    run = make(tiny(epochs=2, learning_rate=1e-2, text_learning_rate=0, warmup=0, then=[second]))
    rates = [run._learning_rate(step, text=False) for step in range(18)]
    assert rates[0] == pytest.approx(1e-2)
    assert rates[:6] == sorted(rates[:6], reverse=True)
    np.testing.assert_allclose(rates[6:9], [1e-3 / 3, 2e-3 / 3, 1e-3])
    assert rates[9:] == sorted(rates[9:], reverse=True)
    assert rates[-1] < 1e-4
    text = [run._learning_rate(step, text=True) for step in range(18)]
    np.testing.assert_allclose(text, [0] * 6 + [rate / 10 for rate in rates[6:]])


def test_text_layers_stay_while_they_are_frozen_and_then_move():
    second = {"epochs": 1, "text_learning_rate": 1e-3}
    config = tiny(text={"trained_layers": 1}, text_learning_rate=0, epochs=1, crop_epochs=0, then=[second])
    torch.manual_seed(0)
    identity = TextIdentity(trained_layers=1)
    model = MERL(MERLConfig(name="tiny", embed_dim=8, spec=SPEC, text=identity))
    run = Trainer(config, model, Ready(), ReportTexts.collect(REPORTS))
    before = [weight.clone() for weight in model.text_layers.parameters()]
    run.train_epoch()
    assert all(map(torch.equal, before, model.text_layers.parameters()))
    run.train_epoch()
    moved = [not torch.equal(*pair) for pair in zip(before, model.text_layers.parameters(), strict=True)]
    assert sum(moved) >= len(moved) - 1  # softmax is blind to a bias of the keys


def test_two_processes_are_one(make, tmp_path, monkeypatch):
    """Loss and gradients of the joint batch; dropout off, batch norm by its running statistics."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    torch.save(weights(make()), tmp_path / "weights.pt")
    torch.multiprocessing.spawn(process, (tmp_path,), nprocs=2)
    alone = outcome(make(still()), tmp_path)
    for rank in range(2):
        joint = torch.load(tmp_path / f"{rank}.pt", weights_only=True)
        assert joint.keys() == alone.keys()
        largest = max(float(value.abs().max()) for value in alone.values())
        off = {name: float((joint[name] - value).abs().max()) / largest for name, value in alone.items()}
        assert max(off.values()) < 1e-6, off
        assert float(joint["loss"]) == pytest.approx(float(alone["loss"]), rel=1e-6)


def still():
    """Two processes draw other random numbers; nothing but the text is left to chance."""
    return tiny(crop_shift=0, lead_masking=0, single_lead=0, noise=0, sentence_share=0.5)


def outcome(run, folder):
    run.accelerator.unwrap_model(run.pairing).load_state_dict(
        torch.load(folder / "weights.pt", weights_only=True)
    )
    run.pairing.eval()
    loss = run.loss(run.inputs(1))
    run.accelerator.backward(loss)
    named = run.accelerator.unwrap_model(run.pairing).named_parameters()
    return {"loss": loss.detach()} | {name: weight.grad for name, weight in named if weight.grad is not None}


def process(rank, folder):
    os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2", "GLOO_SOCKET_IFNAME": "lo"}
    os.environ |= {
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(40000 + os.getppid() % 20000),
        "MERL_CACHE": str(folder / "cache"),
    }
    torch.set_num_threads(1)

    class Axes:
        sha256, dim, pooling, max_tokens, lowercase, template = "0" * 64, 384, "mean", 256, False, "{text}"
        retrained = False

        def encode(self, texts, *, truncate):
            return np.eye(384, dtype=np.float32)[[len(text) for text in texts]]

    model = MERL(MERLConfig(name="tiny", embed_dim=8, spec=SPEC))
    vars(model)["text_encoder"] = Axes()
    run = Trainer(still(), model, Ready(), ReportTexts.collect(REPORTS))
    torch.save(outcome(run, folder), folder / f"{rank}.pt")
