"""Sound at a speed that may glide: a windowed sinc reads between frames, without aliases.

Above the speed at which it was made, a sound's highest partials would be beyond half the rate: the
filter's cutoff falls with the speed. Its edge is centred on half the rate, so that what is left of
images and aliases is above 20 kHz at 48 kHz (J. O. Smith, Digital Audio Resampling, 2002).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from eutectic.playback.smooth import Smoother
from eutectic.playback.sounds import SIDES

MIN_SPEED, MAX_SPEED = 0.125, 8.0

SPEED_RATE = 200.0
"""How fast the speed glides, 1/s: settled in about 40 ms."""

CROSSINGS = 16
"""Zero crossings of the filter on each side, at most speed 1."""

STEPS, BETA = 512, 8.5
"""Entries of its table between crossings, which are interpolated; its Kaiser window, of -84 dB."""

PAST = round(CROSSINGS * MAX_SPEED)
"""Frames before the position that the filter may need, and as many behind."""


def _filter() -> NDArray[np.float32]:
    """The filter from its middle on, with a zero behind its end."""
    x = np.arange(CROSSINGS * STEPS + 2) / STEPS
    window = np.i0(BETA * np.sqrt(np.clip(1 - (x / CROSSINGS) ** 2, 0, None))) / np.i0(BETA)
    return np.where(x < CROSSINGS, np.sinc(x) * window, 0).astype(np.float32)


_FILTER = _filter()
_SLOPES = np.append(np.diff(_FILTER), np.float32(0))


class Varispeed:
    """Plays what a source gives, at a speed; at speed 1 from the start, its very frames.

    Owned by the mixing thread.
    """

    def __init__(self, speed: float, rate_hz: int) -> None:
        self._octaves = Smoother(np.array([math.log2(_within(speed))]), SPEED_RATE, rate_hz)
        self._read = np.zeros((SIDES, PAST), np.float32)
        """What the source gave, from PAST frames before the position on."""
        self._phase = 0.0
        """Of the position, in a frame."""

    @property
    def ahead(self) -> int:
        """Frames that were taken from the source and aren't heard yet."""
        return self._read.shape[1] - PAST

    @property
    def rings(self) -> bool:
        """Whether any of those would be heard."""
        return self.ahead > 0 and bool(self._read.any())

    def glide(self, speed: float) -> None:
        """Glide to another speed."""
        self._octaves.targets[:] = math.log2(_within(speed))

    def jump(self, speed: float) -> None:
        """Begin anew at a speed, while nothing is heard."""
        self._octaves.jump(np.array([math.log2(_within(speed))]))
        self._read, self._phase = np.zeros((SIDES, PAST), np.float32), 0.0

    def play(
        self, frames: int, source: Callable[[int], NDArray[np.float32]]
    ) -> NDArray[np.float32]:
        """The next frames (2, frame); `source` gives its own next ones, so many."""
        if not self._octaves.moving and self._octaves.values[0] == 0 and not self.ahead:
            block = source(frames)
            self._read = np.concatenate([self._read, block], axis=1)[:, -PAST:]
            return block
        speeds = np.exp2(self._octaves.advance(frames)[0])
        places = self._phase + np.cumsum(speeds) - speeds
        half = math.ceil(CROSSINGS * max(1.0, float(speeds.max())))
        whole = places.astype(np.int64)
        missing = PAST + int(whole[-1]) + half + 1 - self._read.shape[1]
        if missing > 0:
            self._read = np.concatenate([self._read, source(missing)], axis=1)
        out = _interpolated(self._read, PAST + whole, places - whole, speeds, half)
        end = places[-1] + speeds[-1]
        passed = min(int(end), self.ahead)
        self._read, self._phase = self._read[:, passed:], end - passed
        return out


def _within(speed: float) -> float:
    return min(max(speed, MIN_SPEED), MAX_SPEED)


def _interpolated(
    samples: NDArray[np.float32], at: NDArray[np.int64], beyond: NDArray[np.float64],
    speeds: NDArray[np.float64], half: int,
) -> NDArray[np.float32]:  # fmt: skip
    """Samples (2, any) at frames `at` and shares of one `beyond`, for speeds there; all (frame,).

    Of each, `half` frames before and behind count.
    """
    cutoffs = (STEPS * np.minimum(1.0, 1 / speeds)).astype(np.float32)[:, None]
    offsets = np.arange(1 - half, half + 1, dtype=np.float32)
    x = np.abs(offsets - beyond.astype(np.float32)[:, None]) * cutoffs
    np.minimum(x, np.float32(CROSSINGS * STEPS), out=x)
    entry = x.astype(np.int32)
    weights = _FILTER[entry] + (x - entry) * _SLOPES[entry]
    weights *= cutoffs / STEPS
    windows = np.lib.stride_tricks.sliding_window_view(samples, 2 * half, axis=1)
    return np.einsum("sfo,fo->sf", windows[:, at + 1 - half], weights)
