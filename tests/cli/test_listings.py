import json

import pytest

from merl import checkpoints
from merl.knowledge.entries import load_entries
from merl.knowledge.index import KnowledgeIndex


def test_tasks(merl):
    done = merl("tasks")
    assert done.code == 0
    table, _, folds = done.out.partition("\n\n")
    assert [line.split()[0] for line in table.splitlines()[1:]] == [
        "ptbxl-super", "ptbxl-sub", "ptbxl-form", "ptbxl-rhythm", "cpsc2018", "csn", "georgia",
        "mitbih-aami", "mitbih-rhythm", "ludb", "code15", "sph",
    ]  # fmt: skip
    assert "folds of PTB-XL are the publisher's, by patient: 1-8 train, 9 validation, 10 test" in folds


def test_models(merl, checkpoint, monkeypatch):
    monkeypatch.setattr(checkpoints, "shipped_models", lambda: {"random": checkpoint})
    done = merl("models")
    assert done.code == 0
    assert "12 leads, 10 s at 100 Hz" in done.out
    assert "ptbxl folds 1-2, 6 records" in done.out
    assert "resnet101" in done.out


def test_search_finds_a_code_first(merl):
    done = merl("kb", "search", "AFIB", "-k", "1", "--json")
    assert done.code == 0
    (hit,) = json.loads(done.out)
    assert hit.keys() == {"id", "name", "codes", "text", "score", "matched_by"}
    assert (hit["id"], hit["matched_by"], hit["score"]) == ("AFIB", "code", 1.0)
    table = merl("kb", "search", "AFIB", "-k", "1")
    assert "atrial fibrillation" in table.out


def test_show_an_entry_with_its_sources(merl):
    done = merl("kb", "show", "AFIB")
    assert done.code == 0
    entry = load_entries()["AFIB"]
    assert all(item.text in done.out for item in (*entry.findings, *entry.absent, *entry.distinguish_from))
    assert "clinically reviewed: no" in done.out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["search", "  "], "the query is empty"),
        (["show", "AFIBB"], "unknown entry 'AFIBB'; did you mean 'AFIB'"),
    ],
)
def test_wrong_questions(fails, arguments, sentence):
    assert sentence in fails(2, "kb", *arguments)


@pytest.mark.usefixtures("small_knowledge")
def test_build_makes_an_index_that_loads(merl, place):
    done = merl("kb", "build", "--out", "index")
    assert (done.code, done.out) == (0, ""), done.err
    assert "9 entries indexed in index" in done.err
    assert KnowledgeIndex.load(place / "index").search("sawtooth waves", k=1)[0].id == "AFLT"


@pytest.mark.usefixtures("small_knowledge")
def test_a_finding_is_found_by_meaning(merl):
    done = merl("kb", "search", "PR interval longer than usual", "-k", "2", "--json")
    hits = json.loads(done.out)
    assert hits[0]["id"] == "1AVB"
    assert hits[0]["matched_by"] == "hybrid"
    assert 1 > hits[0]["score"] >= hits[1]["score"]


def test_build_refuses_a_folder_of_something_else(fails, place):
    (place / "mine").mkdir()
    (place / "mine" / "thesis.txt").write_text("precious")
    assert "mine is not an index; name a new or empty folder" in fails(1, "kb", "build", "--out", "mine")
    said = fails(1, "kb", "build", "--out", "mine/thesis.txt")
    assert "thesis.txt is not an index" in said
    assert (place / "mine" / "thesis.txt").read_text() == "precious"
