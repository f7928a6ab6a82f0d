import json
import os
import shutil
import sys
from importlib import metadata

import pytest

from merl import checkpoints
from merl.ckepe.llm import local
from merl.cli import doctor


@pytest.fixture(autouse=True)
def sound(checkpoint, monkeypatch):
    """An installation to which nothing is wrong, wherever the tests run."""
    monkeypatch.setattr(checkpoints, "shipped_models", lambda: {"random": checkpoint})
    monkeypatch.setattr(doctor, "_packages", list)
    monkeypatch.delenv("MERL_DATA", raising=False)


@pytest.fixture
def lines(merl):
    """Run the command with an exit code that is expected; return what it found by what it looked at."""

    def run(code=0):
        done = merl("doctor", "--json")
        assert done.code == code, done
        return {line["what"]: line for line in json.loads(done.out)}

    return run


def test_a_sound_installation(merl, lines, tmp_path):
    done = merl("doctor")
    assert (done.code, done.err) == (0, "")
    assert "PROBLEM" not in done.out
    found = lines()
    assert all(line["good"] for line in found.values())
    assert found["cache folder"]["found"].startswith(str(tmp_path / "cache"))
    assert f"{os.cpu_count()} cores" in found["processor"]["found"]
    assert "bfloat16" in found["processor"]["found"]
    assert found["shipped models"]["found"] == "random"


def test_a_torch_that_cannot_be_loaded(lines, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    found = lines(1)
    assert "cannot be looked at (ModuleNotFoundError: " in found["processor"]["found"]
    assert "run `pip install --force-reinstall merl-ckepe`" in found["processor"]["found"]
    assert found["knowledge base"]["good"]


def test_shipped_weights_that_are_cut_short(lines, checkpoint, tmp_path, monkeypatch):
    shutil.copytree(checkpoint, tmp_path / "cut")
    weights = tmp_path / "cut" / checkpoints.WEIGHTS
    weights.write_bytes(weights.read_bytes()[:-100])
    monkeypatch.setattr(checkpoints, "shipped_models", lambda: {"cut": tmp_path / "cut"})
    assert lines(1)["shipped models"]["found"] == "the weights of cut are damaged; reinstall merl-ckepe"


def test_a_data_folder_that_is_none(merl, monkeypatch):
    monkeypatch.setenv("MERL_DATA", "/nowhere/at/all")
    done = merl("doctor")
    assert done.code == 1
    assert "PROBLEM MERL_DATA: /nowhere/at/all is not a folder; correct it or unset it" in done.out


def test_a_cache_that_cannot_be_written_to(lines, place, monkeypatch):
    (place / "file").write_text("")
    monkeypatch.setenv("MERL_CACHE", str(place / "file" / "cache"))
    assert "cannot be written to (Not a directory); name a folder" in lines(1)["cache folder"]["found"]


def test_a_full_disk(lines, monkeypatch):
    monkeypatch.setattr(doctor, "_LITTLE_SPACE", 1e30)
    found = lines(1)["cache folder"]
    assert not found["good"]
    assert "make room" in found["found"]


def test_what_is_kept_is_counted_by_folder(lines, tmp_path):
    assert lines()["kept in it"]["found"] == "nothing yet"
    kept = tmp_path / "cache" / "index" / "minilm" / "vectors"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(bytes(2_500_000))
    assert lines()["kept in it"]["found"] == "index 2.5 MB"


def test_too_many_threads(lines, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    monkeypatch.setattr("torch.get_num_threads", lambda: 64)
    assert "64 threads of torch are too many; set OMP_NUM_THREADS=1" in lines(1)["processor"]["found"]


def test_extras_are_those_of_which_everything_is_there(lines, monkeypatch):
    needs = [
        "numpy>=2",
        "wfdb>=4; extra == 'one'",
        "no-such-package; extra == 'two'",
        "numpy; extra == 'two'",
    ]
    monkeypatch.setattr(metadata, "requires", lambda _name: needs)
    found = lines()["extras"]["found"]
    assert found == "installed: one; not installed: two (pip install 'merl-ckepe[two]')"


def test_a_language_model_without_what_runs_it(lines, monkeypatch):
    monkeypatch.setattr(local, "installed", lambda _size: True)
    have = doctor._version
    monkeypatch.setattr(doctor, "_version", lambda name: None if name == "xllamacpp" else have(name))
    assert "pip install xllamacpp" in lines(1)["local language model"]["found"]
    monkeypatch.setattr(local, "installed", lambda _size: False)
    assert "none" in lines()["local language model"]["found"]


def test_the_foreign_merl_is_noticed(monkeypatch):
    monkeypatch.setattr(metadata, "version", lambda _name: "9.9")
    found = doctor._foreign_merl()
    assert not found.good
    assert "'merl' 9.9" in found.found
    assert "pip uninstall -y merl" in found.found
