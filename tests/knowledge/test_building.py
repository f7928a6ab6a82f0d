import json
import subprocess
import sys

import numpy as np
import pytest

from merl.errors import KnowledgeError, UsageError
from merl.knowledge import structure
from merl.knowledge.building import build, merge
from merl.knowledge.corpus import CorpusIndex
from merl.knowledge.sources import parse_source
from tests.small_knowledge import WordEmbedder

WORDS = WordEmbedder.words
FILES = {"index.faiss", "names.npy", "concepts.npy", "passages.jsonl", "manifest.json"}


class BatchEmbedder(WordEmbedder):
    """Remembers how much it was given, and dies at a batch if it is told to."""

    def __init__(self, dies_at=None):
        self.given, self.dies_at = [], dies_at

    def encode(self, texts):
        if len(self.given) == self.dies_at:
            raise KeyboardInterrupt
        self.given.append(len(texts))
        return super().encode(texts)


def write_lines(path, count, first=""):
    texts = [f"{first}{WORDS[n % 9]} {WORDS[n * n % 7]} {n}" for n in range(count)]
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))


@pytest.fixture
def source(tmp_path):
    """Ninety-five passages and a row that is none, read anew by every build."""
    path = tmp_path / "own.jsonl"
    write_lines(path, 95)
    path.write_text(path.read_text() + "{}\n")
    return lambda: parse_source(f"jsonl:{path}")


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_what_is_built(source, tmp_path):
    told = []
    progress = lambda *seen: told.append(seen)  # noqa: E731
    manifest = build([source()], tmp_path / "kb", WordEmbedder(), batch_size=10, progress=progress)
    assert {path.name for path in (tmp_path / "kb").iterdir()} == FILES
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kb", "own.jsonl"]
    (record,) = manifest.sources
    assert (record.name, record.passages, record.licence) == ("jsonl:own", 95, "the user's own")
    assert record.skipped == {"line that is no passage": 1}
    assert (manifest.structure, manifest.dim, manifest.passages) == ("Flat", 10, 95)
    assert {what: done / total for done, total, what in told} == dict.fromkeys(
        ("own.jsonl", "embedding", "vectors"), 1.0
    ) | {"names": 0.0}
    hits = CorpusIndex(tmp_path / "kb", WordEmbedder()).nearest("martian irregular", k=3)
    assert [set(passage.text.split()) >= {"martian", "irregular"} for passage, _ in hits] == [True] * 3


@pytest.mark.parametrize("dies_at", [0, 1, 6])
def test_a_build_that_is_cut_off_goes_on(source, tmp_path, dies_at):
    build([source()], tmp_path / "whole", BatchEmbedder(), batch_size=10)
    with pytest.raises(KeyboardInterrupt):
        build([source()], tmp_path / "kb", BatchEmbedder(dies_at), batch_size=10)
    assert not (tmp_path / "kb").exists()
    again = BatchEmbedder()
    build([source()], tmp_path / "kb", again, batch_size=10)
    assert len(again.given) == 10 - dies_at
    assert content(tmp_path / "kb") == content(tmp_path / "whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kb", "own.jsonl", "whole"]


def test_a_killed_process_goes_on(source, tmp_path):
    script = f"""
import os, signal
from merl.knowledge.building import build
from merl.knowledge.sources import parse_source
from tests.knowledge.test_building import BatchEmbedder
class Killed(BatchEmbedder):
    def encode(self, texts):
        if len(self.given) == 4:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().encode(texts)
build([parse_source("jsonl:{tmp_path}/own.jsonl")], "{tmp_path}/kb", Killed(), batch_size=10)
"""
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == -9
    assert not (tmp_path / "kb").exists()
    again = BatchEmbedder()
    build([source()], tmp_path / "kb", again, batch_size=10)
    assert len(again.given) == 6
    build([source()], tmp_path / "whole", BatchEmbedder(), batch_size=10)
    assert content(tmp_path / "kb") == content(tmp_path / "whole")


def test_another_build_does_not_go_on_with_what_was_cut_off(source, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        build([source()], tmp_path / "kb", BatchEmbedder(3), batch_size=10)
    other = WordEmbedder()
    other.sha256 = "2" * 64
    with pytest.raises(KnowledgeError, match=r"cut off, with another embedder; repeat that one"):
        build([source()], tmp_path / "kb", other, batch_size=10)
    write_lines(tmp_path / "own.jsonl", 95, first="left ")
    with pytest.raises(KnowledgeError, match="with another corpus"):
        build([source()], tmp_path / "kb", WordEmbedder(), batch_size=10)
    write_lines(tmp_path / "own.jsonl", 95)
    vectors = tmp_path / ".kb.part" / "vectors.npy"
    vectors.write_bytes(vectors.read_bytes()[:-200])
    with pytest.raises(KnowledgeError, match=r"vectors in .* are damaged; delete"):
        build([source()], tmp_path / "kb", WordEmbedder(), batch_size=10)


@pytest.mark.parametrize("flat_below", [1000, 50])
def test_merged_shards_are_the_single_build(source, tmp_path, monkeypatch, flat_below):
    monkeypatch.setattr(structure, "FLAT_BELOW", flat_below)
    whole = build([source()], tmp_path / "whole", WordEmbedder(), batch_size=10)
    assert whole.structure == ("Flat" if flat_below > 95 else "IVF32,SQ8")
    folders = [tmp_path / f"{number}" for number in (3, 1, 2)]
    for folder in folders:
        build([source()], folder, WordEmbedder(), batch_size=10, shard=(int(folder.name), 3))
    merge(folders, tmp_path / "merged")
    assert content(tmp_path / "merged") == content(tmp_path / "whole")
    found = [
        CorpusIndex(tmp_path / name, WordEmbedder()).nearest("left block", k=9)
        for name in ("merged", "whole")
    ]
    assert found[0] == found[1]


def test_shards_that_do_not_belong_together_are_refused(source, tmp_path):
    one, two = tmp_path / "1", tmp_path / "2"
    build([source()], one, WordEmbedder(), batch_size=10, shard=(1, 3))
    with pytest.raises(KnowledgeError, match="of 3 shards 2, 3 is missing"):
        merge([one], tmp_path / "kb")
    build([source()], two, WordEmbedder(), batch_size=10, shard=(2, 2))
    with pytest.raises(KnowledgeError, match="different builds"):
        merge([one, two], tmp_path / "kb")
    build([source()], one, WordEmbedder(), batch_size=20, shard=(1, 2))
    with pytest.raises(KnowledgeError, match="one batch size"):
        merge([one, two], tmp_path / "kb")
    with pytest.raises(KnowledgeError, match=r"is shard 1 of 2; join them"):
        CorpusIndex(one, WordEmbedder())
    (two / "vectors.npy").write_bytes((two / "vectors.npy").read_bytes()[:-4])
    with pytest.raises(KnowledgeError, match=r"vectors\.npy is missing or not what its manifest says"):
        merge([one, two], tmp_path / "kb")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1", "2", "own.jsonl"]
    build([source()], two, WordEmbedder())
    with pytest.raises(KnowledgeError, match="no shard but a whole index"):
        merge([one, two], tmp_path / "kb")


def test_wrong_use_leaves_nothing_behind(source, tmp_path):
    class Long(WordEmbedder):
        def encode(self, texts):
            return 2 * super().encode(texts)

    with pytest.raises(UsageError, match="at least one source"):
        build([], tmp_path / "kb", WordEmbedder())
    with pytest.raises(UsageError, match="'jsonl:own' is given twice"):
        build([source(), source()], tmp_path / "kb", WordEmbedder())
    with pytest.raises(UsageError, match="no shard 3/2"):
        build([source()], tmp_path / "kb", WordEmbedder(), shard=(3, 2))
    with pytest.raises(KnowledgeError, match="95 passages are 1 batches; 2 shards are too many"):
        build([source()], tmp_path / "kb", WordEmbedder(), shard=(1, 2))
    with pytest.raises(KnowledgeError, match="not of unit length"):
        build([source()], tmp_path / "kb", Long())
    (tmp_path / "own.jsonl").write_text("")
    with pytest.raises(KnowledgeError, match="'jsonl:own' gave no passage"):
        build([source()], tmp_path / "kb", WordEmbedder())
    with pytest.raises(KnowledgeError, match="not an index"):
        build([source()], tmp_path, WordEmbedder())
    assert [path.name for path in tmp_path.iterdir()] == ["own.jsonl"]


def test_an_index_is_replaced_only_by_a_whole_one(source, tmp_path):
    build([source()], tmp_path / "kb", WordEmbedder(), batch_size=10)
    before = content(tmp_path / "kb")
    write_lines(tmp_path / "own.jsonl", 50)
    with pytest.raises(KeyboardInterrupt):
        build([source()], tmp_path / "kb", BatchEmbedder(2), batch_size=10)
    assert content(tmp_path / "kb") == before
    assert build([source()], tmp_path / "kb", WordEmbedder(), batch_size=10).passages == 50
    assert len(CorpusIndex(tmp_path / "kb", WordEmbedder())) == 50


def test_passages_are_read_from_disk_where_they_lie(tmp_path):
    (tmp_path / "own.jsonl").write_text(
        '{"text": "prolonged für immer"}\n{"text": "broad"}\n{"text": "left"}\n'
    )
    build([parse_source(f"jsonl:{tmp_path}/own.jsonl")], tmp_path / "kb", WordEmbedder())
    index = CorpusIndex(tmp_path / "kb", WordEmbedder())
    assert [index.passage(row).text for row in (2, 0, 1)] == ["left", "prolonged für immer", "broad"]
    scores, rows = index.rows(np.eye(10, dtype=np.float32)[[3]], 3)  # the axis of "broad"
    assert rows[0, 0] == 1
    assert scores[0, 0] > 0.99
