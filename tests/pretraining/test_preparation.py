import errno
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from merl.errors import DataError, MerlError, UsageError
from merl.pretraining import preparation
from merl.pretraining.preparation import prepare
from merl.pretraining.sources import open_source
from merl.readers import read_record
from merl.records import STANDARD_LEADS

SETTINGS = {"sampling_rate": 500, "leads": STANDARD_LEADS, "seconds": 10, "shard_records": 8}


def run(data, out, **changes):
    return prepare(open_source(data), out, **{**SETTINGS, **changes})


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def whole(tiny_mimic, tmp_path_factory):
    """The files of a run that nothing disturbed."""
    return files(run(tiny_mimic, tmp_path_factory.mktemp("whole")).folder)


@pytest.fixture
def copy(tiny_mimic, tmp_path):
    """The data set, to be damaged, and the records' paths."""
    root = Path(shutil.copytree(tiny_mimic, tmp_path / "mimic-iv-ecg"))
    return root, [Path(pair.path) for pair in open_source(root).pairs()[0]]


KILLS = {
    "while reading": "progress = lambda done, of, what: done == 20 and die()",
    "while writing signals": """
def half(handle, signals):
    if handle.name.find("signals-00002") > 0:
        handle.write(signals.tobytes()[:100_000])
        handle.flush()
        die()
    save(handle, signals)
save, preparation.np.save = preparation.np.save, half
""",
    "between signals and manifest": """
def text(path, content):
    if path.name == "manifest.json" and content.count("number") == 3:
        die()
    write(path, content)
write, preparation.write_text = preparation.write_text, text
""",
}


@pytest.mark.parametrize("moment", KILLS)
def test_killed_at_any_moment_it_goes_on_to_the_same_bytes(tiny_mimic, tmp_path, whole, moment):
    out = tmp_path / "out"
    script = f"""
import os, signal
from merl.pretraining import preparation
from merl.pretraining.sources import open_source
progress = None
def die():
    os.kill(os.getpid(), signal.SIGKILL)
{KILLS[moment]}
preparation.prepare(open_source({str(tiny_mimic)!r}), {str(out)!r}, **{SETTINGS!r}, progress=progress)
"""
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == -signal.SIGKILL
    left = {path.name for path in out.iterdir()}
    assert {"signals-00000.npy", "signals-00001.npy", "manifest.json"} <= left
    assert any(name.endswith(".part") for name in left) == (moment == "while writing signals")
    seen = []
    run(tiny_mimic, out, progress=lambda *told: seen.append(told))
    assert seen[0] == (17, 40, "reading records")  # the first two shards are not read again
    assert files(out) == whole


def test_several_processes_make_the_same_bytes(tiny_mimic, tmp_path, whole):
    assert files(run(tiny_mimic, tmp_path / "out", workers=2).folder) == whole


def test_a_reading_process_that_dies_is_said(tiny_mimic, tmp_path, whole):
    def kill(done, _of, _what):
        if done == 10:
            for child in multiprocessing.active_children():
                child.kill()

    with pytest.raises(MerlError, match=r"one of the 2 reading processes died, .* with fewer workers"):
        run(tiny_mimic, tmp_path / "out", workers=2, progress=kill)
    assert files(run(tiny_mimic, tmp_path / "out").folder) == whole


def damage(paths):
    """Cut a record short, mark a gap in one, and let one reach 40 mV."""
    cut, gap, high = (path.with_suffix(".dat") for path in (paths[3], paths[17], paths[18]))
    cut.write_bytes(cut.read_bytes()[:5000])
    for file, value in ((gap, -32768), (high, 8000)):
        raw = np.fromfile(file, "<i2")
        raw[600] = value
        raw.tofile(file)
        header = file.with_suffix(".hea")  # with zeros for its checksums, or they would find it first
        lines = [line.split() for line in header.read_text().splitlines()]
        header.write_text("\n".join(" ".join([*line[:6], "0", *line[7:]][: len(line)]) for line in lines))


def test_unreadable_records_are_listed_and_the_rest_stays_in_step(copy, tmp_path):
    root, paths = copy
    damage(paths)
    pairs = run(root, tmp_path / "out", max_unreadable=0.1)
    assert [record.key for record in pairs.manifest.unreadable] == [3, 17, 18]
    cut, gap, high = (record.reason for record in pairs.manifest.unreadable)
    assert cut.startswith("#3.dat is truncated")
    assert gap.startswith("record '#17' has samples marked invalid in I ")
    assert high == "the record reaches 40 mV and 32.767 is the most kept"
    kept = [row for row in range(40) if row not in {3, 17, 18}]
    assert pairs.reports == [open_source(root).pairs()[0][row].report for row in kept]
    for row in (0, 3, 15, 36):
        record = read_record(paths[kept[row]])
        np.testing.assert_array_equal(pairs.signals([row])[0, 0], record.signal[0])


def test_no_patient_and_no_study_is_in_what_is_written(copy, tmp_path):
    root, paths = copy
    damage(paths)
    paths[30].with_suffix(".hea").write_text("40000210 12")
    shutil.rmtree(paths[31].parent)
    for name, content in files(run(root, tmp_path / "out", max_unreadable=0.2).folder).items():
        if not name.endswith(".npy"):
            assert b"100000" not in content
            assert b"400000" not in content


def test_too_many_unreadable_records_stop_the_run_and_nothing_is_lost(copy, tmp_path):
    root, paths = copy
    damage(paths)
    with pytest.raises(
        DataError, match=r"3 of 40 records are unreadable, more than the share of 0\.05"
    ) as caught:
        run(root, tmp_path / "out", max_unreadable=0.05)
    assert "#3.dat is truncated" in str(caught.value)
    seen = []
    assert (
        len(run(root, tmp_path / "out", max_unreadable=0.1, progress=lambda *told: seen.append(told))) == 37
    )
    assert seen[0][0] == 25
    with pytest.raises(DataError, match="3 of 40 records are unreadable"):
        run(root, tmp_path / "out")  # also of a finished folder


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), OSError("5 of 9 written")]
)
def test_a_full_disk_is_said_and_what_is_finished_is_kept(tiny_mimic, tmp_path, whole, monkeypatch, error):
    save, calls = np.save, []

    def full(handle, signals):
        calls.append(handle)
        if len(calls) == 3:
            handle.write(b"some of it")
            raise error
        save(handle, signals)

    monkeypatch.setattr(preparation.np, "save", full)
    with pytest.raises(DataError, match=f"cannot write to .*{error.strerror or error}; .*make room"):
        run(tiny_mimic, tmp_path / "out")
    assert len(list((tmp_path / "out").iterdir())) == 6  # two shards, manifest and lock
    run(tiny_mimic, tmp_path / "out")
    assert len(calls) == 6
    assert files(tmp_path / "out") == whole


def test_two_processes_do_not_share_a_folder(tiny_mimic, tmp_path, whole):
    def again(done, _of, _what):
        if done == 10:
            with pytest.raises(MerlError, match=r"another process is preparing .*; wait for it"):
                run(tiny_mimic, tmp_path / "out")

    run(tiny_mimic, tmp_path / "out", progress=again)
    assert files(tmp_path / "out") == whole


def test_a_lost_or_cut_file_is_made_anew_alone(tiny_mimic, tmp_path, whole):
    run(tiny_mimic, tmp_path / "out")
    (tmp_path / "out" / "signals-00001.npy").unlink()
    (tmp_path / "out" / "reports-00003.jsonl").write_text("")
    seen = []
    run(tiny_mimic, tmp_path / "out", progress=lambda *told: seen.append(told))
    assert [told[0] for told in seen] == list(range(25, 41))
    assert files(tmp_path / "out") == whole


def test_a_folder_made_otherwise_is_refused(copy, tmp_path, whole):
    root, _ = copy
    run(root, tmp_path / "out")
    with pytest.raises(
        DataError, match=r"prepared from other data or otherwise \(spec differ\); give another"
    ):
        run(root, tmp_path / "out", sampling_rate=250)
    table = root / "machine_measurements.csv"
    table.write_text(table.read_text().replace("Low voltage", "Low voltages"))
    with pytest.raises(DataError, match=r"\(tables, pairs_sha256 differ\)"):
        run(root, tmp_path / "out")
    assert files(tmp_path / "out") == whole


def test_signals_and_sources_that_make_no_sense(copy, tmp_path):
    root, _ = copy
    with pytest.raises(UsageError, match=r"the signals asked for: .*sampling_rate"):
        run(root, tmp_path / "out", sampling_rate=0)
    with pytest.raises(DataError, match="the first: record '#0' has no lead aVQ"):
        run(root, tmp_path / "out", leads=("I", "aVQ"))
    table = root / "record_list.csv"
    table.write_text(table.read_text().splitlines()[0] + "\n")
    with pytest.raises(DataError, match="mimic-iv-ecg has no pair of record and report here"):
        run(root, tmp_path / "other")
    assert not (tmp_path / "other").exists()
