import json
import shutil

import numpy as np
import pandas as pd
import pytest

from merl.datasets.ptbxl import PTBXL
from merl.errors import DataError, UsageError
from merl.model import TrainingData
from merl.preprocessing import SignalSpec
from merl.pretraining.preparation import prepare
from merl.pretraining.prepared import PreparedPairs
from merl.pretraining.sources import Pair, open_source
from merl.readers import read_record
from merl.records import STANDARD_LEADS

SPEC = SignalSpec(sampling_rate=500)
FULL = {"sampling_rate": 500, "leads": STANDARD_LEADS, "seconds": 10}


@pytest.fixture(scope="module")
def folder(tiny_mimic, tmp_path_factory):
    """The forty pairs in five shards."""
    return prepare(open_source(tiny_mimic), tmp_path_factory.mktemp("pairs"), **FULL, shard_records=8).folder


@pytest.fixture
def copy(folder, tmp_path):
    return shutil.copytree(folder, tmp_path / "pairs")


def windows(tiny_mimic, rows, spec=SPEC):
    pairs, _ = open_source(tiny_mimic).pairs()
    return np.concatenate([spec.windows(read_record(pairs[row].path)) for row in rows])


def test_rows_are_the_records_exactly_in_any_order(folder, tiny_mimic):
    pairs = PreparedPairs.open(folder)
    rows = [39, 0, 8, 7, 15, 8, 22]
    assert len(pairs) == 40
    assert pairs.signals(rows).dtype == np.float32
    np.testing.assert_array_equal(pairs.signals(rows), windows(tiny_mimic, rows))
    assert pairs.reports == [pair.report for pair in open_source(tiny_mimic).pairs()[0]]
    assert pairs.signals([]).shape == (0, 12, 5000)


def test_leads_and_scaling_are_the_models(folder, tiny_mimic):
    spec = SignalSpec(leads=("V5", "II"), sampling_rate=500, scaling="minmax")
    np.testing.assert_array_equal(
        PreparedPairs.open(folder, spec).signals([9, 3]), windows(tiny_mimic, [9, 3], spec)
    )


@pytest.mark.parametrize("changes", [{"sampling_rate": 100}, {"seconds": 5}, {"leads": ("I", "MLII")}])
def test_what_was_not_prepared_is_refused(folder, changes):
    with pytest.raises(UsageError, match=r"holds 10 s at 500 Hz of I, .*prepare the data anew"):
        PreparedPairs.open(folder, SignalSpec(**{"sampling_rate": 500, **changes}))


@pytest.mark.parametrize("rows", [[-1], [40], [3, 400]])
def test_rows_that_are_not_there(folder, rows):
    with pytest.raises(IndexError, match="of 40 prepared pairs do not exist"):
        PreparedPairs.open(folder).signals(rows)


def test_a_checkpoint_can_say_what_it_saw(folder):
    assert PreparedPairs.open(folder).training_data() == TrainingData(
        dataset="mimic-iv-ecg",
        folds=(),
        records=40,
        licence="ODbL 1.0",
        attribution="MIMIC-IV-ECG 1.0, Gow et al. 2023, PhysioNet, doi:10.13026/4nqg-sb35",
    )


def test_damage_is_found_by_size_at_once_and_by_checksum_when_asked(copy):
    PreparedPairs.open(copy).verify()
    signals = copy / "signals-00002.npy"
    content = bytearray(signals.read_bytes())
    content[5000] ^= 1
    signals.write_bytes(content)
    with pytest.raises(DataError, match=r"signals-00002\.npy is damaged; delete it"):
        PreparedPairs.open(copy).verify()
    signals.write_bytes(content[:-1])
    with pytest.raises(DataError, match=r"shard 2 of .* is missing or cut short"):
        PreparedPairs.open(copy)


def test_an_unfinished_folder_and_a_manifest_that_is_none(copy, tmp_path):
    with pytest.raises(DataError, match="holds no finished pairs"):
        PreparedPairs.open(tmp_path / "nowhere")
    manifest = copy / "manifest.json"
    made = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**made, "shards": made["shards"][:-1]}))
    with pytest.raises(DataError, match="holds no finished pairs"):
        PreparedPairs.open(copy)
    manifest.write_text(json.dumps({**made, "shard": []}))
    with pytest.raises(DataError, match="unknown key 'shard'; did you mean"):
        PreparedPairs.open(copy)
    manifest.write_text("{")
    with pytest.raises(DataError, match="not readable JSON"):
        PreparedPairs.open(copy)


def test_short_records_are_padded_and_of_long_ones_the_start_is_kept(tmp_path, simulated, write_record):
    class Three:
        name, folds, licence, attribution, tables = "three", (), "none", "nobody", ()

        def pairs(self):
            lengths = {"short": 4, "right": 10, "long": 17}
            for name, seconds in lengths.items():
                write_record(tmp_path / name, simulated(seconds=seconds))
            return [Pair(n, str(tmp_path / name), "a report") for n, name in enumerate(lengths)], {}

    pairs = prepare(Three(), tmp_path / "out", sampling_rate=100, leads=("II",), seconds=10)
    short, right, long = pairs.signals([0, 1, 2])[:, 0]
    assert (short[400:] == 0).all()
    np.testing.assert_array_equal(short[:400], right[:400])
    np.testing.assert_array_equal(long, right)


@pytest.mark.realdata
def test_ptbxl_is_kept_exactly(merl_data, tmp_path):
    pairs = prepare(
        open_source(merl_data, "ptbxl", folds=[9], sampling_rate=100),
        tmp_path / "out",
        sampling_rate=100,
        leads=STANDARD_LEADS,
        seconds=10,
        shard_records=1000,
    )
    assert (len(pairs), pairs.manifest.left_out) == (2154, {"report that says nothing of the ECG": 29})
    source, _ = open_source(merl_data, "ptbxl", folds=[9], sampling_rate=100).pairs()
    for start in range(0, len(pairs), 500):
        rows = list(range(start, min(start + 500, len(pairs))))[::7]
        there = np.concatenate([SignalSpec().windows(read_record(source[row].path)) for row in rows])
        np.testing.assert_array_equal(pairs.signals(rows), there)


@pytest.mark.realdata
def test_labels_change_nothing_that_is_prepared(merl_data, tmp_path):
    """Of the real table only file name, fold and report are left; the prepared files are the same."""
    root = PTBXL(merl_data).root
    bare = tmp_path / "ptb-xl"
    bare.mkdir()
    (bare / "records100").symlink_to(root / "records100")
    table = pd.read_csv(root / "ptbxl_database.csv")
    assert {"scp_codes", "heart_axis", "validated_by", "pacemaker"} <= set(table.columns)
    table[["filename_lr", "strat_fold", "report"]].to_csv(bare / "ptbxl_database.csv", index=False)
    made = []
    for data in (root, bare):
        source = open_source(data, folds=[8], sampling_rate=100)
        out = tmp_path / f"out{len(made)}"
        prepare(source, out, sampling_rate=100, leads=STANDARD_LEADS, seconds=10)
        made.append({path.name: path.read_bytes() for path in out.glob("*-0*")})
    assert made[0] == made[1]
    assert len(made[0]) == 2
