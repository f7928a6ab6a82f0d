"""The ECG encoders by name; the name is the function's name.

Each takes ``leads`` and ``samples``, the shape of its input, and has a ``width`` and ``steps``: it returns a
feature map (batch, width, steps), or vectors (batch, width) where ``steps`` is ``None``.
"""

from __future__ import annotations

from collections.abc import Callable

from merl.encoders.cnn import CNN1D, cnn
from merl.encoders.recurrent import Recurrent1D, recurrent
from merl.encoders.resnet import ResNet1D, resnet18, resnet34, resnet50, resnet101
from merl.encoders.se_resnet import se_resnet
from merl.encoders.vit import ViT1D, vit_base, vit_middle, vit_small, vit_tiny

Encoders = dict[str, Callable[..., ResNet1D | ViT1D | CNN1D | Recurrent1D]]

_RESNETS = (resnet18, resnet34, resnet50, resnet101)
_VITS = (vit_tiny, vit_small, vit_middle, vit_base)

#: The encoders of MERL as published.
PUBLISHED: Encoders = {function.__name__: function for function in (*_RESNETS, *_VITS)}
ENCODERS: Encoders = PUBLISHED | {function.__name__: function for function in (cnn, recurrent, se_resnet)}
