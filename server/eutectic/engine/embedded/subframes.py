"""How noise moves within a frame: the power of its parts, so that nothing precedes an attack."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from eutectic.engine.embedded.bands import POWER_FLOOR, smooth_loudness, with_ends
from eutectic.engine.embedded.mdct import Mdct, Spectrum

SUBFRAMES = 4
"""Parts of a frame whose noise power is kept."""

DEAD_ZONE, RANGE = 0.25, (-5.0, 1.4)
"""A part's log power relative to its frame: smaller deviations are chance, larger are clipped."""


def measure(
    mdct: Mdct, spectra: tuple[Spectrum, Spectrum], lowest: int
) -> Float[Tensor, "batch frame part"]:
    """Log power of each part of a frame, from bin `lowest` up, relative to steady noise."""
    high = torch.stack([spectrum.cosine for spectrum in spectra])
    high = nn.functional.pad(high[..., lowest:], (lowest, 0))
    sound = mdct.synthesise(high).square().sum(0)
    frames = (spectra[0].power + spectra[1].power)[..., lowest:].sum(-1) / mdct.hop
    parts = sound.unflatten(-1, (-1, SUBFRAMES, mdct.hop // SUBFRAMES)).mean(-1)
    steady = _steady(smooth_loudness(frames))
    ratio = torch.log((parts + POWER_FLOOR) / (steady + POWER_FLOOR))
    surprise = ratio.sign() * (ratio.abs() - DEAD_ZONE).clamp(min=0)
    return surprise.clamp(*RANGE)


def _steady(frames: Float[Tensor, "batch frame"]) -> Float[Tensor, "batch frame part"]:
    """Power that each part has if noise of these frames' powers is steady within them."""
    places = (torch.arange(SUBFRAMES, device=frames.device) + 0.5) / SUBFRAMES
    own = torch.sin(math.pi / 2 * (0.5 + places)) ** 2
    padded = with_ends(frames)
    neighbour = torch.where(places < 0.5, padded[:, :-2, None], padded[:, 2:, None])
    return own * frames[..., None] + (1 - own) * neighbour


def gain(subframes: Float[Tensor, "batch frame part"], hop: int) -> Float[Tensor, "batch sample"]:
    """Gain of the noise over time, linear between the centres of the parts."""
    gains = torch.exp(subframes.clamp(*RANGE) / 2).flatten(1)
    return nn.functional.interpolate(gains[:, None], scale_factor=hop // SUBFRAMES, mode="linear")[
        :, 0
    ]
