"""Sounds that browsers send: streamed into a folder of their own, under a name that nothing has."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Generator, Sequence
from pathlib import Path

from eutectic.session.folders import uploads_folder

MAX_BYTES = 512 << 20
"""Of one file."""

SPARED_BYTES = 256 << 20
"""Room that is left on the disk, for recordings and what is learned."""

MAX_AT_ONCE = 4
MAX_STEM_BYTES, MAX_SUFFIX_BYTES = 120, 16

UNFINISHED = ".upload-"
"""The beginning of the names of files that aren't complete."""

_UNWANTED = re.compile(r'[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff<>:"|?*]')


class UploadRefused(Exception):
    """An upload that is not kept; `status` is HTTP's."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Uploads:
    """Keeps what is sent; owned by the event loop.

    `others` are folders that files are looked for in by their names, too.
    """

    def __init__(self, data: Path, others: Sequence[Path] = (), max_bytes: int = MAX_BYTES) -> None:
        self.folder, self._others, self._max_bytes = uploads_folder(data), others, max_bytes
        self._open = 0
        with contextlib.suppress(OSError):
            for left in self.folder.glob(f"{UNFINISHED}*"):  # of a process that was killed
                left.unlink()

    async def take(self, name: str, parts: AsyncIterator[bytes], announced: int | None) -> Path:
        """Keep a file; returns its path. Nothing is left of one that isn't sent whole.

        `announced` is how long it is going to be.

        Raises:
            UploadRefused: its name or size can't be used, or the disk is full.
        """
        name = _confined(name)
        if self._open >= MAX_AT_ONCE:
            raise UploadRefused(429, f"{MAX_AT_ONCE} files are being sent; wait for one to end")
        self._open += 1
        try:
            self._check_size(announced or 0)
            with self._temporary() as (file, temporary):
                size = 0
                async for part in parts:
                    size += len(part)
                    self._check_size(size)
                    await asyncio.to_thread(_write_all, file, part)
                if size == 0:
                    raise UploadRefused(400, f"{name}: is empty")
                return await asyncio.to_thread(self._place, temporary, name)
        except OSError as error:
            raise UploadRefused(507, f"{name}: can't be kept ({error.strerror})") from None
        finally:
            self._open -= 1

    @contextlib.contextmanager
    def _temporary(self) -> Generator[tuple[int, Path]]:
        """A file to write, and its path; deleted at the end unless it was renamed."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(self.folder).free < SPARED_BYTES:
            raise UploadRefused(507, "the disk is nearly full")
        file, temporary = tempfile.mkstemp(prefix=UNFINISHED, dir=self.folder)
        try:
            yield file, Path(temporary)
        finally:
            os.close(file)
            Path(temporary).unlink(missing_ok=True)

    def _check_size(self, size: int) -> None:
        if size > self._max_bytes:
            limit = self._max_bytes >> 20
            raise UploadRefused(413, f"a file may have {limit} MB at most")

    def _place(self, temporary: Path, name: str) -> Path:
        """Give a complete file the name, or one like it that is free."""
        stem, suffix = Path(name).stem, Path(name).suffix
        for number in range(1, 10_000):
            path = self.folder / (name if number == 1 else f"{stem}-{number}{suffix}")
            if any((other / path.name).exists() for other in self._others):
                continue  # or the name would mean that one
            try:
                os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o644))
            except FileExistsError:
                continue
            temporary.replace(path)
            path.chmod(0o644)
            return path
        raise UploadRefused(409, f"{name}: there are too many of this name")


def _write_all(file: int, part: bytes) -> None:
    view = memoryview(part)
    while view:
        view = view[os.write(file, view) :]


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
