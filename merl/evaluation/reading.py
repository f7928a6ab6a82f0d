"""Results of any kind read from their files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from merl.errors import DataError, wrong_use
from merl.files import Model, validate


def read_result(model: type[Model], path: str | Path, command: str) -> Model:
    """Read a result of any kind from JSON.

    Args:
        model: what kind.
        path: the file.
        command: that writes one.

    Raises:
        DataError: the file is missing, not JSON or no such result; all faults are named together.
    """
    from merl import __version__

    try:
        text = Path(path).read_text(encoding="utf-8")
        data = json.loads(text) if text.strip() else None  # of which ``validate`` says that it is empty
    except FileNotFoundError:
        why = f"there is no result {path}; `{command} ... --json {path}` writes one"
        raise wrong_use(DataError(why)) from None
    except IsADirectoryError:
        raise DataError(f"{path} is a folder; name a result in it") from None
    except (OSError, ValueError, RecursionError) as problem:
        raise DataError(f"cannot read the result {path}: {problem}") from None
    if isinstance(data, dict) and "results" in data and "results" not in model.model_fields:
        raise DataError(f"{path} is a matrix of several results; evaluate one task by one checkpoint")
    try:
        return validate(model, data, path, DataError)
    except DataError as problem:
        written = _version(data)
        if written in {None, __version__}:
            raise
        raise DataError(
            f"{path} was written by merl {written} and cannot be read by merl {__version__}; use the same"
            " version, or evaluate again"
        ) from problem


def _version(data: Any) -> str | None:
    """The version of merl that wrote a result of any kind, if it says so."""
    try:
        return str(data.get("results", [data])[0]["versions"]["merl"])
    except (AttributeError, LookupError, TypeError):
        return None
