"""Pairs of ECG and report made ready once: memory-mapped shards that any number of training runs read from.

A folder holds ``manifest.json`` and, for every few thousand records, ``signals-00000.npy`` (int16, shape
(records, leads, samples), one microvolt a step) and ``reports-00000.jsonl``. One microvolt is PTB-XL's own
resolution and a fifth of MIMIC-IV-ECG's, so that records kept at their own rate lose nothing.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from merl.errors import DataError, UsageError
from merl.files import sha256, validate
from merl.preprocessing import SignalSpec

if TYPE_CHECKING:
    from merl.model import TrainingData
    from merl.pretraining.pairs import Progress

MANIFEST = "manifest.json"
#: Stored steps in one millivolt.
STEPS = np.float32(1000)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Unreadable(_Strict):
    """A record that could not be read; ``key`` is its running number in the source."""

    key: int
    reason: str


class Shard(_Strict):
    """One finished shard: its files' sizes in bytes and hashes, by name, and what it holds."""

    number: int
    records: int
    sizes: dict[str, int]
    sha256: dict[str, str]
    unreadable: tuple[Unreadable, ...] = ()

    def intact(self, folder: Path) -> bool:
        """Tell whether the files are there in their size."""
        paths = {folder / name: size for name, size in self.sizes.items()}
        return all(path.is_file() and path.stat().st_size == size for path, size in paths.items())


class Manifest(_Strict):
    """What a folder of prepared pairs holds and what it was made from.

    Attributes:
        spec: leads, rate and length of the signals, which are kept in microvolts whatever its scaling.
        tables: hashes of the published tables the pairs come from.
        pairs: how many the source has; ``pairs_sha256`` is of their keys, record names and reports.
        left_out: how many records the source left out, for which reason.
        shards: the finished ones, by number.
    """

    schema_: Literal["merl/prepared/v1"] = Field("merl/prepared/v1", alias="schema")
    dataset: str
    folds: tuple[int, ...]
    licence: str
    attribution: str
    spec: SignalSpec
    tables: dict[str, str]
    pairs: int
    pairs_sha256: str
    left_out: dict[str, int]
    shard_records: int = Field(gt=0)
    shards: tuple[Shard, ...] = ()

    @property
    def missing(self) -> list[int]:
        """Numbers of the shards that are not finished."""
        finished = {shard.number for shard in self.shards}
        return [number for number in range(-(-self.pairs // self.shard_records)) if number not in finished]

    @property
    def unreadable(self) -> list[Unreadable]:
        """The records that could not be read."""
        return [record for shard in self.shards for record in shard.unreadable]

    def with_shard(self, shard: Shard) -> Manifest:
        """Return the manifest with one more finished shard, in order."""
        shards = sorted([*self.shards, shard], key=lambda each: each.number)
        return self.model_copy(update={"shards": tuple(shards)})


class PreparedPairs:
    """Prepared pairs, opened for reading.

    Attributes:
        folder: where they are.
        manifest: what they are.
        spec: what ``signals`` returns: leads and scaling may be chosen, rate and length are those prepared.
    """

    def __init__(self, folder: Path, manifest: Manifest, spec: SignalSpec) -> None:
        self.folder, self.manifest, self.spec = folder, manifest, spec
        self._ends = np.cumsum([shard.records for shard in manifest.shards])
        self._leads = [manifest.spec.leads.index(lead) for lead in spec.leads]

    @classmethod
    def open(cls, folder: Path | str, spec: SignalSpec | None = None) -> PreparedPairs:
        """Open a finished folder; its manifest and the sizes of its files are checked.

        Args:
            folder: as ``prepare`` wrote it.
            spec: of the model that will read; in millivolts as prepared if not given.

        Raises:
            DataError: the folder is unfinished or damaged.
            UsageError: the signals were prepared at another rate or length, or without one of the leads.
        """
        folder = Path(folder)
        manifest = read_manifest(folder)
        if manifest is None or manifest.missing:
            raise DataError(f"{folder} holds no finished pairs; run `merl data prepare` on it")
        for shard in manifest.shards:
            if not shard.intact(folder):
                raise DataError(
                    f"shard {shard.number} of {folder} is missing or cut short; run `merl data prepare` again"
                )
        made = manifest.spec
        spec = spec or made
        lacking = set(spec.leads) - set(made.leads)
        if lacking or (spec.sampling_rate, spec.seconds) != (made.sampling_rate, made.seconds):
            raise UsageError(
                f"{folder} holds {made.seconds:g} s at {made.sampling_rate:g} Hz of {', '.join(made.leads)},"
                f" not {spec.seconds:g} s at {spec.sampling_rate:g} Hz of {', '.join(spec.leads)};"
                " prepare the data anew into another folder"
            )
        return cls(folder, manifest, spec)

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    @cached_property
    def reports(self) -> list[str]:
        """The cleaned report of each row; equal reports are one string."""
        distinct: dict[str, str] = {}
        reports = []
        for shard in self.manifest.shards:
            with (self.folder / shard_files(shard.number)[1]).open(encoding="utf-8") as lines:
                found = [json.loads(line)["report"] for line in lines]
            reports += [distinct.setdefault(report, report) for report in found]
        return reports

    def signals(self, rows: Sequence[int] | NDArray[np.int64]) -> NDArray[np.float32]:
        """Read some rows, in any order; one shard is mapped at a time, so memory does not grow.

        Returns:
            Shape (rows, leads, samples), in the order of ``rows``, in the units of ``spec.scaling``.

        Raises:
            IndexError: a row is not there.
        """
        rows = np.asarray(rows, np.int64)
        if rows.size and not 0 <= rows.min() <= rows.max() < len(self):
            raise IndexError(f"rows {rows.min()} to {rows.max()} of {len(self)} prepared pairs do not exist")
        out = np.empty((len(rows), len(self.spec.leads), self.spec.samples), np.float32)
        order = np.argsort(rows, kind="stable")
        shards = np.searchsorted(self._ends, rows[order], side="right")
        for place in np.unique(shards):
            taken = order[shards == place]
            shard = self.manifest.shards[place]
            stored = np.load(self.folder / shard_files(shard.number)[0], mmap_mode="r")
            first = self._ends[place] - shard.records
            out[taken] = stored[np.ix_(rows[taken] - first, self._leads)]  # (taken, leads, samples)
        out /= STEPS
        return self.spec.scale(out)

    def verify(self, progress: Progress | None = None) -> None:
        """Compare every file with its checksum.

        Raises:
            DataError: a file has changed.
        """
        for done, shard in enumerate(self.manifest.shards):
            for name, expected in shard.sha256.items():
                if sha256(self.folder / name) != expected:
                    raise DataError(
                        f"{self.folder / name} is damaged; delete it and run `merl data prepare` again"
                    )
            if progress:
                progress(done + 1, len(self.manifest.shards), "verifying")

    def training_data(self) -> TrainingData:
        """Return what a checkpoint trained on these pairs has to say about them."""
        from merl.model import TrainingData

        made = self.manifest
        return TrainingData(
            dataset=made.dataset,
            folds=made.folds,
            records=len(self),
            licence=made.licence,
            attribution=made.attribution,
        )


def shard_files(number: int) -> tuple[str, str]:
    """Return the names of a shard's two files, signals and reports."""
    return f"signals-{number:05d}.npy", f"reports-{number:05d}.jsonl"


def read_manifest(folder: Path) -> Manifest | None:
    """Read the manifest of a folder, ``None`` where there is none.

    Raises:
        DataError: it is damaged.
    """
    path = folder / MANIFEST
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ValueError:
        raise DataError(f"{path} is not readable JSON; delete {folder} and prepare it anew") from None
    return validate(Manifest, data, path, DataError)
