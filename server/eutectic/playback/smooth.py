"""Gains that move without a click, and a limiter that sees peaks before they come."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eutectic.audio import PEAK_CEILING_DB, db_to_gain

SETTLED = 1e-7
"""A gain that is so near its target, and as slow, has reached it."""


class Smoother:
    """Values that follow their targets as a critically damped filter of third order does.

    Value, slope and bend are continuous wherever targets jump: what a jump adds to a tone falls
    by 18 dB an octave above `rate`. Shape of `values` and targets: (any,).
    """

    def __init__(self, values: NDArray[np.float64], rate: float, rate_hz: int) -> None:
        self.values = np.array(values, np.float64)
        self.targets = self.values.copy()
        self._slopes = np.zeros_like(self.values)
        self._bends = np.zeros_like(self.values)
        self._rate, self._rate_hz = rate, rate_hz

    @property
    def moving(self) -> bool:
        return bool((self.values != self.targets).any())

    def jump(self, values: NDArray[np.float64]) -> None:
        """Be there at once; for what isn't heard."""
        self.values = np.array(values, np.float64)
        self.targets = self.values.copy()
        self._slopes[:] = self._bends[:] = 0

    def course(self, frames: int) -> NDArray[np.float64]:
        """The next values (any, frames)."""
        if not self.moving:
            return np.repeat(self.values[:, None], frames, axis=1)
        rate, off = self._rate, self.values - self.targets
        first = self._slopes + rate * off
        second = 0.5 * (self._bends + 2 * rate * self._slopes + rate**2 * off)
        t = np.arange(1, frames + 1) / self._rate_hz
        decay = np.exp(-rate * t)
        course = (off[:, None] + first[:, None] * t + second[:, None] * t**2) * decay
        end, late = t[-1], decay[-1]
        left = off + first * end + second * end**2
        slope = first + 2 * second * end
        self.values = self.targets + left * late
        self._slopes = (slope - rate * left) * late
        self._bends = (2 * second - 2 * rate * slope + rate**2 * left) * late
        if (np.abs(self.values - self.targets) < SETTLED).all() and (
            np.abs(self._slopes) < SETTLED * rate
        ).all():
            self.jump(self.targets)
        return self.targets[:, None] + course


class Limiter:
    """Keeps peaks under the ceiling, `AHEAD` frames late; below it, samples are left as they are.

    The gain is the least that any peak needs from HELD frames before to AHEAD after, smoothed over
    AHEAD frames: it is low enough before a peak comes, and doesn't follow a bass's every wave.
    """

    AHEAD, HELD = 256, 4096

    def __init__(self, channels: int) -> None:
        self._ceiling = np.float32(db_to_gain(PEAK_CEILING_DB))
        self._sound = np.zeros((self.AHEAD, channels), np.float32)
        self._needed = np.ones(self.HELD + self.AHEAD)
        self._least = np.ones(self.AHEAD)
        window = np.hanning(self.AHEAD + 3)[1:-1]
        self._window = window / window.sum()

    def limit(self, block: NDArray[np.float32]) -> NDArray[np.float32]:
        """The next frames (frame, channel), limited, as many as come in."""
        frames = len(block)
        sound = np.concatenate([self._sound, block])
        peaks = np.abs(block).max(axis=1)
        needed = np.ones(frames) if peaks.max(initial=0) <= self._ceiling else np.minimum(
            1.0, self._ceiling / np.maximum(peaks, self._ceiling)
        )  # fmt: skip
        needed = np.concatenate([self._needed, needed])
        least = np.concatenate([self._least, _running_minimum(needed, frames)])
        self._sound, out = sound[frames:], sound[:frames]
        self._needed, self._least = needed[frames:], least[frames:]
        if least.min() == 1.0:
            return out
        gains = np.convolve(least, self._window, "valid")
        return out * gains[:, None].astype(np.float32)


def _running_minimum(values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Least of each of `count` windows as long as all but `count - 1` values, one further each.

    A window is what all have in common, the end of what lies before that, the start of what lies
    after.
    """
    size = len(values) - count + 1
    if values.min() == 1.0:
        return np.ones(count)
    if size < count:
        return np.lib.stride_tricks.sliding_window_view(values, size).min(axis=1)
    common = values[count - 1 : size].min()
    before = np.minimum.accumulate(values[: count - 1][::-1])[::-1]
    after = np.minimum.accumulate(values[size:])
    least = np.full(count, common)
    least[: count - 1] = np.minimum(least[: count - 1], before)
    least[1:] = np.minimum(least[1:], after)
    return least
