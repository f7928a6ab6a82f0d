"""The joint batch of many processes: rows gathered from all of them, with gradient."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor


def gather_with_gradient(tensor: Tensor) -> Tensor:
    """Join the rows of all processes, in the order of their ranks; without a process group, nothing changes.

    Processes may bring different numbers of rows. The backward pass sums over all processes the gradients
    of a process's own rows. If each computes the same loss of the joint batch, that is the number of
    processes times the gradient of one process with all rows; averaged over processes, as
    DistributedDataParallel does, the gradients of the weights are exactly those of one process. So the loss
    needs no factor.

    Args:
        tensor: shape (rows, ...), the same on every process but for the rows.

    Returns:
        Shape (rows of all processes, ...).
    """
    if not (dist.is_available() and dist.is_initialized()):
        return tensor
    return _Gather.apply(tensor)


class _Gather(torch.autograd.Function):
    """All-gather whose backward pass is the sum over processes; torch's own is deprecated since 2.13."""

    @staticmethod
    def forward(ctx: Any, tensor: Tensor) -> Tensor:
        rows = torch.tensor([len(tensor)], device=tensor.device)
        counts = [torch.empty_like(rows) for _ in range(dist.get_world_size())]
        dist.all_gather(counts, rows)
        sizes = [int(count) for count in counts]
        padded = tensor.new_zeros(max(sizes), *tensor.shape[1:])  # all_gather wants equal shapes
        padded[: len(tensor)] = tensor
        parts = [torch.empty_like(padded) for _ in sizes]
        dist.all_gather(parts, padded)
        start = sum(sizes[: dist.get_rank()])
        ctx.own = slice(start, start + len(tensor))
        return torch.cat([part[:size] for part, size in zip(parts, sizes, strict=True)])

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        summed = gradient.clone(memory_format=torch.contiguous_format)  # all_reduce writes into its argument
        dist.all_reduce(summed)
        return summed[ctx.own]
