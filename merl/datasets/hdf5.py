"""How HDF5 files are opened: with the arrays that are wanted, and one sentence where that fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from merl.errors import RecordError

if TYPE_CHECKING:
    import h5py


@contextmanager
def open_file(path: Path, *arrays: str) -> Iterator[h5py.File]:
    """Open a file that must hold some arrays.

    Raises:
        RecordError: the file is missing or damaged, or lacks one of them.
    """
    import h5py

    try:
        with h5py.File(path, "r") as file:
            if absent := [name for name in arrays if not isinstance(file.get(name), h5py.Dataset)]:
                raise RecordError(f"{path} has no array {', '.join(absent)}; use the file as published")
            yield file
    except FileNotFoundError:
        raise RecordError(f"there is no file {path}") from None
    except (OSError, ValueError, IndexError) as problem:
        raise RecordError(
            f"cannot read {path} ({type(problem).__name__}); it is truncated or damaged, get it again"
        ) from None
