"""How the check of a data folder and the audit of MERL's release are printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from merl.cli.console import out

if TYPE_CHECKING:
    from merl.datasets.audit import Column, TaskAudit
    from merl.datasets.check import DataSetCheck, Waveforms

_SHOWN = 5  # names of a list; --json has them all


def print_check(item: DataSetCheck) -> None:
    """Print what is known of one data set of a folder."""
    print(f"{item.name} {item.version} in {item.folder}")
    print(f"  {item.licence}, doi:{item.doi}")
    print(f"  {item.records:,} records of {item.published:,} published")
    for rate, names in item.missing.items():
        if names:
            where = "" if rate == "all" else f" at {rate}"
            print(f"  {len(names):,} lack a file{where}: {_some(names)}")
    if item.folds:
        print(f"  folds are {item.split_by}")
        print("  " + ", ".join(f"{fold}: {count:,}" for fold, count in item.folds.items()))
    for task, counts in item.tasks.items():
        _print_labels(task, counts.records, counts.labels)
    if item.without_class:
        others = [f"{code} {count:,}" for code, count in item.without_class.items()]
        print(f"  said of records but no class of these: {_some(others)}")
    if item.waveforms:
        _print_waveforms(item.waveforms)
    for line in item.notes:
        print(f"  {line}")
    for line in item.problems:
        print(f"  PROBLEM: {line}")
    print()


def _print_labels(task: str, records: dict[str, int], labels: dict[str, dict[str, int]]) -> None:
    from rich.table import Table

    table = Table(task, *records, box=None, pad_edge=False, title_justify="left")
    table.add_row("records", *(f"{count:,}" for count in records.values()))
    for code, counts in labels.items():
        if any(counts.values()):
            table.add_row(code, *(f"{counts[split]:,}" for split in records))
    out().print(table)
    if none := [code for code, counts in labels.items() if not any(counts.values())]:
        print(f"  no record has: {', '.join(none)}")


def _print_waveforms(found: Waveforms) -> None:
    rates = ", ".join(f"{rate} Hz: {count:,}" for rate, count in found.rates.items())
    print(f"  {found.read:,} records read, at {rates}")
    if found.seconds:
        print(f"  {found.seconds[0]:g} to {found.seconds[1]:g} s")
    for leads, count in found.leads.items():
        print(f"  {count:,} with the leads {leads}")
    if found.flat:
        flat = [f"{name} ({' '.join(leads)})" for name, leads in found.flat.items()]
        print(f"  {len(flat):,} with a flat lead: {_some(flat)}")
    for why in list(found.unreadable.values())[:_SHOWN]:
        print(f"  unreadable: {why}")


def print_audit(item: TaskAudit) -> None:
    """Print how the release's labels of one task differ from the fixed ones."""
    print(f"{item.task}: {item.records:,} of the {item.published:,} records of {item.dataset}")
    if item.moved:
        print(f"  in another place in the training table than in the others: {', '.join(item.moved)}")
    if item.columns:
        _print_columns(item.columns, "against the release's own lists of labels")
    if item.without_column:
        print(f"  no column: {', '.join(f'{code} {count:,}' for code, count in item.without_column.items())}")
    if item.compared:
        _print_columns(item.against_data, f"against the data set, {item.compared:,} records")
        print(f"  {item.not_in_release:,} records here with a label are not in the release")
    if item.note:
        print(f"  {item.note}")
    print()


def _print_columns(columns: dict[str, Column], title: str) -> None:
    from rich.table import Table

    differing = {code: column for code, column in columns.items() if column.wrong or column.missed}
    print(f"  {title}: {len(differing)} of {len(columns)} columns differ")
    if not differing:
        return
    table = Table("class", "release", "true", "wrongly marked", "not marked", box=None, pad_edge=False)
    for code, column in differing.items():
        table.add_row(code, *(f"{n:,}" for n in (column.release, column.exact, column.wrong, column.missed)))
    out().print(table)


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
