import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from pydantic import BaseModel, ConfigDict, Field

from merl.ckepe.llm import ChatModel, extract_json
from merl.errors import LLMError, UsageError
from tests.fake_llm import completion, failure, serve


class Colour(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str = Field(max_length=10)


GOOD = completion('{"name": "red"}')
ASK = [("system", "Answer in JSON."), ("user", "A colour?")]


@pytest.fixture(autouse=True)
def no_key(monkeypatch):
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "OPENAI_BASE_URL", "OPENAI_API_BASE"):
        monkeypatch.delenv(name, raising=False)


def ask(*answers):
    with serve(*answers) as server:
        return ChatModel("openai:fake", server.url).ask(ASK, Colour), server


def test_it_asks_for_the_schema_coldly_and_with_a_seed():
    answer, server = ask(GOOD)
    assert answer == Colour(name="red")
    request = server.requests[0]
    assert (request["temperature"], request["model"]) == (0, "fake")
    assert isinstance(request["seed"], int)
    assert request["response_format"]["json_schema"]["schema"]["properties"]["name"]["maxLength"] == 10
    assert [message["role"] for message in request["messages"]] == ["system", "user"]
    assert server.keys == ["Bearer no-key-needed"]


def test_it_steps_down_to_what_the_server_takes_and_remembers():
    refusal = failure(400, "response_format is not supported")
    with serve(refusal, refusal, completion('Sure! ```json\n{"name": "red"}\n```'), GOOD) as server:
        model = ChatModel("openai:fake", server.url)
        assert model.ask(ASK, Colour) == model.ask(ASK, Colour) == Colour(name="red")
    asked = [request.get("response_format", {}).get("type") for request in server.requests]
    assert asked == ["json_schema", "json_object", None, None]


def test_refusals_of_requests_made_at_once_are_one_step_down():
    together = threading.Barrier(4, timeout=10)

    def answer(request):
        if request["response_format"]["type"] == "json_schema":
            together.wait()  # all four are asked for before one is refused
            return failure(400, "response_format is not supported")
        return GOOD

    with serve(answer) as server, ThreadPoolExecutor(4) as pool:
        model = ChatModel("openai:fake", server.url)
        answers = list(pool.map(lambda _: model.ask(ASK, Colour), range(4)))
    assert answers == [Colour(name="red")] * 4
    asked = [request["response_format"]["type"] for request in server.requests]
    assert asked == ["json_schema"] * 4 + ["json_object"] * 4


def test_it_asks_again_with_what_was_wrong():
    answer, server = ask(completion('{"name": "ultramarine blue"}'), completion("no idea"), GOOD)
    assert answer.name == "red"
    talk = server.requests[-1]["messages"]
    assert "name: string should have at most 10 characters" in talk[3]["content"]
    assert "no JSON object" in talk[5]["content"]


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (failure(401, "Incorrect API key"), "refuses the key .* check OPENAI_API_KEY"),
        (failure(403, "no access"), "refuses the key"),
        (failure(429, "slow down"), "no more requests now; wait"),
        (failure(429, "pay", "insufficient_quota"), "quota of openai:fake .* is used up"),
        (failure(404, "no such model"), "knows no model 'openai:fake'"),
        (failure(400, "temperature must be 1"), r"refuses the request .*\(.*temperature must be 1"),
        (failure(500, "boom"), r"failed while answering openai:fake \(.*boom"),
        ((200, "<html>hello</html>"), "does not answer like an OpenAI-compatible server"),
        ((200, '{"hello": "world"}'), "does not answer like an OpenAI-compatible server"),
        ((200, '{"choices": []}'), "does not answer like an OpenAI-compatible server"),
        (
            completion('{"name": "re', "length"),
            "no usable answer in 3 tries .*did not end within the token limit",
        ),
        (
            completion("I would rather talk of cats."),
            "no usable answer in 3 tries .*I would rather",
        ),
        (completion('{"colour": "red"}'), "no usable answer in 3 tries .*colour: extra inputs"),
        (completion(""), "no usable answer in 3 tries"),
    ],
)
def test_every_fault_is_one_sentence(answer, sentence):
    with pytest.raises(LLMError, match=sentence) as raised:
        ask(answer)
    assert "\n" not in str(raised.value)


def test_a_server_that_is_not_there():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    with pytest.raises(LLMError, match=f"cannot reach the language model at {url}; check that it runs"):
        ChatModel("openai:fake", url).ask(ASK, Colour)


def test_a_server_that_is_too_slow():
    def slow(_request):
        import time

        time.sleep(0.5)
        return GOOD

    with serve(slow) as server, pytest.raises(LLMError, match="did not answer openai:fake in time"):
        ChatModel("openai:fake", server.url, timeout=0.05).ask(ASK, Colour)


@pytest.mark.parametrize(
    ("spec", "variable"),
    [("openai:gpt-4o-mini", "OPENAI_API_KEY"), ("anthropic:claude", "ANTHROPIC_API_KEY")],
)
def test_a_provider_itself_needs_a_key(spec, variable):
    with pytest.raises(LLMError, match=f"set {variable}, or name your own server") as raised:
        ChatModel(spec)
    assert raised.value.kind == "key"


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ("gpt-4o", "write none, local, openai:MODEL"),
        ("openai:", "write none"),
        ("local:2b", "unknown local language model '2b'"),
        ("local:foo.gguf", "cannot read the language model foo.gguf"),
        ("nobody:x", "nobody"),
        ("google_genai:x", "langchain-google-genai"),
    ],
)
def test_a_wrong_spec_says_what_is_allowed(spec, sentence):
    with pytest.raises(UsageError, match=sentence):
        ChatModel(spec)


@pytest.mark.parametrize(
    "text", ['{"a": 1}', 'Sure {not json} ```json\n{"a": 1}```', '<think>{"a": 2}</think> {"a": 1} and more']
)
def test_json_is_found_in_chatter(text):
    assert extract_json(text) == {"a": 1}
