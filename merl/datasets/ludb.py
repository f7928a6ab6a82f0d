"""LUDB 1.0.1: 200 12-lead ECGs of 10 s at 500 Hz, one a person, with cardiologists' diagnoses.

Kalyakulina et al., LUDB: a new open-access validation tool for electrocardiogram delineation algorithms,
IEEE Access 8:186181 (2020), doi:10.1109/ACCESS.2020.3029211; on PhysioNet as doi:10.13026/eegm-h675,
licence ODC-By 1.0. ``data/1.hea`` to ``data/200.hea`` carry the diagnoses as comments, one a line, which
are compared as whole names. Folds are ours, by a hash of the record's number; with 200 records the split
``all`` says more.
"""

from __future__ import annotations

import re
from pathlib import Path

from merl.datasets.published import HASHED, Published, Records, Statements, files_below, of_files
from merl.label_sets import LabelSet

_PATTERN = re.compile(r"\d{1,3}")
_ABOUT_THE_PERSON = re.compile(r"^(<?(age|sex|diagnoses)>?\s*:|$)", re.IGNORECASE)


def find(data: Path) -> Path | None:
    """Return the folder around ``data/1.hea``, given that or one that holds it as ``ludb``."""
    return next((folder for folder in (data, data / "ludb") if (folder / "data" / "1.hea").is_file()), None)


def _records(root: Path, _sampling_rate: int) -> Records:
    paths = files_below(root / "data", _PATTERN)
    return of_files("ludb", sorted(paths, key=lambda path: int(path.name)))


def _statements(_root: Path, records: Records) -> Statements:
    return tuple(_diagnoses(path.with_name(f"{path.name}.hea")) for path in records.paths)


def _diagnoses(header: Path) -> frozenset[str] | None:
    try:
        lines = header.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    comments = [line.strip().lstrip("#").strip() for line in lines if line.lstrip().startswith("#")]
    return frozenset(_plain(line) for line in comments if not _ABOUT_THE_PERSON.match(line))


def _plain(name: str) -> str:
    """Return a diagnosis without full stop and the word Rhythm; undefined means undetermined."""
    bare = re.sub(r"^rhythm:\s*", "", name.strip().rstrip(". ").casefold())
    return " ".join(bare.replace("undefined", "undetermined").split())


def classes(_root: Path, label_set: LabelSet) -> dict[str, str]:
    """Return the class of each diagnosis; what is no class of the label set, such as a focus, has none."""
    return {_plain(item.name): label for label, item in label_set.classes.items()}


DATASET = Published(
    key="ludb",
    name="LUDB",
    version="1.0.1",
    records_in_all=200,
    licence="ODC-By 1.0",
    doi="10.13026/eegm-h675",
    url="https://physionet.org/content/ludb/1.0.1/",
    files_url="https://physionet.org/files/ludb/1.0.1/",
    folds=HASHED,
    find=find,
    records=_records,
    statements=_statements,
    suffixes=(".hea", ".dat"),
)
