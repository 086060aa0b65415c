"""Codecs in tests: noise to code, streams joined, and how far two sounds are apart."""

import numpy as np
from torch import Tensor

from checkpoints import RATE_HZ
from eutectic.audio import Samples, Waveform
from eutectic.engine.codec import Codec


def noise(frames: int) -> Waveform:
    samples = np.random.default_rng(0).normal(0, 0.1, (2, frames)).astype(np.float32)
    return Waveform(samples, RATE_HZ)


def joined(codec: Codec, x0: Tensor, **options: int) -> Samples:
    return np.concatenate(list(codec.stream(x0, **options)), axis=-1)


def worst(samples: Samples, expected: Samples) -> float:
    """The largest difference, relative to the rms of what is expected."""
    return float(np.abs(samples - expected).max() / np.sqrt(np.mean(expected**2)))
