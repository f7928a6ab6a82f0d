"""Where figures come from: the checkpoint, what it was trained on, and the software."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from merl.evaluation.result import Checkpoint


def checkpoint_facts(model: Any, dataset: str) -> Checkpoint:
    """Say which model it is, and whether it was trained on the data set it is scored on."""
    training = getattr(getattr(model, "config", model), "training", None)
    if isinstance(training, bool):  # a torch module's own flag: whether it is in training mode
        training = None
    facts: Mapping[str, Any] = dict(training or ())  # of a mapping or of a pydantic model
    seen = str(facts.get("dataset", ""))
    folds = facts.get("folds")
    words = seen + (f", folds {', '.join(str(fold) for fold in folds)}" if folds else "")
    return Checkpoint(
        name=model.name,
        sha256=model.sha256,
        training=words or None,
        in_distribution=_plain(dataset) in {_plain(part) for part in seen.replace("+", ",").split(",")},
    )


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


@cache
def code_sha256() -> str:
    """Hash merl's own source, so that nothing that was kept outlives a change of what computed it."""
    root = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def versions() -> dict[str, str]:
    """Return the versions of the software that computes a result."""
    from merl import __version__
    from merl.model import cpu_has_bf16

    return {
        "merl": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in ("numpy", "torch", "transformers")},
        "precision": "bf16" if cpu_has_bf16() else "fp32",
    }
