import torch

from merl.encoders.recurrent import recurrent


def test_every_step_knows_the_whole_signal():
    torch.manual_seed(0)
    network = recurrent(leads=1, samples=320).eval()
    signals = torch.randn(1, 1, 320, requires_grad=True)
    network(signals)[0, :, 0].sum().backward()
    assert signals.grad[0, 0, -16:].any()  # the convolutions alone reach no further than 91 samples
    signals.grad = None
    network(signals)[0, :, -1].sum().backward()
    assert signals.grad[0, 0, :16].any()
