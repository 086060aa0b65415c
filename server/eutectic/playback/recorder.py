"""Records what is played, from a thread of its own: the mix never waits for a disk."""

from __future__ import annotations

import contextlib
import queue
import threading
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eutectic.errors import BadOutput
from eutectic.files.wav import WavWriter
from eutectic.playback.events import Sounding
from eutectic.playback.sounds import SIDES

SYNC_SECONDS = 1.0
"""So much sound may be lost if the power fails."""

WRITE_SECONDS = 0.1
"""So much sound is written at once: every write has its cost, for each file."""

MAX_QUEUED_BLOCKS = 2048
"""Blocks that may wait for the disk, about 10 s."""

Blocks = tuple[NDArray[np.float32], NDArray[np.float32] | None]
"""What is played (frame, channel), and each voice's part of it (voice, frame, 2)."""


class Recorder:
    """24-bit WAV files being written; they can be read at any time, even if never closed.

    What is played is `late` frames behind its stems, as it has passed the limiter: its first frames
    are left out, so that all files begin with the same moment and are equally long.

    Attributes:
        path: of what is played; `paths`: of all files, that first, then each voice's.
        stems: whether there are any such.
        began, sounding: the frame that it began with, and what played there; None, and nothing,
            before that.
        frames: written so far.
        lost: blocks dropped because the disk was too slow.
        error: why nothing more is written, in one line.
    """

    def __init__(
        self, path: Path, rate_hz: int, channels: int, voices: int = 0, late: int = 0
    ) -> None:
        """Start recording, each of so many voices to a file of its own, too.

        Raises:
            BadOutput: a file exists, or can't be written.
        """
        self.path = path
        self.paths = [path, *(stem_path(path, number + 1) for number in range(voices))]
        self.stems = bool(voices)
        self.began: int | None = None
        self.sounding: list[Sounding] = []
        self.frames, self.lost = 0, 0
        self.error: str | None = None
        self._late, self._early = late, np.zeros((voices, 0, SIDES), np.float32)
        self._write_frames = round(WRITE_SECONDS * rate_hz)
        self._sync_frames, self._synced = round(SYNC_SECONDS * rate_hz), 0
        self._blocks: queue.Queue[Blocks | None] = queue.Queue(MAX_QUEUED_BLOCKS)
        self._files = _create(self.paths, rate_hz, [channels] + voices * [SIDES])
        self._thread = threading.Thread(target=self._write, name="recorder", daemon=True)
        self._thread.start()

    def begin(self, frame: int, sounding: list[Sounding]) -> None:
        """The first block begins at this frame, in the middle of these."""
        self.sounding, self.began = sounding, frame

    def put(self, block: NDArray[np.float32], stems: NDArray[np.float32] | None = None) -> None:
        """Queue a block (frame, channel) and its stems (voice, frame, 2); never waits."""
        try:
            self._blocks.put_nowait((block, stems))
        except queue.Full:
            self.lost += 1

    def close(self) -> int:
        """Write what is queued and close; returns the number of frames written."""
        self._blocks.put(None)
        self._thread.join()
        return self.frames

    def discard(self) -> None:
        """Close and remove the files of a recording that never began."""
        self.close()
        for path in self.paths:
            path.unlink(missing_ok=True)

    def _write(self) -> None:
        waiting: list[Blocks] = []
        while (blocks := self._next(waiting)) is not None:
            waiting += blocks
            frames = sum(len(block) for block, _ in waiting)
            if waiting and self.error is None and (not blocks or frames >= self._write_frames):
                self._append(waiting)
                waiting = []
        if waiting and self.error is None:
            self._append(waiting)
        for path, file in zip(self.paths, self._files, strict=True):
            try:
                file.close()
            except OSError as error:
                self.error = self.error or f"{path}: can't be closed ({error.strerror})"

    def _next(self, waiting: list[Blocks]) -> list[Blocks] | None:
        """The next block; none if there is none for a while, and None after the last."""
        try:
            blocks = self._blocks.get(timeout=WRITE_SECONDS if waiting else None)
        except queue.Empty:
            return []
        return None if blocks is None else [blocks]

    def _append(self, blocks: list[Blocks]) -> None:
        """Write blocks to all files, of each as much as of all others."""
        played = np.concatenate([block for block, _ in blocks])
        late, self._late = self._late, max(0, self._late - len(played))
        parts = [played[late:]]
        if self.stems:
            stems = [each for _, each in blocks if each is not None]
            early = np.concatenate([self._early, *stems], axis=1)
            parts += list(early[:, : len(parts[0])])
            self._early = early[:, len(parts[0]) :]
        try:
            for file, part in zip(self._files, parts, strict=True):
                file.write(part)
            if self._files[0].frames - self._synced >= self._sync_frames:
                self._synced = self._files[0].frames
                for file in self._files:
                    file.sync()
        except OSError as error:
            self.error = f"{self.path}: can't be written any more ({error.strerror})"
        else:
            self.frames += len(parts[0])


def stem_path(path: Path, voice: int) -> Path:
    """Of a voice's part of a recording."""
    return path.with_name(f"{path.stem}-voice{voice}{path.suffix}")


def _create(paths: list[Path], rate_hz: int, channels: list[int]) -> list[WavWriter]:
    """New files, all of them or none."""
    files: list[WavWriter] = []
    for path, count in zip(paths, channels, strict=True):
        try:
            files.append(WavWriter(path, rate_hz, count, "pcm24"))
        except OSError as error:
            for begun, file in zip(paths, files, strict=False):
                with contextlib.suppress(OSError):
                    file.close()
                    begun.unlink()
            if isinstance(error, FileExistsError):
                raise BadOutput(f"{path}: exists; choose another name") from None
            raise BadOutput(f"{path}: can't be written ({error.strerror})") from None
    return files
