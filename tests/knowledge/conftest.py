from tests.small_knowledge import entries, index

__all__ = ["entries", "index"]
