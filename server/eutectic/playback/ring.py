"""A ring of frames in shared memory, from the process that mixes to the one that plays.

One process writes, one reads; each advances only its own counter, after the frames.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FRAMES = 1 << 16
SOFT_FRAMES = 256
"""In which a sound comes back where frames were missing: 5 ms at 48 kHz."""

FALL = 0.06
"""A frame, with which a sound falls silent, critically damped: 60 dB in 3 ms at 48 kHz."""

SLOPE_FRAMES = 16
"""Over which its slope is taken, so that hiss has none."""

_WRITTEN, _READ, _UNDERRUNS, _XRUNS, _BURST = range(5)
_HEADER_BYTES = 5 * 8


class Ring:
    """FRAMES frames (frame, channel) of float32, and both sides' counters."""

    def __init__(self, path: Path, channels: int, create: bool = False) -> None:
        size = _HEADER_BYTES + 4 * FRAMES * channels
        if create:
            with path.open("xb") as file:
                file.truncate(size)
        self.path = path
        self._counters = np.memmap(path, np.int64, "r+", 0, (5,))
        self._frames = np.memmap(path, np.float32, "r+", _HEADER_BYTES, (FRAMES, channels))
        self._started = False
        self._played = np.zeros((SLOPE_FRAMES + 1, channels), np.float32)
        """The last few frames."""
        self._last = self._slope = self._played[-1]
        self._missed = 0
        """Where the sound was and went when frames began to be missing, and how many ago."""
        self._soft = 0
        """Frames for which what comes back is still rising."""

    @property
    def queued(self) -> int:
        """Frames written and not yet read."""
        return int(self._counters[_WRITTEN] - self._counters[_READ])

    @property
    def underruns(self) -> int:
        """Reads that found too few frames."""
        return int(self._counters[_UNDERRUNS])

    @property
    def xruns(self) -> int:
        """Reads before which the system had lost audio."""
        return int(self._counters[_XRUNS])

    @property
    def burst(self) -> int:
        """Frames that the device takes at once; 0 until that is known."""
        return int(self._counters[_BURST])

    @burst.setter
    def burst(self, frames: int) -> None:
        self._counters[_BURST] = frames

    def write(self, block: NDArray[np.float32]) -> None:
        """Append a block (frame, channel); the caller makes sure that it fits."""
        at = int(self._counters[_WRITTEN]) % FRAMES
        first = min(len(block), FRAMES - at)
        self._frames[at : at + first] = block[:first]
        self._frames[: len(block) - first] = block[first:]
        self._counters[_WRITTEN] += len(block)

    def read(self, out: NDArray[np.float32], xrun: bool) -> None:
        """Fill `out` with the next frames; before the first none is missed.

        Where frames are missing the sound falls silent in a few milliseconds and rises again after
        that: a hole is heard, and little of a click.
        """
        queued = self.queued
        self._started = self._started or queued > 0
        count = min(len(out), queued)
        at = int(self._counters[_READ]) % FRAMES
        first = min(count, FRAMES - at)
        out[:first] = self._frames[at : at + first]
        out[first:count] = self._frames[: count - first]
        self._come_back(out[:count])
        self._fall_silent(out[count:])
        self._counters[_READ] += count
        self._counters[_XRUNS] += xrun
        if self._started and count < len(out):
            self._counters[_UNDERRUNS] += 1

    def _come_back(self, out: NDArray[np.float32]) -> None:
        """Let what is played (frame, channel) rise from what is left, if any was missing."""
        if self._soft:
            soft = out[: self._soft]
            share = (
                np.arange(self._soft, self._soft - len(soft), -1, dtype=np.float32) / SOFT_FRAMES
            )
            gone = (share**2 * (3 - 2 * share))[:, None]
            soft[:] += gone * (self._falling(len(soft)) - soft)
            self._soft -= len(soft)
        self._keep(out)

    def _fall_silent(self, missing: NDArray[np.float32]) -> None:
        """Fill what is missing (frame, channel)."""
        if not self._started or not len(missing):
            missing[:] = 0
            return
        if self._soft < SOFT_FRAMES:  # it begins here
            self._last, self._missed = self._played[-1], 0
            self._slope = (self._last - self._played[0]) / SLOPE_FRAMES
        missing[:] = self._falling(len(missing))
        self._soft = SOFT_FRAMES
        self._keep(missing)

    def _falling(self, frames: int) -> NDArray[np.float32]:
        """The next frames (frame, channel) of what is left."""
        at = np.arange(self._missed + 1, self._missed + 1 + frames, dtype=np.float32)[:, None]
        self._missed += frames
        return (self._last + (self._slope + FALL * self._last) * at) * np.exp(-FALL * at)

    def _keep(self, out: NDArray[np.float32]) -> None:
        self._played = np.concatenate((self._played, out[-SLOPE_FRAMES - 1 :]))[-SLOPE_FRAMES - 1 :]

    def unlink(self) -> None:
        """Remove the file; its memory is freed once no process maps it."""
        self.path.unlink(missing_ok=True)
