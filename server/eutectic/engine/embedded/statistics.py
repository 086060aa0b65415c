"""Statistics that bring the codec's envelopes to mean 0 and deviation 1 (see `transform`)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Shaped
from numpy.typing import NDArray
from torch import Tensor

DEVIATION = (1.0, 4.0)
"""Smallest and largest deviation of a component, relative to the median's."""

LEAST_SCALE = 1e-6
"""A component that deviates less was constant in the data and is left unscaled."""


class Statistics(NamedTuple):
    """What envelopes are shifted by, rotated by, and divided by."""

    mean: Float[Tensor, " channel"]
    rotation: Float[Tensor, "channel channel"]
    scale: Float[Tensor, " channel"]


def fit(
    raw: Shaped[np.ndarray, "*batch channel"],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Mean, rotation and scale of envelopes (float32).

    Principal components keep the square root of their relative deviation, within `DEVIATION`; then
    all are scaled together.
    """
    flat = raw.reshape(-1, raw.shape[-1])
    mean = flat.mean(0, dtype=np.float64)
    variances, rotation = np.linalg.eigh(np.cov(flat, rowvar=False))
    scale = np.sqrt(variances[::-1].clip(min=0))
    targets = np.clip(np.sqrt(scale / max(np.median(scale), LEAST_SCALE)), *DEVIATION)
    scale[scale < LEAST_SCALE] = 1
    scale *= np.sqrt(np.mean(np.square(targets))) / targets
    return mean, rotation[:, ::-1].copy(), scale


def normalise(
    raw: Float[Tensor, "*batch channel"], statistics: Statistics
) -> Float[Tensor, "*batch channel"]:
    """Envelopes with these statistics applied."""
    return (raw - statistics.mean) @ statistics.rotation / statistics.scale


def denormalise(
    z: Float[Tensor, "*batch channel"], statistics: Statistics
) -> Float[Tensor, "*batch channel"]:
    """Inverse of `normalise`."""
    return (z * statistics.scale) @ statistics.rotation.T + statistics.mean
