"""What went wrong with a request: one sentence, what the user has to see to, whether to try again."""

from __future__ import annotations

import email.utils
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["key", "quota", "busy", "model", "network", "server", "request", "content"]


@dataclass(frozen=True)
class Fault:
    """A failed request.

    Attributes:
        kind: what the user has to see to.
        sentence: what happened and what to do.
        tries: how often such a request is made before it is given up.
        wait: seconds the server asks to wait; None where it does not say.
        paid: whether the server may have answered, and charged, although nothing arrived.
        form: whether the server may only have refused the way JSON was asked for.
    """

    kind: Kind
    sentence: str
    tries: int = 1
    wait: float | None = None
    paid: bool = False
    form: bool = False


class ReplyTooLongError(Exception):
    """A server sent far more than any answer can be."""


class ReplyTooSlowError(Exception):
    """A server keeps sending, but does not come to an end."""


def classify(problem: Exception, spec: str, where: str) -> Fault:
    """Say what a failed request means.

    Args:
        problem: what langchain, the provider's client or the HTTP client raised.
        spec: the language model.
        where: the server or provider.
    """
    from langchain_core import exceptions as chain

    causes = list(_causes(problem))
    said = _said(problem)
    if any(isinstance(cause, ReplyTooLongError) for cause in causes):
        sentence = f"{where} sent {spec}'s answer without an end ({said}); check the --base-url and the model"
        return Fault("content", sentence, paid=True)
    if any(isinstance(cause, ReplyTooSlowError) for cause in causes):
        return _too_slow(spec, where)
    if _used_up(problem):
        return Fault(
            "quota", f"the quota of {spec} at {where} is used up; top it up, or use --llm none ({said})"
        )
    makers: list[tuple[type[Exception] | tuple[type[Exception], ...], Fault]] = [
        (chain.ModelTimeoutError, _too_slow(spec, where)),
        (chain.ModelConnectionError, _unreachable(causes, spec, where)),
        ((chain.ModelAuthenticationError, chain.ModelPermissionDeniedError), _key(spec, where)),
        (chain.ModelRateLimitError, _busy(problem, where)),
        (chain.ModelNotFoundError, _unknown_model(spec, where, said)),
        (
            chain.ContextOverflowError,
            Fault("request", f"the passages are too long for {spec}; show fewer with -k"),
        ),
        (chain.ModelInvalidRequestError, _refused(spec, where, said)),
        (chain.ModelAPIError, _server(problem, spec, where, said)),
    ]
    for kinds, fault in makers:
        if isinstance(problem, kinds):
            return fault
    return _untyped(problem, causes, spec, where)


def retry_after(headers: Mapping[str, str], now: float | None = None) -> float | None:
    """Return how many seconds a server asks to wait, by milliseconds, seconds or a date; None if it is mute.

    >>> retry_after({"retry-after": "Thu, 01 Jan 1970 00:00:10 GMT"}, now=4.0)
    6.0
    """
    for name, scale in (("retry-after-ms", 1000), ("retry-after", 1)):
        try:
            seconds = float(headers.get(name, "")) / scale
        except ValueError:
            continue
        if seconds == seconds:  # noqa: PLR0124 - not a number is no number of seconds
            return max(seconds, 0.0)
    try:
        date = email.utils.parsedate_to_datetime(headers.get("retry-after", ""))
        return max(date.timestamp() - (time.time() if now is None else now), 0.0)
    except (TypeError, ValueError, OverflowError):
        return None


def _too_slow(spec: str, where: str) -> Fault:
    sentence = f"{where} did not answer {spec} in time; try again, a smaller model, or a longer --timeout"
    return Fault("network", sentence, tries=2, paid=True)


def _unreachable(causes: list[BaseException], spec: str, where: str) -> Fault:
    if any(type(cause).__name__ in {"ConnectError", "ConnectTimeout"} for cause in causes):
        sentence = f"cannot reach the language model at {where}; check that it runs, and the --base-url"
        return Fault("network", sentence)
    sentence = f"{where} broke off while it answered {spec}; check the server and the network, and try again"
    return Fault("network", sentence, tries=4, paid=True)


def _key(spec: str, where: str) -> Fault:
    return Fault(
        "key", f"{where} refuses the key for {spec}; check OPENAI_API_KEY, or your provider's variable"
    )


def _busy(problem: Exception, where: str) -> Fault:
    sentence = f"{where} takes no more requests now; wait, or lower --concurrency or --requests-per-minute"
    return Fault("busy", sentence, tries=6, wait=retry_after(_headers(problem)))


def _unknown_model(spec: str, where: str, said: str) -> Fault:
    sentence = f"{where} knows no model {spec!r} (404: {said}); check the name, and that the URL ends in /v1"
    return Fault("model", sentence)


def _refused(spec: str, where: str, said: str) -> Fault:
    if "model" in said.lower() and any(
        word in said.lower() for word in ("not found", "not exist", "unknown")
    ):
        return Fault("model", f"{where} knows no model {spec!r} ({said}); check the name")
    return Fault("request", f"{where} refuses the request to {spec} ({said}); try another model", form=True)


def _server(problem: Exception, spec: str, where: str, said: str) -> Fault:
    sentence = f"{where} failed while answering {spec} ({said}); try again later"
    return Fault("server", sentence, tries=4, wait=retry_after(_headers(problem)), paid=True)


def _untyped(problem: Exception, causes: list[BaseException], spec: str, where: str) -> Fault:
    """Judge what langchain has no class for: other clients' errors, and replies that are no chat reply."""
    said, status = _said(problem), getattr(problem, "status_code", None)
    names = {type(cause).__name__ for cause in causes}
    if "response_format" in said or isinstance(problem, NotImplementedError):
        return _refused(spec, where, said)
    if any("Timeout" in name for name in names):
        return _too_slow(spec, where)
    if names & {"ConnectError", "ConnectionError", "ReadError", "RemoteProtocolError", "IncompleteRead"}:
        return _unreachable(causes, spec, where)
    by_status = {
        401: _key(spec, where),
        403: _key(spec, where),
        404: _unknown_model(spec, where, said),
        429: _busy(problem, where),
    }
    if isinstance(status, int):
        server = _server(problem, spec, where, said) if status >= 500 else _refused(spec, where, said)
        return by_status.get(status, server)
    sentence = f"{where} does not answer like an OpenAI-compatible server ({said}); check the --base-url"
    return Fault("server", sentence, tries=2, paid=True)


def _used_up(problem: Exception) -> bool:
    code = getattr(problem, "code", None)
    return code in {"insufficient_quota", "billing_hard_limit_reached"} or (
        getattr(problem, "status_code", None) == 402
    )


def _headers(problem: Exception) -> Mapping[str, str]:
    return getattr(getattr(problem, "response", None), "headers", None) or {}


def _said(problem: Exception) -> str:
    return " ".join(str(getattr(problem, "message", problem)).split())[:200]


def _causes(problem: BaseException) -> Iterator[BaseException]:
    found: BaseException | None = problem
    while found is not None:
        yield found
        found = found.__cause__ or found.__context__
