import pytest

from tests.local_llm import local_llm
from tests.small_knowledge import entries, index

__all__ = ["entries", "index", "local_llm"]


@pytest.fixture(autouse=True)
def own_replies(monkeypatch, tmp_path):
    """Replies are kept in the test's own folder."""
    monkeypatch.setattr("merl.ckepe.generator.default_cache", lambda: tmp_path / "replies.sqlite")
