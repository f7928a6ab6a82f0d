import os

import pytest
import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from merl.distributed import gather_with_gradient
from merl.objectives import OBJECTIVES, Batch, Temperature

SHARES = [slice(0, 5), slice(5, 8)]  # of eight records, unequal on purpose
DRAWN = torch.tensor([0, 1, 0, 2, 3, 1, 3, 4])  # texts are drawn twice within and across processes
TOLERANCE = {torch.float64: 1e-13, torch.float32: 1e-6}


def numbers(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


SIGNALS, TEXTS = numbers(1, 8, 12), F.normalize(numbers(2, 5, 6), dim=-1)
TRUE_OF = (numbers(3, 8, 5) > 0.8) | F.one_hot(DRAWN, 5).bool()


class DualEncoder(nn.Module):
    """Two perceptrons, two views, a learned temperature and bias; no dropout and no batch statistics."""

    def __init__(self):
        super().__init__()
        self.ecg = nn.Sequential(nn.Linear(12, 8), nn.Tanh(), nn.Linear(8, 4))
        self.text = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 4))
        self.first, self.second = nn.Linear(12, 4), nn.Linear(12, 4)
        self.temperature, self.bias = Temperature(0.5), nn.Parameter(torch.tensor(-2.0))

    def forward(self, signals, texts):
        # 1 * bias: DistributedDataParallel cannot trace a parameter that is itself an output
        made = self.ecg(signals), self.text(texts), self.first(signals), self.second(signals)
        return (
            [F.normalize(rows, dim=-1) for rows in made],
            self.temperature(),
            self.bias * 1,
        )  # DDP refuses a bare parameter


def loss_of(model, objective, own, dtype):
    """Encode each distinct text of the process once, then compare with the records of all processes."""
    drawn = DRAWN[own]
    distinct, inverse = drawn.unique(return_inverse=True)
    (ecg, text, *views), temperature, bias = model(SIGNALS[own].to(dtype), TEXTS[distinct].to(dtype))
    batch = Batch(
        ecg=ecg,
        text=text[inverse],
        same=TRUE_OF[own][:, gather_with_gradient(drawn)],
        views=tuple(views),
        meaning=TEXTS[drawn].to(dtype),
        temperature=temperature,
        bias=bias,
    )
    return OBJECTIVES[objective](batch.joint())


def outcome(own, wrap=lambda model: model):
    """Loss and gradients by objective and precision."""
    found = {}
    for objective in OBJECTIVES:
        for dtype in TOLERANCE:
            torch.manual_seed(0)
            model = DualEncoder().to(dtype)
            wrapped = wrap(model)
            loss = loss_of(wrapped, objective, own, dtype)
            loss.backward()
            gradients = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
            found[objective, dtype] = {"loss": loss.detach(), **gradients}
    return found


def process(rank, folder):
    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=len(SHARES))
    try:
        rows = torch.full((rank + 1, 2), float(rank), requires_grad=True)
        gathered = gather_with_gradient(rows)
        (gathered.sum(1) * torch.tensor([1.0, 2.0, 3.0]) * (rank + 1)).sum().backward()
        found = outcome(
            SHARES[rank], lambda model: DistributedDataParallel(model, find_unused_parameters=True)
        )
        torch.save({"gathered": gathered.detach(), "rows": rows.grad, **found}, f"{folder}/{rank}.pt")
    finally:
        dist.destroy_process_group()


@pytest.fixture(scope="module")
def two_processes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gloo")
    torch.multiprocessing.spawn(process, (str(folder),), nprocs=len(SHARES))
    return [torch.load(folder / f"{rank}.pt") for rank in range(len(SHARES))]


@pytest.fixture(scope="module")
def one_process():
    return outcome(slice(0, 8))


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_two_processes_are_one_with_the_joint_batch(two_processes, one_process, objective, dtype):
    wanted = one_process[objective, dtype]
    assert len(wanted) > 3
    assert all(gradient.abs().max() > 1e-4 for gradient in wanted.values())
    for found in two_processes:
        for name, value in wanted.items():
            torch.testing.assert_close(
                found[objective, dtype][name], value, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype]
            )


def test_rows_come_in_the_order_of_ranks_and_gradients_from_all_processes(two_processes):
    for rank, found in enumerate(two_processes):
        assert found["gathered"].tolist() == [[0, 0], [1, 1], [1, 1]]
        factors = [[1], [2, 3]][rank]  # of the rows, times 1 from the first process and 2 from the second
        assert found["rows"].tolist() == [[3 * factor] * 2 for factor in factors]


def test_alone_nothing_is_gathered():
    rows = torch.ones(2, 3)
    assert gather_with_gradient(rows) is rows
