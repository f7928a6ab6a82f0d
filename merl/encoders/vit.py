"""The 1-D vision transformer of MERL (arXiv 2403.06659): patches in time as tokens, leads as channels.

Dosovitskiy et al., "An Image is Worth 16x16 Words", ICLR 2021. Names of modules follow the released
checkpoints; dropout and stochastic depth are left out, their published rates are 0.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from merl.errors import ConfigError

HEAD_WIDTH = 64
DEPTH = 12


class Attention(nn.Module):
    """Multi-head self-attention with heads 64 wide."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.to_qkv = nn.Linear(width, 3 * heads * HEAD_WIDTH)
        self.to_out = nn.Sequential(nn.Linear(heads * HEAD_WIDTH, width))

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102 - (batch, tokens, width) stays
        parts = self.to_qkv(x).unflatten(-1, (3, self.heads, HEAD_WIDTH))
        query, key, value = parts.permute(2, 0, 3, 1, 4)  # each (batch, heads, tokens, 64)
        return self.to_out(F.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2))


class FeedForward(nn.Module):
    """Two linear maps with a GELU between them."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        # the third place belongs to the released dropout; without it the last map would not be net.3
        self.net = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Identity(), nn.Linear(hidden, width))

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102 - (batch, tokens, width) stays
        return self.net(x)


class PreNorm(nn.Module):
    """A layer norm before ``fn``, and the input added to what comes out."""

    def __init__(self, width: int, fn: nn.Module) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.fn = fn

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102 - (batch, tokens, width) stays
        return x + self.fn(self.norm(x))


class Block(nn.Module):
    """Attention, then the feed-forward maps, each on its normalised input."""

    def __init__(self, width: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.attn = PreNorm(width, Attention(width, heads))
        self.ff = PreNorm(width, FeedForward(width, hidden))

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102 - (batch, tokens, width) stays
        return self.ff(self.attn(x))


class ViT1D(nn.Module):
    """A transformer over patches of the signal, averaged over its tokens.

    Attributes:
        width: length of the vector that comes out.
        steps: ``None``, there is no feature map in time.

    Raises:
        ConfigError: the signal is not a whole number of patches.
    """

    steps = None

    def __init__(self, width: int, heads: int, *, leads: int, samples: int, patch: int) -> None:
        super().__init__()
        if samples % patch:
            raise ConfigError(
                f"a ViT reads the signal in patches of {patch} samples, and {samples} samples are no multiple"
                " of that; change sampling_rate or seconds"
            )
        self.width = width
        self.to_patch_embedding = nn.Conv1d(leads, width, patch, patch, bias=False)
        self.pos_embedding = nn.Parameter(torch.randn(1, samples // patch, width))
        for index in range(DEPTH):
            self.add_module(f"block{index}", Block(width, heads, 4 * width))
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        """Encode signals, (batch, leads, samples or fewer), into vectors, (batch, width)."""
        tokens = self.to_patch_embedding(x).transpose(1, 2)  # (batch, samples / patch, width)
        tokens = tokens + self.pos_embedding[:, : tokens.shape[1]]
        for index in range(DEPTH):
            tokens = self.get_submodule(f"block{index}")(tokens)
        return self.norm(tokens.mean(1))


def vit_tiny(leads: int = 12, samples: int = 5000, patch: int = 50) -> ViT1D:
    """ViT, 192 wide with 3 heads, 5.5 million parameters."""
    return ViT1D(192, 3, leads=leads, samples=samples, patch=patch)


def vit_small(leads: int = 12, samples: int = 5000, patch: int = 50) -> ViT1D:
    """ViT, 384 wide with 6 heads, 21.6 million parameters."""
    return ViT1D(384, 6, leads=leads, samples=samples, patch=patch)


def vit_middle(leads: int = 12, samples: int = 5000, patch: int = 50) -> ViT1D:
    """ViT, 512 wide with 8 heads, 38.2 million parameters."""
    return ViT1D(512, 8, leads=leads, samples=samples, patch=patch)


def vit_base(leads: int = 12, samples: int = 5000, patch: int = 50) -> ViT1D:
    """ViT, 768 wide with 12 heads, 85.6 million parameters."""
    return ViT1D(768, 12, leads=leads, samples=samples, patch=patch)
