"""Records what is played, from a thread of its own: the mix never waits for a disk."""

from __future__ import annotations

import queue
import threading
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eutectic.errors import BadOutput
from eutectic.files.wav import WavWriter

SYNC_SECONDS = 1.0
"""So much sound may be lost if the power fails."""

MAX_QUEUED_BLOCKS = 2048
"""Blocks that may wait for the disk, about 10 s."""


class Recorder:
    """A 24-bit WAV file being written; it can be read at any time, even if it is never closed.

    Attributes:
        frames: written so far.
        lost: blocks dropped because the disk was too slow.
        error: why nothing more is written, in one line.
    """

    def __init__(self, path: Path, rate_hz: int, channels: int) -> None:
        """Start recording.

        Raises:
            BadOutput: the file exists, or can't be written.
        """
        self.path, self.frames, self.lost = path, 0, 0
        self.error: str | None = None
        self._sync_frames, self._synced = round(SYNC_SECONDS * rate_hz), 0
        self._blocks: queue.Queue[NDArray[np.float32] | None] = queue.Queue(MAX_QUEUED_BLOCKS)
        try:
            self._file = WavWriter(path, rate_hz, channels, "pcm24")
        except FileExistsError:
            raise BadOutput(f"{path}: exists; choose another name") from None
        except OSError as error:
            raise BadOutput(f"{path}: can't be written ({error.strerror})") from None
        self._thread = threading.Thread(target=self._write, name="recorder", daemon=True)
        self._thread.start()

    def put(self, block: NDArray[np.float32]) -> None:
        """Queue a block (frame, channel); never waits."""
        try:
            self._blocks.put_nowait(block)
        except queue.Full:
            self.lost += 1

    def close(self) -> int:
        """Write what is queued and close; returns the number of frames written."""
        self._blocks.put(None)
        self._thread.join()
        return self.frames

    def _write(self) -> None:
        while (block := self._blocks.get()) is not None:
            if self.error is None:
                self._append(block)
        try:
            self._file.close()
        except OSError as error:
            self.error = self.error or f"{self.path}: can't be closed ({error.strerror})"

    def _append(self, block: NDArray[np.float32]) -> None:
        try:
            self._file.write(block)
            if self._file.frames - self._synced >= self._sync_frames:
                self._synced = self._file.frames
                self._file.sync()
        except OSError as error:
            self.error = f"{self.path}: can't be written any more ({error.strerror})"
        else:
            self.frames += len(block)
