"""Options of the commands that read ECG files: which files, and what is stated of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from merl.errors import UsageError

if TYPE_CHECKING:
    from merl.records import ECGRecord

SamplingRate = Annotated[
    float | None, typer.Option(help="In Hz, of tables and arrays that do not say it.", min=1, max=100_000)
]
Unit = Annotated[str | None, typer.Option(help="mV, uV, nV or V, of tables and arrays that do not say it.")]
LeadNames = Annotated[
    str | None, typer.Option(help="The signals in order, such as I,II,V1, of tables and arrays.")
]


def record_reader(
    sampling_rate: float | None, unit: str | None, lead_names: str | None
) -> Callable[[Path], ECGRecord]:
    """Return ``read_record`` with what the user states of files that do not say it."""
    from merl.readers import read_record

    leads = [lead.strip() for lead in lead_names.split(",")] if lead_names is not None else None
    return partial(read_record, sampling_rate=sampling_rate, unit=unit, leads=leads)


def record_paths(given: Sequence[str]) -> list[Path]:
    """Return the given files, and for a folder the records in it.

    Raises:
        UsageError: a folder holds no record.
    """
    from merl.readers.finding import find_records

    paths: list[Path] = []
    for path in map(Path, given):
        found = find_records(path) if path.is_dir() else [path]
        if not found:
            raise UsageError(f"{path} holds no file of a format that merl reads; docs/readers.md lists them")
        paths += found
    return paths
