"""The 1-D residual network of MERL (arXiv 2403.06659): 3-wide convolutions over time, leads as channels."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Conv1d(nn.Conv1d):
    """A convolution over time of features that lie channel beside channel, (batch, channels, 1, T).

    That is a convolution over a picture one row high in PyTorch's channels-last memory format, for which its
    processors' kernels are written: on a CPU up to twice as fast in bf16 as one over (batch, channels, T).
    Weights are those of ``nn.Conv1d``.
    """

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        weight = self.weight.unsqueeze(2).contiguous(memory_format=torch.channels_last)
        stride, padding, dilation = (1, *self.stride), (0, *self.padding), (1, *self.dilation)
        return F.conv2d(x, weight, self.bias, stride, padding, dilation, self.groups)


class BasicBlock(nn.Module):
    """Two 3-wide convolutions and a shortcut, as in ResNet-18 and -34 (He et al., 2016)."""

    expansion = 1

    def __init__(self, in_channels: int, channels: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = Conv1d(in_channels, channels, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = Conv1d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.shortcut = _shortcut(in_channels, channels, stride)

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102 - (batch, in_channels, 1, T) -> (batch, channels, 1, T / stride)
        out = self.bn1(self.conv1(x)).relu_()
        return self.bn2(self.conv2(out)).add_(self.shortcut(x)).relu_()


class Bottleneck(nn.Module):
    """A 1-3-1 bottleneck and a shortcut, as in ResNet-50 and -101."""

    expansion = 4

    def __init__(self, in_channels: int, channels: int, stride: int = 1) -> None:
        super().__init__()
        out_channels = channels * self.expansion
        self.conv1 = Conv1d(in_channels, channels, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = Conv1d(channels, channels, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.conv3 = Conv1d(channels, out_channels, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out_channels)
        self.shortcut = _shortcut(in_channels, out_channels, stride)

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102 - (batch, in_channels, 1, T) -> (batch, 4 channels, 1, T / stride)
        out = self.bn1(self.conv1(x)).relu_()
        out = self.bn2(self.conv2(out)).relu_()
        return self.bn3(self.conv3(out)).add_(self.shortcut(x)).relu_()


def _shortcut(in_channels: int, out_channels: int, stride: int) -> nn.Sequential:
    if stride == 1 and in_channels == out_channels:
        return nn.Sequential()
    return nn.Sequential(
        Conv1d(in_channels, out_channels, 1, stride, bias=False), nn.BatchNorm2d(out_channels)
    )


def _stage(
    block: type[BasicBlock] | type[Bottleneck], in_channels: int, channels: int, depth: int, stride: int
) -> nn.Sequential:
    first = block(in_channels, channels, stride)
    return nn.Sequential(first, *(block(channels * block.expansion, channels) for _ in range(depth - 1)))


class ResNet1D(nn.Module):
    """A residual network over time; the stem has no max-pool, so the total stride is 16.

    Attributes:
        width: channels of the feature map.
        steps: length of the feature map of a signal of ``samples``.
    """

    def __init__(
        self, block: type[BasicBlock] | type[Bottleneck], depths: tuple[int, ...], leads: int, samples: int
    ) -> None:
        super().__init__()
        self.conv1 = Conv1d(leads, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        wide = block.expansion
        self.layer1 = _stage(block, 64, 64, depths[0], stride=1)
        self.layer2 = _stage(block, 64 * wide, 128, depths[1], stride=2)
        self.layer3 = _stage(block, 128 * wide, 256, depths[2], stride=2)
        self.layer4 = _stage(block, 256 * wide, 512, depths[3], stride=2)
        self.width, self.steps = 512 * wide, -(-samples // 16)

    def forward(self, x: Tensor) -> Tensor:
        """Encode signals, (batch, leads, samples), into features, (batch, width, samples / 16)."""
        x = x.unsqueeze(2).contiguous(memory_format=torch.channels_last)  # (batch, leads, 1, samples)
        x = self.bn1(self.conv1(x)).relu_()
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = stage(x)
        return x.squeeze(2)


def resnet18(leads: int = 12, samples: int = 5000) -> ResNet1D:
    """ResNet-18, 3.8 million parameters."""
    return ResNet1D(BasicBlock, (2, 2, 2, 2), leads, samples)


def resnet34(leads: int = 12, samples: int = 5000) -> ResNet1D:
    """ResNet-34, 7.2 million parameters."""
    return ResNet1D(BasicBlock, (3, 4, 6, 3), leads, samples)


def resnet50(leads: int = 12, samples: int = 5000) -> ResNet1D:
    """ResNet-50, 15.9 million parameters."""
    return ResNet1D(Bottleneck, (3, 4, 6, 3), leads, samples)


def resnet101(leads: int = 12, samples: int = 5000) -> ResNet1D:
    """ResNet-101, 28.3 million parameters."""
    return ResNet1D(Bottleneck, (3, 4, 23, 3), leads, samples)
