import csv
import random
import shutil

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from merl import pairs, pretraining
from merl.checkpoints import WEIGHTS, load_model
from merl.errors import DataError, MerlError
from merl.model import MERL, MERLConfig
from merl.pairs import ReportTexts
from merl.preprocessing import SignalSpec
from merl.pretraining import PretrainConfig, Trainer, augment, pretrain

pytestmark = pytest.mark.usefixtures("eye_text_encoder")
SPEC = SignalSpec(leads=("I", "II"), sampling_rate=50, seconds=2)


def tiny(**changes):
    """Twenty-four records of two leads and two seconds, three batches an epoch, everything switched on."""
    given = {
        "name": "tiny", "embed_dim": 8, "spec": SPEC, "epochs": 2, "batch_size": 8, "precision": "fp32",
        "crop_shift": 0.5, "lead_masking": 0.3, "noise": 0.01, "crop_epochs": 1, **changes,
    }  # fmt: skip
    return PretrainConfig(**given)


def weights(folder):
    return (folder / WEIGHTS).read_bytes()


@pytest.fixture(scope="module")
def signals():
    return torch.randn(24, 2, 100, generator=torch.Generator().manual_seed(1)).half()


def trainer(signals, config=None, seed=0):
    torch.manual_seed(seed)
    config = config or tiny()
    model = MERL(MERLConfig(name="tiny", embed_dim=8, spec=SPEC))
    reports = ["sinus rhythm; left axis", "atrial fibrillation", "sinus rhythm"] * 8
    texts = ReportTexts.embed(reports, lambda found: np.eye(len(found), 384, dtype=np.float32))
    return Trainer(config, model, signals, texts)


def state_of(run):
    return {name: tensor.clone() for name, tensor in run.model.state_dict().items()}


def same(one, two):
    return all(torch.equal(one[name], two[name]) for name in one)


def test_two_epochs_move_every_weight_and_lower_the_loss(signals):
    run = trainer(signals, tiny(epochs=8, lead_masking=0, noise=0, learning_rate=3e-3))
    before = state_of(run)
    losses = [run.train_epoch() for _ in range(8)]
    after = state_of(run)
    still = [name for name in before if torch.equal(before[name], after[name])]
    assert not still
    assert losses[-1] < losses[0]
    assert run.epoch == 8


def test_a_resumed_run_is_the_uninterrupted_one_bit_for_bit(signals, tmp_path):
    whole = trainer(signals)
    for _ in range(2):
        whole.train_epoch()

    first = trainer(signals)
    first.train_epoch()
    first.save(tmp_path / "state.pt")
    again = trainer(signals, seed=99)  # other weights, until it takes up the state
    again.resume(tmp_path / "state.pt")
    torch.manual_seed(12345)  # what else draws random numbers must not matter
    again.train_epoch()
    assert same(state_of(whole), state_of(again))
    assert whole.scheduler.get_last_lr() == again.scheduler.get_last_lr()


def test_a_state_of_another_configuration_is_refused(signals, tmp_path):
    trainer(signals).save(tmp_path / "state.pt")
    with pytest.raises(MerlError, match="made with another configuration; give another out folder"):
        trainer(signals, tiny(learning_rate=0.5)).resume(tmp_path / "state.pt")


@pytest.mark.parametrize("content", [b"", b"not a state", None])
def test_a_damaged_state_is_said_so(signals, tmp_path, content):
    path = tmp_path / "state.pt"
    trainer(signals).save(path)
    path.write_bytes(path.read_bytes()[:5000] if content is None else content)
    with pytest.raises(MerlError, match=r"state\.pt is no state of a training run; delete it"):
        trainer(signals).resume(path)


def test_a_loss_that_is_no_number_stops_the_run(signals):
    broken = signals.clone()
    broken[3] = float("nan")
    with pytest.raises(MerlError, match=r"the loss is nan in epoch 1, step \d; lower learning_rate"):
        trainer(broken).train_epoch()


def test_pretraining_writes_a_checkpoint_and_clears_its_state(tiny_ptbxl, tmp_path):
    seen = []
    model = pretrain(tiny(folds=(1, 2, 3)), tiny_ptbxl, tmp_path / "out", lambda *told: seen.append(told))
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"README.md", "config.json", WEIGHTS}
    assert model.sha256 == load_model(tmp_path / "out").sha256
    assert not model.training
    assert model.config.training.folds == (1, 2, 3)
    assert model.config.training.records == 9
    assert seen[-1][:2] == (1, 1)
    assert "epoch 2/2 loss" in seen[-1][2]


def test_a_stopped_run_goes_on_and_a_finished_one_is_not_overwritten(tiny_ptbxl, tmp_path):
    config = tiny(folds=(1, 2, 3))

    def stop_in_the_second_epoch(_done, _of, what):
        if what.startswith("epoch 2"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pretrain(config, tiny_ptbxl, tmp_path / "stopped", stop_in_the_second_epoch)
    assert [path.name for path in (tmp_path / "stopped").iterdir()] == ["state.pt"]
    pretrain(config, tiny_ptbxl, tmp_path / "stopped")
    pretrain(config, tiny_ptbxl, tmp_path / "whole")
    assert weights(tmp_path / "stopped") == weights(tmp_path / "whole")
    with pytest.raises(MerlError, match="holds a finished model; give another out folder"):
        pretrain(config, tiny_ptbxl, tmp_path / "whole")


def test_no_label_is_read(tiny_ptbxl, tmp_path):
    """Without any column but the file name, the fold and the report the weights are the same."""
    bare = tmp_path / "ptb-xl"
    shutil.copytree(tiny_ptbxl, bare)
    (bare / "scp_statements.csv").unlink()
    with (tiny_ptbxl / "ptbxl_database.csv").open(newline="", encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    with (bare / "ptbxl_database.csv").open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, ["filename_lr", "strat_fold", "report"], extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    config = tiny(folds=(1, 2, 3), epochs=1)
    pretrain(config, tiny_ptbxl, tmp_path / "all")
    pretrain(config, bare, tmp_path / "bare")
    assert weights(tmp_path / "all") == weights(tmp_path / "bare")


def test_other_reports_make_other_weights(tiny_ptbxl, tmp_path, monkeypatch):
    """The counterpart of the test above: what is read does matter."""
    config = tiny(folds=(1, 2, 3), epochs=1)
    pretrain(config, tiny_ptbxl, tmp_path / "all")
    monkeypatch.setattr(pretraining, "read_report", lambda report: f"{report} {len(report) % 2}")
    monkeypatch.setattr(pairs, "sentences", lambda report: report.split())
    pretrain(config, tiny_ptbxl, tmp_path / "other")
    assert weights(tmp_path / "all") != weights(tmp_path / "other")


def test_too_few_reports_are_said_before_records_are_read(tiny_ptbxl, tmp_path, monkeypatch):
    monkeypatch.setattr(pretraining, "load_waveforms", None)
    with pytest.raises(DataError, match="3 records do not fill one batch of 8; lower batch_size"):
        pretrain(tiny(folds=(1,)), tiny_ptbxl, tmp_path / "out")
    monkeypatch.setattr(pretraining, "read_report", lambda _report: "")
    with pytest.raises(DataError, match="0 records do not fill"):
        pretrain(tiny(folds=(1,)), tiny_ptbxl, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("changes", [{"epochs": 0}, {"folds": ()}, {"temperature": 0}, {"epoch": 3}])
def test_a_configuration_that_makes_no_sense(changes):
    with pytest.raises(ValidationError):
        tiny(**changes)


def test_each_distinct_text_is_embedded_once():
    asked = []

    def encode(texts):
        asked.extend(texts)
        return np.zeros((len(texts), 4), np.float32)

    reports = ["sinus rhythm. left axis deviation", "sinus rhythm", "sinus rhythm. left axis deviation"]
    texts = ReportTexts.embed(reports, encode)
    assert len(asked) == len(set(asked))
    assert texts.full[0] == texts.full[2] != texts.full[1]
    for row, report in enumerate(reports):
        true = {asked[column] for column in texts.true_of[row].indices}
        assert true == {report, *(asked[part] for part in texts.parts[row])}


def test_draws_keep_to_the_record_and_to_the_share():
    texts = ReportTexts.embed(
        ["sinus rhythm. left axis deviation", "atrial fibrillation"],
        lambda found: np.zeros((len(found), 4), np.float32),
    )
    records = np.array([0, 1] * 200)
    whole = texts.draw(records, 0.0, random.Random(0))
    assert (whole == texts.full[records]).all()
    half = texts.draw(records, 0.5, random.Random(0))
    assert all(texts.true_of[record, text] for record, text in zip(records, half, strict=True))
    assert 0.35 < (half[records == 0] != texts.full[0]).mean() < 0.65


def test_augmentation_by_loops():
    signals = torch.randn(6, 3, 20)
    config = tiny(crop_shift=0.5, lead_masking=0.0, noise=0.0)
    shifted = augment(signals, config, torch.Generator().manual_seed(0))
    for before, after in zip(signals, shifted, strict=True):
        turns = [shift for shift in range(-10, 11) if torch.equal(before.roll(shift, -1), after)]
        assert turns  # one and the same circular shift for all leads
    masked = augment(
        signals, tiny(crop_shift=0, lead_masking=0.99, noise=0), torch.Generator().manual_seed(0)
    )
    off = (masked == 0).all(-1)
    assert torch.equal(masked[~off], signals[~off])
    assert off.any()
    assert not off.all()
    plain = tiny(crop_shift=0, lead_masking=0, noise=0)
    assert torch.equal(augment(signals, plain, torch.Generator()), signals)
