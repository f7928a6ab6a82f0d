"""Reading a reply: the JSON in it, what is wrong with it, and whether the model finished or refused."""

from __future__ import annotations

import json
import re
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from merl.ckepe.llm.cache import Reply

Message = tuple[str, str]  # (role, text)
Answer = TypeVar("Answer", bound=BaseModel)

LONGEST_REPLY = 200_000  # characters; the longest answer the schemas allow has some 5,000
_CUT_SHORT = {"length", "max_tokens", "MAX_TOKENS", "model_length"}
_REFUSED = {"content_filter", "refusal", "SAFETY", "PROHIBITED_CONTENT", "BLOCKLIST"}


class UnusableReplyError(Exception):
    """A reply that cannot be used; the message tells the model what was wrong."""


def reply_of(message: Any) -> tuple[Reply, bool]:
    """Return what langchain's message says, and whether the model refused to answer."""
    about = message.response_metadata
    reasons = [about.get(key) for key in ("finish_reason", "stop_reason", "done_reason")]
    finish = next((str(reason) for reason in reasons if reason), "")
    usage = message.usage_metadata or {}
    reply = Reply(_text(message), finish, usage.get("input_tokens"), usage.get("output_tokens"))
    return reply, finish in _REFUSED or bool(message.additional_kwargs.get("refusal"))


def reply_in(problem: Exception) -> tuple[Reply, bool] | None:
    """Return the reply that OpenAI's client raises instead of returning: one cut short, or one filtered."""
    if type(problem).__name__ == "ContentFilterFinishReasonError":
        return Reply("", "content_filter"), True
    if type(problem).__name__ != "LengthFinishReasonError":
        return None
    completion = problem.completion  # type: ignore[attr-defined]
    usage = completion.usage
    text = completion.choices[0].message.content or ""
    tokens = (usage.prompt_tokens, usage.completion_tokens) if usage else (None, None)
    return Reply(text, "length", *tokens), False


def read(reply: Reply, answer: type[Answer]) -> Answer:
    """Read a reply as the answer that was asked for.

    Raises:
        UnusableReplyError: it is cut short, empty, far too long, without JSON, or of another shape.
    """
    if reply.finish in _CUT_SHORT:
        raise UnusableReplyError(
            "the answer did not end within the token limit; write fewer and shorter items"
        )
    if not reply.text.strip():
        raise UnusableReplyError("the answer is empty")
    if len(reply.text) > LONGEST_REPLY:
        raise UnusableReplyError(f"the answer has {len(reply.text):,} characters")
    try:
        return answer.model_validate(extract_json(reply.text))
    except ValidationError as problem:
        faults = [f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in problem.errors()[:5]]
        raise UnusableReplyError("; ".join(faults).lower()[:500]) from None
    except (ValueError, RecursionError) as problem:
        raise UnusableReplyError(str(problem)[:200]) from None


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


#: Bytes that showing a model its reply and what was wrong adds to a request at most.
LONGEST_COMPLAINT = 4 * 2000 + 4 * 600


def complain(reply: Reply, problem: UnusableReplyError) -> list[Message]:
    """Return the turns that show the model its reply and what was wrong with it."""
    shown = reply.text if len(reply.text) <= 2000 else reply.text[:500] + " ..."
    return [
        ("assistant", shown.strip() or "(nothing)"),
        ("user", f"That cannot be used: {problem}. Answer with the JSON only."),
    ]


def _text(message: Any) -> str:
    if message.tool_calls and not message.text:  # a provider that answers in a shape by calling a tool
        return json.dumps(message.tool_calls[0]["args"])
    return str(message.text)
