"""The form that the Challenge 2021 of PhysioNet and CinC gave to eight data sets: SNOMED CT in headers.

Reyna et al., Will two do? Varying dimensions in electrocardiography, Computing in Cardiology 48 (2021),
doi:10.23919/CinC53138.2021.9662687; on PhysioNet as doi:10.13026/34va-7q14. Folders ``training/NAME/gN``
hold ``X.hea`` and ``X.mat``; a line ``#Dx:`` holds the codes. Patients are not told. The Challenge scores
four pairs of codes as one, and so do the tasks.
"""

from __future__ import annotations

import re
from pathlib import Path

from merl.datasets.published import (
    HASHED_RECORDS,
    Published,
    Records,
    diagnoses,
    files_below,
    finder,
    of_files,
)
from merl.label_sets import LabelSet

URL = "https://physionet.org/content/challenge-2021/1.0.3/"
DOI = "10.13026/34va-7q14"
VERSION = "1.0.3"
LICENCE = "CC BY 4.0"

#: Codes that the Challenge scores as another one: complete bundle branch blocks, premature beats.
SCORED_AS = {
    "733534002": "164909002",
    "713427006": "59118001",
    "63593006": "284470004",
    "427172004": "17338001",
}


def challenge_form(key: str, name: str, records_in_all: int, names: str, folder: str) -> Published:
    """Describe one of the Challenge's data sets.

    Args:
        key: its name on the command line, which also enters the hash that makes its folds.
        name: as the Challenge writes it.
        records_in_all: how many it has.
        names: a regular expression of its records' names.
        folder: of ``training`` that holds them.
    """
    pattern = re.compile(names)

    def records(root: Path, _sampling_rate: int) -> Records:
        return of_files(key, files_below(root, pattern))

    return Published(
        key=key,
        name=name,
        version=VERSION,
        records_in_all=records_in_all,
        licence=LICENCE,
        doi=DOI,
        url=URL,
        files_url="https://physionet.org/files/challenge-2021/1.0.3/",
        files_only=f"^training/{folder}/",
        folds=HASHED_RECORDS,
        find=finder(pattern),
        records=records,
        statements=diagnoses,
        label_set="challenge2021",
    )


def by_code(label_set: LabelSet) -> dict[str, str]:
    """Return the class of each SNOMED CT code.

    Where classes share a code, the records cannot tell them apart: it stands for the class named first.
    """
    groups: dict[str, str] = {}
    for label, item in label_set.classes.items():
        if item.snomed:
            groups.setdefault(item.snomed, label)
    return groups


def scored(_root: Path, label_set: LabelSet) -> dict[str, str]:
    """Return the class of each SNOMED CT code, and of each code that the Challenge scores as one of them."""
    own = by_code(label_set)
    return {code: own[other] for code, other in SCORED_AS.items() if other in own} | own
