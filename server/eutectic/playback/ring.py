"""A ring of frames in shared memory, from the process that mixes to the one that plays.

One process writes, one takes; each moves only its own counter, after the frames.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FRAMES = 1 << 16
_WRITTEN, _TAKEN, _UNDERRUNS, _XRUNS = range(4)
_HEADER_BYTES = 4 * 8


class Ring:
    """FRAMES frames (frame, channel) of float32, and who is how far."""

    def __init__(self, path: Path, channels: int, make: bool = False) -> None:
        size = _HEADER_BYTES + 4 * FRAMES * channels
        if make:
            with path.open("xb") as file:
                file.truncate(size)
        self.path = path
        self._counters = np.memmap(path, np.int64, "r+", 0, (4,))
        self._frames = np.memmap(path, np.float32, "r+", _HEADER_BYTES, (FRAMES, channels))
        self._begun = False

    @property
    def queued(self) -> int:
        """Frames that wait to be taken."""
        return int(self._counters[_WRITTEN] - self._counters[_TAKEN])

    @property
    def underruns(self) -> int:
        """How often fewer were there than were to be taken."""
        return int(self._counters[_UNDERRUNS])

    @property
    def xruns(self) -> int:
        """How often the system says that sound was lost."""
        return int(self._counters[_XRUNS])

    def write(self, block: NDArray[np.float32]) -> None:
        """Add a block; the writer looks after there being room."""
        at = int(self._counters[_WRITTEN]) % FRAMES
        first = min(len(block), FRAMES - at)
        self._frames[at : at + first] = block[:first]
        self._frames[: len(block) - first] = block[first:]
        self._counters[_WRITTEN] += len(block)

    def take(self, out: NDArray[np.float32], lost: bool) -> None:
        """Fill `out` with what is next; with silence where there isn't enough."""
        queued = self.queued
        self._begun = self._begun or queued > 0
        count = min(len(out), queued)
        at = int(self._counters[_TAKEN]) % FRAMES
        first = min(count, FRAMES - at)
        out[:first] = self._frames[at : at + first]
        out[first:count] = self._frames[: count - first]
        out[count:] = 0
        self._counters[_TAKEN] += count
        self._counters[_XRUNS] += lost
        if self._begun and count < len(out):
            self._counters[_UNDERRUNS] += 1

    def unlink(self) -> None:
        """Give the memory back, as soon as nobody maps it."""
        self.path.unlink(missing_ok=True)
