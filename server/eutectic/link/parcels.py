"""Files that go over the wire once: sections of sounds, LoRAs, what was learned, by their digests.

A section is read on the daemon's machine as the engine would read it (`audio.load_clip`), and goes
as a WAV file at the model's rate, in which the engine finds the same samples to the bit. On the
engine's machine they are kept for the next time, the least recently used as long as there is room.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from eutectic.audio import load_clip
from eutectic.errors import BadReference
from eutectic.files import names
from eutectic.files.wav import encoded, header
from eutectic.link.protocol import ModelFacts, Source

FOLDER = "received"
"""Of the data folder, on the engine's machine."""

LIMIT_BYTES = 8 << 30
"""Of all of them; those that jobs need, or that were used just now, come on top."""

RECENT_SECONDS = 60.0
"""Between the word that a file is there and the job that needs it, none goes."""

BLOCK_BYTES = 1 << 20

SOUND = "sound.wav"
"""What a section is called over there."""

DIGEST_LETTERS = 64

_SAFE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_. ")


# The daemon's side


@dataclass(frozen=True)
class Parcel:
    """A file that is to go: its digest, what it is called over there, its size, and its bytes."""

    digest: str
    name: str
    size: int
    read: Callable[[int, int], bytes]
    """Bytes from one position up to another; fewer if the file has become shorter."""


def sound(source: Source, facts: ModelFacts, alive: Callable[[], None]) -> Parcel:
    """A section as the model's engine would read it.

    Raises:
        BadAudio: as `load_clip`.
    """
    waveform = load_clip(
        Path(source.path), facts.rate_hz, facts.channels, source.start_seconds,
        source.duration_seconds, facts.max_seconds, alive,
    )  # fmt: skip
    longest = round(facts.max_seconds * facts.rate_hz)  # resampling may have rounded up
    samples = np.ascontiguousarray(waveform.samples[:, :longest])
    form = header(samples.shape[1], facts.rate_hz, len(samples), "float32")
    packed = memoryview(form + encoded(samples.T, "float32"))
    digest = hashlib.sha256(packed).hexdigest()
    return Parcel(digest, SOUND, len(packed), lambda start, stop: bytes(packed[start:stop]))


def whole(path: Path, alive: Callable[[], None]) -> Parcel:
    """A file as it is.

    Raises:
        BadReference: it can't be read.
    """
    try:
        digest = _digest(path, alive)
        size = path.stat().st_size
    except OSError as error:
        raise BadReference(f"{path}: can't be read ({error.strerror})") from None

    def read(start: int, stop: int) -> bytes:
        try:
            with path.open("rb") as file:
                file.seek(start)
                return file.read(stop - start)
        except OSError:  # it is gone meanwhile, and the other side notices
            return b""

    return Parcel(digest, path.name, size, read)


def stamp(path: str) -> tuple[int, int]:
    """What changes with a file.

    Raises:
        OSError: there is none.
    """
    about = names.found(Path(path)).stat()
    return about.st_mtime_ns, about.st_size


def _digest(path: Path, alive: Callable[[], None]) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
            alive()
    return digest.hexdigest()


# The engine machine's side


class Received:
    """Files that came over the wire, under the data folder; owned by the event loop."""

    def __init__(self, data: Path) -> None:
        self.data, self._folder = data, data / FOLDER
        self._needed = Counter[Path]()
        """By so many jobs."""

    def find(self, digest: str, name: str) -> Path | None:
        """One that is there."""
        path = self.path(digest, name)
        if not path.is_file():
            return None
        with contextlib.suppress(OSError):
            os.utime(path.parent)
        return path

    def need(self, path: Path) -> None:
        """It stays: a job may read it at any moment."""
        self._needed[path] += 1

    def release(self, path: Path) -> None:
        """That job has ended."""
        self._needed -= Counter([path])

    def path(self, digest: str, name: str) -> Path:
        """Where one is, or would be.

        Raises:
            ValueError: no file of ours would be called that.
        """
        is_digest = len(digest) == DIGEST_LETTERS and set(digest) <= set("0123456789abcdef")
        safe = "".join(letter if letter in _SAFE else "_" for letter in name).lstrip(".")[-100:]
        if not is_digest or not safe:
            raise ValueError(f"no file: {digest} {name}")
        return self._folder / digest / safe

    def begin(self, digest: str, name: str) -> Arriving:
        """One that is about to come.

        Raises:
            OSError: it can't be written.
        """
        path = self.path(digest, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        return Arriving(path, digest)

    def keep(self, path: Path) -> None:
        """One has come; others may have to go."""
        stay = {path.parent, *(each.parent for each in self._needed)}
        now, kept = time.time(), 0
        found = [(each.stat().st_mtime, each) for each in self._folder.iterdir() if each.is_dir()]
        for used, folder in sorted(found, reverse=True):
            if folder in stay or now - used < RECENT_SECONDS:
                continue
            size = sum(each.stat().st_size for each in folder.iterdir())
            if kept + size <= LIMIT_BYTES:
                kept += size
            else:
                shutil.rmtree(folder, ignore_errors=True)


class Arriving:
    """A file of which parts have come."""

    def __init__(self, path: Path, digest: str) -> None:
        self.path = path
        self._part = path.with_name(f".{path.name}.{os.getpid()}.part")
        self._file = self._part.open("wb")
        self._digest, self._hash = digest, hashlib.sha256()
        self.size = 0

    def take(self, part: bytes | memoryview) -> None:
        """Append bytes.

        Raises:
            OSError: they can't be written.
        """
        self._file.write(part)
        self._hash.update(part)
        self.size += len(part)

    def close(self) -> bool:
        """It is whole; returns whether it is what it should be.

        Raises:
            OSError: it can't be written.
        """
        self._file.close()
        if self._hash.hexdigest() != self._digest:
            self._part.unlink()
            return False
        self._part.replace(self.path)
        return True

    def abandon(self) -> None:
        """Nothing more will come of it."""
        with contextlib.suppress(OSError):  # what couldn't be written can't be now
            self._file.close()
        self._part.unlink(missing_ok=True)
