"""Augmentations of training signals: pure functions of (batch, leads, samples) and a random generator.

Each record draws its own random numbers, on the generator's device: a generator on the processor gives the
same ones wherever the signals lie.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from merl.errors import ConfigError

#: What a record of I and II is scored with: the other four are computed from the two.
LIMB_LEADS = frozenset({"I", "II", "III", "aVR", "aVL", "aVF"})


def augment(
    signals: Tensor,
    generator: torch.Generator,
    *,
    leads: Sequence[str],
    crop_shift: float = 0.0,
    lead_masking: float = 0.0,
    single: float = 0.0,
    noise: float = 0.0,
) -> Tensor:
    """Shift in time, add noise and mask leads, each if asked for; arguments as of the functions below.

    Noise comes before masking, so that a masked lead is exactly zero, as a missing lead is when scoring.

    Returns:
        Shape (batch, leads, samples); the argument itself if nothing is asked for.
    """
    if crop_shift:
        signals = shift(signals, crop_shift, generator)
    if noise:
        signals = add_noise(signals, noise, generator)
    if lead_masking or single:
        signals = mask_leads(signals, lead_masking, generator, leads=leads, single=single)
    return signals


def shift(signals: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Shift each record in time, all leads alike; what leaves at one end enters at the other.

    Args:
        signals: shape (batch, leads, samples).
        share: the largest shift to either side, as a share of the record, 0-1.
        generator: the source of random numbers.
    """
    batch, leads, samples = signals.shape
    limit = int(share * samples)
    steps = torch.randint(-limit, limit + 1, (batch, 1, 1), generator=generator, device=generator.device)
    source = (torch.arange(samples, device=signals.device) - steps.to(signals.device)) % samples
    return signals.gather(2, source.expand(-1, leads, -1))


def mask_leads(
    signals: Tensor, share: float, generator: torch.Generator, *, leads: Sequence[str], single: float = 0.0
) -> Tensor:
    """Set leads to zero millivolts, as a record that lacks them is scored; each record keeps one at least.

    Args:
        signals: shape (batch, leads, samples), in millivolts.
        share: of records that keep a random number of random leads, from one to all.
        generator: the source of random numbers.
        leads: names of the rows.
        single: share of records that are left with one random lead or, every second time if I and II are
            among the leads, with the limb leads, which is what an ECG of I and II amounts to. ``share`` is
            of the others.

    Raises:
        ConfigError: the names do not fit the rows.
    """
    batch, rows, _ = signals.shape
    if len(leads) != rows:
        raise ConfigError(f"{len(leads)} lead names for {rows} leads; name every row of the signals")

    source: dict[str, Any] = {"generator": generator, "device": generator.device}
    masked, few, limb = torch.rand(3, batch, 1, **source)
    count = torch.where(masked < share, torch.randint(1, rows + 1, (batch, 1), **source), rows)
    count = torch.where(few < single, 1, count)
    keep = torch.rand(batch, rows, **source).argsort(1) < count  # the first of a random order of the leads
    if {"I", "II"} <= set(leads):
        limb_leads = torch.tensor([lead in LIMB_LEADS for lead in leads], device=generator.device)
        keep = torch.where((few < single) & (limb < 0.5), limb_leads, keep)
    return signals * keep[:, :, None].to(signals.device)


def add_noise(signals: Tensor, deviation: float, generator: torch.Generator) -> Tensor:
    """Add white noise.

    Args:
        signals: shape (batch, leads, samples).
        deviation: standard deviation, in the unit of the signals.
        generator: the source of random numbers.
    """
    noise = torch.randn(signals.shape, generator=generator, device=generator.device)
    return signals + deviation * noise.to(signals.device, signals.dtype)
