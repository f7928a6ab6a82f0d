import numpy as np
import pytest
import torch

from merl.encoders.registry import ENCODERS
from merl.encoders.resnet import resnet18, resnet50


def slow_convolution(x, weight, stride, padding):
    """One convolution without bias by loops; (in, T) and (out, in, width) -> (out, T / stride)."""
    x = np.pad(x, ((0, 0), (padding, padding)))
    steps = range(0, x.shape[1] - weight.shape[2] + 1, stride)
    return np.array([[(x[:, t : t + weight.shape[2]] * kernel).sum() for t in steps] for kernel in weight])


@pytest.mark.parametrize(("samples", "steps"), [(5000, 313), (1000, 63), (500, 32), (16, 1)])
def test_the_feature_map_is_as_long_as_in_merl(samples, steps):
    with torch.inference_mode():
        features = resnet18(leads=2).eval()(torch.randn(3, 2, samples))
    assert features.shape == (3, 512, steps)


@pytest.mark.parametrize(
    ("name", "millions"), [("resnet18", 3.8), ("resnet34", 7.2), ("resnet50", 15.9), ("resnet101", 28.3)]
)
def test_sizes(name, millions):
    encoder = ENCODERS[name]()
    assert sum(p.numel() for p in encoder.parameters()) / 1e6 == pytest.approx(millions, abs=0.06)
    assert encoder.width == (512 if name in {"resnet18", "resnet34"} else 2048)


def test_names_follow_the_released_checkpoints():
    names = set(resnet50().state_dict())
    assert {
        "conv1.weight",
        "bn1.running_mean",
        "layer1.0.shortcut.0.weight",
        "layer4.2.conv3.weight",
    } <= names
    assert "layer1.0.shortcut.0.weight" not in resnet18().state_dict()  # equal widths: nothing to project
    assert "conv1.bias" not in names


def test_the_first_block_computes_what_it_says():
    torch.manual_seed(0)
    network = resnet18(leads=2).double().eval()
    x = torch.randn(1, 2, 20, dtype=torch.float64)
    block = network.layer1[0]
    with torch.inference_mode():
        found = block(torch.relu(network.bn1(network.conv1(x[:, :, None]))))[0, :, 0].numpy()

    def norm(rows):  # a fresh batch norm divides by sqrt(1 + eps) alone
        return rows / np.sqrt(1 + 1e-5)

    weights = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    stem = np.maximum(norm(slow_convolution(x[0].numpy(), weights["conv1.weight"], 2, 3)), 0)
    out = np.maximum(norm(slow_convolution(stem, weights["layer1.0.conv1.weight"], 1, 1)), 0)
    out = norm(slow_convolution(out, weights["layer1.0.conv2.weight"], 1, 1))
    np.testing.assert_allclose(found, np.maximum(out + stem, 0), atol=1e-10)
