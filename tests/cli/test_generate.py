import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest

from merl.ckepe.llm import ReplyCache
from merl.ckepe.prompt_set import PromptSet
from merl.knowledge.entries import load_entries
from tests.fake_llm import completion, dutiful, failure, serve


@pytest.fixture
def labels(place):
    path = place / "mine.yaml"
    path.write_text("AF: atrial fibrillation\nLBBB: complete left bundle branch block\n")
    return path


@pytest.fixture
def generate(merl, labels):
    """Run ``merl prompts generate`` on the labels with a server's model and the options given."""

    def run(server, *options, out="out.yaml"):
        given = ["--llm", "openai:fake", "--base-url", server.url]
        return merl("prompts", "generate", labels, "--out", out, *given, *options)

    return run


@pytest.mark.usefixtures("small_knowledge")
def test_the_summary_says_what_was_kept_rejected_and_spent(generate, place):
    with serve(dutiful) as server:
        done = generate(server, "--price", "1,10")
    assert (done.code, done.out) == (0, "")
    made = PromptSet.load(place / "out.yaml")
    kept = sum(len(item.prompts) for item in made.classes.values())
    assert f"2 classes: {kept} phrases kept, 0 rejected, written to out.yaml" in done.err
    assert re.search(r"they rest on \d+ passages of 2 knowledge entries", done.err)
    assert "openai:fake: 4 answers, 0 more from the cache; 1,200 tokens in, 240 out, 0.0036 USD" in done.err


@pytest.mark.usefixtures("small_knowledge")
def test_the_summary_counts_reasons_and_says_what_was_not_verified(generate):
    def careless(request):
        text = dutiful(request)[1].replace("irregularly", "regularly")
        return 200, text

    with serve(careless) as server:
        done = generate(server)
        assert "rejected 1: says … of …" in done.err
        assert "price not known" in done.err
        done = generate(server, "--verify", "off")
    assert "nothing was verified: --verify off" in done.err
    assert "0 answers, 4 more from the cache" in done.err, "the verifier is no part of a request"


@pytest.mark.usefixtures("small_knowledge")
def test_a_terminal_sees_every_class_come(generate, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich takes stderr for a terminal
    with serve(dutiful) as server:
        done = generate(server)
    assert done.out == ""
    assert "generating prompts" in done.err
    assert re.search(r"AF: \d+ kept, 0 rejected", done.err)
    assert re.search(r"LBBB: \d+ kept, 0 rejected", done.err)


@pytest.mark.usefixtures("small_knowledge")
def test_a_cache_file_is_replayed_offline_without_key_or_server(merl, generate, labels, place):
    with serve(dutiful) as server:
        assert generate(server, "--cache", "replies.sqlite").code == 0
    replay = ["prompts", "generate", labels, "--llm", "openai:fake", "--offline", "--cache", "replies.sqlite"]
    done = merl(*replay, "--out", "again.yaml")
    assert done.code == 0
    assert (place / "again.yaml").read_bytes() == (place / "out.yaml").read_bytes()
    assert not list(place.glob("replies.sqlite-*"))


@pytest.mark.usefixtures("small_knowledge")
def test_offline_names_the_first_missing_request(generate, fails, labels, place):
    with serve(dutiful) as server:
        generate(server, "--cache", "r.sqlite")
    labels.write_text(labels.read_text() + "SB: sinus rhythm\n")  # a sibling is part of what is asked
    given = ["--llm", "openai:fake", "--offline"]
    said = fails(1, "prompts", "generate", labels, "--out", "o.yaml", *given, "--cache", "r.sqlite")
    assert re.search(r"r\.sqlite holds no reply to the request for AF, phrases to openai:fake", said)
    said = fails(1, "prompts", "generate", labels, "--out", "o.yaml", *given, "--cache", "none.sqlite")
    assert "there is no reply cache none.sqlite" in said


@pytest.mark.usefixtures("small_knowledge")
def test_a_dry_run_prints_what_would_be_asked_and_asks_nobody(merl, labels, place):
    options = ["--llm", "openai:gpt-4o-mini", "--dry-run"]  # without a key
    done = merl("prompts", "generate", labels, *options)
    assert done.code == 0, done.err
    assert "=== AF, attributes" in done.out
    assert "--- user\nCondition: complete left bundle branch block" in done.out
    assert "calls: 4, of 4 requests; at most 12 with repetitions" in done.out
    bound, repeated = re.search(r"cost: at most (\S+) USD; (\S+) USD with all", done.out).groups()
    assert 4 * 2000 * 0.6 / 1e6 < float(bound) < float(repeated) / 3
    assert sorted(item.name for item in place.iterdir()) == ["mine.yaml"]


@pytest.mark.usefixtures("small_knowledge")
def test_a_dry_run_knows_the_cache_and_its_bound_holds(merl, generate, labels):
    dry = ["prompts", "generate", labels, "--llm", "openai:fake", "--dry-run", "--price", "1,10"]
    bound = float(re.search(r"cost: at most (\S+)", merl(*dry).out).group(1))
    with serve(dutiful) as server:
        spent = generate(server, "--price", "1,10").err
    assert float(re.search(r"(\S+) USD", spent).group(1)) < bound
    done = merl(*dry)
    assert "calls: 0, of 4 requests" in done.out
    assert "=== AF, phrases (its answer is in the cache)" in done.out


@pytest.mark.usefixtures("small_knowledge")
@pytest.mark.parametrize("concurrency", [1, 4])
def test_the_cost_limit_is_not_passed_and_the_run_goes_on_from_there(generate, place, concurrency):
    options = ["--price", "0,10", "--concurrency", concurrency]
    with serve(dutiful) as server:
        done = generate(server, *options, "--max-cost", "0.0213")  # a request may cost 0.02, and costs 0.0006
        assert done.code == 1
        assert "error: stopped before the cost limit: 0.0018 of 0.0213 USD are spent" in done.err
        assert len(server.requests) == 3
        assert not (place / "out.yaml").exists()
        assert generate(server, *options, "--max-cost", "0.0213").code == 0
        assert len(server.requests) == 4, "three were paid before"


def test_an_unknown_price_with_a_limit(fails, labels):
    given = ["--llm", "openai:gpt-99", "--base-url", "http://127.0.0.1:1/v1", "--max-cost", "1"]
    said = fails(2, "prompts", "generate", labels, "--out", "o.yaml", *given)
    assert "the price of 'openai:gpt-99' is not known" in said
    assert "--price IN,OUT" in said


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--base-url", "http://x"),
        ("--timeout", -1),
        ("--temperature", 0),
        ("--max-cost", "nan"),
        ("--price", "foo"),
    ],
)
def test_an_option_of_language_models_is_not_ignored_without_one(fails, labels, option, value):
    said = fails(2, "prompts", "generate", labels, "--out", "out.yaml", option, value)
    assert f"{option} needs --llm; give both or neither" in said


def test_a_server_that_is_no_address_is_not_asked(fails, labels):
    given = ["--llm", "openai:gpt-4o-mini", "--base-url", "foo"]
    said = fails(2, "prompts", "generate", labels, "--out", "out.yaml", *given)
    assert "'foo' is no address; write it with https:// or http:// in front" in said


def test_the_file_to_write_has_to_be_named(fails, labels):
    assert "name the prompt file to write with --out FILE" in fails(2, "prompts", "generate", labels)


@pytest.mark.usefixtures("small_knowledge")
@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (failure(429, "slow down", retry_after="3600"), "it asks to wait 3600 s"),
        (failure(401, "bad"), "refuses the key"),
        (failure(404, "no such model"), "knows no model 'openai:fake'"),
        (completion("", "content_filter"), "refused to answer"),
        (completion("{", "length"), "did not end within the token limit"),
        (completion("x" * 10_000_000), "without an end"),
    ],
)
def test_faults_are_one_sentence_and_leave_no_file(fails, labels, answer, sentence):
    with serve(answer) as server:
        given = ["--llm", "openai:fake", "--base-url", server.url, "--concurrency", 1]
        assert sentence in fails(1, "prompts", "generate", labels, "--out", "o.yaml", *given)


def hundred_labels(path):
    names = [entry.name for entry in load_entries().values() if entry.findings][:100]
    path.write_text("\n".join(names))
    return names


def start(place, server, *options):
    command = [sys.executable, "-m", "merl", "prompts", "generate", "labels.txt", "--out", "out.yaml"]
    command += ["--llm", "openai:fake", "--base-url", server.url, *options]
    return subprocess.Popen(command, cwd=place, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})


@pytest.mark.parametrize(("concurrency", "kills"), [("1", (1, 64, 151)), ("4", (100,))])
def test_a_killed_run_goes_on_and_repeats_no_paid_call(place, concurrency, kills):
    """The server kills the run when it gets certain requests, before it answers them."""
    hundred_labels(place / "labels.txt")
    answered, running = Counter(), []

    def answer(request):
        if sum(answered.values()) + 1 in left:
            left.remove(sum(answered.values()) + 1)
            running[-1].send_signal(signal.SIGKILL)
            running[-1].wait()
            return failure(500, "nobody hears this")
        answered[json.dumps(request["messages"])] += 1
        return dutiful(request)

    left = list(kills)
    with serve(answer) as server:
        for _ in range(len(kills) + 1):
            running.append(start(place, server, "--concurrency", concurrency))
            running[-1].wait(timeout=600)
    assert [process.returncode for process in running] == [-signal.SIGKILL] * len(kills) + [0]
    assert len(answered) == 200
    lost = sum(answered.values()) - 200  # answers under way while the run was killed
    assert lost <= (int(concurrency) - 1) * len(kills)
    assert len(PromptSet.load(place / "out.yaml").classes) == 100


def test_two_runs_at_once_share_the_cache(place):
    hundred_labels(place / "labels.txt")
    (place / "labels.txt").write_text("\n".join((place / "labels.txt").read_text().splitlines()[:20]))

    def slowly(request):
        time.sleep(0.02)
        return dutiful(request)

    with serve(slowly) as server:
        running = [start(place, server, "--cache", "r.sqlite", "--out", f"{name}.yaml") for name in "ab"]
        assert [process.wait(timeout=600) for process in running] == [0, 0]
        third = start(place, server, "--cache", "r.sqlite", "--out", "c.yaml")
        asked = len(server.requests)
        assert third.wait(timeout=600) == 0
        assert len(server.requests) == asked, "both runs' answers are found"
    assert 40 <= asked <= 80
    texts = [(place / f"{name}.yaml").read_text() for name in "abc"]
    assert texts[0] == texts[1] == texts[2]
    with ReplyCache(place / "r.sqlite", read_only=True) as cache:
        assert cache.size == 40
