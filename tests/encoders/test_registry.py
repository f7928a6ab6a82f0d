from itertools import pairwise

import pytest
import torch

from merl.encoders.registry import ENCODERS, PUBLISHED

LEADS, SAMPLES = 12, 5000
RESNETS = {
    "resnet18": ((2, 2, 2, 2), 1),
    "resnet34": ((3, 4, 6, 3), 1),
    "resnet50": ((3, 4, 6, 3), 4),
    "resnet101": ((3, 4, 23, 3), 4),
}
VITS = {"vit_tiny": (192, 3), "vit_small": (384, 6), "vit_middle": (512, 8), "vit_base": (768, 12)}


def convolution(given, made, kernel):
    """Weights of a convolution without bias and of the batch norm after it."""
    return given * made * kernel + 2 * made


def resnet_size(depths, expansion):
    total, width = convolution(LEADS, 64, 7), 64
    for stage, depth in enumerate(depths):
        channels = 64 * 2**stage
        for block in range(depth):
            if expansion == 1:
                total += convolution(width, channels, 3) + convolution(channels, channels, 3)
            else:
                total += convolution(width, channels, 1) + convolution(channels, channels, 3)
                total += convolution(channels, 4 * channels, 1)
            if block == 0 and (stage > 0 or width != expansion * channels):
                total += convolution(width, expansion * channels, 1)
            width = expansion * channels
    return total


def vit_size(width):
    attention = width * 3 * width + 3 * width + width * width + width
    forward = width * 4 * width + 4 * width + 4 * width * width + width
    block = attention + forward + 2 * 2 * width  # and two layer norms
    return LEADS * 50 * width + SAMPLES // 50 * width + 12 * block + 2 * width


def cnn_size(*channels):
    return sum(convolution(a, b, 7) for a, b in pairwise(channels))


def gru_size(given, hidden):
    """One direction of one layer: three gates, each with two matrices and two biases."""
    return 3 * (given * hidden + hidden * hidden + 2 * hidden)


SIZES = {
    **{name: resnet_size(*shape) for name, shape in RESNETS.items()},
    **{name: vit_size(width) for name, (width, _) in VITS.items()},
    "cnn": cnn_size(LEADS, 64, 128, 256, 512),
    "recurrent": cnn_size(LEADS, 64, 64, 128, 128) + 2 * (gru_size(128, 256) + gru_size(512, 256)),
    "se_resnet": resnet_size((2, 2, 2, 2), 1)
    + 2 * sum(c * (c // 16) * 2 + c + c // 16 for c in (64, 128, 256, 512)),
}


def test_every_encoder_is_tested_and_the_published_ones_are_there():
    assert ENCODERS.keys() == SIZES.keys()
    assert PUBLISHED.keys() == RESNETS.keys() | VITS.keys()


@pytest.mark.parametrize("name", ENCODERS)
def test_parameters_are_as_many_as_counted_by_hand(name):
    with torch.device("meta"):
        network = ENCODERS[name]()
    assert sum(weight.numel() for weight in network.parameters()) == SIZES[name]


@pytest.mark.parametrize("name", ENCODERS)
@pytest.mark.parametrize(("samples", "steps"), [(5000, 313), (1000, 63)])
def test_shapes(name, samples, steps):
    with torch.device("meta"):
        network = ENCODERS[name](leads=2, samples=samples)
        features = network(torch.empty(3, 2, samples))
        half = network(torch.empty(3, 2, samples // 2))
    if name in VITS:
        assert network.width == VITS[name][0] == 64 * VITS[name][1]
        assert network.steps is None
        assert features.shape == half.shape == (3, network.width)
    else:
        assert network.width == (2048 if RESNETS.get(name, ((), 1))[1] == 4 else 512)
        assert network.steps == steps
        assert features.shape == (3, network.width, steps)
        assert half.shape == (3, network.width, -(-samples // 32))


@pytest.mark.parametrize("name", ["vit_tiny", "cnn", "recurrent", "se_resnet"])
def test_every_weight_is_used_and_every_lead_seen(name):
    torch.manual_seed(0)
    network = ENCODERS[name](leads=3, samples=400)
    signals = torch.randn(2, 3, 400, requires_grad=True)
    (network(signals) ** 2).sum().backward()
    assert all(weight.grad is not None and weight.grad.any() for weight in network.parameters())
    assert signals.grad.any(-1).all()
