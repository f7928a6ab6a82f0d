"""What a run costs: prices, the most a request can cost, and a budget that is never passed."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from merl.ckepe.llm.cache import Reply
from merl.errors import LLMError, UsageError
from merl.files import read_yaml

_PER_MESSAGE = 16  # tokens a chat format adds to a message at most


@dataclass(frozen=True)
class Price:
    """US dollars for a million tokens."""

    tokens_in: float
    tokens_out: float

    def of(self, tokens_in: int, tokens_out: int) -> float:
        """Return what so many tokens cost, in USD."""
        return (tokens_in * self.tokens_in + tokens_out * self.tokens_out) / 1e6


@dataclass(frozen=True)
class Bound:
    """The most a request can take: no tokenizer makes more tokens of a text than it has bytes."""

    tokens_in: int
    tokens_out: int

    @property
    def about(self) -> int:
        """The likely number of tokens in: some four bytes of English each."""
        return self.tokens_in // 4


@dataclass(frozen=True)
class Usage:
    """What a run took.

    Attributes:
        asked: requests the server was sent and answered.
        cached: requests answered from the cache.
        tokens_in: tokens of the requests that were sent.
        tokens_out: tokens of the answers to them.
        cost: in USD; None where the price is not known.
        exact: False where a server did not count, or an answer was lost: then the bound is counted.
    """

    asked: int = 0
    cached: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost: float | None = None
    exact: bool = True


def find_price(provider: str, model: str, given: str | None, *, own_server: bool) -> Price | None:
    """Return the price of a model.

    Args:
        provider: ``openai``, ``anthropic``, ``local``, ...
        model: its name there.
        given: ``IN,OUT`` in USD for a million tokens, as a user gives it.
        own_server: whether it runs where the list does not hold.

    Returns:
        The given price; else 0 for a local model; else that of the list; None where it is not known.

    Raises:
        UsageError: the given price is not two numbers of 0 or more.
    """
    if given is not None:
        try:
            tokens_in, tokens_out = (float(part) for part in given.split(","))
        except ValueError:
            tokens_in = tokens_out = -1
        if not (0 <= tokens_in < 1e6 and 0 <= tokens_out < 1e6):
            raise UsageError(
                f"a price is IN,OUT in USD for a million tokens, such as 0.15,0.60, not {given!r}"
            )
        return Price(tokens_in, tokens_out)
    if provider == "local":
        return Price(0, 0)
    listed = {} if own_server else read_yaml(Path(__file__).with_name("prices.yaml"))
    models = listed.get(provider, {}).get("models", {})
    name = re.sub(r"-(?:\d{4}-\d\d-\d\d|\d{8}|latest)$", "", model)
    return Price(*models[name]) if name in models else None


def bound(messages: Sequence[tuple[str, str]], schema: Any, max_tokens: int) -> Bound:
    """Return the most tokens a request and its answer can have."""
    texts = [text for _, text in messages] + [json.dumps(schema)]
    return Bound(sum(len(text.encode()) + _PER_MESSAGE for text in texts), max_tokens)


class Budget:
    """Counts tokens and dollars of all threads, and lets no request start that could pass the limit.

    Args:
        price: None where it is not known; then there can be no limit.
        max_cost: USD; None for no limit.
        name: the language model, for the error.

    Raises:
        UsageError: a limit without a price, or below zero.
    """

    def __init__(self, price: Price | None, max_cost: float | None, name: str) -> None:
        if max_cost is not None and not max_cost >= 0:
            raise UsageError(f"the cost limit is a number of USD of 0 or more, not {max_cost}")
        if max_cost is not None and price is None:
            raise UsageError(
                f"the price of {name!r} is not known, so --max-cost cannot hold;"
                " give it with --price IN,OUT (USD for a million tokens; 0,0 for your own server)"
            )
        self._price, self._limit = price, max_cost
        self._usage = Usage(cost=None if price is None else 0.0)
        self._reserved, self._open, self._closed = 0.0, 0, False
        self._changed = threading.Condition()

    @property
    def usage(self) -> Usage:
        """What was used until now."""
        with self._changed:
            return self._usage

    def reserve(self, most: Bound) -> None:
        """Set the most a request can cost aside, waiting for others to return what they did not need.

        Raises:
            LLMError: the limit could be passed.
        """
        with self._changed:
            while self._limit is not None and not self._fits(most):
                if self._closed:
                    raise LLMError("stopped", "stopped")
                if not self._open:
                    raise LLMError(
                        f"stopped before the cost limit: {self._usage.cost:.4f} of {self._limit:.4f} USD are"
                        f" spent, and the next request may cost {self.cost(most):.4f}; what was answered is"
                        " kept, so raise --max-cost and run it again",
                        "cost",
                    )
                self._changed.wait()
            self._reserved += self.cost(most) or 0.0
            self._open += 1

    def settle(self, most: Bound, reply: Reply | None, *, paid: bool = True) -> None:
        """Count a request by what the server says it took, or by its bound where it does not say."""
        counted = reply is not None and reply.tokens_in is not None and reply.tokens_out is not None
        taken_in, taken_out = most.tokens_in, most.tokens_out
        if reply is not None and reply.tokens_in is not None and reply.tokens_out is not None:
            taken_in, taken_out = reply.tokens_in, reply.tokens_out
        with self._changed:
            self._open -= 1
            self._reserved = self._reserved - (self.cost(most) or 0.0) if self._open else 0.0
            if paid:
                cost = self._price.of(taken_in, taken_out) if self._price else 0.0
                old = self._usage
                self._usage = Usage(
                    old.asked + (reply is not None),
                    old.cached,
                    old.tokens_in + taken_in,
                    old.tokens_out + taken_out,
                    None if old.cost is None else old.cost + cost,
                    old.exact and counted,
                )
            self._changed.notify_all()

    def count_cached(self) -> None:
        """Count a request that cost nothing."""
        with self._changed:
            old = self._usage
            self._usage = Usage(old.asked, old.cached + 1, old.tokens_in, old.tokens_out, old.cost, old.exact)

    def close(self) -> None:
        """Wake everybody who waits for the others' money."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _fits(self, most: Bound) -> bool:
        assert self._limit is not None and self._usage.cost is not None  # noqa: S101, PT018 - as __init__ saw to
        return self._usage.cost + self._reserved + (self.cost(most) or 0.0) <= self._limit

    def cost(self, most: Bound) -> float | None:
        """Return what so many tokens cost in USD; None where the price is not known."""
        return self._price.of(most.tokens_in, most.tokens_out) if self._price else None
