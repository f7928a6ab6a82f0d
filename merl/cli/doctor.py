"""``merl doctor``: what someone who helps would ask first, and whether it is as it should be."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Annotated

import typer

from merl.cli.console import print_json
from merl.errors import MerlError

PACKAGES = (
    "merl-ckepe", "torch", "transformers", "faiss-cpu", "langchain-core", "openai", "wfdb", "scikit-learn",
    "numpy",
)  # fmt: skip
_LITTLE_SPACE = 1e9  # bytes; the text encoder's embeddings, an index and a joined language model take as much


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes:
        what: its name.
        good: whether it is as it should be.
        found: what was found, and what to do where it is not good.
    """

    what: str
    good: bool
    found: str


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Check the installation; exit code 1 if something is wrong."""
    looks: dict[str, Callable[[], Check | list[Check]]] = {
        "Python": _python, "merl": _imported, "other merl": _foreign_merl, "packages": _packages,
        "extras": _extras, "processor": _processor, "text encoder": _text_encoder, "shipped models": _weights,
        "knowledge base": _knowledge, "cache folder": _cache, "kept in it": _kept,
        "local language model": _local_llm, "MERL_DATA": _data,
    }  # fmt: skip
    checks = [check for what, look in looks.items() for check in _looked_at(what, look)]
    if as_json:
        print_json([asdict(check) for check in checks])
    for check in [] if as_json else checks:
        print(f"{'ok     ' if check.good else 'PROBLEM'} {check.what}: {check.found}")
    if not all(check.good for check in checks):
        raise typer.Exit(1)


def _looked_at(what: str, look: Callable[[], Check | list[Check]]) -> list[Check]:
    """Look at one thing; where that fails, as with a torch that cannot be loaded, that is what is wrong."""
    try:
        found = look()
    except Exception as problem:
        said = " ".join(str(problem).split())
        advice = "run `pip install --force-reinstall merl-ckepe`"
        return [Check(what, False, f"cannot be looked at ({type(problem).__name__}: {said}); {advice}")]
    return found if isinstance(found, list) else [found]


def _python() -> Check:
    good = (3, 11) <= sys.version_info[:2] < (3, 14)
    found = f"{platform.python_version()} on {platform.platform()}"
    return Check("Python", good, found + ("" if good else "; install 3.11, 3.12 or 3.13"))


def _imported() -> Check:
    import merl

    return Check("merl", True, f"{merl.__version__} from {Path(merl.__file__).parent}")


def _foreign_merl() -> Check:
    """The package index has another distribution that installs a top-level ``merl`` over ours."""
    try:
        foreign = metadata.version("merl")
    except metadata.PackageNotFoundError:
        return Check("other merl", True, "no other package installs an import package called merl")
    return Check(
        "other merl",
        False,
        f"the unrelated package 'merl' {foreign} overwrites this one;"
        " run `pip uninstall -y merl` and `pip install --force-reinstall --no-deps merl-ckepe`",
    )


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _packages() -> list[Check]:
    found = {name: _version(name) for name in PACKAGES}
    return [
        Check(name, version is not None, version or "not installed; run `pip install merl-ckepe`")
        for name, version in found.items()
    ]


def _extras() -> list[Check]:
    """What of the optional parts is installed, by what this installation says that they need."""
    needed: dict[str, list[str]] = {}
    for line in (metadata.requires("merl-ckepe") or []) if _version("merl-ckepe") else []:
        package, extra = re.match(r"[\w.-]+", line), re.search(r"""extra == ['"]([\w-]+)""", line)
        if package and extra and extra[1] != "dev":
            needed.setdefault(extra[1], []).append(package[0])
    there = [extra for extra, names in needed.items() if all(map(_version, names))]
    absent = [extra for extra in needed if extra not in there]
    ask = f"; not installed: {', '.join(absent)} (pip install 'merl-ckepe[{absent[0]}]')" if absent else ""
    return [Check("extras", True, f"installed: {', '.join(there) or 'none'}{ask}")]


def _processor() -> Check:
    import torch

    from merl.model import cpu_has_bf16

    cores, threads = os.cpu_count() or 1, torch.get_num_threads()
    devices = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return Check(
        "processor",
        threads <= cores,
        f"{platform.machine()}, {cores} cores, {threads} threads of torch"
        + ("" if threads <= cores else f" are too many; set OMP_NUM_THREADS={cores}")
        + f", bfloat16 {'yes' if cpu_has_bf16() else 'no'}; GPUs: {', '.join(devices) or 'none'}",
    )


def _text_encoder() -> Check:
    from merl.encoders.text import minilm_folder

    try:
        minilm_folder()
    except MerlError as problem:
        return Check("text encoder", False, str(problem))
    return Check("text encoder", True, "all-MiniLM-L6-v2, weights as published")


def _weights() -> Check:
    from safetensors import SafetensorError, safe_open

    from merl.checkpoints import WEIGHTS, shipped_models

    found = shipped_models()
    for name, folder in found.items():
        try:
            with safe_open(folder / WEIGHTS, "numpy"):  # its header says how long the file must be
                pass
        except (SafetensorError, OSError):
            return Check("shipped models", False, f"the weights of {name} are damaged; reinstall merl-ckepe")
    return Check("shipped models", bool(found), ", ".join(found) or "none; reinstall merl-ckepe")


def _knowledge() -> Check:
    from merl.knowledge.entries import load_entries

    try:
        return Check("knowledge base", True, f"{len(load_entries())} entries")
    except MerlError as problem:
        return Check("knowledge base", False, str(problem))


def _cache() -> Check:
    from merl.files import cache_dir

    folder = cache_dir()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as handle:
            handle.write(b"a write test")
    except OSError as problem:
        advice = "name a folder that may be written to in MERL_CACHE"
        return Check("cache folder", False, f"{folder} cannot be written to ({problem.strerror}); {advice}")
    free = shutil.disk_usage(folder).free
    good = free >= _LITTLE_SPACE
    advice = "" if good else "; make room, or name another folder in MERL_CACHE"
    return Check("cache folder", good, f"{folder}, {free / 1e9:.1f} GB free{advice}")


def _kept() -> Check:
    """What has been kept for the next time, by its first folder."""
    from merl.files import cache_dir

    sizes: dict[str, int] = {}
    for path in cache_dir().rglob("*"):
        if path.is_file():
            part = path.relative_to(cache_dir()).parts[0]
            sizes[part] = sizes.get(part, 0) + path.stat().st_size
    said = [f"{part} {size / 1e6:.1f} MB" for part, size in sorted(sizes.items())]
    return Check("kept in it", True, ", ".join(said) or "nothing yet")


def _local_llm() -> Check:
    from merl.ckepe.llm.local import WEIGHTS, installed

    there = [size for size in WEIGHTS if installed(size)]
    if not there:
        return Check("local language model", True, "none (pip install 'merl-ckepe[local-llm]')")
    if _version("xllamacpp") is None:
        return Check(
            "local language model", False, "its weights are here and xllamacpp is not; pip install xllamacpp"
        )
    return Check("local language model", True, ", ".join(there))


def _data() -> Check:
    data = os.environ.get("MERL_DATA")
    if not data:
        return Check("MERL_DATA", True, "not set (only the tests on real data need it)")
    good = Path(data).is_dir()
    return Check("MERL_DATA", good, data if good else f"{data} is not a folder; correct it or unset it")
