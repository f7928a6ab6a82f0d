import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from merl.checkpoints import WEIGHTS, load_model
from merl.errors import CheckpointError, ConfigError, DataError, MerlError, UsageError
from merl.preprocessing import SignalSpec
from merl.pretraining import sources
from merl.pretraining.config import PretrainConfig
from merl.pretraining.preparation import prepare
from merl.pretraining.run import LEFT_OUT, LOG, MEASURED, PAIRS, STATE, pretrain

SPEC = SignalSpec(leads=("I", "II"), sampling_rate=50, seconds=2)


def tiny(**changes):
    """Two leads, two seconds, folds of three records."""
    given = {
        "name": "tiny", "embed_dim": 8, "spec": SPEC, "epochs": 2, "batch_size": 8, "precision": "fp32",
        "folds": (1, 2, 3), "crop_shift": 0.5, "lead_masking": 0.3, "noise": 0.01, "rephrase_share": 0.5,
        **changes,
    }  # fmt: skip
    return PretrainConfig(**given)


def weights(folder):
    return (folder / WEIGHTS).read_bytes()


@pytest.mark.usefixtures("eye_text_encoder")
class TestPretrain:
    def test_a_run_writes_a_checkpoint_and_its_log_and_clears_the_rest(self, tiny_ptbxl, tmp_path):
        seen = []
        model = pretrain(
            tiny(validation_folds=(4, 5, 6, 7)),
            tiny_ptbxl,
            tmp_path / "out",
            progress=lambda *told: seen.append(told),
        )
        assert {path.name for path in (tmp_path / "out").iterdir()} == {
            "README.md",
            "config.json",
            WEIGHTS,
            LOG,
            LEFT_OUT,
        }
        assert model.sha256 == load_model(tmp_path / "out").sha256
        assert not model.training
        assert model.config.training.folds == (1, 2, 3)
        assert model.config.training.records == 9
        assert model.config.training.rephrased_by
        lines = [json.loads(line) for line in (tmp_path / "out" / LOG).read_text().splitlines()]
        assert [line["epoch"] for line in lines] == [1, 2]
        assert all(0 <= line["recall@10"] <= 1 for line in lines)
        assert "epoch 2/2 loss" in seen[-1][2]

    def test_a_stopped_run_goes_on_and_a_finished_one_is_not_overwritten(self, tiny_ptbxl, tmp_path):
        def stop_in_the_second_epoch(_done, _of, what):
            if what.startswith("epoch 2"):
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            pretrain(tiny(), tiny_ptbxl, tmp_path / "stopped", progress=stop_in_the_second_epoch)
        assert {path.name for path in (tmp_path / "stopped").iterdir()} == {STATE, LOG, PAIRS}
        pretrain(tiny(), tiny_ptbxl, tmp_path / "stopped")
        pretrain(tiny(), tiny_ptbxl, tmp_path / "whole")
        assert weights(tmp_path / "stopped") == weights(tmp_path / "whole")
        with pytest.raises(MerlError, match="holds a finished model; give another out folder"):
            pretrain(tiny(), tiny_ptbxl, tmp_path / "whole")

    def test_no_label_is_read(self, tiny_ptbxl, tmp_path):
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
        pretrain(tiny(epochs=1), tiny_ptbxl, tmp_path / "all")
        pretrain(tiny(epochs=1), bare, tmp_path / "bare")
        assert weights(tmp_path / "all") == weights(tmp_path / "bare")

    def test_other_reports_make_other_weights(self, tiny_ptbxl, tmp_path, monkeypatch):
        """The counterpart of the test above: what is read does matter."""
        pretrain(tiny(epochs=1), tiny_ptbxl, tmp_path / "all")
        monkeypatch.setattr(sources, "read_report", lambda report: f"{report} {len(report) % 2}")
        pretrain(tiny(epochs=1), tiny_ptbxl, tmp_path / "other")
        assert weights(tmp_path / "all") != weights(tmp_path / "other")

    def test_pairs_that_are_ready_are_read_where_they_are(self, tiny_ptbxl, tmp_path):
        source = sources.open_source(tiny_ptbxl, folds=(1, 2, 3), sampling_rate=50)
        prepare(source, tmp_path / "ready", sampling_rate=50, leads=("I", "II", "V1"), seconds=2)
        pretrain(tiny(epochs=1), tmp_path / "ready", tmp_path / "one")
        pretrain(tiny(epochs=1), tiny_ptbxl, tmp_path / "two")
        assert weights(tmp_path / "one") == weights(tmp_path / "two")
        with pytest.raises(UsageError, match="holds the folds 1, 2, 3 and the configuration asks for 1, 2"):
            pretrain(tiny(folds=(1, 2)), tmp_path / "ready", tmp_path / "three")

    def test_a_run_may_begin_with_a_checkpoint(self, tiny_ptbxl, tmp_path):
        pretrain(tiny(epochs=1), tiny_ptbxl, tmp_path / "first")
        slow = tiny(epochs=1, learning_rate=1e-9, weight_decay=0)
        model = pretrain(slow, tiny_ptbxl, tmp_path / "second", init=tmp_path / "first")
        start = load_model(tmp_path / "first")
        assert torch.allclose(model.downconv.weight, start.downconv.weight, atol=1e-6)
        assert (
            f"tiny ({start.sha256[:12]}), trained on ptbxl folds 1, 2, 3" == model.config.training.begun_with
        )
        with pytest.raises(CheckpointError, match="tiny has the heads merl and tiny has concat; set projec"):
            pretrain(tiny(projection="concat"), tiny_ptbxl, tmp_path / "third", init=tmp_path / "first")
        other = tiny(spec=SPEC.model_copy(update={"leads": ("I", "V1")}))
        with pytest.raises(CheckpointError, match="tiny has another input than tiny"):
            pretrain(other, tiny_ptbxl, tmp_path / "third", init=tmp_path / "first")

    def test_findings_measured_on_the_waveforms_are_trained_on(self, tiny_ptbxl, tmp_path):
        twelve = SignalSpec(sampling_rate=100, seconds=10)
        config = tiny(spec=twelve, epochs=1, findings_share=0.5)
        told = []
        model = pretrain(config, tiny_ptbxl, tmp_path / "out", progress=lambda *one: told.append(one))
        assert (9, 9, "measuring records") in told
        seen = model.config.training
        assert seen.findings > 10
        assert (
            f"{seen.findings} findings, measured on the waveforms" in (tmp_path / "out/README.md").read_text()
        )
        assert not (tmp_path / "out" / MEASURED).exists()
        pretrain(tiny(spec=twelve, epochs=1), tiny_ptbxl, tmp_path / "without")
        assert weights(tmp_path / "out") != weights(tmp_path / "without")

    def test_findings_need_the_twelve_leads(self, tiny_ptbxl, tmp_path):
        with pytest.raises(ConfigError, match=r"on twelve leads and spec.leads has no III, aVR"):
            pretrain(tiny(findings_share=0.5), tiny_ptbxl, tmp_path / "out")
        assert not (tmp_path / "out").exists()  # no record was read for it
        source = sources.open_source(tiny_ptbxl, folds=(1, 2, 3), sampling_rate=50)
        prepare(source, tmp_path / "two", sampling_rate=50, leads=("I", "II"), seconds=2)
        with pytest.raises(UsageError, match=r"on twelve leads and .*two was prepared without III, aVR"):
            pretrain(tiny(findings_share=0.5, validation_folds=()), tmp_path / "two", tmp_path / "out")

    def test_held_out_pairs_are_others_and_enough(self, tiny_ptbxl, tmp_path):
        source = sources.open_source(tiny_ptbxl, folds=(1, 2, 3), sampling_rate=50)
        ready = tmp_path / "ready"
        prepare(source, ready, sampling_rate=50, leads=("I", "II"), seconds=2)
        with pytest.raises(DataError, match="9 held-out records are too few; give at least 10"):
            pretrain(tiny(), ready, tmp_path / "out", validation=ready)
        assert ready.is_dir()

    def test_too_few_reports(self, tiny_ptbxl, tmp_path):
        with pytest.raises(DataError, match="3 records do not fill one batch of 8; lower batch_size"):
            pretrain(tiny(folds=(1,)), tiny_ptbxl, tmp_path / "out")

    @pytest.mark.parametrize(
        ("processes", "sentence"),
        [(3, "cannot be shared by 3 processes"), (8, "each of 8 processes one record, .* give at least 16")],
    )
    def test_batches_that_processes_cannot_share(
        self, processes, sentence, tiny_ptbxl, tmp_path, monkeypatch
    ):
        many = SimpleNamespace(num_processes=processes)
        monkeypatch.setattr("merl.pretraining.run.PartialState", lambda **_given: many)
        with pytest.raises(ConfigError, match=sentence):
            pretrain(tiny(), tiny_ptbxl, tmp_path / "out")

    def test_an_encoder_that_does_not_exist(self, tiny_ptbxl, tmp_path):
        with pytest.raises(ConfigError, match="unknown encoder 'resnt18'; did you mean 'resnet18'"):
            pretrain(tiny(encoder="resnt18"), tiny_ptbxl, tmp_path / "out")


RUN = """
name: tiny
embed_dim: 8
spec: {leads: [I, II], sampling_rate: 50, seconds: 2}
text: {trained_layers: 1}
folds: [1, 2, 3, 4, 5, 6]
validation_folds: [7, 8, 9, 10]
epochs: 3
batch_size: 6
precision: fp32
rephrase_share: 0.5
lead_masking: 0.3
"""


def test_a_run_killed_again_and_again_ends_in_the_same_weights(tiny_ptbxl, tmp_path):
    """SIGKILL at moments of the machine's choosing; text layers, optimiser, order and dropout included."""
    (tmp_path / "run.yaml").write_text(RUN)

    def start(out):
        command = [sys.executable, "-m", "merl", "pretrain", "run.yaml", f"data={tiny_ptbxl}", f"out={out}"]
        environment = {
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": str(Path(sources.__file__).parents[2]),
        }
        return subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True)

    whole = start("whole")
    assert whole.wait(timeout=120) == 0, whole.stderr.read()
    for look in (PAIRS, STATE):  # killed while records are read, and soon after the first epoch
        run = start("killed")
        while run.poll() is None and not (tmp_path / "killed" / look).exists():
            time.sleep(0.01)
        run.send_signal(signal.SIGKILL)
        run.communicate()
    last = start("killed")
    assert last.wait(timeout=120) == 0, last.stderr.read()
    assert weights(tmp_path / "killed") == weights(tmp_path / "whole")
    assert any("text_layers" in name for name in load_model(tmp_path / "whole").state_dict())


def test_two_processes_train_together(tiny_ptbxl, tmp_path):
    """From published files to the checkpoint; text layers join in the second stage."""
    second = "then: [{epochs: 1, rephrase_share: 0.5}]"
    (tmp_path / "run.yaml").write_text(
        RUN.replace("epochs: 3", f"epochs: 1\ntext_learning_rate: 0\n{second}")
    )
    command = [sys.executable, "-m", "merl", "pretrain", "run.yaml", f"data={tiny_ptbxl}", "out=together"]
    both = [
        subprocess.Popen(
            command,
            cwd=tmp_path,
            env={
                **os.environ,
                **{"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2", "OMP_NUM_THREADS": "1"},
                **{"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(20000 + os.getpid() % 20000)},
                **{"GLOO_SOCKET_IFNAME": "lo", "MERL_CACHE": str(tmp_path / "cache")},
                "PYTHONPATH": str(Path(sources.__file__).parents[2]),
            },
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    for one in both:
        _, told = one.communicate(timeout=180)
        assert one.returncode == 0, told
    model = load_model(tmp_path / "together")
    assert model.config.training.records == 18
    assert len((tmp_path / "together" / LOG).read_text().splitlines()) == 2
    assert not (tmp_path / "together" / PAIRS).exists()
