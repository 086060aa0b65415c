"""Draws pictures and measures windows: in one thread of low priority, kept on disk."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import hashlib
import os
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import numpy as np

from eutectic.errors import BadOutput
from eutectic.files.atomic import atomic_path
from eutectic.files.tensors import keep_newest
from eutectic.page.distances import LogMel, log_mel
from eutectic.page.pictures import COLUMNS, OVERVIEW_COLUMNS, ROWS, Pixels, overview, spectrogram
from eutectic.page.settings import PageSettings
from eutectic.page.sounds import Sounds
from eutectic.page.windows import Found, Place, window_of
from eutectic.system.cache import Cache

FORMAT = "1"
"""Of the pictures that are kept; another one draws them anew."""

MAX_KEPT_BYTES = 64 << 20
MAX_REMEMBERED_BYTES = 32 << 20
"""Of spectrograms that windows are measured by."""

LOWEST = 19
"""The niceness of the thread."""

WRITTEN_SECONDS, POLL_SECONDS = 3.0, 0.1
"""A fusion is ready a little before it is on the disk."""

Result = TypeVar("Result")


class Artist:
    """Makes what is asked for, one after another; `close` ends it."""

    def __init__(self, settings: PageSettings) -> None:
        self._sounds, self._folder = Sounds(settings), settings.data / "pictures"
        self._thread = ThreadPoolExecutor(1, "artist", _lower_priority)
        self._mels: Cache[str, LogMel] = Cache(MAX_REMEMBERED_BYTES)

    async def fusion(self, key: str) -> Pixels:
        """A fusion's spectrogram.

        Raises:
            BadInput: it isn't kept.
        """
        await self._written(key)
        return await self._soon(self._draw_fusion, key)

    async def clip(self, shown: str, seconds: float) -> Pixels:
        """The overview of a clip, by the file name that the daemon shows.

        Raises:
            BadInput: its file can't be read.
        """
        return await self._soon(self._draw_clip, shown, seconds)

    async def window(self, places: Sequence[Place], reference: tuple[str, float] | None) -> Found:
        """What a pair's fusions are like, from those that are ready, by rising blend.

        `reference` is the file and the length of the clip that is remembered.

        Raises:
            BadInput: a sound can't be read.
        """
        for each in places:
            await self._written(each.key)
        return await self._soon(self._measure, places, reference)

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _soon(self, work: Callable[..., Result], *values: object) -> Result:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, functools.partial(work, *values))

    async def _written(self, key: str) -> None:
        path = self._sounds.fusion_path(key)
        for _ in range(round(WRITTEN_SECONDS / POLL_SECONDS)):
            if path.exists():
                return
            await asyncio.sleep(POLL_SECONDS)

    # In the thread

    def _draw_fusion(self, key: str) -> Pixels:
        def draw() -> Pixels:
            return spectrogram(self._sounds.fusion(key), self._sounds.rate_hz)

        return self._kept(f"fusion {key}", (ROWS, COLUMNS), draw)

    def _draw_clip(self, shown: str, seconds: float) -> Pixels:
        status = self._sounds.clip_path(shown).stat()

        def draw() -> Pixels:
            return overview(self._sounds.clip(shown, seconds), self._sounds.rate_hz)

        name = f"clip {shown} {seconds:.3f} {status.st_mtime_ns} {status.st_size}"
        return self._kept(name, (2, OVERVIEW_COLUMNS), draw)

    def _kept(self, name: str, shape: tuple[int, int], draw: Callable[[], Pixels]) -> Pixels:
        """A picture from the disk, or a new one, which is written there if it can be."""
        digest = hashlib.sha256(f"{FORMAT} {name}".encode()).hexdigest()[:32]
        path = self._folder / f"{digest}.picture"
        with contextlib.suppress(OSError, ValueError):  # there is none, or it is damaged
            pixels = np.frombuffer(path.read_bytes(), np.uint8).reshape(shape)
            os.utime(path)  # used now: the oldest are deleted
            return pixels
        pixels = draw()
        with contextlib.suppress(OSError, BadOutput):  # a full disk: it is drawn again
            _write(path, pixels)
        return pixels

    def _measure(self, places: Sequence[Place], reference: tuple[str, float] | None) -> Found:
        mels = [self._mel(each.key, self._sounds.fusion, each.key) for each in places]
        remembered = None
        if reference is not None:
            name = f"{reference[0]} {reference[1]:.3f} {_stamp(self._sounds, reference[0])}"
            remembered = self._mel(name, self._sounds.clip, *reference)
        return window_of([each.blend for each in places], mels, remembered)

    def _mel(self, name: str, read: Callable[..., np.ndarray], *values: object) -> LogMel:
        known = self._mels.get(name)
        if known is None:
            known = log_mel(read(*values), self._sounds.rate_hz)
            self._mels.put(name, known, known.nbytes)
        return known


def _stamp(sounds: Sounds, shown: str) -> int:
    return sounds.clip_path(shown).stat().st_mtime_ns


def _write(path: Path, pixels: Pixels) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as temporary:
        temporary.write_bytes(pixels.tobytes())
    keep_newest(path.parent, MAX_KEPT_BYTES)


def _lower_priority() -> None:
    """Only this thread's: what is played passes through the others."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LOWEST)
