"""Prepare pairs of ECG and report for training: read every record once, shard by shard, never twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from merl.errors import DataError, MerlError, RecordError, UsageError
from merl.files import atomic_path, sha256, validate, write_text
from merl.preprocessing import SignalSpec
from merl.pretraining.prepared import (
    MANIFEST,
    STEPS,
    Manifest,
    PreparedPairs,
    Shard,
    Unreadable,
    read_manifest,
    shard_files,
)
from merl.pretraining.processes import processes
from merl.pretraining.sources import Pair, Source
from merl.readers import read_record

if TYPE_CHECKING:
    from merl.pretraining.pairs import Progress

#: What reading a record gives: its signal in microvolts, (leads, samples), or the reason why there is none.
Found = NDArray[np.int16] | str
Read = Callable[[Sequence[Pair]], Iterable[Found]]

_LIMIT = 32767  # steps either way; one more below is how recorders mark a gap


def prepare(
    source: Source,
    out: Path | str,
    *,
    sampling_rate: float,
    leads: Sequence[str],
    seconds: float,
    shard_records: int = 4096,
    max_unreadable: float = 0.01,
    workers: int = 1,
    progress: Progress | None = None,
) -> PreparedPairs:
    """Read every record of a source once; stopped at any moment, it goes on with the shards that are missing.

    Args:
        source: the data set.
        out: the folder to fill, by one process at a time.
        sampling_rate: of the shards, in hertz.
        leads: of the shards, in order.
        seconds: of each record that are kept: its first ones, padded with zeros where it is shorter.
        shard_records: records in a shard; one shard is held in memory.
        max_unreadable: share of the pairs, 0 to 1, that may be unreadable.
        workers: processes that read.
        progress: called with (done, of, what).

    Raises:
        UsageError: the signals asked for are not possible.
        DataError: the source is damaged or empty, too many records are unreadable, ``out`` cannot be written
            or holds pairs made otherwise.
        MerlError: another process prepares into ``out``, or a reading process died.
    """
    out = Path(out)
    wanted = {"leads": tuple(leads), "sampling_rate": sampling_rate, "seconds": seconds}
    spec = validate(SignalSpec, wanted, "the signals asked for", UsageError)
    pairs, left_out = source.pairs()
    fresh = _manifest(source, spec, pairs, left_out, shard_records)
    with _locked(out), _reader(spec, workers) as reader:
        manifest = _take_up(out, fresh)
        read = _counted(reader, manifest, progress) if progress else reader
        for number in manifest.missing:
            _check_share(manifest, max_unreadable)
            mine = pairs[number * shard_records : (number + 1) * shard_records]
            try:
                manifest = manifest.with_shard(_make_shard(out, number, mine, spec, read))
                write_text(out / MANIFEST, manifest.model_dump_json(by_alias=True, indent=2) + "\n")
            except OSError as problem:
                raise DataError(
                    f"cannot write to {out}: {problem.strerror or problem}; what is finished is kept,"
                    " make room and call again to go on"
                ) from None
        _check_share(manifest, max_unreadable)
    return PreparedPairs.open(out)


def _manifest(
    source: Source, spec: SignalSpec, pairs: list[Pair], left_out: dict[str, int], shard_records: int
) -> Manifest:
    if not pairs:
        raise DataError(f"{source.name} has no pair of record and report here; complete the download")
    digest = hashlib.sha256()
    for key, path, report in pairs:
        digest.update(f"{key}\t{Path(path).name}\t{report}\n".encode())
    return Manifest(
        dataset=source.name,
        folds=source.folds,
        licence=source.licence,
        attribution=source.attribution,
        spec=spec,
        tables={table.name: sha256(table) for table in source.tables},
        pairs=len(pairs),
        pairs_sha256=digest.hexdigest(),
        left_out=left_out,
        shard_records=shard_records,
    )


def _take_up(out: Path, fresh: Manifest) -> Manifest:
    """Return the state of ``out``, without the shards that are damaged."""
    for part in out.glob(".*.part"):  # of a run that was killed
        part.unlink()
    state = read_manifest(out)
    if state is None:
        return fresh
    kept = tuple(shard for shard in state.shards if shard.intact(out))
    other = [name for name in Manifest.model_fields if getattr(state, name) != getattr(fresh, name)]
    if other := [name for name in other if name != "shards"]:
        raise DataError(
            f"{out} was prepared from other data or otherwise ({', '.join(other)} differ);"
            " give another folder, or delete it to prepare anew"
        )
    return fresh.model_copy(update={"shards": kept})


def _make_shard(out: Path, number: int, pairs: Sequence[Pair], spec: SignalSpec, read: Read) -> Shard:
    """Read the records of a shard and write its two files, each whole or not at all."""
    signals = np.empty((len(pairs), len(spec.leads), spec.samples), np.int16)
    kept: list[Pair] = []
    unreadable: list[Unreadable] = []
    for pair, found in zip(pairs, read(pairs), strict=True):
        if isinstance(found, str):
            unreadable.append(Unreadable(key=pair.key, reason=found))
        else:
            signals[len(kept)] = found
            kept.append(pair)
    files = [out / name for name in shard_files(number)]
    with atomic_path(files[0]) as part, part.open("wb") as handle:
        np.save(handle, signals[: len(kept)])
    lines = [json.dumps({"key": pair.key, "report": pair.report}, ensure_ascii=False) for pair in kept]
    write_text(files[1], "".join(f"{line}\n" for line in lines))
    return Shard(
        number=number,
        records=len(kept),
        sizes={file.name: file.stat().st_size for file in files},
        sha256={file.name: sha256(file) for file in files},
        unreadable=tuple(unreadable),
    )


def _microvolts(pair: Pair, spec: SignalSpec) -> Found:
    """Read the first window of a record, or say why there is none without naming the record."""
    try:
        steps = np.rint(spec.windows(read_record(pair.path))[0] * STEPS)
        if (largest := float(np.abs(steps).max())) > _LIMIT:
            return f"the record reaches {largest / STEPS:.4g} mV and {_LIMIT / STEPS:.5g} is the most kept"
    except (RecordError, OSError) as problem:
        return _anonymous(str(problem), pair)
    return steps.astype(np.int16)


def _anonymous(reason: str, pair: Pair) -> str:
    """Put the record's running number for its path and name, which in MIMIC-IV-ECG tell patient and study."""
    path, key = Path(pair.path), f"#{pair.key}"
    for known, neutral in ((str(path), key), (str(path.parent), "its folder"), (path.name, key)):
        reason = reason.replace(known, neutral)
    return reason


@contextmanager
def _reader(spec: SignalSpec, workers: int) -> Iterator[Read]:
    """Yield what reads records in order, in this process or in several."""
    read = partial(_microvolts, spec=spec)
    if workers <= 1:
        yield lambda pairs: map(read, pairs)
        return
    with processes(workers, "what is finished is kept, call again with fewer workers to go on") as pool:
        yield lambda pairs: pool.map(read, pairs, chunksize=16)


def _counted(read: Read, manifest: Manifest, progress: Progress) -> Read:
    """Let every record that is read be told, those of finished shards counted in."""
    done = sum(shard.records + len(shard.unreadable) for shard in manifest.shards)

    def counted(pairs: Sequence[Pair]) -> Iterator[Found]:
        nonlocal done
        for found in read(pairs):
            done += 1
            progress(done, manifest.pairs, "reading records")
            yield found

    return counted


def _check_share(manifest: Manifest, most: float) -> None:
    unreadable = manifest.unreadable
    if len(unreadable) > most * manifest.pairs:
        raise DataError(
            f"{len(unreadable)} of {manifest.pairs} records are unreadable, more than the share of {most:g}"
            f" that is allowed (the first: {unreadable[0].reason}); what is finished is kept,"
            " repair the data, or allow more and call again to go on"
        )


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep a folder to this process; the lock ends with the process, however that ends."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / ".lock", timeout=0):
            yield
    except Timeout:
        raise MerlError(
            f"another process is preparing {folder}; wait for it, or give another folder"
        ) from None
