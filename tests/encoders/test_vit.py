import pytest
import torch

from merl.encoders.vit import vit_tiny
from merl.errors import ConfigError


def test_names_follow_the_released_checkpoints():
    block = {"attn.norm", "attn.fn.to_qkv", "attn.fn.to_out.0", "ff.norm", "ff.fn.net.0", "ff.fn.net.3"}
    names = {
        f"block{index}.{part}.{kind}" for index in range(12) for part in block for kind in ("weight", "bias")
    }
    names |= {"to_patch_embedding.weight", "pos_embedding", "norm.weight", "norm.bias"}
    assert set(vit_tiny().state_dict()) == names
    assert vit_tiny().pos_embedding.shape == (1, 100, 192)


def test_positions_tell_patches_apart():
    torch.manual_seed(0)
    network = vit_tiny(leads=1, samples=200).eval()
    signals = torch.randn(1, 1, 200)
    turned = signals.roll(50, -1)  # the same patches in another order
    with torch.inference_mode():
        assert not torch.allclose(network(signals), network(turned), atol=1e-3)
        network.pos_embedding.zero_()
        torch.testing.assert_close(network(signals), network(turned), atol=1e-5, rtol=0)


def test_a_signal_that_is_no_whole_number_of_patches():
    with pytest.raises(ConfigError, match="patches of 50 samples, and 1010 samples are no multiple"):
        vit_tiny(samples=1010)
    assert vit_tiny(samples=1010, patch=10).pos_embedding.shape[1] == 101
