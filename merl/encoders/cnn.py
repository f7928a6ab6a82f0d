"""A plain convolutional network, the simplest encoder of the study."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn


def convolutions(channels: tuple[int, ...], kernel: int = 7) -> nn.Sequential:
    """Stack convolutions that each halve the time, with batch norm and ReLU; ``channels[0]`` goes in."""
    layers: list[nn.Module] = []
    for given, made in pairwise(channels):
        convolution = nn.Conv1d(given, made, kernel, stride=2, padding=kernel // 2, bias=False)
        layers += [convolution, nn.BatchNorm1d(made), nn.ReLU()]
    return nn.Sequential(*layers)


class CNN1D(nn.Module):
    """Four convolutions, 7 wide.

    Attributes:
        width: channels of the feature map.
        steps: length of the feature map of a signal of ``samples``.
    """

    def __init__(self, leads: int, samples: int) -> None:
        super().__init__()
        self.width, self.steps = 512, -(-samples // 16)
        self.layers = convolutions((leads, 64, 128, 256, self.width))

    def forward(self, x: Tensor) -> Tensor:
        """Encode signals, (batch, leads, samples), into features, (batch, width, samples / 16)."""
        return self.layers(x)


def cnn(leads: int = 12, samples: int = 5000) -> CNN1D:
    """Plain CNN, 1.2 million parameters."""
    return CNN1D(leads, samples)
