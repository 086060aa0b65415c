"""Parts of a file, with other bytes in between, as one file."""

from __future__ import annotations

import bisect
import os
from collections.abc import Callable, Sequence
from typing import BinaryIO

Part = bytes | tuple[int, int]
"""Bytes of our own, or an extent of the file from one offset to another."""


def size_of(file: BinaryIO) -> int:
    """Its length in bytes, as it is now."""
    return file.seek(0, os.SEEK_END)


def read_at(file: BinaryIO, offset: int, size: int) -> bytes:
    """So many bytes from an offset on, or as many as there are."""
    file.seek(offset)
    return file.read(size)


class View:
    """A file object to read from; `alive` is called whenever the disk has answered.

    libsndfile calls it from C, where nothing may be raised: what the disk refused is in `error`.
    """

    def __init__(self, file: BinaryIO, parts: Sequence[Part], alive: Callable[[], None]) -> None:
        self._file, self._alive = file, alive
        self._parts = [part for part in parts if _length(part)]
        self._starts: list[int] = []
        self.size = self._at = 0
        self.error: OSError | None = None
        for part in self._parts:
            self._starts.append(self.size)
            self.size += _length(part)

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self.size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Up to so many bytes; fewer only at the end, or after an error."""
        left = self.size - self._at if size < 0 else size
        found: list[bytes] = []
        while left > 0 and (some := self._some(left)):
            found.append(some)
            left -= len(some)
            self._at += len(some)
        return b"".join(found)

    def readinto(self, buffer: memoryview) -> int:
        found = self.read(len(buffer))
        buffer[: len(found)] = found
        return len(found)

    def _some(self, most: int) -> bytes:
        """From here on, within one part."""
        number = bisect.bisect_right(self._starts, self._at) - 1
        if number < 0 or self._at >= self.size:
            return b""
        part, skipped = self._parts[number], self._at - self._starts[number]
        size = min(most, _length(part) - skipped)
        if isinstance(part, bytes):
            return part[skipped : skipped + size]
        try:
            found = read_at(self._file, part[0] + skipped, size)
        except OSError as error:
            self.error = error
            return b""
        self._alive()
        return found


def _length(part: Part) -> int:
    return len(part) if isinstance(part, bytes) else part[1] - part[0]
