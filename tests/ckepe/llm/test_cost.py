import threading

import pytest

from merl.ckepe.llm.cache import Reply
from merl.ckepe.llm.cost import Bound, Budget, Price, bound, find_price
from merl.errors import LLMError, UsageError


def test_prices_are_listed_with_date_and_source_and_found_without_the_date_of_a_model():
    assert find_price("openai", "gpt-4o-mini", None, own_server=False) == Price(0.15, 0.6)
    assert find_price("openai", "gpt-4o-mini-2024-07-18", None, own_server=False) == Price(0.15, 0.6)
    assert find_price("anthropic", "claude-haiku-4-5-20251001", None, own_server=False) == Price(1, 5)
    assert find_price("openai", "gpt-4o-mini", None, own_server=True) is None
    assert find_price("openai", "gpt-99", None, own_server=False) is None
    assert find_price("local", "", None, own_server=False) == Price(0, 0)
    assert find_price("openai", "gpt-99", "1.5,6", own_server=True) == Price(1.5, 6)


@pytest.mark.parametrize("given", ["1", "1,2,3", "a,b", "-1,2", "nan,1", "inf,1", ""])
def test_a_price_that_is_none(given):
    with pytest.raises(UsageError, match="a price is IN,OUT"):
        find_price("openai", "x", given, own_server=False)


def test_a_limit_needs_a_price():
    with pytest.raises(UsageError, match="give it with --price IN,OUT"):
        Budget(None, 1.0, "openai:gpt-99")
    with pytest.raises(UsageError, match="not -1"):
        Budget(Price(1, 1), -1, "x")


@pytest.mark.parametrize("text", ["QRS 120 ms", "Größe", "心電図", "🫀" * 50, ""])
def test_the_bound_counts_bytes_since_a_token_has_at_least_one(text):
    assert bound([("user", text)], {}, 5).tokens_in >= len(text.encode()) + len("{}")
    assert bound([("user", text)], {}, 5).tokens_out == 5


def test_what_a_server_does_not_count_is_counted_by_its_bound():
    budget = Budget(Price(1e6, 1e6), None, "x")
    budget.reserve(Bound(10, 5))
    budget.settle(Bound(10, 5), Reply("?"))
    assert (budget.usage.tokens_in, budget.usage.tokens_out, budget.usage.cost) == (10, 5, 15)
    assert not budget.usage.exact
    budget.reserve(Bound(10, 5))
    budget.settle(Bound(10, 5), None, paid=False)
    assert budget.usage.cost == 15


@pytest.mark.parametrize("threads", [1, 8])
def test_the_limit_is_not_passed_by_any_number_of_threads(threads):
    """Each request costs 3 of at most 10: whoever would not fit waits for what the others return."""
    budget, lock = Budget(Price(1e6, 0), 30.0, "x"), threading.Lock()
    most, spent, refused = Bound(10, 0), [], []

    def work():
        for _ in range(4):
            try:
                budget.reserve(most)
            except LLMError as problem:
                refused.append(problem)
                return
            with lock:
                spent.append(3)
            budget.settle(most, Reply("", tokens_in=3, tokens_out=0))

    running = [threading.Thread(target=work) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join(timeout=20)
        assert not thread.is_alive()
    assert budget.usage.cost == sum(spent) <= 30
    if threads == 8:
        assert sum(spent) == 21, "24 are asked for; after seven of 3 another could cost 10 of the 9 left"
        assert refused[0].kind == "cost"
        assert "21.0000 of 30.0000 USD are spent" in str(refused[0])
        assert "raise --max-cost" in str(refused[0])


def test_closing_wakes_who_waits_for_money():
    budget, stopped = Budget(Price(1e6, 0), 10.0, "x"), []
    budget.reserve(Bound(10, 0))

    def work():
        with pytest.raises(LLMError, match="stopped"):
            budget.reserve(Bound(10, 0))
        stopped.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    budget.close()
    thread.join(timeout=10)
    assert stopped
