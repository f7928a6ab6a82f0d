"""What a run would ask a language model, and what it can cost at most, without asking anybody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from merl.ckepe.asking import Attributes, Findings, Question
from merl.ckepe.llm import ChatModel, Message
from merl.ckepe.llm.chat import MAX_REPEATS
from merl.ckepe.llm.cost import Bound
from merl.ckepe.llm.reading import LONGEST_COMPLAINT


@dataclass(frozen=True)
class Request:
    """One request of a run.

    Attributes:
        code: the class.
        step: ``attributes`` or ``phrases``.
        messages: what is asked; in the second step with the longest first answer, where it is not known.
        cached: whether its answer is in the cache.
        most: the most tokens that asking it once can take.
    """

    code: str
    step: str
    messages: list[Message]
    cached: bool
    most: Bound


@dataclass(frozen=True)
class Estimate:
    """What the requests that are not in the cache take.

    Attributes:
        calls: how many there are.
        calls_at_most: the same where every answer has to be asked for again as often as allowed.
        tokens_in_about: the likely number of tokens in, if every first answer can be used.
        tokens_in: the most tokens in, asking once.
        tokens_out: the most tokens out, asking once.
        cost: USD at most, asking once; None where the price is not known.
        cost_at_most: USD at most where every answer has to be asked for again as often as allowed.
    """

    calls: int
    calls_at_most: int
    tokens_in_about: int
    tokens_in: int
    tokens_out: int
    cost: float | None
    cost_at_most: float | None


def preview(asked: Mapping[str, Question | None], model: ChatModel) -> Iterator[Request]:
    """Yield every request of a run, in order; a step that is known from the cache as it will be asked."""
    for code, question in asked.items():
        if question is None:
            continue
        first = question.first()
        found = model.recall(first, Attributes)
        yield Request(code, "attributes", first, found is not None, model.bound(first, Attributes))
        second = question.second(found or question.longest_first())
        cached = found is not None and model.recall(second, Findings) is not None
        yield Request(code, "phrases", second, cached, model.bound(second, Findings))


def estimate(requests: list[Request], model: ChatModel) -> Estimate:
    """Add up what is not in the cache."""
    open_requests = [request for request in requests if not request.cached]
    once = Bound(
        sum(request.most.tokens_in for request in open_requests),
        sum(request.most.tokens_out for request in open_requests),
    )
    tries = MAX_REPEATS + 1
    complaints = LONGEST_COMPLAINT * sum(range(tries)) * len(open_requests)
    repeated = Bound(once.tokens_in * tries + complaints, once.tokens_out * tries)
    return Estimate(
        calls=len(open_requests),
        calls_at_most=len(open_requests) * tries,
        tokens_in_about=once.about,
        tokens_in=once.tokens_in,
        tokens_out=once.tokens_out,
        cost=model.cost(once),
        cost_at_most=model.cost(repeated),
    )
