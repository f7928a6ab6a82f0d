"""CSN, Chapman-Shaoxing-Ningbo 1.0.0: 45,152 12-lead ECGs of 10 s at 500 Hz, each of another patient.

Zheng et al., A large scale 12-lead electrocardiogram database for arrhythmia study, PhysioNet (2022),
doi:10.13026/wgex-er52, licence CC BY 4.0; Scientific Data 7:48 (2020), doi:10.1038/s41597-020-0386-x. The
tree ``WFDBRecords/01/010/JS00001`` holds headers whose ``#Dx:`` line carries SNOMED CT codes, and
``ConditionNames_SNOMED-CT.csv`` names them: AF is atrial *flutter* here and ST sinus tachycardia. Codes are
compared whole, and one that the table does not name (complete bundle branch blocks among them) is no class.
Eight of its 63 names share a code with an earlier name and cannot be told from it in the
records; no record has them. Folds are ours, by a hash of the record's name.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path

from merl.datasets.challenge2021 import by_code
from merl.datasets.published import (
    HASHED_RECORDS,
    Published,
    Records,
    diagnoses,
    files_below,
    finder,
    of_files,
)
from merl.errors import DataError
from merl.label_sets import LabelSet

NAMES = r"JS\d{5}"
CONDITIONS = "ConditionNames_SNOMED-CT.csv"

_PATTERN = re.compile(NAMES)


def _records(root: Path, _sampling_rate: int) -> Records:
    return of_files("csn", files_below(root, _PATTERN))


def classes(root: Path, label_set: LabelSet) -> dict[str, str]:
    """Return the class of each SNOMED CT code, compared with the data set's own table where that is there.

    Raises:
        DataError: the table names a class of the label set otherwise, or lacks its columns.
    """
    table = next(
        (path for path in (root, *root.parents[:1], *root.glob("*")) if (path / CONDITIONS).is_file()), None
    )
    if table is not None:
        named = _conditions(table / CONDITIONS)
        meant = {label: item.snomed for label, item in label_set.classes.items() if item.snomed}
        if odd := sorted(label for label in meant if named.get(label) != meant[label]):
            raise DataError(
                f"{table / CONDITIONS} and the label set {label_set.name} disagree on {', '.join(odd[:3])};"
                " use the file as published"
            )
    return by_code(label_set)


def _conditions(path: Path) -> dict[str, str]:
    with path.open(encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle))
    if not rows or not {"AcronymName", "Snomed_CT"} <= rows[0].keys():
        raise DataError(f"{path} lacks the columns AcronymName and Snomed_CT; use the file as published")
    return {row["AcronymName"].strip(): row["Snomed_CT"].strip() for row in rows}


DATASET = Published(
    key="csn",
    name="CSN",
    version="1.0.0",
    records_in_all=45152,
    licence="CC BY 4.0",
    doi="10.13026/wgex-er52",
    url="https://physionet.org/content/ecg-arrhythmia/1.0.0/",
    files_url="https://physionet.org/files/ecg-arrhythmia/1.0.0/",
    folds=HASHED_RECORDS.replace("patients are not told", "each is another patient's"),
    find=finder(_PATTERN),
    records=_records,
    statements=diagnoses,
)
