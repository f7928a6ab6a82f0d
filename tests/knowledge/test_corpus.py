import json

import pytest

from merl.errors import KnowledgeError, UsageError
from merl.knowledge.building import build
from merl.knowledge.corpus import CorpusIndex
from merl.knowledge.sources import parse_source
from tests.small_knowledge import WordEmbedder


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "own.jsonl").write_text("".join(f'{{"text": "{word}"}}\n' for word in WordEmbedder.words))
    build([parse_source(f"jsonl:{tmp_path}/own.jsonl")], tmp_path / "kb", WordEmbedder())
    return tmp_path / "kb"


def test_the_nearest_comes_first_with_its_cosine(folder):
    (first, score), *others = CorpusIndex(folder, WordEmbedder()).nearest("prolonged block", k=99)
    assert first.text in {"prolonged", "block"}
    assert score == pytest.approx((2 + 0.02) ** 0.5 * 0.5, abs=0.01)
    assert len(others) == 8  # there are no more
    assert [s for _, s in others] == sorted((s for _, s in others), reverse=True)


@pytest.mark.parametrize("name", ["index.faiss", "passages.jsonl"])
@pytest.mark.parametrize(
    "change", [lambda b: b[:-1], lambda b: b[:-2] + b"!!", None], ids=["cut", "edit", "gone"]
)
def test_a_changed_file_is_refused(folder, name, change):
    path = folder / name
    content = path.read_bytes()
    path.unlink()
    if change:
        path.write_bytes(change(content))
    with pytest.raises(KnowledgeError, match=rf"{name} is missing or not what its manifest says"):
        CorpusIndex(folder, WordEmbedder())


@pytest.mark.parametrize("content", [None, "not json", '{"schema": "merl/corpus/v1"}', '{"schema": "other"}'])
def test_a_broken_manifest_is_refused(folder, content):
    path = folder / "manifest.json"
    path.unlink() if content is None else path.write_text(content)
    with pytest.raises(KnowledgeError, match=r"manifest\.json"):
        CorpusIndex(folder, WordEmbedder())


def test_a_manifest_without_the_hash_of_a_file_is_refused(folder):
    path = folder / "manifest.json"
    data = json.loads(path.read_text())
    del data["files"]["index.faiss"]
    path.write_text(json.dumps(data))
    with pytest.raises(KnowledgeError, match=r"index\.faiss is missing or not"):
        CorpusIndex(folder, WordEmbedder())


def test_another_embedder_and_an_empty_query_are_refused(folder):
    other = WordEmbedder()
    other.sha256 = "2" * 64
    with pytest.raises(KnowledgeError, match=r"built with words \(1111.*read with words \(2222"):
        CorpusIndex(folder, other)
    with pytest.raises(UsageError, match="needs a query"):
        CorpusIndex(folder, WordEmbedder()).nearest("  ")
