"""A residual network with channel attention, as the residual networks that led the CinC Challenge 2021 have.

Squeeze-and-excitation: Hu et al., CVPR 2018. All else is ResNet-18, so that a study compares the attention.
"""

from __future__ import annotations

from torch import Tensor, nn

from merl.encoders.resnet import BasicBlock, Conv1d, ResNet1D

REDUCTION = 16


class SEBlock(BasicBlock):
    """A basic block whose channels are weighted by what the whole signal holds."""

    def __init__(self, in_channels: int, channels: int, stride: int = 1) -> None:
        super().__init__(in_channels, channels, stride)
        self.excite = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            Conv1d(channels, channels // REDUCTION, 1),
            nn.ReLU(),
            Conv1d(channels // REDUCTION, channels, 1),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102 - (batch, in_channels, 1, T) -> (batch, channels, 1, T / stride)
        out = self.bn2(self.conv2(self.bn1(self.conv1(x)).relu_()))
        return (out * self.excite(out)).add_(self.shortcut(x)).relu_()


def se_resnet(leads: int = 12, samples: int = 5000) -> ResNet1D:
    """ResNet-18 with squeeze-and-excitation, 3.9 million parameters."""
    return ResNet1D(SEBlock, (2, 2, 2, 2), leads, samples)
