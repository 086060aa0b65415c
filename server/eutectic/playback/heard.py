"""What was heard in the last minute: a rolling memory of the input, or of the output.

One thread or process writes, others read; nobody waits. The writer puts the frames first and then
their count; it never comes near what may still be read, as the memory is longer than what counts
as heard.
"""

from __future__ import annotations

import math
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eutectic.playback.clock import followed
from eutectic.system.shared_memory import reserve

SECONDS = 60.0
"""So much of what was heard can be read."""

SLACK_SECONDS = 4.0
"""More than that is kept, so that what is being read isn't overwritten meanwhile."""

_HEADER_BYTES = 16


class Heard:
    """The last SECONDS of a source; float32.

    Attributes:
        rate_hz, channels: the source's, of which there are at most two.
    """

    def __init__(self, rate_hz: int, channels: int, path: Path | None = None) -> None:
        """Private memory, or that of a file, which goes on with what is there.

        Raises:
            OSError: there is no room for the file.
        """
        self.rate_hz, self.channels, self.path = rate_hz, channels, path
        self._span = round(SECONDS * rate_hz)
        self._capacity = round((SECONDS + SLACK_SECONDS) * rate_hz)
        shape = self._capacity, channels
        if path is None:
            self._count, self._clock = np.zeros(1, np.int64), np.full(1, np.nan)
            self._ring = np.zeros(shape, np.float32)
            return
        is_new = not path.exists()
        if is_new:
            reserve(path, _HEADER_BYTES + 4 * self._capacity * channels)
        self._count = np.memmap(path, np.int64, "r+", 0, (1,))
        self._clock = np.memmap(path, np.float64, "r+", 8, (1,))
        self._ring = np.memmap(path, np.float32, "r+", _HEADER_BYTES, shape)
        if is_new:
            self._clock[0] = np.nan

    @property
    def frames(self) -> int:
        """Heard so far; the number of the next frame."""
        return int(self._count[0])

    @property
    def oldest(self) -> int:
        """The first frame that counts as heard; it can be read for a moment longer."""
        return max(0, self.frames - self._span)

    @property
    def _gone(self) -> int:
        """Frames before this one may be overwritten now."""
        return max(0, self.frames - (self._span + self._capacity) // 2)

    def read(self, start: int, stop: int) -> NDArray[np.float32]:
        """A copy of frames start to stop (channel, frame), by their numbers.

        Raises:
            ValueError: some are gone, or still to come.
        """
        if not self._gone <= start <= stop <= self.frames:
            raise ValueError(f"frames {start} to {stop} of {self.oldest} to {self.frames}")
        out = np.empty((self.channels, stop - start), np.float32)
        at = start % self._capacity
        first = min(stop - start, self._capacity - at)
        out[:, :first] = self._ring[at : at + first].T
        out[:, first:] = self._ring[: stop - start - first].T
        if start < self._gone:
            raise ValueError(f"frames from {start} were overwritten while they were read")
        return out

    def frame_at(self, monotonic: float) -> int:
        """The number of the frame heard at a time, which may be still to come, or gone.

        Smooth: it follows the source's clock, not the moments at which blocks arrive.
        """
        start = float(self._clock[0])
        return self.frames if math.isnan(start) else round((monotonic - start) * self.rate_hz)

    def write(self, block: NDArray[np.float32], at: float | None = None) -> None:
        """Append a block (frame, channel), whose end was heard `at` a monotonic time, or now."""
        self._append(block)
        self._follow(time.monotonic() if at is None else at)

    def skip_to(self, at: float) -> None:
        """Append silence up to a monotonic time: nothing was heard until then."""
        missing = max(0, self.frame_at(at) - self.frames)
        self._count[0] += max(0, missing - self._capacity)
        silence = np.zeros((self.rate_hz, self.channels), np.float32)
        for left in range(min(missing, self._capacity), 0, -self.rate_hz):
            self._append(silence[:left])
        self._follow(at)

    def _append(self, block: NDArray[np.float32]) -> None:
        frames = self.frames
        place = frames % self._capacity
        first = min(len(block), self._capacity - place)
        self._ring[place : place + first] = block[:first]
        if first < len(block):
            self._ring[: len(block) - first] = block[first:]
        self._count[0] = frames + len(block)

    def _follow(self, at: float) -> None:
        self._clock[0] = followed(float(self._clock[0]), at - self.frames / self.rate_hz)
