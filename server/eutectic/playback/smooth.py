"""Gains that move without clicks, and a look-ahead limiter."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eutectic.audio import PEAK_CEILING_DB, db_to_gain

SETTLED = 1e-7
"""A value this close to its target, and moving this slowly, has arrived."""


class Smoother:
    """Values that follow their targets like a critically damped third-order filter.

    Value, slope and curvature stay continuous when a target jumps: the sidebands that a jump adds
    to a tone fall by 18 dB an octave above `rate` (1/s). Shape of `values` and `targets`: (any,).
    """

    def __init__(self, values: NDArray[np.float64], rate: float, rate_hz: int) -> None:
        self.values = np.array(values, np.float64)
        self.targets = self.values.copy()
        self._slopes = np.zeros_like(self.values)
        self._curvatures = np.zeros_like(self.values)
        self._rate, self._rate_hz = rate, rate_hz

    @property
    def moving(self) -> bool:
        return bool((self.values != self.targets).any())

    def jump(self, values: NDArray[np.float64]) -> None:
        """Take on these values at once, while nothing is heard."""
        self.values = np.array(values, np.float64)
        self.targets = self.values.copy()
        self._slopes[:] = self._curvatures[:] = 0

    def advance(self, frames: int) -> NDArray[np.float64]:
        """The next values (any, frames)."""
        if not self.moving:
            return np.repeat(self.values[:, None], frames, axis=1)
        rate, off = self._rate, self.values - self.targets
        first = self._slopes + rate * off
        second = 0.5 * (self._curvatures + 2 * rate * self._slopes + rate**2 * off)
        t = np.arange(1, frames + 1) / self._rate_hz
        decay = np.exp(-rate * t)
        course = (off[:, None] + first[:, None] * t + second[:, None] * t**2) * decay
        end, late = t[-1], decay[-1]
        left = off + first * end + second * end**2
        slope = first + 2 * second * end
        self.values = self.targets + left * late
        self._slopes = (slope - rate * left) * late
        self._curvatures = (2 * second - 2 * rate * slope + rate**2 * left) * late
        if (np.abs(self.values - self.targets) < SETTLED).all() and (
            np.abs(self._slopes) < SETTLED * rate
        ).all():
            self.jump(self.targets)
        return self.targets[:, None] + course


class Limiter:
    """Keeps peaks under the ceiling, LOOK_AHEAD frames late; quieter samples pass unchanged.

    The gain is the lowest that any peak needs from HOLD frames before to LOOK_AHEAD after, smoothed
    over LOOK_AHEAD frames: it is down before a peak arrives, and ignores the waves of a bass.
    """

    LOOK_AHEAD, HOLD = 256, 4096

    def __init__(self, channels: int) -> None:
        self._ceiling = np.float32(db_to_gain(PEAK_CEILING_DB))
        self._delayed = np.zeros((self.LOOK_AHEAD, channels), np.float32)
        self._needed = np.ones(self.HOLD + self.LOOK_AHEAD)
        self._lowest = np.ones(self.LOOK_AHEAD)
        window = np.hanning(self.LOOK_AHEAD + 3)[1:-1]
        self._window = window / window.sum()
        self.lowest_gain = 1.0
        """Since it was last set."""

    def limit(self, block: NDArray[np.float32]) -> NDArray[np.float32]:
        """The next frames (frame, channel), limited; as many as `block` has."""
        frames = len(block)
        samples = np.concatenate([self._delayed, block])
        peaks = np.abs(block).max(axis=1)
        needed = np.ones(frames) if peaks.max(initial=0) <= self._ceiling else np.minimum(
            1.0, self._ceiling / np.maximum(peaks, self._ceiling)
        )  # fmt: skip
        needed = np.concatenate([self._needed, needed])
        lowest = np.concatenate([self._lowest, _running_minimum(needed, frames)])
        self._delayed, out = samples[frames:], samples[:frames]
        self._needed, self._lowest = needed[frames:], lowest[frames:]
        if lowest.min() == 1.0:
            return out
        gains = np.convolve(lowest, self._window, "valid")
        self.lowest_gain = min(self.lowest_gain, float(gains.min()))
        return out * gains[:, None].astype(np.float32)


def _running_minimum(values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Minimum of each of `count` windows of len(values) - count + 1 values, each one further on.

    Each window consists of the middle that all share, part of what precedes that, and part of what
    follows it.
    """
    size = len(values) - count + 1
    if values.min() == 1.0:
        return np.ones(count)
    if size < count:
        return np.lib.stride_tricks.sliding_window_view(values, size).min(axis=1)
    shared = values[count - 1 : size].min()
    before = np.minimum.accumulate(values[: count - 1][::-1])[::-1]
    after = np.minimum.accumulate(values[size:])
    lowest = np.full(count, shared)
    lowest[: count - 1] = np.minimum(lowest[: count - 1], before)
    lowest[1:] = np.minimum(lowest[1:], after)
    return lowest
