"""The state of a training run on disk: written whole or not at all, read only by the run it belongs to."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from merl.errors import MerlError
from merl.files import atomic_path


def write_state(state: Mapping[str, Any], path: Path) -> None:
    """Write a state, which names what it ``belongs_to``.

    Raises:
        MerlError: it cannot be written; the state saved before stays.
    """
    try:
        with atomic_path(path) as part:
            torch.save(dict(state), part)
    except (OSError, RuntimeError) as problem:  # torch's writer reports a full disk as a RuntimeError
        full = getattr(problem, "errno", None) == errno.ENOSPC or shutil.disk_usage(path.parent).free < 2**20
        reason = "the disk is full" if full else str(problem).splitlines()[0]
        raise MerlError(
            f"cannot write {path}: {reason}; make room and start again, it goes on where it last saved"
        ) from None


def read_state(path: Path, belongs_to: Mapping[str, str]) -> dict[str, Any]:
    """Read a state; no code in the file is run.

    Args:
        path: the file.
        belongs_to: what the reading run is bound to; a key is what the error calls it.

    Raises:
        MerlError: the file is damaged, or belongs to another run.
    """
    try:
        state = torch.load(path, weights_only=True, map_location="cpu")
        made_with = dict(state["belongs_to"])
    except (OSError, RuntimeError, EOFError, UnpicklingError, LookupError, TypeError):
        raise MerlError(f"{path} is no state of a training run; delete it to train anew") from None
    for what, own in belongs_to.items():
        if made_with.get(what) != own:
            raise MerlError(f"{path} was made with {what}; give another out folder or delete it")
    return state
