"""Tables with a column for each lead: CSV, TSV and Parquet.

A column is known by its name in the first line (``II``, ``Lead II``, ``II (uV)``, ``II_mV``, ``II/mV``). The
sampling rate comes from a time column whose unit is in its name (``time_s``, ``Time (ms)``), from the caller,
from ``X.json`` beside ``X.csv`` or from a Parquet file's metadata. Nothing is guessed: not the rate, not the
unit.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from merl.errors import RecordError
from merl.readers.checks import make_record, millivolts, reader
from merl.readers.stated import Stated, beside
from merl.records import STANDARD_LEADS, ECGRecord, canonical_lead

if TYPE_CHECKING:
    import pyarrow

_UNIT_IN_NAME = re.compile(r"(.*?)\s*[(\[]\s*([^)\]]+?)\s*[)\]]|(.+?)[_ /.-]([muµμn]?v|m?s)", re.IGNORECASE)
_WORDS = re.compile(r"[^a-z0-9]+", re.IGNORECASE)
_TIMES = {"time", "t", "elapsed time", "timestamp"}
_COUNTERS = {"", "sample", "samples", "index", "unnamed: 0", "__index_level_0__"}
_SECONDS = {"s": 1.0, "sec": 1.0, "seconds": 1.0, "ms": 1e-3}
_NUMBERS = re.compile(r"[-+.\d][\d.eE+-]*|nan|")
_MAX_STEP = 1.75  # intervals; a lost sample makes a step of two, of times in milliseconds at 360 Hz of 1.8


@dataclass(frozen=True)
class _Column:
    name: str
    unit: str | None
    values: Any  # a pyarrow column

    @classmethod
    def of(cls, written: str, values: Any) -> _Column:
        found = _UNIT_IN_NAME.fullmatch(written.strip())
        if found is None:
            return cls(written.strip(), None, values)
        return cls((found[1] or found[3] or "").strip(), found[2] or found[4], values)


@reader("a table with one row a sample", "it is damaged, or no table")
def read_table(path: str | Path, given: Stated = Stated()) -> ECGRecord:  # noqa: B008 - it is frozen
    """Read a CSV, TSV or Parquet file with one row a sample.

    Columns that are named as one of the twelve standard leads are read and others are left; where ``leads``
    are stated, they name all columns but time and sample number, in order.

    Raises:
        RecordError: the file is missing or damaged, no column is a lead, a lead has no numbers or no unit,
            the sampling rate is not stated, or two statements contradict each other.
    """
    path = Path(path)
    table, header, said = _read(path)
    names = table.column_names if header else [""] * table.num_columns
    columns = [_Column.of(name, table.column(number)) for number, name in enumerate(names)]
    stated = given.agreeing(beside(path), path).agreeing(said, path)
    signals = columns
    if header:
        signals = [item for item in columns if item.name.lower() not in _TIMES | _COUNTERS]
        times = [item for item in columns if item.name.lower() in _TIMES and item.unit]
        stated = _with_rate(stated, times, path)
    leads, signals = _leads(signals, stated, path)
    if stated.sampling_rate is None:
        raise RecordError(
            f"{path} does not say its sampling rate; give sampling_rate, or name a column time_s or time_ms"
        )
    rows = [_to_millivolts(*pair, stated.unit, path) for pair in zip(leads, signals, strict=True)]
    return make_record(np.stack(rows), stated.sampling_rate, leads, path.stem)


def _read(path: Path) -> tuple[pyarrow.Table, bool, Stated]:
    """Return the table, whether its columns have names of their own, and what its metadata state."""
    with path.open("rb") as handle:  # a handle, for Arrow knows no path that is not UTF-8
        if path.suffix.lower() == ".parquet":
            return _read_parquet(handle)
        return *_read_csv(handle, path), Stated()


def _read_parquet(handle: BinaryIO) -> tuple[pyarrow.Table, bool, Stated]:
    from pyarrow import parquet

    table = parquet.read_table(handle)
    notes = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
    rate = notes.get("sampling_rate")
    return table, True, Stated(float(rate) if rate else None, notes.get("unit"))


def _read_csv(handle: BinaryIO, path: Path) -> tuple[pyarrow.Table, bool]:
    from pyarrow import csv

    start = handle.read(65536)
    handle.seek(0)
    try:
        text, encoding = start.decode("utf-8-sig", errors="strict"), "utf8"
    except UnicodeDecodeError:
        text, encoding = start.decode("latin-1"), "latin-1"
    lines = text.splitlines()
    comments = next(number for number, line in enumerate([*lines, ""]) if not line.startswith("#"))
    first, second = lines[comments], lines[min(comments + 1, len(lines) - 1)]
    delimiter = next((mark for mark in "\t;," if mark in first), ",")
    decimal = "," if delimiter != "," and "," in second else "."
    cells = [cell.strip(' "') for cell in first.replace(decimal, ".").split(delimiter)]
    header = not all(_NUMBERS.fullmatch(cell) for cell in cells)
    counted = cells[1:] if cells[0] == "" else cells  # pandas names an index by nothing
    if len(counted) > 2 and counted in (
        [str(number + begin) for number in range(len(counted))] for begin in (0, 1)
    ):
        raise RecordError(f"the first line of {path} numbers its columns; write the leads' names there")
    table = csv.read_csv(
        handle,
        csv.ReadOptions(skip_rows=comments, autogenerate_column_names=not header, encoding=encoding),
        csv.ParseOptions(delimiter=delimiter),
        csv.ConvertOptions(decimal_point=decimal),
    )
    return table, header


def _with_rate(stated: Stated, times: list[_Column], path: Path) -> Stated:
    """Add the sampling rate that a time column shows; a whole number where it is within 0.05 % of one."""
    if not times:
        return stated
    time = times[0]
    second = _SECONDS.get((time.unit or "").lower())
    if second is None:
        raise RecordError(f"{path}: the time column has the unit {time.unit!r}; give it in s or ms")
    values = _numbers(time, "the time column", path) * second
    steps = len(values) - 1
    rate = steps / (values[-1] - values[0]) if steps > 0 and values[-1] > values[0] else 0.0
    even = np.abs((values - values[0]) * rate - np.arange(len(values))).max(initial=0.0) < 0.5
    even &= (np.diff(values) * rate).max(initial=0.0) < _MAX_STEP
    if not rate or not even:
        raise RecordError(f"{path}: the time column does not rise evenly; give a record without gaps")
    rate = round(rate) if abs(rate / max(round(rate), 1) - 1) < 5e-4 else rate
    if stated.sampling_rate is not None and abs(rate - stated.sampling_rate) < 1e-3 * rate:
        return stated  # printed times are rounded; the stated rate is the exact one
    return stated.agreeing(Stated(sampling_rate=rate), path)


def _leads(columns: list[_Column], stated: Stated, path: Path) -> tuple[list[str], list[_Column]]:
    own = [canonical_lead(item.name) for item in columns]
    if stated.leads is None:
        found = [pair for pair in zip(own, columns, strict=True) if pair[0] in STANDARD_LEADS]
        if not found:
            raise RecordError(
                f"{path} has no column named as a lead; name the columns I, II, ... in its first line, or"
                " give leads"
            )
        for lead in {_begins_with_lead(item.name) for item in columns} - {None, *dict(found)}:
            raise RecordError(
                f"{path}: it is not clear whether a column that begins with {lead} is that lead; name it"
                f" {lead}, {lead} (mV) or so, or otherwise"
            )
        return [lead for lead, _ in found], [column for _, column in found]
    leads = [canonical_lead(lead) for lead in stated.leads]
    if len(leads) != len(columns):
        raise RecordError(f"{path} has {len(columns)} signals and {len(leads)} leads are stated; name each")
    for lead, written in zip(leads, own, strict=True):
        if written in STANDARD_LEADS and written != lead:
            raise RecordError(f"{path}: the column {written} is stated to be lead {lead}; leave leads out")
    return leads, columns


def _begins_with_lead(name: str) -> str | None:
    """Return the standard lead whose name is the first word of a column's, ``V1`` of ``V1-filtered``."""
    lead = canonical_lead(_WORDS.split(canonical_lead(name))[0])
    return lead if lead in STANDARD_LEADS else None


def _to_millivolts(lead: str, column: _Column, unit: str | None, path: Path) -> NDArray[np.float64]:
    where = f"{path}: lead {lead}"
    if column.unit is None and unit is None:
        raise RecordError(f"{where} has no unit; name the column {lead} (mV) or so, or give unit")
    factor = millivolts(column.unit or unit or "", where)
    if unit is not None and millivolts(unit, str(path)) != factor:
        raise RecordError(f"{where} is in {column.unit}, and the unit is stated as {unit}; leave unit out")
    return _numbers(column, f"lead {lead}", path) * factor


def _numbers(column: _Column, what: str, path: Path) -> NDArray[np.float64]:
    """Return a column as numbers, empty cells as NaN."""
    from pyarrow import types

    kind = column.values.type
    if not (types.is_floating(kind) or types.is_integer(kind)):
        raise RecordError(f"{path}: {what} holds something else than numbers; leave it out or mend it")
    return np.asarray(column.values.to_numpy(), np.float64)
