"""Expert sources: small readers that turn published vocabularies and texts into passages."""

from merl.knowledge.sources.base import Source
from merl.knowledge.sources.registry import SOURCES, parse_source

__all__ = ["SOURCES", "Source", "parse_source"]
