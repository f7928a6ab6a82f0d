"""Where pairs of ECG and report come from: the waveform and the report text of a data set, nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

from merl.datasets import mimic_ecg, ptbxl
from merl.datasets.mimic_ecg import MIMICECG
from merl.datasets.ptbxl import PTBXL
from merl.errors import DataError, UsageError, unknown
from merl.reports import read_report


class Pair(NamedTuple):
    """One record and its report.

    Attributes:
        key: a running number in the source's own order. It says nothing to who does not have the data set,
            where a hash of a path made of digits could be undone by trying them all.
        path: of the record, without suffix.
        report: cleaned, in English.
    """

    key: int
    path: str
    report: str


class Source(Protocol):
    """A data set that pretraining can read."""

    @property
    def name(self) -> str:
        """The data set's name, as checkpoints cite it."""

    @property
    def folds(self) -> tuple[int, ...]:
        """The folds that are read; none where the data set has none."""

    @property
    def licence(self) -> str:
        """Its licence."""

    @property
    def attribution(self) -> str:
        """Whom to cite."""

    @property
    def tables(self) -> tuple[Path, ...]:
        """The published tables that are read."""

    def pairs(self) -> tuple[list[Pair], dict[str, int]]:
        """Return the pairs in a fixed order, and how many records were left out for which reason."""


@dataclass(frozen=True)
class PTBXLSource:
    """PTB-XL: its reports cleaned and put into English.

    Attributes:
        data: PTB-XL's folder, or one that holds it.
        folds: which are read.
        sampling_rate: of the published records to read, 100 or 500 Hz.
    """

    data: Path
    folds: tuple[int, ...] = ptbxl.FOLDS["train"]
    sampling_rate: int = 100
    name: str = field(default="ptbxl", init=False)
    licence: str = field(default=ptbxl.LICENCE, init=False)
    attribution: str = field(
        default=f"PTB-XL {ptbxl.VERSION}, Wagner et al. 2020, PhysioNet, doi:{ptbxl.DOI}", init=False
    )

    @property
    def tables(self) -> tuple[Path, ...]:
        """The table of records."""
        return (PTBXL(self.data).root / "ptbxl_database.csv",)

    def pairs(self) -> tuple[list[Pair], dict[str, int]]:
        """Return the pairs in the table's order; the key counts the records of the folds.

        Raises:
            UsageError: PTB-XL is not published at this rate.
            DataError: the data set is missing or damaged, or a fold has no records.
        """
        paths, reports = PTBXL(self.data).reports(self.folds, self.sampling_rate)
        english = {text: read_report(text) for text in set(reports)}
        pairs = [
            Pair(key, str(path), english[text])
            for key, (path, text) in enumerate(zip(paths, reports, strict=True))
            if english[text]
        ]
        silent = len(paths) - len(pairs)
        return pairs, {"report that says nothing of the ECG": silent} if silent else {}


@dataclass(frozen=True)
class MIMICSource:
    """MIMIC-IV-ECG: the reports of the machines, which are English.

    Attributes:
        data: the data set's folder, or one that holds it.
    """

    data: Path
    folds: tuple[int, ...] = field(default=(), init=False)
    name: str = field(default="mimic-iv-ecg", init=False)
    licence: str = field(default=mimic_ecg.LICENCE, init=False)
    attribution: str = field(
        default=f"MIMIC-IV-ECG {mimic_ecg.VERSION}, Gow et al. 2023, PhysioNet, doi:{mimic_ecg.DOI}",
        init=False,
    )

    @property
    def tables(self) -> tuple[Path, ...]:
        """The table of records and that of the machines' measurements."""
        root = MIMICECG(self.data).root
        return root / mimic_ecg.RECORDS, root / mimic_ecg.MACHINE

    def pairs(self) -> tuple[list[Pair], dict[str, int]]:
        """Return the pairs in the order of ``record_list.csv``; the key is the row in it.

        Raises:
            DataError: the data set is missing or damaged.
        """
        found, left_out = MIMICECG(self.data).reports()
        return [Pair(*pair) for pair in found], left_out


SOURCES = ("ptbxl", "mimic-iv-ecg")


def open_source(
    data: Path | str,
    dataset: str | None = None,
    *,
    folds: Sequence[int] | None = None,
    sampling_rate: float = 500,
) -> Source:
    """Open a data set in its published layout.

    Args:
        data: its folder, or one that holds it.
        dataset: one of ``SOURCES``; told by its tables if not given.
        folds: of PTB-XL; the eight training folds if not given.
        sampling_rate: in hertz, wanted in the end; PTB-XL's 100 Hz records are read where they suffice.

    Raises:
        UsageError: the data set is unknown, is two at once, or has no folds and some were given.
        DataError: no data set is there.
    """
    data = Path(data)
    if dataset is None:
        present = [name for name in SOURCES if _is_at(name, data)]
        if len(present) > 1:
            raise UsageError(f"{data} holds {' and '.join(present)}; say which data set is meant")
        if not present:
            raise DataError(
                f"there is no data set in {data}; give the folder that holds ptbxl_database.csv (ptbxl) or"
                f" {mimic_ecg.MACHINE} (mimic-iv-ecg)"
            )
        dataset = present[0]
    if dataset not in SOURCES:
        raise UsageError(unknown("data set", dataset, SOURCES))
    if dataset == "ptbxl":
        rate = 100 if sampling_rate <= 100 else 500
        return PTBXLSource(PTBXL(data).root, tuple(folds or ptbxl.FOLDS["train"]), rate)
    if folds:
        raise UsageError("mimic-iv-ecg has no folds; leave them out")
    return MIMICSource(MIMICECG(data).root)


def _is_at(name: str, data: Path) -> bool:
    try:
        (PTBXL if name == "ptbxl" else MIMICECG)(data)
    except DataError:
        return False
    return True
