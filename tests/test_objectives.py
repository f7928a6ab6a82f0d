import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from merl.objectives import cma, uma


def slow_cma(ecg, text, temperature, same):
    """Cross-entropy both ways by loops; a true pair's share is one over the number of true ones."""
    size, total = len(ecg), 0.0
    similar = [[float(np.dot(e, t)) / temperature for t in text] for e in ecg]
    columns = [list(column) for column in zip(*similar, strict=True)]
    true_columns = [list(column) for column in zip(*same, strict=True)]
    for rows, true in ((similar, same), (columns, true_columns)):
        for row, truth in zip(rows, true, strict=True):
            mass = math.log(sum(math.exp(value) for value in row))
            logs = [value - mass for value, good in zip(row, truth, strict=True) if good]
            total -= sum(logs) / len(logs) / size
    return total


@pytest.fixture
def pair():
    generator = torch.Generator().manual_seed(0)
    return [F.normalize(torch.randn(5, 4, generator=generator), dim=-1) for _ in range(2)]


def test_published_alignment_by_loops(pair):
    ecg, text = pair
    slow = slow_cma(ecg.numpy(), text.numpy(), 0.07, np.eye(5, dtype=bool))
    assert cma(ecg, text, 0.07).item() == pytest.approx(slow, rel=1e-5)
    assert uma(ecg, text, 0.07).item() == pytest.approx(slow, rel=1e-5)


def test_several_true_texts_share_the_target(pair):
    ecg, text = pair
    same = torch.eye(5, dtype=torch.bool)
    same[0, 3] = same[3, 0] = same[2, 4] = True  # not symmetric: text 4 is true of ECG 2 only
    slow = slow_cma(ecg.numpy(), text.numpy(), 0.2, same.numpy())
    assert cma(ecg, text, 0.2, same).item() == pytest.approx(slow, rel=1e-5)
    assert slow != pytest.approx(slow_cma(ecg.numpy(), text.numpy(), 0.2, np.eye(5, dtype=bool)), rel=1e-3)


def test_the_diagonal_alone_is_the_published_objective(pair):
    same = torch.eye(5, dtype=torch.bool)
    assert cma(*pair, 0.07, same).item() == pytest.approx(cma(*pair, 0.07).item(), rel=1e-6)


def test_perfect_pairs_cost_nothing_and_swapped_ones_much():
    axes = torch.eye(3)
    assert cma(axes, axes, 0.07).item() < 1e-5
    assert cma(axes, axes.flip(0), 0.07).item() == pytest.approx(2 * (2 / 3) / 0.07, rel=1e-4)


def test_half_precision_inputs_are_compared_in_single_precision(pair):
    ecg, text = (item.to(torch.bfloat16) for item in pair)
    loss = cma(ecg, text, 0.07)
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(cma(ecg.float(), text.float(), 0.07).item())
