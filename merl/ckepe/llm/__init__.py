"""Language models: messages in, a checked answer out; cached, bounded in cost, faults in one sentence."""

from __future__ import annotations

from merl.ckepe.llm.cache import ReplyCache, default_cache
from merl.ckepe.llm.chat import ChatModel
from merl.ckepe.llm.reading import Message, extract_json

__all__ = ["ChatModel", "Message", "ReplyCache", "default_cache", "extract_json"]
