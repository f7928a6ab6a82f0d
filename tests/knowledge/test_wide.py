import json

import pytest

import merl
from merl.errors import KnowledgeError, UsageError
from merl.knowledge import wide
from merl.knowledge.building import build
from merl.knowledge.citations import cite
from merl.knowledge.entries import load_entries
from merl.knowledge.index import KnowledgeIndex
from merl.knowledge.sources import ontologies, parse_source
from tests.small_knowledge import KNOWLEDGE, WordEmbedder

LINES = [
    {"concept": "TDP", "name": "torsade de pointes", "kind": "name", "text": "torsade de pointes"},
    {"concept": "TDP", "name": "torsade de pointes", "kind": "synonym", "text": "martian tachycardia"},
    {
        "concept": "TDP",
        "name": "torsade de pointes",
        "kind": "definition",
        "text": "broad martian QRS, prolonged QT",
    },
    {
        "concept": "L",
        "name": "martian block on the left",
        "kind": "definition",
        "text": "a left martian block",
    },
    {"concept": "AF", "name": "atrial fibrillation", "kind": "name", "text": "atrial fibrillation"},
    {"text": "a thought about martian blocks"},
]


@pytest.fixture
def small(monkeypatch):
    for module in (wide, ontologies):
        monkeypatch.setattr(module, "load_entries", lambda: load_entries(KNOWLEDGE))


@pytest.fixture
def folder(small, tmp_path):
    (tmp_path / "own.jsonl").write_text("".join(json.dumps(line) + "\n" for line in LINES))
    sources = [parse_source(f"jsonl:{tmp_path}/own.jsonl"), parse_source("ecg")]
    build(sources, tmp_path / "kb", WordEmbedder())
    return tmp_path / "kb"


@pytest.fixture
def index(folder):
    return KnowledgeIndex.load(folder, WordEmbedder())


def test_what_is_cited_is_found_in_every_source(index):
    finding, foreign = "ecg:AFIB#findings/0", index.passages("jsonl:own:TDP")[2].id
    found = cite([finding, foreign, "jsonl:own:X#name"], index)
    assert list(found) == [finding, foreign]
    ours = index.entries["AFIB"].findings[0]
    assert (found[finding].passage.text, found[finding].place) == (ours.text, ours.locator)
    assert found[finding].source_checked is ours.source_checked
    assert (found[foreign].concept, found[foreign].source_checked) == ("torsade de pointes", None)


def test_our_entries_are_searched_as_they_are_alone(index, small):
    alone = KnowledgeIndex.build(load_entries(KNOWLEDGE), WordEmbedder())
    for query in ("CLBBB", "sawtooth appearance", "AF", "right block"):
        ours = [hit for hit in index.search(query, k=20) if not hit.id.startswith("jsonl:")]
        expected = [(hit.id, hit.matched_by, pytest.approx(hit.score)) for hit in alone.search(query, k=20)]
        assert [(hit.id, hit.matched_by, hit.score) for hit in ours] == expected


def test_a_concept_of_another_source_is_found_by_its_names_and_by_its_words(index):
    for name in ("Torsades de pointes", "Martian tachycardia", "jsonl:own:TDP"):
        (hit,) = index.exact(name)
        assert (hit.id, hit.name, hit.score) == ("jsonl:own:TDP", "torsade de pointes", 1.0)
    first, second, *_ = index.search("martian complexes that are broad", k=5)
    assert (first.id, first.matched_by) == ("jsonl:own:TDP", "hybrid")
    assert first.text == "broad martian QRS, prolonged QT"
    assert first.score > second.score


def test_the_opposite_side_lies_below_zero(index):
    scores = {hit.id: hit.score for hit in index.search("martian block on the right", k=20)}
    assert scores["jsonl:own:L"] < 0 < scores["jsonl:own:6"]


def test_a_name_that_ours_has_means_ours(index):
    assert [entry.id for entry in index.lookup("atrial fibrillation")] == ["AFIB"]
    assert "jsonl:own:AF" in {hit.id for hit in index.search("atrial fibrillation", k=50)}


def test_what_is_asked_of_an_entry_can_be_asked_of_a_concept(index):
    entry = index.entries["jsonl:own:TDP"]
    assert entry.synonyms == ("martian tachycardia",)
    assert [p.kind for p in index.passages("jsonl:own:TDP")] == ["name", "synonym", "definition"]
    assert index.children("jsonl:own:TDP") == index.parents("jsonl:own:TDP") == []
    with pytest.raises(UsageError, match="no source of this index has the concept 'jsonl:own:X'"):
        index.passages("jsonl:own:X")
    assert "jsonl:own:X" not in index.entries


def test_prompts_and_a_retriever_read_it(index):
    prompts = merl.generate_prompts({"TDP": "torsade de pointes", "AF": "atrial flutter"}, index=index)
    assert prompts.classes["TDP"].prompts[0].sources == ("jsonl:own:TDP#name/1",)
    assert prompts.generator.index_sha256 == index.sha256
    (document,) = index.as_retriever(k=1).invoke("martian tachycardia")
    assert document.metadata["id"] == "jsonl:own:TDP"


def test_an_index_of_other_entries_is_refused(folder, monkeypatch):
    changed = dict(load_entries(KNOWLEDGE))
    del changed["SR"]
    monkeypatch.setattr(wide, "load_entries", lambda: changed)
    with pytest.raises(
        KnowledgeError, match="was built from other entries; delete the folder and build it again"
    ):
        KnowledgeIndex.load(folder, WordEmbedder())


def test_an_index_without_our_entries_is_refused(tmp_path):
    (tmp_path / "own.jsonl").write_text('{"text": "left"}\n')
    build([parse_source(f"jsonl:{tmp_path}/own.jsonl")], tmp_path / "kb", WordEmbedder())
    with pytest.raises(KnowledgeError, match=r"lacks our own entries.*--source ecg"):
        KnowledgeIndex.load(tmp_path / "kb", WordEmbedder())


@pytest.mark.parametrize("name", ["names.npy", "concepts.npy", "index.faiss", "passages.jsonl"])
def test_a_changed_file_is_refused(folder, name):
    (folder / name).write_bytes((folder / name).read_bytes()[:-1])
    with pytest.raises(KnowledgeError, match=rf"{name} is missing or not what its manifest says"):
        KnowledgeIndex.load(folder, WordEmbedder())


def test_big_indexes_give_our_vectors_back(small, tmp_path, monkeypatch):
    from merl.knowledge import structure

    monkeypatch.setattr(structure, "FLAT_BELOW", 50)
    (tmp_path / "own.jsonl").write_text("".join(f'{{"text": "left {n}"}}\n' for n in range(200)))
    build([parse_source(f"jsonl:{tmp_path}/own.jsonl"), parse_source("ecg")], tmp_path / "kb", WordEmbedder())
    index = KnowledgeIndex.load(tmp_path / "kb", WordEmbedder())
    assert index.corpus.manifest.structure.startswith("IVF")
    assert index.search("sawtooth appearance", k=1)[0].id == "AFLT"
