import os
import shutil
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet
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


def test_of_a_record_in_segments_the_whole_is_found(folder):
    (folder / "b" / "2.hea").write_text("2/2 12 100 2000\n1 1000\n3 1000\n")
    (folder / "b" / "3.hea").touch()
    assert found_in(folder) == [name for name in RECORDS if name not in {"b/1.hea", "b/3.mat"}]


def test_a_parquet_file_of_ours_is_no_record(folder):
    for name, notes in (("ours", {"merl": "{}"}), ("theirs", {"sampling_rate": "100"})):
        table = pa.table({"I": [0.0]}).replace_schema_metadata(notes)
        parquet.write_table(table, folder / "c" / f"{name}.parquet")
    assert found_in(folder) == sorted([*RECORDS, "c/theirs.parquet"])


def test_a_pipe_is_no_record_and_a_broken_link_is_one_that_fails(folder):
    os.mkfifo(folder / "c" / "pipe.csv")
    (folder / "c" / "broken.csv").symlink_to(folder / "nothing")
    assert found_in(folder) == sorted([*RECORDS, "c/broken.csv"])


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="a file that cannot be read is Linux's")
def test_a_file_without_suffix_that_cannot_be_read_is_no_record(folder):
    (folder / "c" / "memory").symlink_to("/proc/self/mem")
    assert found_in(folder) == RECORDS


def test_a_folder_that_cannot_be_listed_is_named(folder, monkeypatch):
    real = os.scandir

    def scandir(path):
        if Path(path).name == "b":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert found_in(folder) == ["a1b2c3", "b", *(name for name in RECORDS if name.startswith("c"))]


def test_links_to_folders_are_followed_and_loops_end(folder, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "far.csv").write_text("")
    (folder / "c" / "link").symlink_to(elsewhere)
    (elsewhere / "loop").symlink_to(folder)
    assert found_in(folder) == sorted([*RECORDS, "c/link/far.csv"])
