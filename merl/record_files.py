"""Many records from files: read and embedded a batch at a time, written a row group at a time.

However many there are, only one batch of them is in memory. A file that cannot be read costs itself alone.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from merl.embedding import embed_windows
from merl.errors import MerlError, RecordError
from merl.files import atomic_path, printable
from merl.model import MERL
from merl.preprocessing import MAX_SECONDS
from merl.records import ECGRecord

if TYPE_CHECKING:
    import pyarrow

_BATCH_WINDOWS = 64
_GROUP_ROWS = 1024
_MAX_BYTES = 128 * 2**20  # twelve leads for ten minutes at 1000 Hz are 58 MB in double precision


@dataclass(frozen=True, eq=False)
class EmbeddedFile:
    """A record that was read, without its signal.

    Attributes:
        path: its file.
        name: that as text, bytes that are no UTF-8 escaped.
        seconds: its length.
        sampling_rate: in hertz.
        leads: that were recorded or computed.
        derived: those of them that were computed from I and II.
        windows: of the model's length, over which the embedding is the mean.
        embedding: of unit length, shape (embed_dim,).
    """

    path: Path
    seconds: float
    sampling_rate: float
    leads: tuple[str, ...]
    derived: tuple[str, ...]
    windows: int
    embedding: NDArray[np.float32]

    @property
    def name(self) -> str:  # noqa: D102 - see above
        return printable(self.path)

    def facts(self) -> dict[str, Any]:
        """What a table says of the record."""
        return {
            "record": self.name,
            "seconds": self.seconds,
            "sampling_rate": self.sampling_rate,
            "leads": " ".join(self.leads),
            "computed_leads": " ".join(self.derived),
            "windows": self.windows,
        }


def fact_columns() -> list[pyarrow.Field]:
    """Return the columns that ``EmbeddedFile.facts`` fills."""
    import pyarrow as pa

    kinds = {"record": pa.string(), "seconds": pa.float64(), "sampling_rate": pa.float64()}
    kinds |= {"leads": pa.string(), "computed_leads": pa.string(), "windows": pa.int32()}
    return [pa.field(name, kind) for name, kind in kinds.items()]


def embed_files(
    model: MERL,
    paths: Iterable[Path],
    *,
    read: Callable[[Path], ECGRecord],
    refuse: Callable[[Path, str], None],
) -> Iterator[list[EmbeddedFile]]:
    """Read and embed files.

    Args:
        model: the model.
        paths: of the records.
        read: reads one, such as ``merl.read_record``.
        refuse: told of each file that cannot be read or does not meet the model's contract, and why.

    Yields:
        Batches of files in their order.
    """
    batch: list[tuple[Path, ECGRecord, NDArray[np.float32]]] = []
    for path in paths:
        try:
            _refuse_holter(path)
            record = read(path)
            batch.append((path, record, model.spec.windows(record)))
        except MerlError as problem:
            refuse(path, str(problem))
        except OSError as problem:
            refuse(path, f"{path} cannot be read: {problem.strerror}")
        if sum(len(windows) for _, _, windows in batch) >= _BATCH_WINDOWS:
            yield _embedded(model, batch)
            batch = []
    if batch:
        yield _embedded(model, batch)


def _refuse_holter(path: Path) -> None:
    """Refuse by its size what is far too long, before it fills the memory."""
    signal = path.with_suffix(".dat") if path.suffix == ".hea" else path
    if not signal.is_file():
        return
    size = signal.stat().st_size
    if signal.suffix.lower() == ".npz" and zipfile.is_zipfile(signal):
        with suppress(zipfile.BadZipFile), zipfile.ZipFile(signal) as archive:
            size = sum(item.file_size for item in archive.infolist())  # unpacked
    if size > _MAX_BYTES:
        raise RecordError(
            f"{signal} has {size >> 20} MB, more than {MAX_SECONDS / 60:.0f} minutes of ECG take;"
            " cut the recording into pieces and give those"
        )


def _embedded(model: MERL, batch: list[tuple[Path, ECGRecord, NDArray[np.float32]]]) -> list[EmbeddedFile]:
    rows = embed_windows(model, [windows for _, _, windows in batch])
    return [
        EmbeddedFile(
            path, record.seconds, record.sampling_rate, record.leads, record.derived, len(windows), row
        )
        for (path, record, windows), row in zip(batch, rows, strict=True)
    ]


@contextmanager
def parquet_rows(
    path: Path, columns: list[pyarrow.Field], about: Mapping[str, Any]
) -> Iterator[Callable[[list[dict[str, Any]]], None]]:
    """Yield a function that appends rows to a Parquet file, which is there once the block ends well.

    Args:
        path: of the file.
        columns: name and type of each.
        about: what the rows are, kept as JSON under ``merl`` in the file's metadata.
    """
    import pyarrow as pa
    from pyarrow import parquet

    schema = pa.schema(columns, metadata={"merl": json.dumps(dict(about))})
    waiting: list[dict[str, Any]] = []
    with atomic_path(path) as part, parquet.ParquetWriter(part, schema) as writer:

        def write() -> None:
            if waiting:
                writer.write_table(pa.Table.from_pylist(waiting, schema))
                waiting.clear()

        def append(rows: list[dict[str, Any]]) -> None:
            waiting.extend(rows)
            if len(waiting) >= _GROUP_ROWS:
                write()

        yield append
        write()
