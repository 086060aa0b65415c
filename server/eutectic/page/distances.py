"""Distances between sounds, as `engine.distances` defines them, without torch.

A test compares both.
"""

from __future__ import annotations

import functools
import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

WINDOW, HOP, BANDS, LOW_HZ, HIGH_HZ = 2048, 512, 64, 40.0, 16_000.0
FLOOR = 1e-6
"""Of a band's power, before its logarithm is taken."""

LogMel = NDArray[np.float32]


def log_mel(samples: NDArray[np.float32], rate_hz: int) -> LogMel:
    """Log-mel spectrogram (band, time), in natural-log units, of samples (channel, frame)."""
    mono = samples.mean(axis=0)
    mono = mono / max(float(np.sqrt(np.square(mono).mean())), 1e-9)
    padded = np.pad(mono, WINDOW // 2)
    frames = sliding_window_view(padded, WINDOW)[::HOP]
    spectrum = np.abs(np.fft.rfft(frames * _hann(), axis=1)) ** 2
    return np.log(spectrum @ _bank(rate_hz) + FLOOR).T.astype(np.float32)


def log_mel_distance(one: LogMel, other: LogMel) -> float:
    """Mean absolute difference over the common length."""
    frames = min(one.shape[1], other.shape[1])
    return float(np.abs(one[:, :frames] - other[:, :frames]).mean())


def texture_distance(one: LogMel, other: LogMel) -> float:
    """Difference of the bands' means over time plus that of their standard deviations."""
    means = np.abs(one.mean(axis=1) - other.mean(axis=1)).mean()
    deviations = np.abs(one.std(axis=1) - other.std(axis=1)).mean()
    return float(means + deviations)


@functools.cache
def _hann() -> NDArray[np.float32]:
    at = np.arange(WINDOW) / WINDOW
    return (0.5 - 0.5 * np.cos(2 * np.pi * at)).astype(np.float32)


@functools.lru_cache(4)
def _bank(rate_hz: int) -> NDArray[np.float32]:
    """Triangles (bin, band), evenly spaced in mel (O'Shaughnessy 1987), with peaks of 1."""
    bins_hz = np.linspace(0, rate_hz // 2, WINDOW // 2 + 1)
    low_mel, high_mel = (2595 * math.log10(1 + hz / 700) for hz in (LOW_HZ, HIGH_HZ))
    corners_hz = 700 * (10 ** (np.linspace(low_mel, high_mel, BANDS + 2) / 2595) - 1)
    steps = np.diff(corners_hz)
    away = corners_hz - bins_hz[:, None]
    falling, rising = -away[:, :-2] / steps[:-1], away[:, 2:] / steps[1:]
    return np.clip(np.minimum(falling, rising), 0, None).astype(np.float32)
