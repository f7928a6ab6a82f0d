import hashlib
import json

import pytest

from merl.pretraining.prepared import PreparedPairs
from tests import layouts


def test_preparing_says_what_there_is_and_what_was_left_out(merl, tiny_mimic, place):
    options = [tiny_mimic, "--out", "pairs", "--rate", 100, "--leads", "I", "--leads", "V2"]
    done = merl("data", "prepare", *options)
    assert done.code == 0, done.err
    assert done.out.splitlines() == [
        "40 pairs of mimic-iv-ecg in pairs: 2 leads, 10 s at 100 Hz, 0.000163 GB in 1 shards",
        "left out: 1 (report of fewer than 4 words)",
        "left out: 1 (record without a report)",
        "left out: 1 (report without a record)",
    ]
    assert PreparedPairs.open(place / "pairs").spec.leads == ("I", "V2")
    again = merl("data", "prepare", *options, "--verify")
    assert again.out.splitlines()[0].endswith("in 1 shards, checksums right")


def test_folds_of_ptbxl(merl, tiny_ptbxl, place):
    done = merl("data", "prepare", tiny_ptbxl, "--out", "p", "--rate", 100, "--folds", 2, "--folds", 9)
    assert done.out.startswith("6 pairs of ptbxl in p: 12 leads"), done.err


@pytest.mark.parametrize(
    ("options", "code", "sentence"),
    [
        (["nowhere"], 1, "there is no data set in nowhere"),
        (["nowhere", "--dataset", "ptbxl"], 1, "there is no PTB-XL in nowhere"),
        (["{data}", "--dataset", "mimic"], 2, "unknown data set 'mimic'"),
        (["{data}", "--rate", "0"], 2, "sampling_rate: input should be greater than or equal to 1"),
        (["{data}", "--leads", "I", "--leads", "I"], 2, "a lead is named twice"),
        (["{data}", "--folds", "1"], 2, "mimic-iv-ecg has no folds"),
    ],
)
def test_wrong_use(fails, tiny_mimic, options, code, sentence):
    given = [option.format(data=tiny_mimic) for option in options]
    assert sentence in fails(code, "data", "prepare", *given, "--out", "pairs")


def test_check_says_what_is_there_and_exits_1_where_something_is_wrong(merl, place):
    layouts.csn(place / "csn", {"JS00001": "426177001,55827005", "JS00002": "164890007"})
    done = merl("data", "check", "csn", "--waveforms")
    assert done.code == 0, done.err
    assert done.out.startswith("CSN 1.0.0 in csn\n  CC BY 4.0, doi:10.13026/wgex-er52\n  2 records of 45,152")
    assert "said of records but no class of these: 55827005 1" in done.out
    assert "2 records read, at 500 Hz: 2" in done.out
    (place / "csn/WFDBRecords/00/000/JS00002.mat").unlink()
    done = merl("data", "check", "csn")
    assert done.code == 1
    assert "1 lack a file: JS00002" in done.out
    assert "PROBLEM: 1 of 2 records lack a file" in done.out
    done = merl("data", "check", "csn", "--json")
    (found,) = json.loads(done.out)
    assert found["missing"] == {"all": ["JS00002"]}
    assert sum(found["tasks"]["csn"]["labels"]["SB"].values()) == 1
    done = merl("data", "check", "nowhere")
    assert (done.code, done.err) == (1, "error: there is no folder nowhere\n")


def test_audit_prints_the_columns_that_differ(merl, place):
    folder = place / "data_split/chapman"
    folder.mkdir(parents=True)
    for split in ("train", "val", "test"):
        rows = '/chapman/WFDBRecords/00/000/JS00001.mat,12,"AFIB,SB",1,1\n'
        (folder / f"chapman_{split}.csv").write_text(f"ecg_path,age,diagnose,AF,AFIB\n{rows}")
    done = merl("data", "audit", ".")
    assert done.code == 0, done.err
    assert "csn: 3 of the 45,152 records of CSN" in done.out
    assert "1 of 2 columns differ" in done.out
    assert "no column: SB 3" in done.out
    (found,) = json.loads(merl("data", "audit", ".", "--json").out)
    assert found["columns"]["AF"] == {"release": 3, "exact": 0, "wrong": 3, "missed": 0}


def test_audit_against_a_folder_that_is_not_there(fails):
    assert "there is no folder nowhere" in fails(2, "data", "audit", ".", "--data", "nowhere")


def test_download_fetches_from_where_it_is_told(merl, fails, place, publisher):
    done = merl("data", "download", "ludb", "--base-url", publisher.url, "--only", "data/")
    assert done.code == 0, done.err
    assert done.out == "2 files of LUDB in ludb, checksums right: 2 fetched (0.0 MB), 0 there already\n"
    assert "doi:10.13026/eegm-h675" in done.err
    content = (place / "ludb/data/one.dat").read_bytes()
    assert hashlib.sha256(content).hexdigest() in (place / "ludb/SHA256SUMS.txt").read_text()
    assert "did you mean 'ludb'" in fails(2, "data", "download", "lubd")
    assert "has no list of checksums; get it from" in fails(2, "data", "download", "sph")
    publisher.status["SHA256SUMS.txt"] = 404
    done = merl("data", "download", "ludb", "--base-url", publisher.url)
    assert done.code == 1
    assert "error: " in done.err
    assert "answers 404" in done.err
