"""``merl data``: published data sets, made ready for training."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from merl.cli.console import progress

app = typer.Typer(help="Make published ECG data sets ready for training.", no_args_is_help=True)


@app.command()
def prepare(
    data: Annotated[Path, typer.Argument(metavar="DIR", help="A data set in its published layout.")],
    *,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of the prepared pairs.")],
    dataset: Annotated[
        str | None, typer.Option(help="ptbxl or mimic-iv-ecg; told by the files if not given.")
    ] = None,
    folds: Annotated[list[int] | None, typer.Option(help="Fold of PTB-XL; 1 to 8 if not given.")] = None,
    rate: Annotated[float, typer.Option(help="Sampling rate in Hz.")] = 500,
    leads: Annotated[list[str] | None, typer.Option(help="Lead; the twelve if not given.")] = None,
    seconds: Annotated[float, typer.Option(help="How much of each record is kept, from its start.")] = 10,
    workers: Annotated[int, typer.Option(min=1, help="Processes that read.")] = 1,
    max_unreadable: Annotated[
        float, typer.Option(min=0, max=1, help="Share of the records that may be unreadable.")
    ] = 0.01,
    verify: Annotated[bool, typer.Option("--verify", help="Compare every file with its checksum.")] = False,
) -> None:
    """Read the pairs of ECG and report into memory-mapped shards; a stopped run goes on when called again."""
    from merl.pretraining.preparation import prepare as run
    from merl.pretraining.sources import open_source
    from merl.records import STANDARD_LEADS

    source = open_source(data, dataset, folds=folds, sampling_rate=rate)
    with progress("reading reports") as report:
        pairs = run(
            source,
            out,
            sampling_rate=rate,
            leads=leads or STANDARD_LEADS,
            seconds=seconds,
            max_unreadable=max_unreadable,
            workers=workers,
            progress=report,
        )
        if verify:
            pairs.verify(report)
    made = pairs.manifest
    size = sum(size for shard in made.shards for size in shard.sizes.values())
    print(
        f"{len(pairs)} pairs of {made.dataset} in {out}: {len(made.spec.leads)} leads, {seconds:g} s"
        f" at {rate:g} Hz, {size / 1e9:.3g} GB in {len(made.shards)} shards"
        + (", checksums right" if verify else "")
    )
    left_out = {**made.left_out, "unreadable record": len(made.unreadable)}
    for reason, count in left_out.items():
        if count:
            print(f"left out: {count} ({reason})")
