"""The envelope, log powers of groups and bands, as it is decoded.

A sound's own gains are the powers of its shapes exactly; a model's only approximate them. As far as
they differ, the envelope was generated: it trembles from frame to frame, and is smoothed.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from eutectic.engine.embedded.bands import POWER_FLOOR, smooth

GROUPS = (2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 4, 4, 5, 6, 7, 8, 10, 11, 11, 12)
"""Numbers of kept coefficients that share a gain and a partial, from the lowest up."""

GAIN_SMOOTHING = (1 / 4, 1 / 2, 1 / 4)
"""Weights of a group's power over three frames in its gain."""

GENERATED_SMOOTHING = (1 / 4, 1 / 2, 1 / 4)
"""Weights of a generated log power over three frames."""

MAX_LEVEL_CHANGE = 0.3
"""Smoothing changes the mean of all log powers by less than this, which keeps attacks."""

GENERATED_THRESHOLD = 0.5
"""Log gains that differ by this from the power of their shapes are taken to be generated."""

NEAR_FRAMES = 2
"""Frames to either side whose maximum `highest_near` takes."""

MAX_LOG_POWER = 5.0
"""Limit of decoded log powers; a full-scale sine reaches about 4.8 in the smallest group."""

MAX_FRAME_POWER = 2.0
"""Limit of mid's decoded mean square over a frame: that of a full-scale square wave."""


def group_power(kept: Float[Tensor, "batch frame kept"]) -> Float[Tensor, "batch frame group"]:
    """Mean square of each group's coefficients."""
    return torch.stack([group.mean(-1) for group in (kept**2).split(GROUPS, dim=-1)], dim=-1)


def highest_near(
    values: Float[Tensor, "batch frame group"],
) -> Float[Tensor, "batch frame group"]:
    """Maximum over `NEAR_FRAMES` before and after."""
    rows = values.transpose(1, 2)
    return nn.functional.max_pool1d(rows, 2 * NEAR_FRAMES + 1, 1, NEAR_FRAMES).transpose(1, 2)


def smooth_generated(
    envelope: Float[Tensor, "batch frame part"], shape: Float[Tensor, "batch frame kept"]
) -> Float[Tensor, "batch frame part"]:
    """Log powers, smoothed over time as far as they were generated."""
    change = smooth(envelope, GENERATED_SMOOTHING) - envelope
    level = change.mean(-1, keepdim=True)
    change = change - level + MAX_LEVEL_CHANGE * torch.tanh(level / MAX_LEVEL_CHANGE)
    gains = envelope[..., : len(GROUPS)]
    own = smooth(group_power(shape) * torch.exp(gains), GAIN_SMOOTHING) + POWER_FLOOR
    difference = highest_near((gains - torch.log(own)).abs())
    generated = (difference / GENERATED_THRESHOLD).clamp(max=1).mean(-1, keepdim=True)
    return envelope + generated * change


def limit(
    envelope: Float[Tensor, "batch frame part"], shares: Float[Tensor, " band"]
) -> Float[Tensor, "batch frame part"]:
    """Log powers, each and over a frame within those of a full-scale sound.

    `shares` are the shares of mid's groups and bands, the first of the envelope, in a frame's bins.
    """
    envelope = envelope.clamp(max=MAX_LOG_POWER)
    power = (torch.exp(envelope[..., : len(shares)]) @ shares)[..., None]
    return envelope - torch.log(power / MAX_FRAME_POWER).clamp(min=0)
