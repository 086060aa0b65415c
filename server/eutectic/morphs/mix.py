"""The equal-power mix: both sounds at once."""

from __future__ import annotations

import numpy as np

from eutectic.audio import Waveform
from eutectic.morphs.pairing import paired


def gains(blend: float) -> tuple[float, float]:
    """Gain of the original and of the reference; their squares add up to 1."""
    return float(np.sin(0.5 * np.pi * blend)), float(np.cos(0.5 * np.pi * blend))


def morph(original: Waveform, reference: Waveform, blend: float) -> Waveform:
    """The sum of both sounds, at gains of a quarter turn (blend 1: the original)."""
    kept, guiding = paired(original, reference)
    to_kept, to_guiding = gains(blend)
    samples = to_kept * kept + to_guiding * guiding
    return Waveform(samples.astype(np.float32), original.rate_hz)
