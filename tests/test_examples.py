"""What the README and ``examples/`` show: the programs run, the command lines are understood."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from merl.cli.app import app
from tests.fake_llm import dutiful, serve

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The code blocks of the README in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE)


COMMANDS = [line for block in blocks("bash") for line in block.splitlines() if line.startswith("merl ")]
PROGRAMS = {
    **{f"README-{number}": code for number, code in enumerate(blocks("python"), 1)},
    **{path.name: path.read_text(encoding="utf-8") for path in sorted((ROOT / "examples").glob("*.py"))},
}


def understand(line: str) -> None:
    """Parse a command line without running it; an unknown command, option or value raises."""
    command, words = typer.main.get_command(app), shlex.split(line, comments=True)
    name = words.pop(0)
    while verbs := getattr(command, "commands", None):
        name = words.pop(0)
        assert name in verbs, f"merl has no command {name!r}"
        command = verbs[name]
    command.make_context(name, words)


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> Path:
    """One cache for all programs and pages, so that the index is built once."""
    return tmp_path_factory.getbasetemp() / "docs-cache"


def test_the_readme_shows_commands_and_programs():
    assert len(COMMANDS) >= 5
    assert {"README-1", "01_generate_prompts.py", "02_score_an_ecg.py"} <= PROGRAMS.keys()


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_line_of_the_readme_is_understood(line):
    understand(line)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("merl guess x", "no command 'guess'"),
        ("merl prompts show a.yaml --colour", "No such option: --colour"),
        ("merl prompts show", "Missing parameter"),
    ],
)
def test_a_wrong_command_line_would_be_noticed(line, fault):
    with pytest.raises(Exception, match=fault):
        understand(line)


@pytest.fixture
def run(cache, tmp_path, simulated, write_record, tiny_ptbxl) -> Callable[..., str]:
    """Run a program where PTB-XL's folder and the README's record are, and return what it printed."""
    write_record(tmp_path / "00001_lr", simulated())
    (tmp_path / "ptb-xl").symlink_to(tiny_ptbxl)
    given = {name: value for name, value in os.environ.items() if not name.startswith("MERL_")}

    def run_program(name: str, **variables: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAMS[name]],
            cwd=tmp_path,
            env={**given, "MERL_CACHE": str(cache), "PYTHONPATH": str(ROOT), **variables},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run_program


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_runs(name, run):
    printed = run(name)
    assert "AFIB" in printed or name.startswith("README")


def test_your_labels_are_worded_by_a_server_and_paid_once(run):
    name = "05_your_labels_with_an_llm.py"
    with serve(dutiful) as server:
        first = run(name, MERL_LLM_URL=server.url)
        again = run(name, MERL_LLM_URL=server.url)
    assert "4 answers, 0 more from the cache" in first
    assert "0 answers, 4 more from the cache" in again
    assert first.splitlines()[1:] == again.splitlines()[1:]
