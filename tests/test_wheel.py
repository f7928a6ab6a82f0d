"""The wheel as a user gets it: built, installed into a clean environment, used outside the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
pytestmark = pytest.mark.wheel


def run(*command: str | Path, cwd: Path) -> str:
    """Run a command without the checkout on the path and return what it printed."""
    environment = {key: value for key, value in os.environ.items() if key not in {"PYTHONPATH", "MERL_DATA"}}
    environment["MERL_CACHE"] = str(cwd / "cache")
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_wheel_installs_and_runs_the_demo(tmp_path: Path) -> None:
    run(sys.executable, "-m", "build", "--wheel", "--outdir", tmp_path, ROOT, cwd=tmp_path)
    wheel = next(tmp_path.glob("merl_ckepe-*.whl"))
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"merl"}
    assert {"merl/_content/knowledge_base/sources.yaml", "merl/report/templates/report.css"} <= set(names)
    licences = {name.partition("/licenses/")[2] for name in names if "/licenses/" in name}
    parts = ("LICENSE", "knowledge_base/LICENSE", "prompts/LICENSE", "merl/weights/ptbxl-r18-100hz/LICENSE")
    assert licences == {*parts, "LICENSES/Apache-2.0.txt"}

    run(sys.executable, "-m", "venv", tmp_path / "env", cwd=tmp_path)
    python = tmp_path / "env" / "bin" / "python"
    run(
        python,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--constraint",
        ROOT / "constraints.txt",
        wheel,
        cwd=tmp_path,
    )
    merl = tmp_path / "env" / "bin" / "merl"
    printed = run(merl, "demo", cwd=tmp_path)
    assert "macro AUROC" in printed
    assert "simulated" in printed
    assert (tmp_path / "merl-demo" / "knowledge.yaml").is_file()
    assert (tmp_path / "merl-demo" / "report.html").is_file()
    assert "PROBLEM" not in run(merl, "doctor", cwd=tmp_path)
