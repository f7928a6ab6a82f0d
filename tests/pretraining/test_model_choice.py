import math

import pytest
import torch
import torch.nn.functional as F

from merl.errors import UsageError
from merl.pretraining.model_choice import rankme, retrieval_recall


def test_recall_by_loops():
    torch.manual_seed(0)
    ecg, text = F.normalize(torch.randn(30, 4), dim=-1), F.normalize(torch.randn(12, 4), dim=-1)
    report = torch.arange(30) % 12  # several ECGs have the same report
    found = retrieval_recall(ecg, text, report)
    for k, value in zip((1, 5, 10), found, strict=True):
        hits = 0
        for number in range(12):
            order = sorted(range(30), key=lambda row, number=number: -float(ecg[row] @ text[number]))
            hits += any(int(report[row]) == number for row in order[:k])
        assert value == pytest.approx(hits / 12)
    assert found == sorted(found)


def test_recall_of_perfect_embeddings_is_one():
    axes = torch.eye(12)
    assert retrieval_recall(axes, axes, torch.arange(12)) == [1, 1, 1]
    with pytest.raises(UsageError, match="recall at 10 needs as many records; got 5"):
        retrieval_recall(axes[:5], axes[:5], torch.arange(5))


def test_rankme_counts_the_directions_in_use():
    assert rankme(torch.eye(8)) == pytest.approx(8, rel=1e-3)
    line = torch.outer(torch.arange(1.0, 9), torch.tensor([1.0, 2, 3]))
    assert rankme(line) == pytest.approx(1, abs=1e-3)
    assert rankme(torch.diag(torch.tensor([0.5, 0.5, 0.0]))) == pytest.approx(math.exp(math.log(2)), rel=1e-3)
