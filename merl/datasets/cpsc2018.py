"""CPSC2018: 6,877 12-lead ECGs of 6-60 s at 500 Hz with one to three of nine types.

Liu et al., An open access database for evaluating the algorithms of electrocardiogram rhythm and morphology
abnormality detection, J. Med. Imaging Health Inform. 8:1368 (2018), doi:10.1166/jmihi.2018.2442. Published
by the challenge as ``A0001.mat`` in three folders with ``REFERENCE.csv`` (Recording, First_label,
Second_label, Third_label; 1 to 9), free for research, and again by the PhysioNet/CinC Challenges
(``A0001.hea`` and ``.mat``, ``#Dx:`` line), CC BY 4.0. Both are read; patients are not told. Folds are
ours, by a hash of the record's name; the challenge's own test set was never published.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path

from merl.datasets.challenge2021 import DOI
from merl.datasets.published import (
    HASHED_RECORDS,
    Published,
    Records,
    Statements,
    diagnoses,
    files_below,
    finder,
    of_files,
)
from merl.errors import DataError, NoDataError

REFERENCE = "REFERENCE.csv"
_COLUMNS = ["Recording", "First_label", "Second_label", "Third_label"]
_PATTERN = re.compile(r"A\d{4}")
#: Each type's number in REFERENCE.csv, its SNOMED CT code, its abbreviation in older headers, its class.
_TYPES = (
    ("1", "426783006", "Normal", "NORM"),
    ("2", "164889003", "AF", "AFIB"),
    ("3", "270492004", "I-AVB", "1AVB"),
    ("4", "164909002", "LBBB", "CLBBB"),
    ("5", "59118001", "RBBB", "CRBBB"),
    ("6", "284470004", "PAC", "PAC"),
    ("7", "164884008", "PVC", "VPC"),
    ("8", "429622005", "STD", "STD"),
    ("9", "164931005", "STE", "STE"),
)
CLASS = {code: label for *codes, label in _TYPES for code in codes}

_in_challenge_form = finder(_PATTERN)
_in_any_form = finder(_PATTERN, ".mat")


def _records(root: Path, _sampling_rate: int) -> Records:
    originals = files_below(root, _PATTERN, ".mat")
    if not _in_challenge_form(root):
        return of_files("cpsc2018", originals)
    headed = files_below(root, _PATTERN)
    if alone := sorted({path.name for path in originals} - {path.name for path in headed}):
        raise NoDataError(
            f"{root} holds CPSC2018 in two forms: {len(headed)} records with headers, {len(alone)} without,"
            f" such as {alone[0]}; give the folder of one"
        )
    return of_files("cpsc2018", headed)


def _statements(root: Path, records: Records) -> Statements:
    found = diagnoses(root, records) if _in_challenge_form(root) else _reference(root, records)
    for name, codes in zip(records.names, found, strict=True):
        if odd := sorted(code for code in codes or () if code not in CLASS):
            raise DataError(
                f"{name} has the label {odd[0]!r}, which is none of CPSC2018's nine; get it again"
            )
    return tuple(codes if codes is None else frozenset(CLASS[code] for code in codes) for codes in found)


def _reference(root: Path, records: Records) -> Statements:
    folders = {path.parent for path in records.paths}
    tables = sorted({table for folder in (root, *folders) for table in (folder.glob(REFERENCE))})
    if not tables:
        raise DataError(f"there is no {REFERENCE} in {root}; put the labels of CPSC2018 beside its records")
    said: dict[str, frozenset[str]] = {}
    for table in tables:
        with table.open(encoding="utf-8-sig", newline="") as handle:
            reader = csv.DictReader(handle)
            if absent := [name for name in _COLUMNS if name not in (reader.fieldnames or ())]:
                raise DataError(f"{table} lacks the columns {', '.join(absent)}; use the file as published")
            for row in reader:
                labels = (str(row[column] or "").strip() for column in _COLUMNS[1:])
                said[row["Recording"].strip()] = frozenset(
                    label.removesuffix(".0") for label in labels if label
                )
    return tuple(said.get(name) for name in records.names)


DATASET = Published(
    key="cpsc2018",
    name="CPSC2018",
    version="2018",
    records_in_all=6877,
    licence="free for research; CC BY 4.0 in the Challenge's form",
    doi=DOI,
    url="http://2018.icbeb.org/Challenge.html or, in the Challenge's form, https://physionet.org/content/challenge-2021/",
    files_url="https://physionet.org/files/challenge-2021/1.0.3/",
    files_only="^training/cpsc_2018/",
    folds=HASHED_RECORDS,
    find=_in_any_form,
    records=_records,
    statements=_statements,
    suffixes=(".mat",),
)
