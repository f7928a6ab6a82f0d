import json

import pytest

from merl.encoders.text import minilm_folder
from merl.knowledge import embedders, wide
from merl.knowledge.corpus import CorpusIndex
from merl.knowledge.entries import load_entries
from merl.knowledge.sources import ontologies
from tests.small_knowledge import KNOWLEDGE, WordEmbedder


@pytest.fixture(autouse=True)
def words(monkeypatch, place):
    monkeypatch.setattr(embedders, "CuttingMiniLM", WordEmbedder)
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
    assert "is no index: it has no manifest.json" in fails(2, "kb", "merge", ".", "--out", "kb")


def test_a_finished_index_is_no_shard_and_another_folder_no_index(fails, place):
    for name, schema in (("whole", "merl/index/v1"), ("pairs", "merl/prepared/v1")):
        (place / name).mkdir()
        (place / name / "manifest.json").write_text(json.dumps({"schema": schema}))
    assert "whole is a finished index, not a shard" in fails(1, "kb", "merge", "whole", "--out", "kb")
    assert "pairs is not an index; name a new or empty folder" in fails(1, "kb", "build", "--out", "pairs")


@pytest.fixture
def small(monkeypatch):
    for module in (wide, ontologies):
        monkeypatch.setattr(module, "load_entries", lambda: load_entries(KNOWLEDGE))


def test_an_index_of_many_sources_is_searched_like_ours(merl, small):
    built = merl("kb", "build", "--source", "ecg", "--source", "jsonl:own.jsonl", "--out", "kb")
    assert built.code == 0, built.err
    (hit,) = json.loads(merl("kb", "search", "left block 7", "--index", "kb", "-k", "1", "--json").out)
    assert hit["id"].startswith("jsonl:own:")
    (hit,) = json.loads(merl("kb", "search", "AFIB", "--index", "kb", "--json").out)
    assert (hit["id"], hit["matched_by"]) == ("AFIB", "code")


def test_the_index_keeps_how_its_embedder_was_asked_for(merl, small, place):
    folder = str(minilm_folder())
    options = ("--embedder", folder, "--query-prefix", "query: ", "--passage-prefix", "passage: ")
    built = merl("kb", "build", "--out", "kb", *options)
    assert built.code == 0, built.err
    spec = json.loads((place / "kb" / "manifest.json").read_text())["spec"]
    assert (spec["model"], spec["query_prefix"], spec["passage_prefix"]) == (folder, "query: ", "passage: ")
    (hit,) = json.loads(merl("kb", "search", "sawtooth", "--index", "kb", "-k", "1", "--json").out)
    assert hit["id"] == "AFLT"
    done = merl("kb", "search", "sawtooth", "--index", "kb", "--embedder", "minilm")
    assert done.code == 2
    assert "minilm takes no query prefix" in done.err


@pytest.mark.parametrize(
    ("options", "code", "sentence"),
    [
        (["--embedder", "minilmm"], 2, "unknown embedder 'minilmm'; give minilm, the folder of"),
        (["--embedder", "."], 1, "is no text encoder, it has no config.json"),
        (["--embedder", "openai:"], 2, "'openai:' names no model; write openai:MODEL"),
        (["--embedder", "openai:e5", "--base-url", "foo"], 2, "'foo' is no address"),
        (["--pooling", "cls"], 2, "minilm takes no pooling"),
        (["--base-url", "http://127.0.0.1:9/v1"], 2, "'minilm' is no server; write openai:MODEL"),
        (["--embedder", "openai:e5", "--precision", "bfloat16"], 2, "a server takes no precision"),
    ],
)
def test_an_embedder_that_cannot_be(fails, options, code, sentence):
    assert sentence in fails(code, "kb", "build", "--source", "jsonl:own.jsonl", "--out", "kb", *options)
