"""Attention pooling with a class token, as MERL pools the features of its ECG network."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class AttentionPool(nn.Module):
    """Pool a sequence with a class token as the only query (MERL, after CLIP's attention pooling).

    As released, the class token receives its position twice: once by itself and once with the sequence.
    """

    def __init__(self, steps: int, dim: int, heads: int) -> None:
        super().__init__()
        self.positional_embedding = nn.Parameter(torch.randn(steps + 1, dim) / dim)
        self.cls_token = nn.Parameter(torch.randn(1, 1, dim))
        self.mhsa = nn.MultiheadAttention(dim, heads, batch_first=True)
        self.c_proj = nn.Linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        """Pool features, shape (batch, steps or fewer, dim), into one vector each, shape (batch, dim).

        The query is the same for every ECG, so each head's keys need only be told apart along one direction,
        and values may be averaged before they are mapped: the same result as ``self.mhsa`` for the first
        position, without a matrix product over the whole sequence.
        """
        dim, heads, size = self.mhsa.embed_dim, self.mhsa.num_heads, self.mhsa.head_dim
        to_query, to_key, to_value = self.mhsa.in_proj_weight.view(3, dim, dim)
        query_bias, _, value_bias = self.mhsa.in_proj_bias.view(3, dim)  # all keys share theirs: no matter
        positions = self.positional_embedding[: x.shape[1] + 1]  # (steps + 1, dim)
        first = self.cls_token[0] + 2 * positions[:1]  # (1, dim)
        query = F.linear(first, to_query, query_bias).view(heads, 1, size) / math.sqrt(size)
        directions = (query @ to_key.view(heads, size, dim))[:, 0]  # (heads, dim)

        x = x + positions[1:].to(x.dtype)
        scores = torch.cat(
            [F.linear(first, directions).expand(len(x), 1, heads), F.linear(x, directions)], dim=1
        )
        weights = scores.softmax(dim=1).transpose(1, 2)  # (batch, heads, steps + 1)
        seen = weights[..., 1:].to(x.dtype) @ x + weights[..., :1] * first  # (batch, heads, dim)
        values = torch.einsum("bhd,hsd->bhs", seen, to_value.view(heads, size, dim).to(seen.dtype))
        pooled = self.mhsa.out_proj(values.flatten(1) + value_bias)
        return self.c_proj(pooled)
