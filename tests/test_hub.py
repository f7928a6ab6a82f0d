"""Pushing to and fetching from a Hugging Face hub, over HTTP, in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from merl.checkpoints import save_checkpoint
from merl.files import sha256
from merl.hub import is_hub_id
from merl.model import MERL, MERLConfig, TrainingData
from merl.preprocessing import SignalSpec
from tests.fake_hub import FakeHub

SPEC = SignalSpec(leads=("V1", "II"), sampling_rate=50, seconds=2, scaling="minmax")
SEEN = TrainingData(dataset="ptbxl", folds=(1, 2), records=7, licence="CC BY 4.0", attribution="someone")
PUSH = "from merl import load_model; print(load_model('tiny').push_to_hub('us/tiny', token={0!r}))"
LOAD = "from merl.model import MERL; print(MERL.from_pretrained('us/tiny').sha256)"

SAY = """
from merl.errors import MerlError
try:
    exec({!r})
except MerlError as problem:
    print(problem)
"""


@pytest.fixture(scope="module")
def hub():
    server = FakeHub()
    yield server
    server.shutdown()


@pytest.fixture
def run(hub, tmp_path):
    """Run a program with the hub for Hugging Face's and a cache of its own; the environment is read once."""
    save_checkpoint(
        MERL(MERLConfig(name="tiny", embed_dim=8, heads=2, spec=SPEC, training=SEEN)), tmp_path / "tiny"
    )

    def run(program: str, **environment: str) -> subprocess.CompletedProcess[str]:
        keys = {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "hf"), "HF_HUB_OFFLINE": "0"}
        return subprocess.run(
            [sys.executable, "-c", program],
            cwd=tmp_path,
            env={**os.environ, **keys, **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_a_pushed_model_comes_back_and_then_needs_no_network(hub, run, tmp_path):
    pushed = run(PUSH.format("good"))
    assert "/us/tiny/commit/" in pushed.stdout, pushed.stderr
    files = hub.repositories["us/tiny"]
    assert {"config.json", "model.safetensors", "README.md"} <= files.keys()
    card = files["README.md"].decode()
    assert "license: cc-by-4.0" in card
    assert "Not a medical device" in card.replace("\n", " ")

    files["pickle.bin"] = b"never fetched"
    fetched = run(LOAD)
    assert fetched.stdout.strip() == sha256(tmp_path / "tiny" / "model.safetensors"), fetched.stderr
    assert not list((tmp_path / "hf").rglob("pickle.bin"))

    before = hub.requests
    offline = run(LOAD + SAY.format(LOAD.replace("us/tiny", "us/none")), HF_HUB_OFFLINE="1")
    kept, missing = offline.stdout.splitlines()
    assert kept == fetched.stdout.strip()
    assert missing.startswith("there is no folder us/none, and the Hugging Face hub did not give a model of")
    assert hub.requests == before


@pytest.mark.parametrize("endpoint", [None, "http://127.0.0.1:9"])
def test_what_goes_wrong_is_said_in_a_sentence(run, endpoint):
    programs = [
        PUSH.format("bad"),
        LOAD.replace("us/tiny", "us/none"),
        PUSH.format("good").replace("us/tiny", "tiny"),
    ]
    done = run("".join(map(SAY.format, programs)), **({"HF_ENDPOINT": endpoint} if endpoint else {}))
    refused, missing, no_id = done.stdout.splitlines()
    assert refused.startswith("the Hugging Face hub did not take us/tiny: ")
    assert missing.startswith("there is no folder us/none, and the Hugging Face hub did not give a model of")
    assert no_id == "'tiny' is no id of the Hugging Face hub; write owner/model"


def test_a_path_is_not_taken_for_a_hub_id(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    assert is_hub_id("owner/model")
    assert not any(map(is_hub_id, ["runs/mine", "model", "a/b/c", "./model", "../model", "/abs"]))
