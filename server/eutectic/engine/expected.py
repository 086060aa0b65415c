"""How soon a model's new fusions begin: expected by its size, or measured."""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from eutectic.config import Place, SamplingSettings

if TYPE_CHECKING:
    from eutectic.engine.engine import Engine

SECONDS = 6.0
"""Length of the fusion."""

BLEND = 0.5

SIZE = 1024
"""Of the square matrices whose product is timed."""

TIMES = 5
EFFICIENCY = 0.7
"""A network's share of the rate of one large product, as measured on two cores."""


@cache
def _operations_per_second() -> float:
    """Of a large product on this CPU, in float32; the best of TIMES."""
    matrix = np.ones((SIZE, SIZE), np.float32)
    best = np.inf
    for _ in range(TIMES + 1):  # the first also starts the threads
        began = time.perf_counter()
        np.matmul(matrix, matrix)
        best = min(best, time.perf_counter() - began)
    return 2 * SIZE**3 / best


def expected_seconds(gflop: float) -> float:
    """Seconds that work of 10⁹ operations takes on this machine's CPU, in float32."""
    return 1e9 * gflop / (EFFICIENCY * _operations_per_second())


def first_sound_seconds(engine: Engine, recall: float) -> float:
    """Seconds until the first chunk of a new fusion of noise with itself is decoded.

    One that doesn't count is made before it.
    """
    from eutectic.audio import Waveform
    from eutectic.engine.fuser import Reference

    codec = engine.model.codec
    frames = min(round(SECONDS * codec.rate_hz), engine.model.max_frames)
    noise = np.random.default_rng(0).standard_normal((codec.channels, frames))
    clip = engine.encode(Waveform((0.1 * noise).astype(np.float32), codec.rate_hz))
    reference, places = Reference("noise", clip, None), [Place(BLEND)]
    seconds = 0.0
    for seed in range(2):
        began = time.perf_counter()
        settings = SamplingSettings(seed, recall=recall)
        (fused,) = engine.fuser.latents(clip, reference, places, settings)
        next(codec.stream(fused.latent, frames, seed=seed))
        seconds = time.perf_counter() - began
    return seconds
