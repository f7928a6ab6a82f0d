import pytest

from tests.local_llm import local_llm
from tests.small_knowledge import entries, index

__all__ = ["entries", "index", "local_llm"]


@pytest.fixture(autouse=True)
def own_replies(monkeypatch, tmp_path):
    """Replies are kept in the test's own folder."""
    for module in ("generator", "controls"):
        monkeypatch.setattr(f"merl.ckepe.{module}.default_cache", lambda: tmp_path / "replies.sqlite")
