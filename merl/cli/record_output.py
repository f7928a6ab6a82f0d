"""Results of many records in one Parquet file, and the files that failed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from merl.cli.console import note, progress
from merl.errors import RecordError, UsageError
from merl.files import printable

if TYPE_CHECKING:
    import pyarrow

    from merl.model import MERL
    from merl.record_files import EmbeddedFile
    from merl.records import ECGRecord


def check_parquet(path: Path, records: Sequence[str] = ()) -> None:
    """Refuse an output that is no Parquet file, is one of the records that are read, or cannot be written.

    Raises:
        UsageError: another suffix, or a record.
        MerlError: it cannot be written.
    """
    from merl.files import check_outputs

    if path.suffix.lower() != ".parquet":
        raise UsageError(f"{path} is no .parquet file; results of many records are written as one")
    check_outputs(path, inputs=records)


class Failures:
    """The files that could not be read, each with the reason."""

    def __init__(self) -> None:
        self.reasons: list[str] = []

    def add(self, path: Path, reason: str) -> None:
        """Keep a file and why it failed; most reasons name it, and those that do not are given its name."""
        self.reasons.append(printable(reason if str(path) in reason else f"{path}: {reason}"))

    def tell(self, written: int, out_file: Path) -> None:
        """List them on stderr.

        Raises:
            RecordError: there are any.
        """
        for reason in self.reasons:
            print(reason, file=sys.stderr)  # an error, also under --quiet
        if self.reasons:
            good = f"the other {written} are in {out_file}" if written else f"{out_file} was not written"
            total = len(self.reasons) + written
            raise RecordError(f"{len(self.reasons)} of {total} records could not be read, see above; {good}")


def write_files(
    model: MERL,
    paths: Sequence[Path],
    *,
    read: Callable[[Path], ECGRecord],
    out_file: Path,
    columns: list[pyarrow.Field],
    values: Callable[[Sequence[EmbeddedFile]], list[dict[str, Any]]],
    about: dict[str, Any],
) -> None:
    """Embed files and write a row for each that can be read; the others are listed.

    Args:
        model: the model.
        paths: the records.
        read: reads one.
        out_file: the Parquet file.
        columns: what the rows hold beside the record's facts.
        values: makes these of a batch of files.
        about: what the file says of itself beside the checkpoint.

    Raises:
        UsageError: the file is one of the records.
        RecordError: some could not be read; the others are written all the same.
    """
    from merl import __version__
    from merl.files import check_outputs
    from merl.record_files import embed_files, fact_columns, parquet_rows

    check_outputs(out_file, inputs=paths)
    failures, written = Failures(), 0
    about |= {
        "checkpoint": {"name": model.name, "sha256": model.sha256},
        "input": model.spec.model_dump(mode="json"),
        "version": __version__,
    }
    with (
        progress("reading ECGs") as report,
        parquet_rows(out_file, fact_columns() + columns, about) as append,
    ):
        for batch in embed_files(model, paths, read=read, refuse=failures.add):
            append([file.facts() | row for file, row in zip(batch, values(batch), strict=True)])
            written += len(batch)
            report(written + len(failures.reasons), len(paths))
        if not written:
            failures.tell(written, out_file)
    failures.tell(written, out_file)
    note(f"{out_file} written: {written} records")
