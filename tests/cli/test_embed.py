import json
import os

import numpy as np
import pytest
from pyarrow import parquet

from merl import record_files
from merl.checkpoints import load_model
from merl.embedding import embed_records, embed_windows
from merl.readers import read_record
from merl.records import STANDARD_LEADS


@pytest.fixture
def folder(place, simulated, write_record):
    """Twenty records of several lengths in two folders, and what is no record."""
    for number in range(20):
        part = simulated(seconds=3 + 2 * number, seed=number)
        write_record(place / "ecgs" / str(number % 2) / f"r{number:02d}", part)
    (place / "ecgs" / "readme.txt").write_text("no ECG")
    (place / "ecgs" / ".hidden").mkdir()
    (place / "ecgs" / ".hidden" / "x.csv").write_text("no ECG")
    return place / "ecgs"


@pytest.mark.usefixtures("folder")
def test_embeddings_of_a_folder_are_those_of_its_records(merl, checkpoint, place):
    done = merl("embed", "ecgs", "--out", "out.parquet", "--checkpoint", checkpoint)
    assert (done.code, done.out) == (0, "")
    table = parquet.read_table(place / "out.parquet")
    names = table.column("record").to_pylist()
    assert names == sorted(names)
    assert len(names) == 20
    model = load_model(checkpoint)
    expected = embed_records(model, [read_record(name) for name in names])
    found = np.stack(table.column("embedding").to_numpy())
    np.testing.assert_allclose(found, expected, atol=2e-3)  # batches differ, and bfloat16 has 8 bits
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    assert table.column("windows").to_pylist() == [
        len(model.spec.windows(read_record(name))) for name in names
    ]
    assert table.schema.field("embedding").type.list_size == 8
    about = json.loads(table.schema.metadata[b"merl"])
    assert about["checkpoint"] == {"name": "random", "sha256": model.sha256}
    assert about["input"]["sampling_rate"] == 100


@pytest.mark.usefixtures("folder")
def test_rows_are_written_as_they_come(merl, checkpoint, place, monkeypatch):
    sizes = []

    def embed(model, windows):
        sizes.append(len(windows))
        return embed_windows(model, windows)

    monkeypatch.setattr(record_files, "_GROUP_ROWS", 4)
    monkeypatch.setattr(record_files, "_BATCH_WINDOWS", 4)
    monkeypatch.setattr(record_files, "embed_windows", embed)
    assert merl("embed", "ecgs", "--out", "out.parquet", "--checkpoint", checkpoint).code == 0
    file = parquet.ParquetFile(place / "out.parquet")
    assert file.metadata.num_rows == 20
    assert file.metadata.num_row_groups > 3
    assert max(sizes) <= 4


@pytest.fixture
def bad(folder, simulated, write_record):
    """Three files among the others that cannot be embedded."""
    write_record(folder / "flat", 0 * simulated())
    write_record(folder / "holter", simulated(seconds=700))
    (folder / "giant.edf").touch()
    with (folder / "giant.edf").open("ab") as handle:
        handle.truncate(200 * 2**20)


@pytest.mark.usefixtures("bad")
def test_bad_files_do_not_stop_the_others(merl, checkpoint, place):
    done = merl("embed", "ecgs", "--out", "out.parquet", "--checkpoint", checkpoint)
    assert done.code == 1
    assert "error: 3 of 23 records could not be read, see above; the other 20 are in out.parquet" in done.err
    assert "flat in every lead" in done.err
    assert "lasts 700 s and at most 600 s are scored at once; cut it into pieces" in done.err
    assert "giant.edf has 200 MB, more than 10 minutes of ECG take; cut the recording into pieces" in done.err
    assert parquet.read_table(place / "out.parquet").num_rows == 20


@pytest.mark.usefixtures("folder")
def test_an_output_in_the_folder_is_not_read_the_next_time(merl, checkpoint, place):
    for _ in range(2):
        done = merl("embed", "ecgs", "--out", "ecgs/out.parquet", "--checkpoint", checkpoint)
        assert done.code == 0, done.err
    assert parquet.read_table(place / "ecgs" / "out.parquet").num_rows == 20


def test_a_name_that_is_not_utf_8_is_escaped(merl, checkpoint, place, simulated):
    (place / "ecgs").mkdir()
    (place / "ecgs" / os.fsdecode(b"m\xfcller.xml")).write_text("no ECG")
    text = "\n".join([",".join(STANDARD_LEADS), *(",".join(map(str, row)) for row in simulated().T)])
    (place / "ecgs" / os.fsdecode(b"m\xfcller.csv")).write_text(text)
    stated = ["--sampling-rate", 100, "--unit", "mV", "--checkpoint", checkpoint]
    done = merl("embed", "ecgs", "--out", "out.parquet", *stated)
    assert done.code == 1
    assert "ecgs/m\\xfcller.xml says its own sampling rate" in done.err
    table = parquet.read_table(place / "out.parquet")
    assert table.column("record").to_pylist() == ["ecgs/m\\xfcller.csv"]


def test_an_archive_that_unpacks_to_hours_is_not_unpacked(merl, checkpoint, place):
    facts = {"sampling_rate": 100, "unit": "mV", "leads": list(STANDARD_LEADS)}
    np.savez_compressed(place / "x.npz", signal=np.zeros((12, 2_000_000)), **facts)
    done = merl("embed", "x.npz", "--out", "out.parquet", "--checkpoint", checkpoint)
    assert (place / "x.npz").stat().st_size < 2**20
    assert "x.npz has 183 MB, more than 10 minutes of ECG take" in done.err


@pytest.mark.parametrize("rate", ["inf", "nan", "0.5", "1e12"])
@pytest.mark.usefixtures("folder")
def test_a_rate_that_is_none_is_refused(merl, checkpoint, rate):
    done = merl("embed", "ecgs", "--out", "o.parquet", "--checkpoint", checkpoint, "--sampling-rate", rate)
    assert done.code in {1, 2}
    assert "Traceback" not in done.err
    assert done.code == 2 or "is not possible" in done.err or "says its own" in done.err


@pytest.mark.usefixtures("folder")
def test_a_run_that_is_stopped_leaves_nothing(merl, checkpoint, place, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("merl.record_files.embed_windows", stop)
    done = merl("embed", "ecgs", "--out", "out.parquet", "--checkpoint", checkpoint)
    assert done.code == 130
    assert [path.name for path in place.iterdir()] == ["ecgs"]


def test_embeddings_do_not_replace_a_record_of_the_folder(fails, folder, checkpoint):
    (folder / "a.parquet").write_bytes(b"an ECG")
    said = fails(2, "embed", "ecgs", "--out", "ecgs/a.parquet", "--checkpoint", checkpoint)
    assert "ecgs/a.parquet is read here and would be replaced" in said
    assert (folder / "a.parquet").read_bytes() == b"an ECG"


def test_an_output_that_cannot_be_written_is_found_before_the_work(fails, folder):
    (folder / "a.parquet").touch()
    said = fails(2, "embed", "ecgs", "--out", "out.csv", "--checkpoint", "no-such-model")
    assert "out.csv is no .parquet file" in said
    said = fails(2, "embed", "ecgs/a.parquet", "--out", "ecgs/a.parquet", "--checkpoint", "no-such-model")
    assert "ecgs/a.parquet is read here and would be replaced" in said
    said = fails(1, "embed", "ecgs", "--out", "ecgs/readme.txt/out.parquet", "--checkpoint", "no-such-model")
    assert "is a file; name another place" in said
