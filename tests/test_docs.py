"""What the documentation shows is executed, page by page, on a simulated data set in PTB-XL's layout.

A block of ``bash`` or ``python`` runs where it stands. ``.not-here`` marks what needs data or machines that
are not here, ``.stays-open`` what runs until it is stopped: of these every command and option must exist.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.cli.conftest import *  # noqa: F403 - the command line in this process
from tests.fake_llm import dutiful, serve
from tests.test_examples import understand

ROOT = Path(__file__).parent.parent
PAGES = sorted((ROOT / "docs").rglob("*.md"))
FENCE = re.compile(
    r"^```(?:\{(?P<kind>[^}]*)\}|(?P<language>\w+))\n(?P<text>.*?)^```", re.DOTALL | re.MULTILINE
)


class Block(NamedTuple):
    language: str
    runs: bool
    text: str


def blocks(page: Path) -> list[Block]:
    found = []
    for fence in FENCE.finditer(page.read_text(encoding="utf-8")):
        words = (fence["language"] or fence["kind"].lstrip(".")).split()
        found.append(Block(words[0], len(words) == 1, fence["text"]))
    return found


def test_blocks_are_found():
    every = [block for page in PAGES for block in blocks(page)]
    assert sum(block.runs and block.language == "bash" for block in every) >= 10
    assert {block.language for block in every} == {"bash", "python", "json"}


@pytest.fixture
def desk(place, tiny_ptbxl, monkeypatch, tmp_path_factory):
    """A working folder with the data set, a cache for all pages, and a language model in OpenAI's place."""
    monkeypatch.setenv("MERL_CACHE", str(tmp_path_factory.getbasetemp() / "docs-cache"))
    (place / "ptb-xl").symlink_to(tiny_ptbxl)
    with serve(dutiful) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("OPENAI_API_KEY", "none")
        yield place


@pytest.mark.parametrize("page", [pytest.param(page, id=page.stem) for page in PAGES if blocks(page)])
def test_a_page_does_what_it_says(page, desk, merl):
    for block in blocks(page):
        if block.language == "json":
            json.loads(block.text)
            continue
        if block.language == "python":
            exec(compile(block.text, str(page), "exec"), {})  # noqa: S102 - our own page
            continue
        for line in block.text.splitlines():
            if not block.runs:
                understand(line.partition("-m ")[2] if line.startswith("torchrun ") else line)
            elif line.startswith("merl "):
                run(line, merl)
            else:
                subprocess.run(["bash", "-c", line], cwd=desk, check=True)


def test_the_readme_does_what_it_says(desk, merl, simulated, write_record):
    (desk / "labels.csv").write_text("code,name\nAFIB,atrial fibrillation\nSR,sinus rhythm\n")
    write_record(desk / "00001_lr", simulated())
    (desk / "PTB-XL").symlink_to(desk / "ptb-xl")
    (desk / "DATA").mkdir()
    (desk / "DATA" / "ptb-xl").symlink_to(desk / "ptb-xl")
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    lines = page.split("## Use\n\n```bash\n")[1].split("```")[0].splitlines()
    assert len(lines) >= 10
    for line in lines:
        if "prompts review" in line:  # it stays open
            understand(line)
        else:
            run(line, merl)


def run(line: str, merl) -> None:
    """Run a line of ``merl``, with what stands before it joined by ``&&``."""
    import shlex

    done = merl(*shlex.split(line, comments=True)[1:])
    assert done.code == 0, f"{line}: {done.err}"
    assert "nothing was verified" not in done.err


def test_the_pages_are_all_in_the_menu_and_build(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")],
        cwd=ROOT,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    made = {path.relative_to(tmp_path / "site") for path in (tmp_path / "site").rglob("index.html")}
    assert len(made) >= len(PAGES)
    commands = (tmp_path / "site" / "reference" / "cli" / "index.html").read_text(encoding="utf-8")
    assert "--max-cost" in commands
