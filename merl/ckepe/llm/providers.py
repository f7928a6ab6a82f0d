"""The langchain chat models: OpenAI and whatever speaks its language, and every provider langchain knows."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import httpx2

from merl.ckepe.llm.faults import ReplyTooLongError, ReplyTooSlowError
from merl.errors import LLMError, UsageError, check_address

Mode = Literal["json_schema", "json_object", "text"]
SEED = 20240620
_KEYS = {"openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY"}
LARGEST_BODY = 4 << 20  # bytes of one reply


def split(spec: str) -> tuple[str, str]:
    """Split ``provider:model``.

    Raises:
        UsageError: there is no provider or no model in it.
    """
    provider, _, model = spec.partition(":")
    if provider == "local":
        return provider, model
    if not provider or not model:
        raise UsageError(
            f"unknown language model {spec!r}; write none, local, openai:MODEL or provider:model"
        )
    return provider, model


def server_of(provider: str, base_url: str | None) -> str | None:
    """Return the address of a user's own server; None where the provider itself is asked.

    Raises:
        UsageError: it is no address.
    """
    url = base_url or (os.environ.get("OPENAI_BASE_URL") if provider == "openai" else None) or None
    check_address(url)
    return url


@dataclass(frozen=True)
class Options:
    """How a model is asked: temperature, seconds for one answer, the longest answer in tokens."""

    temperature: float
    timeout: float
    max_tokens: int


def openai_compatible(model: str, base_url: str | None, key: str | None, options: Options) -> Any:
    """Make a client of OpenAI or a compatible server; a reply without an end is cut off.

    Raises:
        LLMError: OpenAI itself is asked without a key.
    """
    from langchain_openai import ChatOpenAI
    from pydantic import SecretStr

    own = key is not None
    key = key or _key("openai", base_url)
    # the Responses API has no seed, and compatible servers do not know it
    return ChatOpenAI(
        model=model,
        base_url=base_url,
        api_key=SecretStr(key),
        seed=SEED,
        temperature=options.temperature,
        timeout=options.timeout,
        max_completion_tokens=options.max_tokens,
        max_retries=0,
        use_responses_api=False,
        http_client=_BoundedClient(timeout=options.timeout, trust_env=not own),  # no proxy to ourselves
    )


def other(spec: str, base_url: str | None, options: Options) -> Any:
    """Make the client of any provider that langchain knows.

    Raises:
        UsageError: langchain does not know it, or its package is missing.
        LLMError: its key is missing.
    """
    from langchain.chat_models import init_chat_model

    provider, _ = split(spec)
    given: dict[str, Any] = {"temperature": options.temperature}
    if provider == "ollama":
        given |= {
            "num_predict": options.max_tokens,
            "seed": SEED,
            "client_kwargs": {"timeout": options.timeout},
        }
    else:
        given |= {"timeout": options.timeout, "max_tokens": options.max_tokens, "max_retries": 0}
    if provider in _KEYS:
        given["api_key"] = _key(provider, base_url)
    if base_url:
        given["base_url"] = base_url
    try:
        return init_chat_model(spec, **given)
    except (ValueError, ImportError) as problem:
        said = " ".join(str(problem).split())[:300]
        raise UsageError(f"cannot use the language model {spec!r}: {said}") from None


def modes(provider: str) -> tuple[Mode, ...]:
    """Return the ways of asking for JSON that a provider may know, the strictest first."""
    return ("json_schema", "text") if provider == "anthropic" else ("json_schema", "json_object", "text")


def shaped(chat: Any, provider: str, mode: Mode, name: str, schema: dict[str, Any]) -> Any:
    """Bind the way an answer in JSON is asked for."""
    if mode == "text":
        return chat
    if provider == "ollama":
        return chat.bind(format=schema if mode == "json_schema" else "json")
    if mode == "json_object":
        return chat.bind(response_format={"type": mode})
    return chat.bind(response_format={"type": mode, "json_schema": {"name": name, "schema": schema}})


def _key(provider: str, base_url: str | None) -> str:
    key = os.environ.get(_KEYS[provider])
    if not key and not base_url:
        raise LLMError(
            f"{provider} asks for a key; set {_KEYS[provider]}, or name your own server with --base-url",
            "key",
        )
    return key or "no-key-needed"


class _BoundedClient(httpx2.Client):
    """Gives a reply up when it grows too long, or drips in for longer than the timeout of one read."""

    def send(self, request: httpx2.Request, *, stream: bool = False, **options: Any) -> httpx2.Response:
        until = time.monotonic() + (request.extensions.get("timeout", {}).get("read") or float("inf"))
        response = super().send(request, stream=True, **options)
        response.stream = _BoundedStream(response.stream, until)
        try:
            if not stream:
                response.read()
        except BaseException:
            response.close()
            raise
        return response


class _BoundedStream(httpx2.SyncByteStream):
    def __init__(self, inner: Any, until: float) -> None:
        self._inner, self._until = inner, until

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for chunk in self._inner:
            size += len(chunk)
            if size > LARGEST_BODY:
                raise ReplyTooLongError(f"more than {LARGEST_BODY >> 20} MB")
            if time.monotonic() > self._until:
                raise ReplyTooSlowError("it did not end in time")
            yield chunk

    def close(self) -> None:
        self._inner.close()
