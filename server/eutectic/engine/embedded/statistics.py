"""Statistics that bring the codec's channels to mean 0 and deviation 1 (see `transform`)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Shaped
from numpy.typing import NDArray
from torch import Tensor

ENVELOPE_DEVIATION = (1.0, 4.0)
"""Smallest and largest deviation of an envelope component, relative to the shapes'."""

LEAST_SCALE = 1e-6
"""A channel that deviates less was constant in the data and is left unscaled."""


class Statistics(NamedTuple):
    """What latents are shifted by, the envelope rotated by, and channels divided by."""

    mean: Float[Tensor, " channel"]
    rotation: Float[Tensor, "part part"]
    scale: Float[Tensor, " channel"]


def fit(
    raw: Shaped[np.ndarray, "*batch channel"], envelope: slice, zero_mean: tuple[slice, ...]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Mean, rotation and scale of latents encoded without any.

    The envelope's principal components keep the square root of their relative deviation, within
    `ENVELOPE_DEVIATION`; every other channel gets deviation 1, and then all are scaled together.

    Args:
        raw: float32.
        envelope: the channels that are rotated.
        zero_mean: channels whose mean is 0 by symmetry.
    """
    flat = raw.reshape(-1, raw.shape[-1])
    mean = flat.mean(0, dtype=np.float64)
    for channels in zero_mean:
        mean[channels] = 0
    scale = np.sqrt(np.mean(np.square(flat - mean.astype(np.float32)), axis=0, dtype=np.float64))
    variances, rotation = np.linalg.eigh(np.cov(flat[:, envelope], rowvar=False))
    deviations = np.sqrt(variances[::-1].clip(min=0))
    targets = np.ones_like(scale)
    targets[envelope] = np.clip(
        np.sqrt(deviations / max(np.median(deviations), LEAST_SCALE)), *ENVELOPE_DEVIATION
    )
    scale[envelope] = deviations
    scale[scale < LEAST_SCALE] = 1
    scale *= np.sqrt(np.mean(np.square(targets))) / targets
    return mean, rotation[:, ::-1].copy(), scale


def normalise(
    raw: Float[Tensor, "*batch channel"], statistics: Statistics, envelope: slice
) -> Float[Tensor, "*batch channel"]:
    """Latents with these statistics applied."""
    centred = raw - statistics.mean
    rotated = centred[..., envelope] @ statistics.rotation
    return _with(centred, envelope, rotated) / statistics.scale


def denormalise(
    z: Float[Tensor, "*batch channel"], statistics: Statistics, envelope: slice
) -> Float[Tensor, "*batch channel"]:
    """Inverse of `normalise`."""
    scaled = z * statistics.scale
    rotated = scaled[..., envelope] @ statistics.rotation.T
    return _with(scaled, envelope, rotated) + statistics.mean


def _with(latents: Tensor, channels: slice, values: Tensor) -> Tensor:
    """Latents with other values in some channels."""
    return torch.cat([latents[..., : channels.start], values, latents[..., channels.stop :]], -1)
