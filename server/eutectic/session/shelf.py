"""Ready fusions as audio: in memory while there is room, and on disk across restarts.

Files are checked when they are read; a damaged one counts as missing and is rendered again. In
memory and on disk the least recently used fusions are evicted first: all can be rendered again.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import safetensors.numpy

from eutectic.errors import BadOutput
from eutectic.files import tensors
from eutectic.playback.sounds import Sound
from eutectic.system.cache import Cache

log = logging.getLogger("eutectic.shelf")

FORMAT = "1"
DISK_LIMIT_BYTES = 8 << 30


@dataclass(frozen=True)
class Ready:
    """A fusion that can be played at once."""

    sound: Sound
    blend: float


class Shelf:
    """Ready fusions by key; owned by the event loop, except that threads read and write files.

    `memory` holds those that play without being read from disk, by size in bytes.
    """

    def __init__(self, folder: Path, memory_bytes: int, disk_bytes: int = DISK_LIMIT_BYTES) -> None:
        self.folder, self.disk_bytes = folder, disk_bytes
        self.memory: Cache[str, Ready] = Cache(memory_bytes)
        self._writing: set[asyncio.Task[None]] = set()
        self.changes = 0
        """How often a fusion became ready."""

    def __contains__(self, key: str) -> bool:
        """Whether it is in memory or on disk."""
        return key in self.memory or self._path(key).exists()

    async def fetch(self, key: str) -> Ready | None:
        """A fusion from memory or disk."""
        ready = self.memory.get(key)
        if ready is None and self._path(key).exists():
            ready = await asyncio.to_thread(_read, self._path(key))
            if ready is not None:
                self._remember(key, ready)
        return ready

    def put(self, key: str, ready: Ready) -> None:
        """Keep a complete fusion; it is written to disk in the background."""
        self._remember(key, ready)
        task = asyncio.get_running_loop().create_task(asyncio.to_thread(self._write, key, ready))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def close(self) -> None:
        """Wait until everything is written."""
        await asyncio.gather(*self._writing)

    def _remember(self, key: str, ready: Ready) -> None:
        self.memory.put(key, ready, ready.sound.samples.nbytes)
        self.changes += 1

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.safetensors"

    def _write(self, key: str, ready: Ready) -> None:
        samples = ready.sound.samples
        about = {
            "format": FORMAT, "digest": digest_of(samples), "blend": json.dumps(ready.blend),
            "tail": str(ready.sound.tail),
        }  # fmt: skip
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            tensors.write(self._path(key), safetensors.numpy.save_file, {"samples": samples}, about)
            tensors.keep_newest(self.folder, self.disk_bytes)
        except (OSError, BadOutput) as error:  # it stays playable until it is evicted from memory
            log.warning("a fusion can't be kept on disk: %s", error)


def digest_of(samples: np.ndarray) -> str:
    """Of samples (channel, frame), to the bit."""
    return hashlib.blake2b(np.ascontiguousarray(samples).data, digest_size=16).hexdigest()


def _read(path: Path) -> Ready | None:
    try:
        found, about = tensors.read(path, "np")
        samples = found["samples"]
        if about["format"] != FORMAT or about["digest"] != digest_of(samples):
            raise ValueError("damaged, or of another version")
        os.utime(path)  # used now: eviction goes by this
        return Ready(Sound.of(samples, int(about["tail"])), float(json.loads(about["blend"])))
    except (OSError, KeyError, ValueError) as error:
        log.warning("%s: %s; rendering it again", path.name, error)
        return None
