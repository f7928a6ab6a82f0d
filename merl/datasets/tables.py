"""How the published tables are read: the columns that are wanted, and one sentence where that fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from merl.errors import DataError


@contextmanager
def reading(path: Path, columns: list[str], dataset: str) -> Iterator[None]:
    """Guard the reading of a CSV table.

    Args:
        path: the table.
        columns: what it must have.
        dataset: name and version, as the sentences cite them.

    Raises:
        DataError: the table is missing, lacks a column, or cannot be read inside the block.
    """
    import pandas as pd

    try:
        present = pd.read_csv(path, nrows=0).columns
        if absent := [column for column in columns if column not in present]:
            raise DataError(f"{path} lacks the columns {', '.join(absent)}; use {dataset} unchanged")
        yield
    except FileNotFoundError:
        raise DataError(f"{path} is missing; complete the download of {dataset}") from None
    except (OSError, ValueError) as problem:
        raise DataError(f"cannot read {path}: {str(problem).strip()}; get it again") from None
