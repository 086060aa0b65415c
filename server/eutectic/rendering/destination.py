"""Where renders go: a folder of sounds with a journal, on this machine or wherever fsspec reaches.

A row is journalled before its file takes its name: whoever is killed at any moment leaves either a
row whose file is there, or is published by `settle`, or nothing that counts. Each worker has a
journal of its own, so none waits for another.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from eutectic.audio import Waveform
from eutectic.files.tags import Tags
from eutectic.rendering.work import Row


class Sink(Protocol):
    """A worker's way to a destination, with a journal of its own."""

    def put(self, row: Row, waveform: Waveform | None, tags: Tags | None) -> Row:
        """Journal a row, and publish its sound; returns the row with the file's size.

        Without a waveform it is a row of what couldn't be made, and there is no file.

        Raises:
            BadOutput: it can't be written.
        """
        ...

    def close(self) -> None: ...


class Destination(Protocol):
    """A folder that renders are written into."""

    def settle(self) -> None:
        """Publish what was journalled but not published, and remove what is half written."""
        ...

    def rows(self) -> Iterator[Row]:
        """All rows whose file is there, of the size that they say, or that say why there is none.

        Where a key comes twice the later counts.
        """
        ...

    def sink(self, worker: str) -> Sink: ...

    def write(self, name: str, content: bytes) -> None:
        """A file beside the sounds, such as the manifest, whole or not at all.

        Raises:
            BadOutput: it can't be written.
        """
        ...
