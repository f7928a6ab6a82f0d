"""The language model: messages in, a checked answer out, each request paid for once."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pydantic import BaseModel

from merl.ckepe.llm import providers
from merl.ckepe.llm.cache import Reply, ReplyCache, request_sha256
from merl.ckepe.llm.cost import Bound, Budget, Usage, bound, find_price
from merl.ckepe.llm.faults import Fault, classify
from merl.ckepe.llm.local import LocalModel, LocalServer
from merl.ckepe.llm.pacing import LONGEST_WAIT, Pace
from merl.ckepe.llm.providers import SEED
from merl.ckepe.llm.reading import Answer, Message, UnusableReplyError, complain, read, reply_in, reply_of
from merl.errors import LLMError, UsageError

TIMEOUT = 300.0  # seconds
LOCAL_TIMEOUT = 1800.0  # a local model cannot be out of reach, and a busy machine may need many minutes
MAX_TOKENS = 2000
MAX_REPEATS = 2  # how often an unusable answer is asked for again

Watch = Callable[[str], None]  # told what is being waited for

logger = logging.getLogger(__name__)


class ChatModel:
    """A chat model asked for JSON, at temperature 0 and with a fixed seed unless told otherwise.

    Args:
        spec: ``openai:MODEL``, ``local``, ``local:SIZE``, ``local:FILE.gguf``, or any ``provider:model`` of
            langchain's ``init_chat_model``.
        base_url: the user's own server; without a key in ``OPENAI_API_KEY`` a placeholder is sent. It is no
            part of what a reply is kept by: for another server with a model of that name, name another cache.
        cache: where replies are kept; None keeps none.
        offline: ask nobody; what is not in the cache is an error.
        temperature: 0 to 2; some models take no other than 1.
        timeout: seconds for one answer; 300, and 1800 for a local model, where none are given.
        max_tokens: the longest answer.
        requests_per_minute: how many requests are started in a minute at most; None for no limit.
        price: ``IN,OUT`` in USD for a million tokens, where the list has none or another.
        max_cost: USD that are not passed, whatever is asked at once; None for no limit.
        first_wait: seconds before a failed request is first repeated; doubled each time.

    Raises:
        UsageError: the spec means no model, its package is missing, or an option is out of range.
        LLMError: OpenAI itself is asked without a key, or the cache cannot be used.
    """

    def __init__(
        self,
        spec: str,
        base_url: str | None = None,
        *,
        cache: str | Path | None = None,
        offline: bool = False,
        temperature: float = 0,
        timeout: float | None = None,
        max_tokens: int = MAX_TOKENS,
        requests_per_minute: float | None = None,
        price: str | None = None,
        max_cost: float | None = None,
        first_wait: float = 1.0,
    ) -> None:
        self.provider, self.model = providers.split(spec)
        if timeout is None:
            timeout = LOCAL_TIMEOUT if self.provider == "local" else TIMEOUT
        _check(temperature, timeout, max_tokens, requests_per_minute)
        self._local = LocalModel.find(self.model) if self.provider == "local" else None
        #: What prompt sets record: the spec, with a size or file where it said ``local``.
        self.spec = self._local.name if self._local else spec
        #: How many requests it takes at once; None for as many as one likes. A replay goes in order.
        self.at_once = 1 if self._local or offline else None
        self.temperature = float(temperature)  # 0 and 0.0 are one request
        self._timeout, self._max_tokens = timeout, max_tokens
        self._server_url = providers.server_of(self.provider, base_url)
        self.where = self._server_url or self.provider
        own = self._server_url is not None
        self._budget = Budget(find_price(self.provider, self.model, price, own_server=own), max_cost, spec)
        self._pace = Pace(requests_per_minute, first_wait)
        self._offline, self._lock = offline, threading.Lock()
        self._chat: Any = None
        self._mode, self._answered = 0, False
        self._llama: LocalServer | None = None
        if not offline and not self._local:
            self._chat = self._client()
        self._cache = ReplyCache(cache, read_only=offline) if cache is not None else None

    @property
    def usage(self) -> Usage:
        """What was asked, answered and paid until now."""
        return self._budget.usage

    def stop(self) -> None:
        """Ask nobody any more: who waits for a server or for money gives up."""
        self._pace.close()
        self._budget.close()

    def close(self) -> None:
        """Stop, close the cache and end a local server."""
        self.stop()
        if self._cache is not None:
            self._cache.close()
        if self._llama:
            self._llama.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def ask(
        self,
        messages: Sequence[Message],
        answer: type[Answer],
        *,
        about: str = "",
        watch: Watch | None = None,
    ) -> Answer:
        """Ask until the answer fits the schema, showing the model what was wrong with the last one.

        Args:
            messages: (role, text), the system's first.
            answer: the shape of the answer.
            about: what it is about, for people.
            watch: told what is waited for.

        Raises:
            LLMError: the server cannot be reached, refuses, answers unusably ``MAX_REPEATS`` + 1 times, would
                cost more than the limit, or must not be asked.
        """
        talk, unusable = list(messages), []
        for attempt in range(MAX_REPEATS + 1):
            key = self._key(talk, answer)
            reply = self._cached(key, about) or self._asked(talk, answer, key, about, watch or _nobody)
            try:
                return read(reply, answer)
            except UnusableReplyError as problem:
                fault = problem
            unusable.append(key)
            logger.info("%s answered unusably (%s), asking again", self.spec, fault)
            if watch and attempt < MAX_REPEATS:
                watch(f"asking again: {fault}")
            talk += complain(reply, fault)
        if self._cache is not None and not self._offline:
            self._cache.forget(unusable)
        raise LLMError(
            f"{self.spec} gave no usable answer in {MAX_REPEATS + 1} tries ({fault}; its last one began"
            f" {reply.text[:80]!r}); try a larger model, or --llm none"
        )

    def recall(self, messages: Sequence[Message], answer: type[Answer]) -> Answer | None:
        """Return what ``ask`` would find in the cache, without asking or counting."""
        talk = list(messages)
        for _ in range(MAX_REPEATS + 1):
            reply = self._cache.get(self._key(talk, answer)) if self._cache is not None else None
            if reply is None:
                return None
            try:
                return read(reply, answer)
            except UnusableReplyError as problem:
                talk += complain(reply, problem)
        return None

    def bound(self, messages: Sequence[Message], answer: type[BaseModel]) -> Bound:
        """Return the most tokens that asking this once can take."""
        return bound(messages, answer.model_json_schema(), self._max_tokens)

    def cost(self, most: Bound) -> float | None:
        """Return what so many tokens cost in USD; None where the price is not known."""
        return self._budget.cost(most)

    def _key(self, messages: Sequence[Message], answer: type[BaseModel]) -> str:
        parameters = {"temperature": self.temperature, "max_tokens": self._max_tokens, "seed": SEED}
        return request_sha256(
            {
                "provider": self.provider,
                "model": self._local.sha256 if self._local else self.model,
                "parameters": parameters,
                "messages": [list(message) for message in messages],
                "schema": answer.model_json_schema(),
            }
        )

    def _cached(self, key: str, about: str) -> Reply | None:
        reply = self._cache.get(key) if self._cache is not None else None
        if reply is not None:
            self._budget.count_cached()
        elif self._offline:
            where = self._cache.path if self._cache is not None else "no cache"
            raise LLMError(
                f"{where} holds no reply to the request for {about or 'this'} to {self.spec}"
                f" ({key[:12]}); run it once without --offline, or name another --cache",
                "offline",
            )
        return reply

    def _asked(
        self, talk: list[Message], answer: type[BaseModel], key: str, about: str, watch: Watch
    ) -> Reply:
        """Ask a server, wait and repeat where that may help, and keep the reply before it is looked at."""
        if self._chat is None:
            self._start(watch)
        failures: dict[str, int] = {}
        while True:
            try:
                reply, refused = self._once(talk, answer, watch)
                break
            except _FailedError as failed:
                fault = failed.fault
            failures[fault.kind] = failures.get(fault.kind, 0) + 1
            wait = self._pace.back_off(failures[fault.kind]) if fault.wait is None else fault.wait
            if failures[fault.kind] >= fault.tries or wait > LONGEST_WAIT:
                asked = f" (it asks to wait {wait:.0f} s)" if wait > LONGEST_WAIT else ""
                raise LLMError(fault.sentence + asked, fault.kind)
            logger.info("%s; trying again in %.1f s", fault.sentence, wait)
            watch(f"{fault.kind}: waiting {wait:.0f} s")
            self._pace.pause(wait)
        if refused:
            raise LLMError(
                f"{self.spec} refused to answer (content filter); try another model, or --llm none"
            )
        return self._cache.put(key, reply, model=self.spec, about=about) if self._cache is not None else reply

    def _once(self, talk: list[Message], answer: type[BaseModel], watch: Watch) -> tuple[Reply, bool]:
        """Ask once, stepping down from json_schema to json_object to plain text where a server refuses."""
        schema, modes = answer.model_json_schema(), providers.modes(self.provider)
        most = bound(talk, schema, self._max_tokens)
        while True:
            self._budget.reserve(most)
            reply, lost = None, False
            place = self._mode
            try:
                self._pace.wait()
                watch("asking")
                shaped = providers.shaped(self._chat, self.provider, modes[place], answer.__name__, schema)
                reply, refused = reply_of(shaped.invoke(talk))
                self._answered = True
                return reply, refused
            except LLMError:
                raise
            except Exception as problem:
                if raised := reply_in(problem):
                    reply, refused = raised
                    return reply, refused
                fault = classify(problem, self.spec, self.where)
                lost = fault.paid
                if not fault.form or modes[place] == "text":
                    raise _FailedError(self._lasting(fault)) from problem
                with self._lock:  # classes asked at once are refused at once
                    self._mode = max(self._mode, place + 1)
                logger.info("%s does not take %s, trying %s", self.spec, modes[place], modes[place + 1])
            finally:
                self._budget.settle(most, reply, paid=reply is not None or lost)

    def _lasting(self, fault: Fault) -> Fault:
        """A server that answered before and is gone may come back; one that never did is a wrong address."""
        if fault.kind == "network" and fault.tries == 1 and self._answered:
            return Fault("network", fault.sentence, tries=5)
        return fault

    def _start(self, watch: Watch) -> None:
        with self._lock:
            if self._chat is None and self._local:
                watch("loading the model")
                self._llama = LocalServer(self._local.weights())
                self.where = "the local model"
                self._chat = self._client()

    def _client(self) -> Any:
        options = providers.Options(self.temperature, self._timeout, self._max_tokens)
        if self._llama:
            return providers.openai_compatible("local", self._llama.url, self._llama.key, options)
        if self.provider == "openai":
            return providers.openai_compatible(self.model, self._server_url, None, options)
        return providers.other(f"{self.provider}:{self.model}", self._server_url, options)


class _FailedError(Exception):
    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.sentence)
        self.fault = fault


def _nobody(_: str) -> None:
    """Watch nothing."""


def _check(temperature: float, timeout: float, max_tokens: int, requests_per_minute: float | None) -> None:
    if not (0 <= temperature <= 2 and timeout > 0 and max_tokens >= 1):
        raise UsageError(
            "temperature is 0 to 2, timeout above 0 s and max_tokens 1 or more,"
            f" not {temperature}, {timeout} and {max_tokens}"
        )
    if requests_per_minute is not None and requests_per_minute <= 0:
        raise UsageError(f"requests per minute are above 0, not {requests_per_minute}")
