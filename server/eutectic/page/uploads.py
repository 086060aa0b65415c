"""Sounds that browsers send: streamed into a folder of their own, under a name that nothing has."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from eutectic.session.folders import uploads_folder

MAX_BYTES = 512 << 20
"""Of one file."""

SPARED_BYTES = 256 << 20
"""Room that is left on the disk, for recordings and what is learned."""

LOOK_BYTES = 4 << 20
"""After so much more of a file, the room is looked at again."""

MAX_AT_ONCE = 4
PART_SECONDS = 30.0
"""For the next part of a file to come."""

MAX_STEM_BYTES, MAX_SUFFIX_BYTES = 120, 16

UNFINISHED = ".upload-"
"""The beginning of the names of files that aren't complete."""

_UNWANTED = re.compile(r'[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff<>:"|?*]')


class UploadRefused(Exception):
    """An upload that is not kept; `status` is HTTP's."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


@dataclass
class _Upload:
    """A file that is being sent: what has come of it, and what it was said to have (0: unknown)."""

    announced: int
    size: int = 0


class Uploads:
    """Keeps what is sent; owned by the event loop.

    `others` are folders that files are looked for in by their names, too.
    """

    def __init__(self, data: Path, others: Sequence[Path] = (), max_bytes: int = MAX_BYTES) -> None:
        self.folder, self._others, self._max_bytes = uploads_folder(data), others, max_bytes
        self._open: list[_Upload] = []
        with contextlib.suppress(OSError):
            for left in self.folder.glob(f"{UNFINISHED}*"):  # of a process that was killed
                left.unlink()

    async def take(self, name: str, parts: AsyncIterator[bytes], announced: int | None) -> Path:
        """Keep a file; returns its path. Nothing is left of one that isn't sent whole.

        `announced` is how long it is going to be.

        Raises:
            UploadRefused: its name or size can't be used, it stalls, or the disk is full.
        """
        name = _confined(name)
        if len(self._open) >= MAX_AT_ONCE:
            raise UploadRefused(429, f"{MAX_AT_ONCE} files are being sent; wait for one to end")
        upload = _Upload(announced or 0)
        self._open.append(upload)
        try:
            return await self._kept(name, parts, upload)
        except OSError as error:
            raise UploadRefused(507, f"{name}: can't be kept ({error.strerror})") from None
        finally:
            self._open.remove(upload)

    async def _kept(self, name: str, parts: AsyncIterator[bytes], upload: _Upload) -> Path:
        self._check_size(upload.announced)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._check_room()
        number, temporary = tempfile.mkstemp(prefix=UNFINISHED, dir=self.folder)
        try:
            with open(number, "wb") as file:
                await self._write(file, parts, upload)
            if upload.size == 0:
                raise UploadRefused(400, f"{name}: is empty")
            # Windows renames no file that is open
            return await asyncio.to_thread(self._place, Path(temporary), name)
        finally:
            Path(temporary).unlink(missing_ok=True)

    async def _write(self, file: IO[bytes], parts: AsyncIterator[bytes], upload: _Upload) -> None:
        looked = 0
        async for part in _in_time(parts):
            upload.size += len(part)
            self._check_size(upload.size)
            if upload.size - looked >= LOOK_BYTES:
                looked = upload.size
                self._check_room()
            await asyncio.to_thread(file.write, part)

    def _check_size(self, size: int) -> None:
        if size > self._max_bytes:
            limit = self._max_bytes >> 20
            raise UploadRefused(413, f"a file may have {limit} MB at most")

    def _check_room(self) -> None:
        """Check that there is room for what is yet to come of all files that are being sent."""
        to_come = sum(max(each.announced - each.size, 0) for each in self._open)
        if shutil.disk_usage(self.folder).free < SPARED_BYTES + to_come:
            raise UploadRefused(507, "the disk is nearly full")

    def _place(self, temporary: Path, name: str) -> Path:
        """Give a complete file the name, or one like it that is free."""
        stem, suffix = Path(name).stem, Path(name).suffix
        for number in range(1, 10_000):
            path = self.folder / (name if number == 1 else f"{stem}-{number}{suffix}")
            if any((other / path.name).exists() for other in self._others):
                continue  # or the name would mean that one
            try:
                path.touch(0o644, exist_ok=False)
            except FileExistsError:
                continue
            try:
                temporary.chmod(0o644)
                return temporary.replace(path)
            except OSError:
                path.unlink()
                raise
        raise UploadRefused(409, f"{name}: there are too many of this name")


async def _in_time(parts: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    """The parts of a file as they come.

    Raises:
        UploadRefused: one is too long in coming.
    """
    while True:
        try:
            async with asyncio.timeout(PART_SECONDS):
                part = await anext(parts)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise UploadRefused(408, f"nothing came for {PART_SECONDS:g} s") from None
        yield part


def _confined(name: str) -> str:
    """The name of a file alone, without folders or anything that a disk or a list can't have.

    Raises:
        UploadRefused: nothing is left of it.
    """
    last = re.split(r"[/\\]", name)[-1]
    clean = _UNWANTED.sub("", last).strip(" .")
    stem, suffix = Path(clean).stem, Path(clean).suffix
    if not stem or not clean:
        raise UploadRefused(400, "a file needs a name: /upload?name=…")
    if len(suffix.encode()) > MAX_SUFFIX_BYTES:
        stem, suffix = clean, ""
    short = stem.encode()[:MAX_STEM_BYTES].decode(errors="ignore").rstrip(" .")
    return short + suffix
