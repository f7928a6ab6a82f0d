"""Show that prepared pairs are read faster than a model trains on them, in memory that does not grow.

    python benchmarks/loader.py [--records 2000] [--batches 40] [--workers 1] [--folder DIR]

Simulated ECGs are written in MIMIC-IV-ECG's layout (12 leads, 10 s, 500 Hz), prepared by the same code as
real ones, and read in random batches of 256: once with the shards out of the page cache, as of a data set
larger than the memory, and once in it. Against it stands a training step of ResNet-18 on the ECG side alone,
in the precision that pretraining takes. Memory is that of a process of its own that only reads.
"""

from __future__ import annotations

import argparse
import csv
import multiprocessing
import os
import resource
import tempfile
import time
from pathlib import Path

import numpy as np

from merl.preprocessing import SignalSpec
from merl.pretraining.preparation import prepare
from merl.pretraining.prepared import PreparedPairs
from merl.pretraining.sources import open_source
from merl.records import STANDARD_LEADS
from merl.simulation import Rhythm, simulate

BATCH, SHARD = 256, 512
LEADS = ("I", "II", "III", "aVR", "aVF", "aVL", *STANDARD_LEADS[6:])  # the order of MIMIC-IV-ECG
SPEC = SignalSpec(sampling_rate=500, scaling="minmax")


def write_tree(root: Path, records: int) -> None:
    """Write simulated records and the two tables."""
    import wfdb

    order = [STANDARD_LEADS.index(lead) for lead in LEADS]
    listed, machine = [], []
    for number in range(records):
        rhythm = Rhythm(heart_rate=50 + number % 60, fibrillation=number % 5 == 0)
        signal = simulate(rhythm, seed=number).signal[order].T.astype(np.float64)
        subject, study = 10000000 + number, 40000000 + number
        folder = f"files/p{subject // 10000}/p{subject}/s{study}"
        (root / folder).mkdir(parents=True)
        wfdb.wrsamp(
            str(study), 500, ["mV"] * 12, list(LEADS), signal, fmt=["16"] * 12, adc_gain=[200.0] * 12,
            baseline=[0] * 12, write_dir=str(root / folder),
        )  # fmt: skip
        listed.append([subject, study, study, "2150-01-01 00:00:00", f"{folder}/{study}"])
        said = "Atrial fibrillation" if rhythm.fibrillation else "Sinus rhythm"
        machine.append([subject, study, said, f"Rate {rhythm.heart_rate:.0f} a minute", *[""] * 16])
    tables = {
        "record_list.csv": [["subject_id", "study_id", "file_name", "ecg_time", "path"], *listed],
        "machine_measurements.csv": [
            ["subject_id", "study_id", *(f"report_{n}" for n in range(18))],
            *machine,
        ],
    }
    for name, rows in tables.items():
        with (root / name).open("w", newline="") as handle:
            csv.writer(handle).writerows(rows)


def forget(folder: Path) -> None:
    """Drop the shards from the page cache."""
    os.sync()
    for path in folder.glob("signals-*"):
        with path.open("rb") as handle:
            os.posix_fadvise(handle.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def load(folder: Path, batches: int) -> tuple[float, float, float, float]:
    """Return records a second in and out of the cache, and peak memory in MB after three batches and all."""
    pairs, random = PreparedPairs.open(folder, SPEC), np.random.default_rng(0)
    rates, peaks = [], []
    for cold in (False, True):
        seconds = 0.0
        for batch in range(batches):
            if cold:
                forget(folder)
            start = time.perf_counter()
            pairs.signals(random.choice(len(pairs), BATCH, replace=False))
            seconds += time.perf_counter() - start
            if batch == 2 and not cold:
                peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        rates.append(batches * BATCH / seconds)
    peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    return rates[0], rates[1], peaks[0], peaks[1]


def train(folder: Path, steps: int, batch: int = 32) -> float:
    """Return records a second of training steps on the ECG side, the first step left out."""
    import torch

    from merl.model import MERL, MERLConfig, cpu_has_bf16

    torch.manual_seed(0)
    model = MERL(MERLConfig(name="benchmark", spec=SPEC)).train()
    optimizer = torch.optim.AdamW(model.parameters())
    signals = torch.from_numpy(PreparedPairs.open(folder, SPEC).signals(range(batch)))
    start = 0.0
    for step in range(steps + 1):
        if step == 1:
            start = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=cpu_has_bf16()):
            similarity = (ecg := model.encode_ecg(signals, normalize=True)) @ ecg.T
        optimizer.zero_grad(set_to_none=True)
        similarity.float().logsumexp(-1).mean().backward()
        optimizer.step()
    return steps * batch / (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--records", type=int, default=2000)
    parser.add_argument("--batches", type=int, default=40)
    parser.add_argument("--workers", type=int, default=1, help="processes that prepare")
    parser.add_argument("--steps", type=int, default=4, help="training steps")
    parser.add_argument(
        "--folder", type=Path, help="where the files go; the system's temporary folder if not given"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        data, out = Path(name) / "data", Path(name) / "pairs"
        data.mkdir()
        write_tree(data, options.records)
        start = time.perf_counter()
        prepare(
            open_source(data), out, sampling_rate=500, leads=STANDARD_LEADS, seconds=10, shard_records=SHARD,
            workers=options.workers,
        )  # fmt: skip
        preparing = options.records / (time.perf_counter() - start)
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            warm, cold, early, late = pool.apply(load, (out, options.batches))
        model = train(out, options.steps)
    print(f"{options.records} records of 12 x 5000 in shards of {SHARD}, batches of {BATCH} at random")
    print(f"prepared             {preparing:8.0f} records/s with {options.workers} process(es)")
    print(f"read, not in cache   {cold:8.0f} records/s, {cold / model:6.0f} times what the model takes")
    print(f"read, in cache       {warm:8.0f} records/s, {warm / model:6.0f} times what the model takes")
    print(f"trained, ResNet-18   {model:8.1f} records/s")
    print(f"peak memory of the reading process {late:.0f} MB, {late - early:+.1f} MB since its third batch")


if __name__ == "__main__":
    main()
