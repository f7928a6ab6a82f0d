"""Small data sets in the layouts that their publishers gave them, with simulated signals."""

from __future__ import annotations

import csv
from pathlib import Path

import h5py
import numpy as np
import wfdb
from scipy.io import savemat

from merl.records import STANDARD_LEADS

MITBIH_NOTES = [(18, "+", "(N"), (3600 * 2 + 100, "+", "(AFIB"), (3600 * 4, "+", "(N")]


def beats(seconds: float, rate: float, leads: int = 12, seed: int = 0) -> np.ndarray:
    """Simulate pulses, one a second, of another height in each lead, as (leads, samples) in mV."""
    time = np.arange(round(seconds * rate)) / rate
    pulse = np.exp(-0.5 * (((time % 1) - 0.5) / 0.02) ** 2)
    return np.random.default_rng(seed).uniform(0.5, 1.5, (leads, 1)) * pulse


def challenge_record(path: Path, codes: str | None, *, seed: int = 0, space: bool = False) -> Path:
    """Write a record as the Challenge does: a ``.mat`` of version 4 and a header with a ``#Dx:`` line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    signal = np.round(beats(2, 500, seed=seed) * 1000).astype("<i2")
    savemat(f"{path}.mat", {"val": signal}, format="4")
    lines = [f"{path.name} 12 500 {signal.shape[1]}"]
    for lead, row in zip(STANDARD_LEADS, signal, strict=True):
        checksum = int(row.astype(np.int64).sum()) % 65536
        lines.append(f"{path.name}.mat 16+24 1000/mV 16 0 {row[0]} {checksum} 0 {lead}")
    mark = "# " if space else "#"
    lines += [f"{mark}Age: 50", f"{mark}Sex: Male"] + ([f"{mark}Dx: {codes}"] if codes is not None else [])
    path.with_name(f"{path.name}.hea").write_text("\n".join(lines) + "\n")
    return path


def csn(root: Path, codes: dict[str, str]) -> Path:
    """Write Chapman-Shaoxing-Ningbo: folders of ten thousands and hundreds, each with its RECORDS."""
    for seed, (name, line) in enumerate(codes.items()):
        folder = root / "WFDBRecords" / name[2:4] / name[2:5]
        challenge_record(folder / name, line, seed=seed)
        with (folder / "RECORDS").open("a") as handle:
            handle.write(f"{name}\n")
    (root / "ConditionNames_SNOMED-CT.csv").write_text(conditions(), encoding="utf-8-sig")
    return root


def conditions() -> str:
    from merl.label_sets import load_label_set

    rows = [f'{code},"{item.name}",{item.snomed}' for code, item in load_label_set("csn").classes.items()]
    return "\n".join(["AcronymName,FullName,Snomed_CT", *rows]) + "\n"


def cpsc2018(root: Path, labels: dict[str, tuple[int, ...]]) -> Path:
    """Write CPSC2018 as its challenge did: a struct ``ECG`` in each ``.mat``, and REFERENCE.csv."""
    folder = root / "TrainingSet1"
    folder.mkdir(parents=True)
    for seed, name in enumerate(labels):
        savemat(folder / f"{name}.mat", {"ECG": {"sex": "Male", "age": 50, "data": beats(6, 500, seed=seed)}})
    rows = [[name, *found, *[""] * (3 - len(found))] for name, found in labels.items()]
    write_csv(folder / "REFERENCE.csv", ["Recording", "First_label", "Second_label", "Third_label"], rows)
    return root


def mitbih(
    root: Path, number: int, marks: list[tuple[int, str, str]], leads: tuple[str, ...] = ("MLII", "V1")
) -> Path:
    """Write a recording of MIT-BIH: half an hour of two leads, a beat's or rhythm's annotation each."""
    root.mkdir(parents=True, exist_ok=True)
    signal = beats(650000 / 360, 360, len(leads), seed=number)
    wfdb.wrsamp(
        str(number), fs=360, units=["mV"] * 2, sig_name=list(leads), p_signal=signal.T,
        fmt=["212"] * 2, adc_gain=[200.0] * 2, baseline=[1024] * 2, write_dir=str(root),
    )  # fmt: skip
    samples, symbols, notes = zip(*sorted(marks), strict=True)
    wfdb.wrann(
        str(number),
        "atr",
        np.array(samples),
        list(symbols),
        aux_note=list(notes),
        fs=360,
        write_dir=str(root),
    )
    return root


def ludb(root: Path, comments: dict[int, list[str]]) -> Path:
    """Write LUDB: ``data/1.hea`` with lower-case leads and the diagnoses as comments."""
    folder = root / "data"
    folder.mkdir(parents=True)
    for number, lines in comments.items():
        wfdb.wrsamp(
            str(number), fs=500, units=["mV"] * 12, sig_name=[lead.lower() for lead in STANDARD_LEADS],
            p_signal=beats(10, 500, seed=number).T, fmt=["16"] * 12, write_dir=str(folder),
            comments=["<age>: 50", "<sex>: F", "<diagnoses>:", *lines],
        )  # fmt: skip
    return root


def code15(root: Path, exams: list[tuple[int, int, str, int]], seconds: float = 7) -> Path:
    """Write CODE-15%: exams as (exam, patient, file, abnormality or -1), padded to 4096 samples."""
    names = ["1dAVb", "RBBB", "LBBB", "SB", "ST", "AF"]
    root.mkdir(parents=True)
    rows = [
        [exam, 50, True, 49.5, *(index == found for index in range(6)), patient, "", "", found < 0, file]
        for exam, patient, file, found in exams
    ]
    columns = ["exam_id", "age", "is_male", "nn_predicted_age", *names, "patient_id", "death", "timey"]
    write_csv(root / "exams.csv", [*columns, "normal_ecg", "trace_file"], rows)
    for file in {row[-1] for row in rows}:
        inside = [exam for exam, _, its, _ in exams if its == file][::-1]  # not in the order of exams.csv
        tracings = np.zeros(
            (len(inside) + 1, 4096, 12), np.float32
        )  # the last row is empty, as in some files
        for row, exam in enumerate(inside):
            signal = beats(seconds, 400, seed=exam) + 0.001
            start = (4096 - signal.shape[1]) // 2
            tracings[row, start : start + signal.shape[1]] = signal.T
        with h5py.File(root / file, "w") as handle:
            handle["exam_id"] = np.array([*inside, 0])
            handle["tracings"] = tracings
    return root


def sph(root: Path, codes: dict[str, tuple[str, str]]) -> Path:
    """Write SPH: records as patient and codes."""
    (root / "records").mkdir(parents=True)
    rows = [[name, code, patient, 50, "M", 5000, "2020-01-01"] for name, (patient, code) in codes.items()]
    write_csv(root / "metadata.csv", ["ECG_ID", "AHA_Code", "Patient_ID", "Age", "Sex", "N", "Date"], rows)
    from merl.label_sets import load_label_set

    known = [["x", code, item.name] for code, item in load_label_set("sph").classes.items()]
    write_csv(root / "code.csv", ["Category", "Code", "Description"], known)
    for seed, name in enumerate(codes):
        with h5py.File(root / "records" / f"{name}.h5", "w") as handle:
            handle["ecg"] = beats(10, 500, seed=seed).astype(np.float16)
    return root


def write_csv(path: Path, names: list[str], rows: list[list[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as handle:
        csv.writer(handle).writerows([names, *rows])
