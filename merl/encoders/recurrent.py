"""A recurrent encoder: convolutions shorten the signal, a bidirectional GRU reads what is left."""

from __future__ import annotations

from torch import Tensor, nn

from merl.encoders.cnn import convolutions


class Recurrent1D(nn.Module):
    """Four convolutions and a bidirectional GRU of two layers (Cho et al., 2014).

    Attributes:
        width: channels of the feature map, both directions together.
        steps: length of the feature map of a signal of ``samples``.
    """

    def __init__(self, leads: int, samples: int) -> None:
        super().__init__()
        self.width, self.steps = 512, -(-samples // 16)
        self.stem = convolutions((leads, 64, 64, 128, 128))
        self.gru = nn.GRU(128, self.width // 2, num_layers=2, batch_first=True, bidirectional=True)

    def forward(self, x: Tensor) -> Tensor:
        """Encode signals, (batch, leads, samples), into features, (batch, width, samples / 16)."""
        states, _ = self.gru(self.stem(x).transpose(1, 2))  # (batch, steps, width)
        return states.transpose(1, 2)


def recurrent(leads: int = 12, samples: int = 5000) -> Recurrent1D:
    """Convolutional stem and bidirectional GRU, 2.0 million parameters."""
    return Recurrent1D(leads, samples)
