"""Whatever bytes a file has, reading it ends in a record or in one sentence of ours that names no patient."""

from __future__ import annotations

import json
import random
import shutil
import zipfile
from pathlib import Path

import edfio
import numpy as np
import pandas as pd
import pytest
import scipy.io
from pydicom.data import get_testdata_file

from merl.errors import RecordError
from merl.readers import read_record
from merl.records import RATES, STANDARD_LEADS
from tests.readers import written

KINDS = ["npy", "npz", "zipped.npz", "csv", "parquet", "hea", "mat", "edf", "dcm"]
PIECES = [b"9" * 20, b"-1", b"nan", b"\xff" * 8, b"\0" * 8, b"1e400", b'"', b"inf"]


def write(kind: str, folder: Path, signal, write_record) -> Path:
    path = folder / f"x.{kind}"
    facts = {"sampling_rate": 100.0, "unit": "mV", "leads": list(STANDARD_LEADS)}
    if kind == "npy":
        np.save(path, signal)
        path.with_suffix(".json").write_text(json.dumps(facts))
    elif kind.endswith("npz"):
        (np.savez_compressed if "zipped" in kind else np.savez)(path, signal=signal, **facts)
    elif kind in {"csv", "parquet"}:
        table = pd.DataFrame(signal.T, columns=[f"{lead} (mV)" for lead in STANDARD_LEADS])
        table.insert(0, "time_s", np.arange(len(table)) / 100)
        table.to_csv(path, index=False) if kind == "csv" else table.to_parquet(path)
    elif kind == "hea":
        write_record(path.with_suffix(""), signal)
    elif kind == "mat":
        content = {"ECG": {"sex": written.LAST, "data": signal}}
        scipy.io.savemat(path, content, do_compression=True)  # as published; SciPy trusts what is not
    elif kind == "edf":
        signals = [
            edfio.EdfSignal(row, 100, label=lead, physical_dimension="mV", physical_range=(-10, 10))
            for lead, row in zip(STANDARD_LEADS, signal, strict=True)
        ]
        edfio.Edf(signals, patient=edfio.Patient(name=written.LAST)).write(path)
    else:
        shutil.copy(str(get_testdata_file("waveform_ecg.dcm", download=False)), path)
    return path


def damage(whole: bytes, rng: random.Random) -> bytes:
    """Cut, change, lose or add some bytes, mostly where headers are."""
    data, at = bytearray(whole), rng.randrange(min(len(whole), rng.choice([200, 600, 4000, 10**9])))
    how = rng.randrange(4)
    if how == 0:
        return whole[: rng.randrange(len(whole))]
    if how == 1:
        data[at] = rng.randrange(256)
    elif how == 2:
        del data[at : at + rng.randrange(1, 300)]
    else:
        data[at : at + rng.randrange(2)] = rng.choice(PIECES)
    return bytes(data)


@pytest.mark.parametrize("kind", KINDS)
def test_damage_ends_in_a_record_or_a_sentence(tmp_path, simulated, write_record, kind):
    path = write(kind, tmp_path, simulated(seconds=2), write_record)
    assert len(read_record(path).leads) == 12
    whole, rng = path.read_bytes(), random.Random(1)
    records, sentences = [], []
    for _ in range(60):
        path.write_bytes(damage(whole, rng))
        try:
            records.append(read_record(path))
        except RecordError as problem:
            sentences.append(str(problem))
    assert len(sentences) > 5
    assert not any(word in said for said in sentences for word in ("\n", *written.SECRETS))
    assert all(np.isfinite(record.signal).all() for record in records)
    assert all(RATES[0] <= record.sampling_rate <= RATES[1] for record in records)


def announce(path: Path, shape: str) -> None:
    head = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head.encode())


@pytest.mark.parametrize("shape", ["(12, 1000000000000)", "(12, 1000"])
def test_an_array_that_announces_too_much_or_nonsense(tmp_path, shape):
    announce(tmp_path / "x.npy", shape)
    with pytest.raises(RecordError, match=r"cannot read .* as NumPy numbers"):
        read_record(tmp_path / "x.npy", sampling_rate=100, unit="mV", leads=STANDARD_LEADS)


def test_an_archive_whose_compression_is_damaged(tmp_path, simulated):
    path = tmp_path / "x.npz"
    facts = {"sampling_rate": 100.0, "unit": "mV", "leads": list(STANDARD_LEADS)}
    np.savez_compressed(path, signal=simulated(), **facts)
    with zipfile.ZipFile(path) as archive:
        start = archive.getinfo("signal.npy").header_offset + 60
    data = bytearray(path.read_bytes())
    data[start : start + 40] = b"\xff" * 40
    path.write_bytes(data)
    with pytest.raises(RecordError, match=r"cannot read .* as NumPy numbers"):
        read_record(path)


def test_json_beside_an_array_nested_without_end(tmp_path, simulated):
    np.save(tmp_path / "x.npy", simulated())
    (tmp_path / "x.json").write_text("[" * 100_000)
    with pytest.raises(RecordError, match="not readable JSON"):
        read_record(tmp_path / "x.npy", sampling_rate=100, unit="mV", leads=STANDARD_LEADS)


def test_a_baseline_beyond_all_measure(tmp_path, simulated, write_record):
    header = write_record(tmp_path / "x", simulated())
    header.write_text(header.read_text().replace("1000(0)/mV", f"1000({'9' * 30})/mV", 1))
    with pytest.raises(RecordError, match="cannot read"):
        read_record(header)


@pytest.mark.parametrize("value", [1e300, -1e39])
def test_what_single_precision_cannot_hold_is_refused(tmp_path, simulated, value):
    signal = simulated()
    signal[3, 5] = value
    np.save(tmp_path / "x.npy", signal)
    with pytest.raises(RecordError, match=r"invalid in aVR \(0.1%\)"):
        read_record(tmp_path / "x.npy", sampling_rate=100, unit="mV", leads=STANDARD_LEADS)


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="a file that cannot be read is Linux's")
def test_what_may_not_be_read_is_said_in_one_sentence():
    with pytest.raises(RecordError, match="cannot read /proc/self/mem: "):
        read_record("/proc/self/mem")
