"""What published data sets have in common: how one is cited, found in a folder, split into folds and read.

Every data set is a file of this package with its facts and two functions: which records there are, and what
its publisher says of each. A record is a file or, where a file holds many, a row of it.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from merl.errors import DataError, NoDataError
from merl.readers import read_record
from merl.records import ECGRecord

Split = Literal["train", "val", "test", "all"]

#: Which of the folds 1 to 10 a split is made of; ``all`` is every fold.
FOLDS: Mapping[Split, tuple[int, ...]] = MappingProxyType(
    {"train": (1, 2, 3, 4, 5, 6, 7, 8), "val": (9,), "test": (10,), "all": tuple(range(1, 11))}
)
HASHED = "ours, by a hash of the patient: 1-8 train, 9 validation, 10 test"
HASHED_RECORDS = "ours, by a hash of the record, patients are not told: 1-8 train, 9 validation, 10 test"

#: What a record says of itself, in its publisher's codes; ``None`` where that cannot be read.
Statements = tuple[frozenset[str] | None, ...]

_OTHER_FILES = {"records100", "records500", "files"}  # of PTB-XL and MIMIC-IV-ECG: many, and never looked for
_DX = re.compile(r"^#\s*Dx:(.*)$", re.MULTILINE)


@dataclass(frozen=True, eq=False)
class Records:
    """Records of a data set in a fixed order, without their labels.

    Attributes:
        names: unique, without anything about the patient.
        paths: of the files, as the data set's ``read`` takes them.
        patients: shape (records,), an anonymous number for each patient; the record's own where none is told.
        folds: shape (records,).
        rows: shape (records,), which part of its file a record is; 0 where a file is a record.
    """

    names: tuple[str, ...]
    paths: tuple[Path, ...]
    patients: NDArray[np.int64]
    folds: NDArray[np.int64]
    rows: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.names)

    def take(self, indices: Iterable[int]) -> Records:
        """Return some of the records, in the order asked for."""
        kept = np.fromiter(indices, np.int64)
        return Records(
            names=tuple(self.names[i] for i in kept),
            paths=tuple(self.paths[i] for i in kept),
            patients=self.patients[kept],
            folds=self.folds[kept],
            rows=self.rows[kept],
        )


def read_file(path: Path, _row: int) -> ECGRecord:
    """Read a file that is one record."""
    return read_record(path)


@dataclass(frozen=True)
class Published:
    """A data set as it is published.

    Attributes:
        key: its name on the command line.
        name: as its authors write it.
        records_in_all: how many are published.
        folds: in words, whose they are or by which rule.
        url: where it is to be had.
        files_url: the folder of its files and their checksums, where its publisher has one.
        files_only: a regular expression of those of them that are its own.
        find: returns the data set's folder, given that or one that holds it; ``None`` where it is not there.
        records: lists the records of a folder at a sampling rate (which only PTB-XL offers a choice of).
        statements: reads what is said of some of them.
        read: reads a record from its path and row.
        suffixes: of the files that a record's path stands for.
        splits: the folds of each split.
        rates: at which sampling rates in hertz it is published, where there is a choice.
        every_fold: whether a folder without one of the folds is incomplete; folds by a hash may be empty.
        label_set: names what ``statements`` returns where no task does.
    """

    key: str
    name: str
    version: str
    records_in_all: int
    licence: str
    doi: str
    url: str
    folds: str
    find: Callable[[Path], Path | None]
    records: Callable[[Path, int], Records]
    statements: Callable[[Path, Records], Statements]
    read: Callable[[Path, int], ECGRecord] = read_file
    suffixes: tuple[str, ...] = (".hea", ".mat")
    splits: Mapping[Split, tuple[int, ...]] = field(default_factory=lambda: FOLDS)
    rates: tuple[int, ...] = ()
    every_fold: bool = False
    files_url: str | None = None
    files_only: str | None = None
    label_set: str | None = None

    def folder(self, data: Path | str) -> Path:
        """Return the data set's folder.

        Raises:
            NoDataError: it is not there.
        """
        found = self.find(Path(data))
        if found is None:
            raise NoDataError(
                f"there is no {self.name} in {data}; give the folder that holds it, or get it from {self.url}"
            )
        return found

    def missing(self, records: Records) -> NDArray[np.bool_]:
        """Tell which records lack one of their files, shape (records,); every folder is listed once."""
        there: dict[Path, set[str]] = {}
        for folder in {path.parent for path in records.paths}:
            there[folder] = {entry.name for entry in os.scandir(folder)} if folder.is_dir() else set()
        lacking = {
            path: not {path.name + suffix for suffix in self.suffixes} <= there[path.parent]
            for path in set(records.paths)
        }
        return np.array([lacking[path] for path in records.paths], np.bool_)


def hashed_folds(dataset: str, patients: Iterable[object]) -> NDArray[np.int64]:
    """Return a fold from 1 to 10 for each patient: the SHA-256 of ``dataset/patient`` modulo ten, plus one.

    A patient's fold depends on nothing else, so it is the same whatever part of a data set is there.
    """
    folds: dict[object, int] = {}
    for patient in (patients := list(patients)):
        if patient not in folds:
            digest = hashlib.sha256(f"{dataset}/{patient}".encode()).digest()
            folds[patient] = int.from_bytes(digest[:8], "big") % 10 + 1
    return np.array([folds[patient] for patient in patients], np.int64)


def of_files(dataset: str, paths: Iterable[Path]) -> Records:
    """Return records of which each is a file and, as far as one knows, a patient."""
    paths = tuple(paths)
    names = tuple(path.name for path in paths)
    if len(set(names)) != len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise DataError(f"{paths[0].parent.parent} holds {twice[0]} more than once; give one copy's folder")
    return Records(
        names=names,
        paths=paths,
        patients=np.arange(len(names)),
        folds=hashed_folds(dataset, names),
        rows=np.zeros(len(names), np.int64),
    )


def files_below(root: Path, pattern: re.Pattern[str], suffix: str = ".hea") -> list[Path]:
    """Return the records at any depth below a folder whose name fits, without suffix, sorted by name.

    Records that a ``RECORDS`` file of their folder lists belong to it even if their files do not.
    """
    found = set()
    for folder, below, names in os.walk(root):
        below[:] = sorted(set(below) - _OTHER_FILES)
        stems = {name.removesuffix(suffix) for name in names if name.endswith(suffix)}
        if suffix == ".hea" and "RECORDS" in names:
            lines = Path(folder, "RECORDS").read_text(encoding="utf-8", errors="replace").split()
            stems |= {line.removesuffix(".mat") for line in lines}
        found |= {Path(folder, stem) for stem in stems if pattern.fullmatch(stem)}
    return sorted(found, key=lambda path: (path.name, path))


def finder(pattern: re.Pattern[str], suffix: str = ".hea") -> Callable[[Path], Path | None]:
    """Return a function that accepts a folder with a record of that name at any depth."""

    def find(data: Path) -> Path | None:
        for _, below, names in os.walk(data):
            below[:] = sorted(set(below) - _OTHER_FILES)
            if any(name.endswith(suffix) and pattern.fullmatch(name[: -len(suffix)]) for name in names):
                return data
        return None

    return find


def diagnoses(_root: Path, records: Records) -> Statements:
    """Read the codes of the ``#Dx:`` line of each header; ``None`` where header or line is missing."""
    return tuple(_dx(path.with_name(f"{path.name}.hea")) for path in records.paths)


def _dx(header: Path) -> frozenset[str] | None:
    try:
        line = _DX.search(header.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return None
    return line and frozenset(code.strip() for code in line[1].split(",") if code.strip())
