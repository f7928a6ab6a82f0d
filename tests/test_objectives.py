import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from merl.errors import ConfigError, MerlError
from merl.objectives import OBJECTIVES, Batch, Temperature, cma, cma_soft, total, uma

DRAWN = [0, 1, 0, 2, 0, 1]  # six records, three distinct texts


def unit(generator, *shape):
    return F.normalize(torch.randn(*shape, generator=generator, dtype=torch.float64), dim=-1)


def batch_of(seed=0, drawn=DRAWN):
    """Records that drew texts, some of which are also true of records that drew another."""
    generator = torch.Generator().manual_seed(seed)
    records, texts = len(drawn), max(drawn) + 1
    ecg, first, second = (unit(generator, records, 4).requires_grad_() for _ in range(3))
    distinct, meaning = unit(generator, texts, 4).requires_grad_(), unit(generator, texts, 3)
    also = torch.rand(records, texts, generator=generator) < 0.3
    true_of = also | F.one_hot(torch.tensor(drawn), texts).bool()
    temperature = torch.tensor(0.2, dtype=torch.float64, requires_grad=True)
    bias = torch.tensor(-1.5, dtype=torch.float64, requires_grad=True)
    batch = Batch(
        ecg, distinct[drawn], true_of[:, drawn], (first, second), meaning[drawn], temperature, bias, 0.1
    )
    return batch, [ecg, distinct, first, second, temperature, bias], true_of, meaning


def log_softmax(values, chosen, weights=None):
    """The logarithm of the share of ``chosen`` among all, each counted ``weights`` times."""
    weights = weights or [1] * len(values)
    return values[chosen] - sum(w * v.exp() for w, v in zip(weights, values, strict=True)).log()


def slow(name, leaves, drawn, true_of, meaning):
    """Each objective by loops over pairs of records and texts, from its formula."""
    ecg, distinct, first, second, temperature, bias = leaves
    n, texts = len(drawn), range(len(distinct))
    rows = [[e @ distinct[t] / temperature for t in drawn] for e in ecg]
    if name == "uma":
        rows = [[a @ b / temperature for b in second] for a in first]
    columns = [list(column) for column in zip(*rows, strict=True)]
    if name in ("cma", "uma"):
        return -sum(log_softmax(rows[i], i) + log_softmax(columns[i], i) for i in range(n)) / n
    if name == "cma-sigmoid":
        signs = [[1 if true_of[i, drawn[j]] else -1 for j in range(n)] for i in range(n)]
        pairs = [(signs[i][j] * (rows[i][j] + bias)) for i in range(n) for j in range(n)]
        return sum((1 + (-pair).exp()).log() for pair in pairs) / n
    if name == "cma-soft":
        alike = [[math.exp(float(meaning[a] @ meaning[b]) / 0.1) for b in drawn] for a in drawn]
        share = [[value / sum(line) for value in line] for line in alike]
        return (
            -sum(
                share[i][j] * (log_softmax(rows[i], j) + log_softmax(columns[i], j))
                for i in range(n)
                for j in range(n)
            )
            / n
        )
    # cma-multi over distinct texts, each counted as often as it was drawn
    count = [drawn.count(t) for t in texts]
    loss = 0
    for i in range(n):
        values = [ecg[i] @ distinct[t] / temperature for t in texts]
        mass = sum(count[t] for t in texts if true_of[i, t])
        loss -= sum(count[t] / mass * log_softmax(values, t, count) for t in texts if true_of[i, t]) / n
    for t in texts:
        values = [e @ distinct[t] / temperature for e in ecg]
        holders = [i for i in range(n) if true_of[i, t]]
        loss -= count[t] / n * sum(log_softmax(values, i) for i in holders) / len(holders)
    return loss


def gradients(loss, leaves):
    return torch.autograd.grad(loss, leaves, allow_unused=True)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", OBJECTIVES)
def test_value_and_gradients_by_loops(name, seed):
    batch, leaves, true_of, meaning = batch_of(seed)
    fast, by_loops = OBJECTIVES[name](batch), slow(name, leaves, DRAWN, true_of, meaning)
    assert fast.item() == pytest.approx(by_loops.item(), rel=1e-12)
    for got, wanted in zip(gradients(fast, leaves), gradients(by_loops, leaves), strict=True):
        assert (got is None) == (wanted is None)
        if wanted is not None:
            torch.testing.assert_close(got, wanted, rtol=1e-10, atol=1e-12)


@settings(deadline=None, max_examples=25)
@given(st.permutations(range(6)), st.integers(0, 99))
def test_the_order_of_records_changes_nothing(order, seed):
    batch = batch_of(seed)[0]
    turned = replace(
        batch,
        ecg=batch.ecg[order],
        text=batch.text[order],
        same=batch.same[order][:, order],
        views=tuple(view[order] for view in batch.views),
        meaning=batch.meaning[order],
    )
    for name, objective in OBJECTIVES.items():
        assert objective(turned).item() == pytest.approx(objective(batch).item(), rel=1e-9), name


@settings(deadline=None, max_examples=25)
@given(st.dictionaries(st.sampled_from(sorted(OBJECTIVES)), st.floats(0.01, 10), min_size=1))
def test_objectives_add_up_by_weight(weights):
    batch = batch_of()[0]
    by_hand = sum(weight * OBJECTIVES[name](batch).item() for name, weight in weights.items())
    assert total(batch, weights).item() == pytest.approx(by_hand)


def test_distinct_texts_true_of_one_record_each_make_the_published_objective():
    batch = replace(batch_of(drawn=[0, 1, 2, 3])[0], same=torch.eye(4, dtype=torch.bool))
    published = cma(batch.ecg, batch.text, batch.temperature)
    assert torch.equal(OBJECTIVES["cma-multi"](batch), published)
    cold = cma_soft(batch.ecg, batch.text, batch.temperature, batch.meaning, 1e-4)
    assert cold.item() == pytest.approx(published.item(), rel=1e-9)


def test_cold_soft_targets_are_duplicates_as_positives():
    batch = batch_of()[0]
    equal = torch.tensor([[one == two for two in DRAWN] for one in DRAWN])
    cold = cma_soft(batch.ecg, batch.text, batch.temperature, batch.meaning, 1e-4)
    assert cold.item() == pytest.approx(cma(batch.ecg, batch.text, batch.temperature, equal).item(), rel=1e-9)


def test_perfect_pairs_cost_nothing_and_swapped_ones_much():
    axes = torch.eye(3)
    assert cma(axes, axes, 0.07).item() < 1e-5
    assert uma(axes, axes.flip(0), 0.07).item() == pytest.approx(2 * (2 / 3) / 0.07, rel=1e-4)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_half_precision_is_compared_in_single_precision(name):
    batch = batch_of()[0]
    half = replace(
        batch,
        ecg=batch.ecg.bfloat16(),
        text=batch.text.bfloat16(),
        views=tuple(view.bfloat16() for view in batch.views),
        meaning=batch.meaning.bfloat16(),
    )
    single = replace(
        half,
        ecg=half.ecg.float(),
        text=half.text.float(),
        views=tuple(view.float() for view in half.views),
        meaning=half.meaning.float(),
    )
    with torch.autocast("cpu", torch.bfloat16):
        loss = OBJECTIVES[name](half)
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(OBJECTIVES[name](single).item(), rel=1e-6)


def test_near_duplicates_become_positives():
    meaning = F.normalize(torch.tensor([[1.0, 0.0], [1.0, 0.05], [0.0, 1.0]]), dim=-1)
    batch = Batch(torch.eye(3), torch.eye(3), meaning=meaning)
    near = [[True, True, False], [True, True, False], [False, False, True]]
    assert batch.with_near_duplicates(0.99).same.tolist() == near
    told = replace(
        batch, same=torch.tensor([[True, False, True], [False, True, False], [False, False, True]])
    )
    assert told.with_near_duplicates(0.99).same.tolist() == [[True, True, True], *near[1:]]
    assert torch.equal(batch.with_near_duplicates(2.0).same, torch.eye(3, dtype=torch.bool))


def test_a_learned_temperature_keeps_to_its_floor_and_can_leave_it():
    temperature = Temperature(start=0.07, floor=0.05)
    assert temperature().item() == pytest.approx(0.07)
    with torch.no_grad():
        temperature.logit_scale.fill_(10.0)  # as after a step too far
    at_floor = temperature()
    assert at_floor.item() == pytest.approx(0.05)
    at_floor.backward()
    assert temperature.logit_scale.grad.item() == pytest.approx(-0.05)  # a clamp would give none
    assert temperature.logit_scale.item() == pytest.approx(-math.log(0.05))


@pytest.mark.parametrize("floor", [0.0, 0.08])
def test_a_floor_that_makes_no_sense(floor):
    with pytest.raises(ConfigError, match=r"give 0 < floor <= temperature"):
        Temperature(start=0.07, floor=floor)


def test_an_unknown_objective_and_none():
    batch = batch_of()[0]
    with pytest.raises(ConfigError, match="unknown objective 'cma-mutli'; did you mean 'cma-multi'"):
        total(batch, {"cma-mutli": 1.0, "uma": 1.0})
    with pytest.raises(ConfigError, match="no objective is given; allowed are cma, cma-multi"):
        total(batch, {})


@pytest.mark.parametrize(
    ("name", "field"),
    [("cma-multi", "same"), ("cma-sigmoid", "same"), ("cma-soft", "meaning"), ("uma", "views")],
)
def test_what_an_objective_needs_is_named(name, field):
    bare = Batch(torch.eye(3), torch.eye(3))
    with pytest.raises(ConfigError, match=rf"{name} needs Batch\.{field}"):
        OBJECTIVES[name](bare)


@pytest.mark.parametrize("name", ["cma-multi", "cma-sigmoid"])
def test_columns_in_another_order_are_refused(name):
    batch = batch_of(drawn=[0, 1, 2, 3])[0]
    with pytest.raises(MerlError, match="not marked true of its own ECG"):
        OBJECTIVES[name](replace(batch, same=torch.eye(4, dtype=torch.bool).roll(1, 1)))
