from tests.local_llm import local_llm
from tests.small_knowledge import entries, index

__all__ = ["entries", "index", "local_llm"]
