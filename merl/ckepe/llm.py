"""The language model: messages in, a checked JSON reply out; every failure is one sentence."""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from merl.errors import LLMError, UsageError

Reply = TypeVar("Reply", bound=BaseModel)
Message = tuple[str, str]  # (role, text)

SEED = 20240620
TIMEOUT = 180.0  # seconds; a small model on one core needs more than a minute
MAX_TOKENS = 2000
MAX_REPEATS = 2
_MODES = ("json_schema", "json_object", "text")
_CUT_SHORT = {"length", "max_tokens", "MAX_TOKENS", "model_length"}

logger = logging.getLogger(__name__)


class ChatModel:
    """A chat model behind langchain, asked for JSON at temperature 0 with a fixed seed.

    Args:
        spec: ``openai:MODEL``, or any ``provider:model`` of langchain's ``init_chat_model``.
        base_url: an OpenAI-compatible server; without a key in ``OPENAI_API_KEY`` a placeholder is sent.
        timeout: seconds to wait for one answer.
        max_tokens: longest answer.

    Raises:
        UsageError: the spec names no provider or the local one, or its package is not installed.
        LLMError: OpenAI itself is asked without a key.
    """

    def __init__(
        self,
        spec: str,
        base_url: str | None = None,
        *,
        timeout: float = TIMEOUT,
        max_tokens: int = MAX_TOKENS,
    ) -> None:
        provider, _, model = spec.partition(":")
        if provider == "local":
            raise UsageError(
                f"{spec!r} is not built in yet; serve the file with an OpenAI-compatible server"
                " and give openai:MODEL with --base-url URL"
            )
        if not provider or not model:
            raise UsageError(f"unknown language model {spec!r}; write none, openai:MODEL or provider:model")
        self.spec = spec
        self.where = base_url or os.environ.get("OPENAI_BASE_URL") or provider
        self._mode = 0
        options: dict[str, Any] = {"temperature": 0, "timeout": timeout, "max_tokens": max_tokens}
        if provider == "openai":
            self._chat = _openai(model, base_url, options)
        else:
            self._chat = _other(spec, base_url, options)

    def ask(self, messages: Sequence[Message], reply: type[Reply]) -> Reply:
        """Ask until the answer fits the schema, showing the model what was wrong with the last one.

        Raises:
            LLMError: the server cannot be reached, refuses, or answers unusably ``MAX_REPEATS`` + 1 times.
        """
        talk = list(messages)
        for _ in range(MAX_REPEATS + 1):
            text = self._answer(talk, reply)
            try:
                return reply.model_validate(extract_json(text))
            except (ValueError, ValidationError) as problem:
                fault = _fault(problem)
                logger.info("%s answered unusably (%s), asking again", self.spec, fault)
                talk += [
                    ("assistant", text),
                    ("user", f"That cannot be used: {fault}. Answer with the JSON only."),
                ]
        raise LLMError(
            f"{self.spec} gave no usable answer in {MAX_REPEATS + 1} tries ({fault}; its last one began"
            f" {text[:80]!r}); try a larger model, or --llm none"
        )

    def _answer(self, messages: list[Message], reply: type[BaseModel]) -> str:
        """Ask once, stepping down from json_schema to json_object to plain text where a server refuses."""
        while True:
            place = self._mode
            mode = _MODES[place]
            try:
                message = self._bound(mode, reply).invoke(messages)
            except Exception as problem:
                if mode != "text" and _is_refusal(problem):
                    self._mode = max(self._mode, place + 1)  # classes asked at once are refused at once
                    logger.info("%s does not take %s, trying %s", self.spec, mode, _MODES[place + 1])
                    continue
                raise LLMError(describe(problem, self.spec, self.where)) from problem
            return self._text(message)

    def _bound(self, mode: str, reply: type[BaseModel]) -> Any:
        if mode == "json_schema":
            schema = {"name": reply.__name__.lower().strip("_"), "schema": reply.model_json_schema()}
            return self._chat.bind(response_format={"type": mode, "json_schema": schema})
        return self._chat.bind(response_format={"type": mode}) if mode == "json_object" else self._chat

    def _text(self, message: Any) -> str:
        about = message.response_metadata
        if {about.get("finish_reason"), about.get("stop_reason"), about.get("done_reason")} & _CUT_SHORT:
            raise LLMError(_TOO_LONG.format(spec=self.spec))
        if about.get("finish_reason") == "content_filter" or message.additional_kwargs.get("refusal"):
            raise LLMError(
                f"{self.spec} refused to answer (content filter); try another model, or --llm none"
            )
        return str(message.text)


_TOO_LONG = (
    "{spec} did not finish its answer within the token limit; try another model, or fewer passages with -k"
)


def extract_json(text: str) -> Any:
    """Return the first JSON object in a text, past any chatter, fence or thinking around it.

    Raises:
        ValueError: there is none.
    """
    text = re.sub(r"<think>.*?</think>", "", text, flags=re.DOTALL)
    for brace in re.finditer(r"\{", text):
        try:
            return json.JSONDecoder().raw_decode(text, brace.start())[0]
        except ValueError:
            continue
    raise ValueError("no JSON object in it")


def describe(problem: Exception, spec: str, where: str) -> str:
    """Say in one sentence what went wrong with a request and what the user can do about it."""
    import openai
    from langchain_core import exceptions as chain

    said = " ".join(str(getattr(problem, "message", problem)).split())[:200]
    if getattr(problem, "code", None) == "insufficient_quota":
        return f"the quota of {spec} at {where} is used up; top it up, or use --llm none"
    sentences: list[tuple[tuple[type[Exception], ...], str]] = [
        ((openai.LengthFinishReasonError,), _TOO_LONG.format(spec=spec)),
        (
            (chain.ModelTimeoutError, openai.APITimeoutError),
            f"{where} did not answer {spec} in time; try again, or a smaller model",
        ),
        (
            (chain.ModelConnectionError, openai.APIConnectionError),
            f"cannot reach the language model at {where}; check that it runs, and the --base-url",
        ),
        (
            (chain.ModelAuthenticationError, chain.ModelPermissionDeniedError),
            f"{where} refuses the key for {spec}; check OPENAI_API_KEY, or your provider's variable",
        ),
        (
            (chain.ModelRateLimitError,),
            f"{where} takes no more requests now; wait, or lower --concurrency",
        ),
        (
            (chain.ModelNotFoundError,),
            f"{where} knows no model {spec!r} (404: {said}); check the name, and that the URL ends in /v1",
        ),
        ((chain.ContextOverflowError,), f"the passages are too long for {spec}; show fewer with -k"),
        (
            (chain.ModelInvalidRequestError,),
            f"{where} refuses the request to {spec} ({said}); try another model",
        ),
        (
            (chain.ModelAPIError, openai.InternalServerError),
            f"{where} failed while answering {spec} ({said}); try again later",
        ),
        (
            (ValueError, LookupError, TypeError, AttributeError, openai.OpenAIError),
            f"{where} does not answer like an OpenAI-compatible server ({said}); check the --base-url",
        ),
    ]
    other = f"{spec} at {where} failed ({type(problem).__name__}: {said})"
    return next((sentence for kinds, sentence in sentences if isinstance(problem, kinds)), other)


def _openai(model: str, base_url: str | None, options: dict[str, Any]) -> Any:
    from langchain_openai import ChatOpenAI
    from pydantic import SecretStr

    key = os.environ.get("OPENAI_API_KEY")
    if not key and not (base_url or os.environ.get("OPENAI_BASE_URL")):
        raise LLMError("OpenAI asks for a key; set OPENAI_API_KEY, or name your own server with --base-url")
    secret = SecretStr(key or "no-key-needed")
    # the Responses API has no seed, and compatible servers do not know it
    return ChatOpenAI(
        model=model, base_url=base_url, api_key=secret, seed=SEED, use_responses_api=False, **options
    )


def _other(spec: str, base_url: str | None, options: dict[str, Any]) -> Any:
    from langchain.chat_models import init_chat_model

    if base_url:
        options = {**options, "base_url": base_url}
    try:
        return init_chat_model(spec, **options)
    except (ValueError, ImportError) as problem:
        said = " ".join(str(problem).split())[:300]
        raise UsageError(f"cannot use the language model {spec!r}: {said}") from None


def _is_refusal(problem: Exception) -> bool:
    """Tell whether a server may have refused the way JSON was asked for, rather than the request itself."""
    from langchain_core.exceptions import ContextOverflowError, ModelInvalidRequestError

    if isinstance(problem, ContextOverflowError):
        return False
    return isinstance(problem, ModelInvalidRequestError) or (
        isinstance(problem, TypeError) and "response_format" in str(problem)
    )


def _fault(problem: Exception) -> str:
    if isinstance(problem, ValidationError):
        faults = [f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in problem.errors()[:5]]
        return "; ".join(faults).lower()
    return str(problem)
