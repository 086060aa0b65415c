"""A knob that is even to the ear: the blends at which fusions are equal steps apart.

The step is SoundMorpher's (Niu et al., arXiv 2410.02144): with L the log-mel spectrogram and
d = ‖L(x) − L(y)‖, the share of the way at blend α is

    p(α) = d(x_α, x_0) / (d(x_α, x_0) + d(x_α, x_1))

Blends at which p rises evenly are found by bisection between those already measured.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import torch
import torchaudio
from jaxtyping import Float
from torch import Tensor

from eutectic.audio import Waveform, resample

MEL_RATE_HZ, MEL_WINDOW, MEL_HOP, MEL_BANDS = 16_000, 2048, 256, 128
QUIETEST_POWER, RANGE_DB = 1e-10, 80.0
"""As in librosa's `power_to_db`, which SoundMorpher uses."""

NEAR = 0.02
"""A blend whose p is this near to what is wanted is good enough."""

LEAST_STEP = 1 / 1024
"""Blends are multiples of it, which OSC's single floats hold exactly."""

ROUNDS = 5
"""Bisections at most."""


def even_blends(size: int, measure: Callable[[Sequence[float]], Sequence[float]]) -> list[float]:
    """`size` rising blends from 0 to 1 at which p rises evenly.

    Args:
        size: 2 or more.
        measure: p at some blends, 0 at blend 0 and 1 at blend 1; called a few times. NaN where
            all are the same sound.
    """
    wanted = [k / (size - 1) for k in range(size)]
    known = dict(zip(wanted, measure(wanted), strict=True))
    if any(math.isnan(p) for p in known.values()):  # both ends are the same sound
        return wanted
    for _ in range(ROUNDS):
        halves = {
            (low + high) / 2
            for p in wanted
            if min(abs(each - p) for each in known.values()) > NEAR
            for low, high in _around(known, p)
        }
        if not halves:
            break
        blends = sorted(halves)
        known |= dict(zip(blends, measure(blends), strict=True))
    blends, rising = sorted(known), np.maximum.accumulate([known[each] for each in sorted(known)])
    chosen = [float(each) for each in np.interp(wanted, rising, blends)]
    return _apart([0.0, *chosen[1:-1], 1.0])


def _apart(blends: list[float]) -> list[float]:
    """The nearest multiples of LEAST_STEP from 0 to 1, each above the one before."""
    blends = [round(blend / LEAST_STEP) * LEAST_STEP for blend in blends]
    for k in range(1, len(blends)):
        blends[k] = max(blends[k], blends[k - 1] + LEAST_STEP)
    last = len(blends) - 1
    return [min(blend, 1 - LEAST_STEP * (last - k)) for k, blend in enumerate(blends)]


def _around(known: dict[float, float], p: float) -> list[tuple[float, float]]:
    """The first two neighbouring blends between which p is reached; none if it never is."""
    for low, high in itertools.pairwise(sorted(known)):
        if known[low] <= p <= known[high]:
            return [(low, high)]
    return []


def decibel_mel(waveform: Waveform) -> Float[Tensor, "band frame"]:
    """L of SoundMorpher: log-mel spectrogram at 16 kHz, in dB over its largest value."""
    mono = waveform.samples.mean(axis=0, keepdims=True)
    mono = torch.from_numpy(resample(mono, waveform.rate_hz, MEL_RATE_HZ))[0]
    window = torch.hann_window(MEL_WINDOW)
    spectrum = torch.stft(
        mono, MEL_WINDOW, MEL_HOP, window=window, pad_mode="constant", return_complex=True
    )
    power = (_slaney().T @ spectrum.abs().square()).clamp_min(QUIETEST_POWER)
    return (10 * torch.log10(power / power.max())).clamp_min(-RANGE_DB)


def proportion(
    sound: Float[Tensor, "row frame"],
    near: Float[Tensor, "row frame"],
    far: Float[Tensor, "row frame"],
) -> float:
    """Distance from `far` over the distances from both: 1 at `near`, 0 at `far`.

    The distance is the Euclidean one over the common length. NaN if all three are equal.
    """
    frames = min(each.shape[1] for each in (sound, near, far))
    to_near, to_far = (float((sound[:, :frames] - each[:, :frames]).norm()) for each in (near, far))
    return to_far / (to_near + to_far) if to_near + to_far > 0 else math.nan


@cache
def _slaney() -> Float[Tensor, "bin band"]:
    """Mel filters as in librosa: Slaney's scale, each of unit area."""
    return torchaudio.functional.melscale_fbanks(
        MEL_WINDOW // 2 + 1, 0.0, MEL_RATE_HZ / 2, MEL_BANDS, MEL_RATE_HZ, "slaney", "slaney"
    )
