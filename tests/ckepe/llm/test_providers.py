"""The providers' own clients against a server that speaks their language."""

import json

import pytest
from pydantic import BaseModel

from merl.ckepe.llm import ChatModel
from merl.errors import LLMError
from tests.fake_llm import failure, serve


class Colour(BaseModel):
    name: str


ASK = [("system", "Answer in JSON."), ("user", "A colour?")]


def claude(text, stop="end_turn"):
    message = {
        "id": "1",
        "type": "message",
        "role": "assistant",
        "model": "fake",
        "content": [{"type": "text", "text": text}],
        "stop_reason": stop,
        "usage": {"input_tokens": 100, "output_tokens": 10},
    }
    return 200, json.dumps(message)


def llama(text, done="stop"):
    message = {
        "model": "fake",
        "created_at": "2026-01-01T00:00:00Z",
        "message": {"role": "assistant", "content": text},
        "done": True,
        "done_reason": done,
        "prompt_eval_count": 100,
        "eval_count": 10,
    }
    return 200, json.dumps(message) + "\n"


def test_anthropic_is_asked_for_the_schema(tmp_path):
    with serve(claude('{"name": "red"}')) as server:
        model = ChatModel("anthropic:fake", server.root, cache=tmp_path / "r.sqlite")
        assert model.ask(ASK, Colour).name == "red"
    assert server.paths == ["/v1/messages"]
    assert "schema" in json.dumps(server.requests[0])
    assert (model.usage.tokens_in, model.usage.tokens_out) == (100, 10)


def test_anthropic_steps_down_to_text_where_the_schema_is_refused():
    refusal = json.dumps(
        {"type": "error", "error": {"type": "invalid_request_error", "message": "no schema"}}
    )
    with serve((400, refusal), claude('Sure: {"name": "red"}')) as server:
        assert ChatModel("anthropic:fake", server.root).ask(ASK, Colour).name == "red"
    assert "output_config" not in server.requests[-1]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (failure(401, "bad key"), "key"),
        (failure(404, "no such model"), "model"),
        (failure(429, "slow down"), "busy"),
        (failure(529, "overloaded"), "server"),
        (claude('{"name": "re', "max_tokens"), "content"),
        (claude("", "refusal"), "content"),
    ],
)
def test_anthropic_s_faults_are_told_apart(answer, kind):
    with serve(answer) as server, pytest.raises(LLMError) as raised:
        ChatModel("anthropic:fake", server.root, first_wait=0.001).ask(ASK, Colour)
    assert raised.value.kind == kind


def test_ollama_is_asked_for_the_schema_at_temperature_0():
    with serve(llama('{"name": "red"}')) as server, ChatModel("ollama:fake", server.root) as model:
        assert model.ask(ASK, Colour).name == "red"
    request = server.requests[0]
    assert (server.paths, request["options"]["temperature"]) == (["/api/chat"], 0)
    assert request["format"]["properties"]["name"]["type"] == "string"
    assert (model.usage.tokens_in, model.usage.tokens_out) == (100, 10)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ((404, '{"error": "model \'fake\' not found"}'), "model"),
        ((500, '{"error": "boom"}'), "server"),
        (llama('{"name": "re', "length"), "content"),
    ],
)
def test_ollama_s_faults_are_told_apart(answer, kind):
    with serve(answer) as server, pytest.raises(LLMError) as raised:
        ChatModel("ollama:fake", server.root, first_wait=0.001).ask(ASK, Colour)
    assert raised.value.kind == kind


def test_an_ollama_that_is_not_there():
    with serve(llama("")) as server:
        gone = server.root
    with pytest.raises(LLMError, match="cannot reach the language model"):
        ChatModel("ollama:fake", gone).ask(ASK, Colour)
