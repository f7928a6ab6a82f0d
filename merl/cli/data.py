"""``merl data``: published data sets, fetched, checked, audited and made ready for training."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from merl.cli.console import note, print_json, progress, stoppable
from merl.cli.data_tables import print_audit, print_check
from merl.errors import UsageError, unknown

app = typer.Typer(help="Fetch, check and prepare published ECG data sets.", no_args_is_help=True)


@app.command()
@stoppable("nothing is changed, and the same command begins anew; without --waveforms it takes seconds")
def check(
    data: Annotated[Path, typer.Argument(metavar="DIR", help="A data set, or a folder that holds some.")],
    *,
    waveforms: Annotated[bool, typer.Option("--waveforms", help="Read every record too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with every missing record.")] = False,
) -> None:
    """Say which data sets a folder holds, what is missing and how many records a fold and label has.

    Exit code 1 if something is wrong with one of them.
    """
    from merl.datasets.check import check as run

    with progress("reading records") as report:
        found = run(data, waveforms=waveforms, progress=report)
    if as_json:
        print_json([item.model_dump() for item in found])
    else:
        for item in found:
            print_check(item)
    if any(item.problems for item in found):
        raise typer.Exit(1)


@app.command()
def audit(
    official: Annotated[
        Path, typer.Argument(metavar="DIR", help="MERL's release: the folder of data_split.")
    ],
    *,
    data: Annotated[
        Path | None, typer.Option(help="Data sets to compare with; those in DIR itself if not given.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Report how the labels of MERL's release differ from the fixed ones, column by column."""
    from merl.datasets.audit import audit as run

    if data is not None and not data.is_dir():
        raise UsageError(f"there is no folder {data}")
    found = run(official, data or official)
    if as_json:
        print_json([item.model_dump() for item in found])
        return
    for item in found:
        print_audit(item)


@app.command()
@stoppable("the same command goes on where it was")
def download(
    name: Annotated[str, typer.Argument(help="A data set, such as ptb-xl.")],
    *,
    base_url: Annotated[
        str | None, typer.Option(help="The folder with SHA256SUMS.txt; the publisher's if not given.")
    ] = None,
    target: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Where to; a folder NAME here if not given.")
    ] = None,
    only: Annotated[
        str | None, typer.Option(help="A regular expression: only the files whose path contains it.")
    ] = None,
) -> None:
    """Fetch a data set and compare it with its checksums; a stopped run goes on when called again."""
    from merl.datasets.catalogue import DATASETS
    from merl.datasets.download import download as run

    if name not in DATASETS:
        raise UsageError(unknown("data set", name, DATASETS))
    published = DATASETS[name]
    url = base_url or published.files_url
    if url is None:
        raise UsageError(f"{published.name} has no list of checksums; get it from {published.url}")
    only = only or (None if base_url else published.files_only)
    where = target or Path(name)
    with progress(f"fetching {name}") as report:
        done = run(url, where, only=only, progress=report)
    print(
        f"{done.fetched + done.kept} files of {published.name} in {where}, checksums right:"
        f" {done.fetched} fetched ({done.size / 1e6:.1f} MB), {done.kept} there already"
    )
    note(f"cite doi:{published.doi}; licence {published.licence}")


@app.command()
@stoppable("the same command goes on where it was")
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
