"""The published architecture written again from its description: random state dicts and a slow forward.

Nothing here is imported from ``merl``: what is compared must not share the code it is compared with.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

State = dict[str, Tensor]
BASIC, BOTTLENECK = {"resnet18": (2, 2, 2, 2)}, {"resnet50": (3, 4, 6, 3)}
LEADS = ("I", "II", "III", "aVR", "aVF", "aVL", "V1", "V2", "V3", "V4", "V5", "V6")


def scaled(*shape: int) -> Tensor:
    """Random weights that keep the size of what they act on."""
    return torch.randn(shape) * math.sqrt(2 / math.prod(shape[1:]))


def linear(state: State, name: str, given: int, made: int, bias: bool = True) -> None:
    state[f"{name}.weight"] = scaled(made, given)
    if bias:
        state[f"{name}.bias"] = 0.1 * torch.randn(made)


def norm(state: State, name: str, width: int, statistics: bool = True) -> None:
    state[f"{name}.weight"], state[f"{name}.bias"] = 1 + 0.1 * torch.randn(width), 0.1 * torch.randn(width)
    if statistics:
        state[f"{name}.running_mean"] = 0.1 * torch.randn(width)
        state[f"{name}.running_var"] = 0.5 + torch.rand(width)
        state[f"{name}.num_batches_tracked"] = torch.tensor(1234)


def resnet(name: str) -> State:
    """An ECG encoder alone, as in ``*_encoder.pth``."""
    state: State = {"conv1.weight": scaled(64, 12, 7)}
    norm(state, "bn1", 64)
    wide, depths = (1, BASIC[name]) if name in BASIC else (4, BOTTLENECK[name])
    given = 64
    for stage, depth in enumerate(depths, start=1):
        channels = 32 * 2**stage
        for index in range(depth):
            block = f"layer{stage}.{index}"
            shapes = [(channels, given, 3), (channels, channels, 3)]
            if wide == 4:
                shapes = [(channels, given, 1), (channels, channels, 3), (4 * channels, channels, 1)]
            for number, shape in enumerate(shapes, start=1):
                state[f"{block}.conv{number}.weight"] = scaled(*shape)
                norm(state, f"{block}.bn{number}", shape[0])
            state[f"{block}.bn{number}.weight"] *= 0.3  # else the sums grow from block to block
            if index == 0 and (stage > 1 or given != wide * channels):
                state[f"{block}.shortcut.0.weight"] = scaled(wide * channels, given, 1)
                norm(state, f"{block}.shortcut.1", wide * channels)
            given = wide * channels
    linear(state, "linear", given, 10)
    return state


def vit(width: int = 192, heads: int = 3) -> State:
    """A ViT alone: 100 patches of 50 samples, twelve blocks."""
    state: State = {"to_patch_embedding.weight": scaled(width, 12, 50)}
    state["pos_embedding"] = torch.randn(1, 100, width)
    for index in range(12):
        norm(state, f"block{index}.attn.norm", width, statistics=False)
        linear(state, f"block{index}.attn.fn.to_qkv", width, 3 * 64 * heads)
        linear(state, f"block{index}.attn.fn.to_out.0", 64 * heads, width)
        norm(state, f"block{index}.ff.norm", width, statistics=False)
        linear(state, f"block{index}.ff.fn.net.0", width, 4 * width)
        linear(state, f"block{index}.ff.fn.net.3", 4 * width, width)
    norm(state, "norm", width, statistics=False)
    return state


def whole(name: str, text_dim: int = 768, words: State | None = None) -> State:
    """A whole model, as in ``*_ckpt.pth``."""
    encoder = vit() if name == "vit_tiny" else resnet(name)
    state = {f"ecg_encoder.{key}": tensor for key, tensor in encoder.items()}
    width = 192 if name == "vit_tiny" else encoder["linear.weight"].shape[1]
    if name == "vit_tiny":
        linear(state, "proj_e.0", width, 256)
        norm(state, "proj_e.1", 256)
        linear(state, "proj_e.3", 256, 256)
        norm(state, "proj_e.4", 256)
    else:
        state["downconv.weight"], state["downconv.bias"] = scaled(256, width, 1), torch.randn(256)
        state["att_pool_head.positional_embedding"] = torch.randn(1, 314, 256)
        state["att_pool_head.cls_token"] = torch.randn(1, 1, 256)
        state["att_pool_head.mhsa.in_proj_weight"] = 0.3 * scaled(768, 256)  # no saturated softmax
        state["att_pool_head.mhsa.in_proj_bias"] = 0.1 * torch.randn(768)
        linear(state, "att_pool_head.mhsa.out_proj", 256, 256)
        linear(state, "att_pool_head.c_proj", 256, 256)
    pooled = width if name == "vit_tiny" else 256
    linear(state, "linear1", pooled, 256, bias=False)
    linear(state, "linear2", pooled, 256, bias=False)
    state |= {f"lm_model.{key}": tensor for key, tensor in (words or {}).items()}
    linear(state, "proj_t.0", text_dim, 256)
    linear(state, "proj_t.2", 256, 256)
    return state


def batch_norm(state: State, name: str, x: Tensor) -> Tensor:
    """With the stored statistics; channels are the second axis."""
    weight, bias, mean, variance = (
        state[f"{name}.{key}"].reshape(1, -1, *[1] * (x.ndim - 2))
        for key in ("weight", "bias", "running_mean", "running_var")
    )
    return (x - mean) / (variance + 1e-5).sqrt() * weight + bias


def affine(state: State, name: str, x: Tensor) -> Tensor:
    return x @ state[f"{name}.weight"].T + state[f"{name}.bias"]


def layer_norm(state: State, name: str, x: Tensor) -> Tensor:
    variance = x.var(-1, keepdim=True, unbiased=False)
    x = (x - x.mean(-1, keepdim=True)) / (variance + 1e-5).sqrt()
    return x * state[f"{name}.weight"] + state[f"{name}.bias"]


def resnet_features(state: State, x: Tensor) -> Tensor:
    """(batch, 12, 5000) -> (batch, width, 313)."""
    x = F.conv1d(x, state["conv1.weight"], stride=2, padding=3)
    x = batch_norm(state, "bn1", x).relu()
    blocks = sorted({tuple(map(int, key[5:].split(".")[:2])) for key in state if key.startswith("layer")})
    for stage, index in blocks:
        block, stride = f"layer{stage}.{index}", 2 if stage > 1 and index == 0 else 1
        bottleneck = f"{block}.conv3.weight" in state
        out = x
        for number in (1, 2, 3) if bottleneck else (1, 2):
            weight = state[f"{block}.conv{number}.weight"]
            here = stride if number == (2 if bottleneck else 1) else 1
            out = F.conv1d(out, weight, stride=here, padding=weight.shape[2] // 2)
            out = batch_norm(state, f"{block}.bn{number}", out)
            out = out.relu() if number < (3 if bottleneck else 2) else out
        if f"{block}.shortcut.0.weight" in state:
            x = F.conv1d(x, state[f"{block}.shortcut.0.weight"], stride=stride)
            x = batch_norm(state, f"{block}.shortcut.1", x)
        x = (out + x).relu()
    return x


def vit_vector(state: State, x: Tensor, heads: int = 3) -> Tensor:
    """(batch, 12, 5000) -> (batch, width)."""
    patches = x.unfold(2, 50, 50).transpose(1, 2).flatten(2)  # (batch, 100, 12 * 50)
    x = patches @ state["to_patch_embedding.weight"].flatten(1).T + state["pos_embedding"]
    for index in range(12):
        block = f"block{index}"
        mixed = affine(state, f"{block}.attn.fn.to_qkv", layer_norm(state, f"{block}.attn.norm", x))
        outs = []
        for head in range(heads):
            query, key, value = (
                mixed[..., part * 64 * heads + head * 64 :][..., :64] for part in range(3)
            )  # each (batch, 100, 64)
            outs.append((query @ key.transpose(1, 2) / 8).softmax(-1) @ value)
        x = x + affine(state, f"{block}.attn.fn.to_out.0", torch.cat(outs, -1))
        hidden = gelu(affine(state, f"{block}.ff.fn.net.0", layer_norm(state, f"{block}.ff.norm", x)))
        x = x + affine(state, f"{block}.ff.fn.net.3", hidden)
    return layer_norm(state, "norm", x.mean(1))


def gelu(x: Tensor) -> Tensor:
    return x * (1 + torch.erf(x / math.sqrt(2))) / 2


def attention_pool(state: State, features: Tensor) -> Tensor:
    """(batch, 256, 313) -> (batch, 256); the class token's position is added twice."""
    state = {key.removeprefix("att_pool_head."): tensor for key, tensor in state.items()}
    positions = state["positional_embedding"]  # (1, 314, 256)
    token = (state["cls_token"] + positions[:, :1]).expand(len(features), -1, -1)
    sequence = torch.cat([token, features.transpose(1, 2)], 1) + positions
    mixed = sequence @ state["mhsa.in_proj_weight"].T + state["mhsa.in_proj_bias"]
    query, key, value = mixed.split(256, -1)
    outs = []
    for head in range(4):
        part = slice(64 * head, 64 * head + 64)
        shares = (query[:, :1, part] @ key[..., part].transpose(1, 2) / 8).softmax(-1)
        outs.append(shares @ value[..., part])
    pooled = affine(state, "mhsa.out_proj", torch.cat(outs, -1))
    return affine(state, "c_proj", pooled)[:, 0]


def ecg_embedding(state: State, signals: Tensor) -> Tensor:
    """The whole ECG side: (batch, 12, 5000) -> (batch, 256)."""
    encoder = {
        key.removeprefix("ecg_encoder."): state[key] for key in state if key.startswith("ecg_encoder.")
    }
    if "pos_embedding" in encoder:
        hidden = batch_norm(state, "proj_e.1", affine(state, "proj_e.0", vit_vector(encoder, signals))).relu()
        return batch_norm(state, "proj_e.4", affine(state, "proj_e.3", hidden))
    features = resnet_features(encoder, signals)
    return attention_pool(state, F.conv1d(features, state["downconv.weight"], state["downconv.bias"]))


def model_input(signal: Tensor, leads: tuple[str, ...]) -> Tensor:
    """Ten seconds at 500 Hz in the order of MIMIC-IV-ECG, one minimum and maximum over all leads."""
    rows = torch.stack([signal[leads.index(lead)] for lead in LEADS])
    return (rows - rows.min()) / (rows.max() - rows.min())
