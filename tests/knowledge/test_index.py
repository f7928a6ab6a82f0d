import json
import subprocess
import sys

import pytest

from merl.errors import KnowledgeError, UsageError
from merl.knowledge import index as index_module
from merl.knowledge.index import KnowledgeIndex
from merl.label_sets import LabelClass, LabelSet
from tests.small_knowledge import KNOWLEDGE, WordEmbedder


def test_exact_comes_first_then_the_nearest_one_hit_an_entry(index):
    hits = index.search("CLBBB", k=4)
    assert (hits[0].id, hits[0].matched_by, hits[0].score) == ("CLBBB", "code", 1.0)
    assert hits[0].codes == {"scp": ["CLBBB"]}
    assert len({hit.id for hit in hits}) == len(hits) == 4
    found = index.search("sawtooth appearance", k=3)
    assert (found[0].id, found[0].matched_by) == ("AFLT", "hybrid")
    assert found[0].text == "regular sawtooth flutter waves in leads II, III and aVF"
    assert [hit.score for hit in found] == sorted((hit.score for hit in found), reverse=True)


def test_what_speaks_against_a_concept_does_not_find_it(index):
    texts = [hit.text for hit in index.search("sawtooth", k=9) + index.search("ST elevation", k=9)]
    assert "flutter shows regular sawtooth waves, fibrillation shows none" not in texts
    assert "ST elevation" not in texts


@pytest.mark.parametrize(("query", "k"), [("", 5), ("  ", 5), ("x", 0)])
def test_empty_search_is_refused(index, query, k):
    with pytest.raises(UsageError, match="needs a query"):
        index.search(query, k)


def test_unknown_entry_names_near_ones(index):
    with pytest.raises(UsageError, match="did you mean 'AFIB'"):
        index.passages("AFIBB")


def test_parents_and_children_are_the_broader_and_the_narrower(index):
    assert [entry.id for entry in index.parents("AFIB")] == ["SVARR"]
    assert [entry.id for entry in index.children("SVARR")] == ["AFIB", "AFLT"]
    with pytest.raises(UsageError, match="did you mean 'AFIB'"):
        index.children("AFIBB")


def test_a_code_means_what_its_label_set_says(index):
    labels = LabelSet(
        name="csn",
        classes={
            "AF": LabelClass(name="colockwise flutter", entry="AFLT"),
            "X": LabelClass(name="sinus rythm"),
        },
    )
    assert [entry.id for entry in index.lookup("AF")] == ["AFIB", "AFLT"]
    assert [entry.id for entry in index.lookup("AF", labels)] == ["AFLT"]
    assert [entry.id for entry in index.lookup("X", labels)] == ["SR"]  # misspelled by the data set
    with pytest.raises(UsageError, match="unknown class of csn 'AFIB'"):
        index.lookup("AFIB", labels)


def test_the_opposite_lies_below_everything_else(index):
    hits = index.search("block of the right bundle branch, complete, as seen on the trace", k=9)
    assert hits[0].id == "CRBBB"
    assert [hit.id for hit in hits if hit.score < 0] == ["CLBBB"]


def test_saved_index_finds_the_same(index, tmp_path):
    index.save(tmp_path / "kb")
    again = KnowledgeIndex.load(tmp_path / "kb", WordEmbedder())
    assert again.search("broad left block", 5) == index.search("broad left block", 5)
    assert again.lookup("LBBB") == index.lookup("LBBB")
    assert again.sha256 == index.sha256
    names = {"index.faiss", "passages.jsonl", "entries.jsonl", "manifest.json"}
    assert {path.name for path in (tmp_path / "kb").iterdir()} == names
    index.save(tmp_path / "kb")  # an index may be replaced
    assert [path.name for path in tmp_path.iterdir()] == ["kb"]


def test_another_embedder_is_refused(index, tmp_path):
    index.save(tmp_path / "kb")
    other = WordEmbedder()
    other.sha256 = "2" * 64
    with pytest.raises(KnowledgeError, match=r"built with words \(1111.*read with words \(2222.*kb build"):
        KnowledgeIndex.load(tmp_path / "kb", other)


@pytest.mark.parametrize("name", ["index.faiss", "passages.jsonl", "entries.jsonl"])
def test_a_changed_file_is_refused(index, tmp_path, name):
    index.save(tmp_path / "kb")
    path = tmp_path / "kb" / name
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(KnowledgeError, match=name):
        KnowledgeIndex.load(tmp_path / "kb", WordEmbedder())


@pytest.mark.parametrize("content", [None, "not json", '{"schema": "merl/index/v1"}'])
def test_a_broken_manifest_is_refused(index, tmp_path, content):
    index.save(tmp_path / "kb")
    path = tmp_path / "kb" / "manifest.json"
    path.unlink() if content is None else path.write_text(content)
    with pytest.raises(KnowledgeError, match=r"manifest\.json"):
        KnowledgeIndex.load(tmp_path / "kb", WordEmbedder())


def test_foreign_files_are_not_overwritten(index, tmp_path):
    (tmp_path / "thesis.docx").write_text("years of work")
    with pytest.raises(KnowledgeError, match="not an index"):
        index.save(tmp_path)
    assert (tmp_path / "thesis.docx").read_text() == "years of work"


def test_default_is_built_once_and_again_when_the_corpus_changes(entries, tmp_path, monkeypatch):
    monkeypatch.setenv("MERL_CACHE", str(tmp_path))
    monkeypatch.setattr(index_module, "LazyMiniLM", WordEmbedder)
    monkeypatch.setattr(index_module, "load_entries", lambda: entries)
    encoded = []
    encode = WordEmbedder.encode
    monkeypatch.setattr(
        WordEmbedder, "encode", lambda self, texts: encoded.append(len(texts)) or encode(self, texts)
    )

    first = KnowledgeIndex.default().search("sawtooth")
    assert KnowledgeIndex.default().search("sawtooth") == first
    assert sum(count > 2 for count in encoded) == 1
    entries = {key: entry for key, entry in entries.items() if key != "STD_"}
    KnowledgeIndex.default().search("sawtooth")
    assert sum(count > 2 for count in encoded) == 2
    folders = list((tmp_path / "index").iterdir())
    assert len(folders) == 2
    assert json.loads((folders[0] / "manifest.json").read_text())["metric"] == "inner product of unit vectors"


@pytest.mark.parametrize("name", ["manifest.json", "index.faiss"])
@pytest.mark.parametrize("content", [None, b"", b"\xff{}"])
def test_a_damaged_default_is_logged_and_built_again(
    entries, tmp_path, monkeypatch, caplog, *, name, content
):
    monkeypatch.setenv("MERL_CACHE", str(tmp_path))
    monkeypatch.setattr(index_module, "LazyMiniLM", WordEmbedder)
    monkeypatch.setattr(index_module, "load_entries", lambda: entries)
    found = KnowledgeIndex.default().search("sawtooth")
    (folder,) = (tmp_path / "index").iterdir()
    path = folder / name
    whole = path.read_bytes()
    path.unlink() if content is None else path.write_bytes(content)

    assert KnowledgeIndex.default().search("sawtooth") == found
    assert f"{folder} is damaged and is built again" in caplog.text
    assert path.read_bytes() == whole
    caplog.clear()
    assert KnowledgeIndex.default().search("sawtooth") == found
    assert not caplog.text


def test_an_agent_can_search_the_index(index):
    tool = index.as_tool(k=2)
    assert tool.args.keys() == {"query"}
    first, second = tool.invoke({"query": "AF"}).split("\n\n")
    hits = index.search("AF", 2)
    assert [first, second] == [f"[{hit.id}] {hit.text}" for hit in hits]
    assert "needs a query of at least one word" in tool.invoke({"query": " "})  # for the agent to read


def test_retriever_speaks_langchain(index):
    documents = index.as_retriever(k=2).invoke("AF")
    assert [document.metadata["id"] for document in documents] == ["AFIB", "AFLT"]
    assert documents[0].page_content.startswith("Chaotic atrial activity")
    with pytest.raises(UsageError, match="k of 1 or more"):
        index.as_retriever(k=0)


def test_lookup_loads_no_torch():
    code = (
        "import sys; from pathlib import Path; from merl.knowledge.entries import load_entries;"
        "from merl.knowledge.index import KnowledgeIndex;"
        f"index = KnowledgeIndex(load_entries(Path({str(KNOWLEDGE)!r})));"
        "assert index.lookup('AFIB'); print(sorted({'torch', 'transformers', 'faiss'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_real_embedder_finds_a_finding_by_meaning(entries):
    hits = KnowledgeIndex.build(entries).search(
        "ventricular response without any regularity, fibrillation", k=2
    )
    assert hits[0].id == "AFIB"
