"""The command line in process, with a checkpoint of random weights and caches in a temporary folder."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from merl.checkpoints import save_checkpoint
from merl.cli import main
from merl.knowledge import index as knowledge_index
from merl.knowledge.entries import load_entries
from merl.model import MERL, MERLConfig, TrainingData
from merl.preprocessing import SignalSpec
from tests.small_knowledge import KNOWLEDGE


@dataclass(frozen=True)
class Done:
    """What a command left: exit code and what it printed."""

    code: int
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """An empty working folder, caches and environment of its own."""
    monkeypatch.setenv("MERL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "200")
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_API_BASE"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def merl(capsys) -> Iterator[Run]:
    """Run a command; the test fails where it does not exit."""
    log = logging.getLogger()
    level = log.level

    def run(*arguments: object) -> Done:
        with pytest.raises(SystemExit) as stopped:
            main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return Done(int(stopped.value.code or 0), printed.out, printed.err)

    yield run
    log.setLevel(level)  # --quiet is for one command


@pytest.fixture
def fails(merl, place) -> Run:
    """Run a command that must fail in one sentence and leave nothing behind."""

    def run(code: int, *arguments: object) -> str:
        before = sorted(place.rglob("*"))
        done = merl(*arguments)
        assert (done.code, done.out) == (code, ""), done
        assert done.err.startswith("error: ")
        assert done.err.count("\n") == 1
        assert "Traceback" not in done.err
        assert sorted(place.rglob("*")) == before
        return done.err

    return run


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory) -> Path:
    """A small model of random weights."""
    torch.manual_seed(0)
    seen = TrainingData(dataset="ptbxl", folds=(1, 2), records=6, licence="CC BY 4.0", attribution="nobody")
    config = MERLConfig(name="random", embed_dim=8, spec=SignalSpec(), training=seen)
    folder = tmp_path_factory.mktemp("models") / "random"
    save_checkpoint(MERL(config), folder)
    return folder


@pytest.fixture
def small_knowledge(monkeypatch) -> None:
    """Nine entries in place of the shipped ones, so that an index is built in a moment."""
    monkeypatch.setattr(knowledge_index, "load_entries", lambda: load_entries(KNOWLEDGE))


@pytest.fixture
def record(place, simulated, write_record) -> Path:
    """The header of a good record of ten seconds."""
    return write_record(place.parent / "records" / "good", simulated())
