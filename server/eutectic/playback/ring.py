"""A ring of frames in shared memory, from the process that mixes to the one that plays.

One process writes, one reads; each advances only its own counter, after the frames.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FRAMES = 1 << 16
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
        """Fill `out` with the next frames, padded with silence; before the first none is missed."""
        queued = self.queued
        self._started = self._started or queued > 0
        count = min(len(out), queued)
        at = int(self._counters[_READ]) % FRAMES
        first = min(count, FRAMES - at)
        out[:first] = self._frames[at : at + first]
        out[first:count] = self._frames[: count - first]
        out[count:] = 0
        self._counters[_READ] += count
        self._counters[_XRUNS] += xrun
        if self._started and count < len(out):
            self._counters[_UNDERRUNS] += 1

    def unlink(self) -> None:
        """Remove the file; its memory is freed once no process maps it."""
        self.path.unlink(missing_ok=True)
