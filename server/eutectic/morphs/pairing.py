"""Two sounds made comparable: one rate, one number of channels, one length."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from eutectic.audio import Waveform, equal_power, resample, to_channels

SEAM_SECONDS = 0.05
"""Crossfade from a reference's end to its beginning, where it is repeated."""


def paired(
    original: Waveform, reference: Waveform
) -> tuple[Float[np.ndarray, "channel sample"], Float[np.ndarray, "channel sample"]]:
    """Both sounds' samples, at the rate and of the length of the original.

    Mono is spread if the other is stereo; the reference is resampled, repeated or cut.
    """
    rate_hz = original.rate_hz
    channels = max(original.samples.shape[0], reference.samples.shape[0])
    guiding = resample(reference.samples, reference.rate_hz, rate_hz)
    kept, guiding = (
        to_channels(samples, channels).astype(np.float64) for samples in (original.samples, guiding)
    )
    return kept, repeated(guiding, original.frames, round(SEAM_SECONDS * rate_hz))


def repeated(
    samples: Float[np.ndarray, "channel sample"], length: int, seam: int
) -> Float[np.ndarray, "channel length"]:
    """A sound cut to a length, or repeated, each time crossfading over `seam` samples."""
    own = samples.shape[1]
    if own >= length:
        return samples[:, :length]
    seam = min(seam, own // 2)
    rising, falling = equal_power(np.arange(1, seam + 1) / (seam + 1))
    again = samples.copy()
    again[:, :seam] *= rising
    again[:, own - seam :] *= falling
    looped = np.zeros((samples.shape[0], length + own))
    for start in range(0, length, own - seam):
        looped[:, start : start + own] += again
    looped[:, :seam] = samples[:, :seam]
    return looped[:, :length]
