import json

import pytest

from merl.knowledge import building
from merl.knowledge.corpus import CorpusIndex
from tests.small_knowledge import WordEmbedder


@pytest.fixture(autouse=True)
def words(monkeypatch, place):
    monkeypatch.setattr(building, "CuttingMiniLM", WordEmbedder)
    lines = [{"text": f"left block {number}"} for number in range(3000)]
    (place / "own.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines) + "{}\n")


def test_sources_shards_and_merge(merl, place):
    done = merl("kb", "build", "--source", "jsonl:own.jsonl", "--out", "whole")
    assert (done.code, done.out) == (0, "")
    assert done.err.splitlines() == [
        "jsonl:own: 3000 passages; the user's own (the user's own)",
        "jsonl:own: 1 rows skipped (line that is no passage)",
        "3000 passages in whole",
    ]
    for number in (1, 2):
        shard = ("--shard", f"{number}/2")
        done = merl("kb", "build", "--source", "jsonl:own.jsonl", "--out", f"s{number}", *shard)
        assert done.code == 0, done.err
    assert merl("kb", "merge", "s1", "s2", "--out", "merged").code == 0
    manifests = [(place / name / "manifest.json").read_text() for name in ("whole", "merged")]
    assert manifests[0] == manifests[1]
    assert CorpusIndex(place / "merged", WordEmbedder()).nearest("block")[0][0].name == ""


@pytest.mark.parametrize(
    ("options", "code", "sentence"),
    [
        (["--source", "hppo"], 2, "unknown source 'hppo'; did you mean 'hpo'"),
        (["--source", "umls"], 2, "needs a path; write umls:DIR"),
        (["--source", "umls:."], 1, "is no UMLS release: it has no MRCONSO.RRF"),
        (["--source", "jsonl:own.jsonl", "--shard", "2"], 2, "not of the form I/N"),
        (["--source", "jsonl:own.jsonl", "--shard", "3/2"], 2, "no shard 3/2"),
        (["--source", "jsonl:own.jsonl", "--shard", "1/9"], 1, "9 shards are too many"),
    ],
)
def test_wrong_use(fails, options, code, sentence):
    assert sentence in fails(code, "kb", "build", "--out", "kb", *options)


def test_merging_what_is_no_shard(fails):
    assert "is no index: it has no manifest.json" in fails(1, "kb", "merge", ".", "--out", "kb")
