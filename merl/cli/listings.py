"""``merl tasks``, ``merl models`` and ``merl doctor``: what there is, and whether it works."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import typer

from merl.cli.console import out
from merl.errors import MerlError


def tasks() -> None:
    """List the tasks that can be evaluated."""
    from rich.table import Table

    from merl.datasets.tasks import TASKS
    from merl.label_sets import load_label_set

    table = Table("task", "data set", "classes", "test records", "what", box=None, pad_edge=False)
    for task in TASKS.values():
        classes = str(len(load_label_set(task.name).classes))
        table.add_row(task.name, task.dataset, classes, task.test, task.description)
    out().print(table, "")
    folds = {task.dataset: task.published.folds for task in TASKS.values()}
    for dataset, words in folds.items():
        print(f"folds of {dataset} are {words}")


def models() -> None:
    """List the shipped models and the ECG encoders."""
    from rich.table import Table

    from merl.checkpoints import read_config, shipped_models
    from merl.encoders.registry import ENCODERS

    table = Table("model", "encoder", "input", "trained on", box=None, pad_edge=False)
    for name, folder in shipped_models().items():
        config = read_config(folder)
        spec, seen = config.spec, config.training
        table.add_row(
            name,
            config.encoder,
            f"{len(spec.leads)} leads, {spec.seconds:g} s at {spec.sampling_rate:g} Hz",
            f"{seen.dataset}{_folds(seen.folds)}, {seen.records} records" if seen else "unknown",
        )
    out().print(table)
    print(f"\nencoders: {', '.join(ENCODERS)}")


def _folds(folds: tuple[int, ...]) -> str:
    return f" folds {min(folds)}-{max(folds)}" if folds else ""


def doctor() -> None:
    """Check the installation; exit code 1 if something is wrong."""
    checks = [_python(), _foreign_merl(), *_packages(), _text_encoder(), _weights(), _knowledge(), _data()]
    for good, line in checks:
        print(f"{'ok     ' if good else 'PROBLEM'} {line}")
    if not all(good for good, _ in checks):
        raise typer.Exit(1)


def _python() -> tuple[bool, str]:
    version = platform.python_version_tuple()
    return ("3", 11) <= (version[0], int(version[1])) < (
        "3",
        14,
    ), f"Python {platform.python_version()} (3.11-3.13)"


def _foreign_merl() -> tuple[bool, str]:
    """The package index has another distribution that installs a top-level ``merl`` over ours."""
    from importlib import metadata

    try:
        foreign = metadata.version("merl")
    except metadata.PackageNotFoundError:
        return True, "no other package installs an import package called merl"
    return False, (
        f"the unrelated package 'merl' {foreign} overwrites this one;"
        " run `pip uninstall -y merl` and `pip install --force-reinstall --no-deps merl-ckepe`"
    )


def _packages() -> list[tuple[bool, str]]:
    from importlib import metadata

    lines = []
    for name in (
        "merl-ckepe",
        "torch",
        "transformers",
        "faiss-cpu",
        "langchain-core",
        "openai",
        "wfdb",
        "scikit-learn",
    ):
        try:
            lines.append((True, f"{name} {metadata.version(name)}"))
        except metadata.PackageNotFoundError:
            lines.append((False, f"{name} is not installed; run `pip install merl-ckepe`"))
    return lines


def _text_encoder() -> tuple[bool, str]:
    from merl.encoders.text import minilm_folder

    try:
        minilm_folder()
    except MerlError as problem:
        return False, str(problem)
    return True, "text encoder all-MiniLM-L6-v2, weights as published"


def _weights() -> tuple[bool, str]:
    from merl.checkpoints import shipped_models

    found = shipped_models()
    return bool(found), f"shipped models: {', '.join(found) or 'none; reinstall merl-ckepe'}"


def _knowledge() -> tuple[bool, str]:
    from merl.files import cache_dir
    from merl.knowledge.entries import load_entries

    try:
        entries = load_entries()
    except MerlError as problem:
        return False, str(problem)
    return True, f"knowledge base: {len(entries)} entries; cache folder {cache_dir()}"


def _data() -> tuple[bool, str]:
    data = os.environ.get("MERL_DATA")
    if not data:
        return True, "MERL_DATA is not set (only the tests on real data need it)"
    return Path(data).is_dir(), f"MERL_DATA is {data}" + (
        "" if Path(data).is_dir() else ", which is not a folder"
    )
