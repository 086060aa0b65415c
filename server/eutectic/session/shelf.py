"""Ready fusions as audio: in memory while there is room, on disk for another night.

What is on disk is whole or not there (written aside, then renamed) and checked when it is read;
what is damaged counts as not there, and is made again. In both kinds of memory the one not used
for longest goes first: everything here can be made again.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import os
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import safetensors
import safetensors.numpy

from eutectic.errors import BadOutput
from eutectic.files.atomic import atomic_path
from eutectic.playback.sounds import Sound

log = logging.getLogger("eutectic.shelf")

FORMAT = "1"
DISK_LIMIT_BYTES = 8 << 30


@dataclass(frozen=True)
class Ready:
    """A fusion that can be played at once."""

    sound: Sound
    blend: float

    @property
    def size(self) -> int:
        return self.sound.samples.nbytes


class Shelf:
    """Ready fusions by key; the event loop's, but for the files, which threads read and write."""

    def __init__(self, folder: Path, memory_bytes: int, disk_bytes: int = DISK_LIMIT_BYTES) -> None:
        self.folder, self.memory_bytes, self.disk_bytes = folder, memory_bytes, disk_bytes
        self.kept_bytes = 0
        self._ready: OrderedDict[str, Ready] = OrderedDict()
        self._writing: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._ready)

    def get(self, key: str) -> Ready | None:
        """What is in memory."""
        if key in self._ready:
            self._ready.move_to_end(key)
        return self._ready.get(key)

    async def fetch(self, key: str) -> Ready | None:
        """What is in memory or on disk."""
        ready = self.get(key)
        if ready is None and self._path(key).exists():
            ready = await asyncio.to_thread(_read, self._path(key))
            if ready is not None:
                self._keep(key, ready)
        return ready

    def put(self, key: str, ready: Ready) -> None:
        """Keep a whole fusion; it is written to disk in a while."""
        self._keep(key, ready)
        task = asyncio.get_running_loop().create_task(asyncio.to_thread(self._write, key, ready))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def close(self) -> None:
        """Wait for what is being written."""
        await asyncio.gather(*self._writing)

    def _keep(self, key: str, ready: Ready) -> None:
        old = self._ready.pop(key, None)
        self.kept_bytes += ready.size - (old.size if old else 0)
        self._ready[key] = ready
        while self.kept_bytes > self.memory_bytes:
            self.kept_bytes -= self._ready.popitem(last=False)[1].size

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.safetensors"

    def _write(self, key: str, ready: Ready) -> None:
        samples = ready.sound.samples
        about = {
            "format": FORMAT, "digest": _digest(samples), "blend": json.dumps(ready.blend),
            "tail": str(ready.sound.tail),
        }  # fmt: skip
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with atomic_path(self._path(key)) as path:
                path.write_bytes(safetensors.numpy.save({"samples": samples}, about))
            self._make_room()
        except (OSError, BadOutput) as error:  # it can be heard all the same, tonight
            log.warning("a fusion can't be kept on disk: %s", error)

    def _make_room(self) -> None:
        files = [(entry.stat(), Path(entry)) for entry in os.scandir(self.folder)]
        kept = sum(status.st_size for status, _ in files)
        for status, path in sorted(files, key=lambda file: file[0].st_mtime_ns)[:-1]:
            if kept <= self.disk_bytes:
                break
            path.unlink(missing_ok=True)
            kept -= status.st_size


def _digest(samples: np.ndarray) -> str:
    return hashlib.blake2b(np.ascontiguousarray(samples).data, digest_size=16).hexdigest()


def _read(path: Path) -> Ready | None:
    try:
        with safetensors.safe_open(path, "numpy") as file:
            about = file.metadata() or {}
            samples = file.get_tensor("samples")
        if about["format"] != FORMAT or about["digest"] != _digest(samples):
            raise ValueError("damaged, or of another version")
        os.utime(path)  # used now: what goes first goes by this
        return Ready(Sound.of(samples, int(about["tail"])), float(json.loads(about["blend"])))
    except (OSError, KeyError, ValueError, safetensors.SafetensorError) as error:
        log.warning("%s: %s; it is made again", path.name, error)
        return None
