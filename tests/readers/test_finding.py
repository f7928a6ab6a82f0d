import shutil
from pathlib import Path

import pytest
from pydicom.data import get_testdata_file

from merl.readers.finding import find_records


@pytest.fixture
def folder(tmp_path):
    """Records of several kinds among files that are none."""
    names = [
        "b/1.hea",
        "b/1.dat",
        "b/2.hea",
        "b/2.mat",
        "b/3.mat",
        "c/x.CSV",
        "c/x.json",
        "c/y.edf",
        "c/z.scp",
    ]
    names += ["notes.txt", "README", ".hidden.csv", ".git/x.csv", "c/w.xml", "c/w.parquet", "c/w.npy"]
    for name in names:
        path = tmp_path / "all" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    shutil.copy(str(get_testdata_file("waveform_ecg.dcm", download=False)), tmp_path / "all" / "a1b2c3")
    return tmp_path / "all"


RECORDS = [
    "a1b2c3",
    "b/1.hea",
    "b/2.hea",
    "b/3.mat",
    "c/w.npy",
    "c/w.parquet",
    "c/w.xml",
    "c/x.CSV",
    "c/y.edf",
    "c/z.scp",
]


def found_in(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in find_records(folder)]


def test_each_record_is_found_once_and_in_order(folder):
    assert found_in(folder) == RECORDS


def test_links_to_folders_are_followed_and_loops_end(folder, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "far.csv").write_text("")
    (folder / "c" / "link").symlink_to(elsewhere)
    (elsewhere / "loop").symlink_to(folder)
    assert found_in(folder) == sorted([*RECORDS, "c/link/far.csv"])
