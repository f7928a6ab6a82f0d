"""``merl embed``: ECG embeddings for people's own models."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from merl.cli.console import stoppable
from merl.cli.record_options import LeadNames, SamplingRate, Unit, record_paths, record_reader
from merl.cli.record_output import check_parquet, write_files
from merl.cli.scoring_options import DEFAULT_MODEL, Checkpoint

if TYPE_CHECKING:
    from merl.record_files import EmbeddedFile


@stoppable("nothing was written, and the same command begins anew")
def embed(
    records: Annotated[list[str], typer.Argument(metavar="DIR...", help="Folders of ECG files, or files.")],
    *,
    out_file: Annotated[Path, typer.Option("--out", help="The .parquet file to write.")],
    checkpoint: Checkpoint = DEFAULT_MODEL,
    sampling_rate: SamplingRate = None,
    unit: Unit = None,
    lead_names: LeadNames = None,
) -> None:
    """Write the embedding of every ECG, of unit length, with the file it is of.

    Short records are padded with zeros, long ones are the mean of their windows, and those of more than ten
    minutes are refused. Files that cannot be read are listed at the end and the exit code is 1; the others
    are written.
    """
    check_parquet(out_file, records)
    import pyarrow as pa

    from merl.checkpoints import load_model

    read = record_reader(sampling_rate, unit, lead_names)
    paths = record_paths(records)
    model = load_model(checkpoint)
    columns = [pa.field("embedding", pa.list_(pa.float32(), model.config.embed_dim))]

    def embeddings(files: Sequence[EmbeddedFile]) -> list[dict[str, Any]]:
        return [{"embedding": file.embedding} for file in files]

    write_files(model, paths, read=read, out_file=out_file, columns=columns, values=embeddings, about={})
