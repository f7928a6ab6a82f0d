"""Measure what an evaluation takes: time on PTB-XL's fold 9, memory on 45,000 records of 12 x 5000.

    python benchmarks/evaluation.py speed --data PTB-XL
    python benchmarks/evaluation.py memory [--records 45000] [--checkpoint ptbxl-r18-100hz]

``speed`` runs ``merl evaluate ptbxl-super`` in a process of its own with an empty cache, from its start to
its end, then the parts of it in this process, then a second prompt set whose ECG embeddings are cached.
Beside the time that passed stands the time of the processors and the load of the machine: where other
programs run, the first grows and the second hardly does. ``memory`` simulates Chapman-Shaoxing-Ningbo as it
is published, a few distinct recordings linked under many names, evaluates the task ``csn`` on it and tells
the highest resident memory of that process.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from scipy.io import savemat

from merl.label_sets import load_label_set
from merl.records import STANDARD_LEADS

_DISTINCT, _SAMPLES, _RATE = 50, 5000, 500
TASK = "ptbxl-super"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("what", choices=("speed", "memory"))
    parser.add_argument("--data", type=Path, help="PTB-XL, for speed")
    parser.add_argument("--records", type=int, default=45_000)
    parser.add_argument("--checkpoint", default="ptbxl-r18-100hz")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        os.environ["MERL_CACHE"] = str(Path(place, "cache"))
        if options.what == "speed":
            speed(options.data, options.checkpoint)
        else:
            memory(Path(place, "csn"), options.records, options.checkpoint)


def speed(data: Path, checkpoint: str) -> None:
    given = ["--data", str(data), "--prompts", "plain", "--checkpoint", checkpoint]
    run(f"merl evaluate {TASK}, cold cache", [TASK, *given])
    run(f"merl evaluate {TASK}, ECGs cached", [TASK, *given])
    with part("import"):
        from merl.checkpoints import load_model
        from merl.datasets.tasks import load_task
        from merl.embedding import embed_windows
        from merl.evaluation.run import evaluate
    with part("load the checkpoint and its text encoder"):
        model = load_model(checkpoint)
        model.encode_text(["warm"])
    with part("tables of the data set"):
        task = load_task(TASK, data, "val")
    with part(f"read {len(task):,} records and cut them"):
        windows = [model.spec.windows(task.read(i)) for i in range(len(task))]
    with part("embed them"):
        embed_windows(model, windows)
    for prompts in ("plain", "knowledge"):
        for name in (TASK, "ptbxl-sub"):
            with part(f"evaluate {name} under {prompts}, ECGs cached"):
                evaluate(name, data=data, prompts=[prompts], model=model)


def memory(root: Path, records: int, checkpoint: str) -> None:
    with part(f"write {records:,} records of 12 x {_SAMPLES}"):
        write_csn(root, records)
    given = ["--data", str(root), "--prompts", "plain", "--split", "all", "--checkpoint", checkpoint]
    run(f"merl evaluate csn on {records:,} records", ["csn", *given])
    run("once more, ECGs cached", ["csn", *given])


def write_csn(root: Path, records: int) -> None:
    """Write the layout of Chapman-Shaoxing-Ningbo; signals of records a multiple of 50 apart are one file."""
    random = np.random.default_rng(0)
    codes = sorted({item.snomed for item in load_label_set("csn").classes.values()} - {None})
    root.mkdir()
    conditions = "\n".join(
        f'{code},"{item.name}",{item.snomed}' for code, item in load_label_set("csn").classes.items()
    )
    (root / "ConditionNames_SNOMED-CT.csv").write_text(f"AcronymName,FullName,Snomed_CT\n{conditions}\n")
    first: list[tuple[Path, np.ndarray]] = []
    for number in range(records):
        name = f"JS{number + 1:05d}"
        folder = root / "WFDBRecords" / name[2:4] / name[2:5]
        folder.mkdir(parents=True, exist_ok=True)
        if number < _DISTINCT:
            beats = np.cumsum(random.normal(size=(12, _SAMPLES)), axis=1)
            signal = np.round(10 * (beats - beats.mean(axis=1, keepdims=True))).astype("<i2")
            savemat(folder / f"{name}.mat", {"val": signal}, format="4")
            first.append((folder / f"{name}.mat", signal))
        else:
            (folder / f"{name}.mat").hardlink_to(first[number % _DISTINCT][0])
        said = ",".join(random.choice(codes, random.integers(1, 4), replace=False))
        (folder / f"{name}.hea").write_text(header(name, first[number % _DISTINCT][1], said))


def header(name: str, signal: np.ndarray, codes: str) -> str:
    lines = [f"{name} 12 {_RATE} {_SAMPLES}"]
    for lead, row in zip(STANDARD_LEADS, signal, strict=True):
        checksum = int(row.astype(np.int64).sum()) % 65536
        lines.append(f"{name}.mat 16+24 1000/mV 16 0 {row[0]} {checksum} 0 {lead}")
    return "\n".join([*lines, "#Age: 50", "#Sex: Male", f"#Dx: {codes}"]) + "\n"


def run(what: str, arguments: list[str]) -> None:
    """Run ``merl evaluate`` and print its time and its highest resident memory."""
    load, start = os.getloadavg()[0], time.perf_counter()
    command = [sys.executable, "-m", "merl", "evaluate", *arguments]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        sys.exit(f"{what}: it failed")
    passed = time.perf_counter() - start
    memory = f", at most {usage.ru_maxrss / 2**20:.2f} GB"
    print(what + taken(passed, usage.ru_utime, usage.ru_stime, load) + memory, flush=True)


@contextmanager
def part(what: str) -> Iterator[None]:
    """Print the time that a block takes."""
    load, before, start = os.getloadavg()[0], os.times(), time.perf_counter()
    yield
    after, passed = os.times(), time.perf_counter() - start
    print(what + taken(passed, after.user - before.user, after.system - before.system, load), flush=True)


def taken(passed: float, user: float, system: float, load: float) -> str:
    return f": {passed:.2f} s; processors {user:.2f} + {system:.2f} s, load {load:.1f}"


if __name__ == "__main__":
    main()
