import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from pydantic import BaseModel, ConfigDict, Field

from merl.ckepe.llm import ChatModel
from merl.errors import LLMError, UsageError
from tests.fake_llm import completion, cut_short, cut_stream, endless, failure, serve


class Colour(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str = Field(max_length=10)


GOOD = completion('{"name": "red"}', usage=(100, 10))
ASK = [("system", "Answer in JSON."), ("user", "A colour?")]


@pytest.fixture(autouse=True)
def no_key(monkeypatch):
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "OPENAI_BASE_URL", "OPENAI_API_BASE"):
        monkeypatch.delenv(name, raising=False)


def ask(*answers, **options):
    with (
        serve(*answers) as server,
        ChatModel("openai:fake", server.url, first_wait=0.001, **options) as model,
    ):
        return model.ask(ASK, Colour), server, model


def fails(answer, **options):
    """Ask a server that always answers so; return the error and how often it was asked."""
    with serve(answer) as server, pytest.raises(LLMError) as raised:
        ChatModel("openai:fake", server.url, first_wait=0.001, **options).ask(ASK, Colour)
    assert "\n" not in str(raised.value)
    return raised.value, len(server.requests)


def test_it_asks_for_the_schema_coldly_and_with_a_seed():
    answer, server, _ = ask(GOOD)
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
    said = []
    with serve(completion('{"name": "ultramarine blue"}'), completion("no idea"), GOOD) as server:
        answer = ChatModel("openai:fake", server.url).ask(ASK, Colour, watch=said.append)
    assert answer.name == "red"
    talk = server.requests[-1]["messages"]
    assert "name: string should have at most 10 characters" in talk[3]["content"]
    assert "no JSON object" in talk[5]["content"]
    assert "asking again: no JSON object in it" in said


def test_a_long_unusable_reply_is_shown_only_in_its_beginning():
    _, server, _ = ask(completion("x" * 100_000), GOOD)
    assert len(server.requests[1]["messages"][2]["content"]) < 600


@pytest.mark.parametrize(
    ("answer", "kind", "asked", "sentence"),
    [
        (failure(401, "Incorrect API key"), "key", 1, "refuses the key .* check OPENAI_API_KEY"),
        (failure(403, "no access"), "key", 1, "refuses the key"),
        (failure(429, "slow down"), "busy", 6, "no more requests now; wait"),
        (failure(429, "pay", "insufficient_quota"), "quota", 1, "quota of openai:fake .* is used up"),
        (failure(402, "pay"), "quota", 1, "quota of openai:fake .* is used up"),
        (failure(404, "no such model"), "model", 1, "knows no model 'openai:fake'"),
        (failure(400, "model `fake` does not exist"), "model", 1, "knows no model 'openai:fake'"),
        (
            failure(400, "temperature must be 1"),
            "request",
            3,
            r"refuses the request .*\(.*temperature must be 1",
        ),
        (failure(500, "boom"), "server", 4, r"failed while answering openai:fake \(.*boom"),
        (failure(503, "boom"), "server", 4, "failed while answering"),
        (cut_short(), "network", 4, "broke off while it answered"),
        (cut_stream(), "network", 4, "broke off while it answered"),
        ((200, "<html>hello</html>"), "server", 2, "does not answer like an OpenAI-compatible server"),
        ((200, '{"hello": "world"}'), "server", 2, "does not answer like an OpenAI-compatible server"),
        ((200, '{"choices": []}'), "server", 2, "does not answer like an OpenAI-compatible server"),
        ((200, ""), "server", 2, "does not answer like an OpenAI-compatible server"),
        (completion('{"name": "re', "length"), "content", 3, "3 tries .*did not end within the token limit"),
        (completion("I would rather talk of cats."), "content", 3, "3 tries .*I would rather"),
        (completion('{"colour": "red"}'), "content", 3, "3 tries .*colour: extra inputs"),
        (
            completion('{"name": {"name": "red"}}'),
            "content",
            3,
            "3 tries .*name: input should be a valid string",
        ),
        (completion(""), "content", 3, "3 tries .*the answer is empty"),
        (completion('{"name":' * 20_000), "content", 3, "no usable answer in 3 tries"),
        (completion("", "content_filter"), "content", 1, "refused to answer"),
        (completion(None, refusal="I will not"), "content", 1, "refused to answer"),
        (completion("{" * 1_000_000), "content", 3, "3 tries .*1,000,000 characters"),
        (completion("x" * 10_000_000), "content", 1, "without an end .*more than 4 MB"),
    ],
)
def test_every_fault_is_one_sentence_of_a_kind_and_repeated_only_where_it_helps(
    answer, kind, asked, sentence
):
    problem, requests = fails(answer)
    assert (problem.kind, requests) == (kind, asked)
    with pytest.raises(LLMError, match=sentence):
        raise problem


@pytest.mark.parametrize(
    "fault",
    [
        failure(429, "slow down"),
        failure(500, "boom"),
        cut_short(),
        cut_stream(),
        completion(""),
        completion("{"),
    ],
)
def test_a_fault_that_passes_is_survived(fault):
    answer, server, _ = ask(fault, GOOD)
    assert answer.name == "red"
    assert len(server.requests) == 2


def test_it_waits_as_long_as_the_server_asks():
    began = time.monotonic()
    ask(failure(429, "slow down", retry_after="1"), GOOD)
    assert time.monotonic() - began >= 1


def test_it_does_not_wait_for_a_server_that_asks_for_an_hour():
    problem, requests = fails(failure(429, "slow down", retry_after="3600"))
    assert requests == 1
    assert "it asks to wait 3600 s" in str(problem)


def test_a_server_that_is_not_there_is_said_at_once():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    with pytest.raises(LLMError, match=f"cannot reach the language model at {url}; check that it runs"):
        ChatModel("openai:fake", url, first_wait=1000).ask(ASK, Colour)


@pytest.mark.parametrize("slow", [endless(), lambda _: time.sleep(1) or GOOD])
def test_a_server_that_is_too_slow(slow):
    problem, _ = fails(slow, timeout=0.3)
    assert "did not answer openai:fake in time" in str(problem)
    assert problem.kind == "network"


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
    "option", [{"temperature": 3}, {"timeout": 0}, {"max_tokens": 0}, {"requests_per_minute": 0}]
)
def test_an_option_out_of_range(option):
    with pytest.raises(UsageError):
        ChatModel("openai:fake", "http://127.0.0.1:1/v1", **option)


def test_a_stopped_model_asks_nobody():
    with serve(GOOD) as server:
        model = ChatModel("openai:fake", server.url)
        model.stop()
        with pytest.raises(LLMError, match="stopped"):
            model.ask(ASK, Colour)
    assert server.requests == []


def test_an_answered_request_is_not_made_again_and_costs_nothing(tmp_path):
    cache = tmp_path / "r.sqlite"
    _, server, model = ask(completion(""), GOOD, cache=cache, price="1,10")
    assert (len(server.requests), model.usage.asked, model.usage.cached) == (2, 2, 0)
    answer, server, model = ask(failure(401, "must not be asked"), cache=cache, price="1,10")
    assert answer.name == "red"
    assert server.requests == []
    assert (model.usage.asked, model.usage.cached, model.usage.cost) == (0, 2, 0)
    assert ask(GOOD, cache=cache, temperature=1)[1].requests, "another temperature is another request"
    assert ask(GOOD, cache=cache, max_tokens=99)[1].requests, "so is another limit"


def test_failures_are_not_kept(tmp_path):
    cache = tmp_path / "r.sqlite"
    for fault in (failure(500, "boom"), completion("no"), completion("", "content_filter"), cut_short()):
        fails(fault, cache=cache)
    answer, server, _ = ask(GOOD, cache=cache)
    assert answer.name == "red"
    assert len(server.requests) == 1


def test_offline_nobody_is_asked_and_what_is_missing_is_named(tmp_path):
    cache = tmp_path / "r.sqlite"
    ask(GOOD, cache=cache)
    with ChatModel("openai:fake", cache=cache, offline=True) as model:  # needs neither key nor server
        assert model.ask(ASK, Colour).name == "red"
        with pytest.raises(LLMError, match="no reply to the request for class X to openai:fake") as raised:
            model.ask([*ASK, ("user", "another")], Colour, about="class X")
    assert raised.value.kind == "offline"


def test_tokens_and_cost_are_counted():
    _, _, model = ask(GOOD, price="2,20")
    assert (model.usage.tokens_in, model.usage.tokens_out) == (100, 10)
    assert model.usage.cost == pytest.approx((100 * 2 + 10 * 20) / 1e6)
    assert model.usage.exact


def test_an_answer_that_was_lost_counts_by_its_bound():
    _, _, model = ask(cut_short(), GOOD, price="2,20")
    assert not model.usage.exact
    assert model.usage.tokens_out == 2000 + 10


def test_the_cost_limit_holds_before_a_request_is_made():
    problem, requests = fails(GOOD, price="2,20", max_cost=0.0001)
    assert (problem.kind, requests) == ("cost", 0)
    assert "stopped before the cost limit" in str(problem)


def test_an_unknown_price_cannot_be_limited():
    with pytest.raises(UsageError, match=r"price of 'openai:fake' is not known.*--price IN,OUT"):
        ChatModel("openai:fake", "http://127.0.0.1:1/v1", max_cost=1)
