import torch

from merl.encoders.resnet import BasicBlock
from merl.encoders.se_resnet import SEBlock


def test_each_channel_is_weighted_by_the_whole_signal():
    torch.manual_seed(0)
    block, plain = SEBlock(32, 32).double().eval(), BasicBlock(32, 32).double().eval()
    plain.load_state_dict({key: block.state_dict()[key] for key in plain.state_dict()})
    x = torch.randn(2, 32, 1, 9, dtype=torch.float64)
    with torch.inference_mode():
        branch = plain.bn2(plain.conv2(torch.relu(plain.bn1(plain.conv1(x)))))
        down, up = block.excite[1], block.excite[3]
        hidden = torch.relu(branch.mean((-2, -1)) @ down.weight[:, :, 0].T + down.bias)
        shares = torch.sigmoid(hidden @ up.weight[:, :, 0].T + up.bias)
        torch.testing.assert_close(block(x), torch.relu(branch * shares[:, :, None, None] + x))
        up.weight.zero_()
        up.bias.fill_(100.0)  # every channel at full weight
        torch.testing.assert_close(block(x), plain(x))
