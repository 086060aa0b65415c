"""Where renders go: a folder of sounds with a journal, on this machine or wherever fsspec reaches.

A row is journalled before its file takes its name: whoever is killed at any moment leaves either a
row whose file is there, or is published by `settle`, or nothing that counts. Each worker has a
journal of its own, so none waits for another. All that isn't a result is in the folder STATE.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Protocol

from eutectic.audio import Waveform
from eutectic.errors import BadOutput
from eutectic.files.packed import is_name
from eutectic.files.tags import Tags
from eutectic.rendering.work import Row

STATE = ".eutectic"
"""Folder of journals, and of what is being written."""

TAKEN = "there is another file of this name"
"""Reason of a row whose name something else has; it is tried again once that is gone."""


class Sink(Protocol):
    """A worker's way to a destination, with a journal of its own."""

    def put(self, row: Row, waveform: Waveform | None, tags: Tags | None) -> Row:
        """Journal a row, and publish its sound; returns the row with the file's size and the time.

        Without a waveform it is a row of what couldn't be made, and there is no file. No file is
        ever replaced: if there is another of this name, the row that returns says so.

        Raises:
            BadOutput: it can't be written.
        """
        ...

    def close(self) -> None: ...


class Destination(Protocol):
    """A folder that renders are written into. It is made when something is first written."""

    @property
    def folder(self) -> Path | None:
        """Where it is, if that is on this machine."""
        ...

    def settle(self) -> None:
        """Publish what was journalled but not published, and remove what is half written.

        The folder is then this run's until `close`.

        Raises:
            BadOutput: another run writes into it, or it can't be written.
        """
        ...

    def rows(self) -> Iterator[Row]:
        """All rows whose file is there, of the size that they say, or that say why there is none.

        Where a key comes twice the later counts. Rows are in no order that means anything.
        """
        ...

    def ordered(self, keys: Iterable[str]) -> Iterator[Row]:
        """The rows of these keys, in their order, where there are any; then all others, by key."""
        ...

    def names(self) -> Callable[[str], bool]:
        """What tells of a name whether a file has it, whoever wrote that."""
        ...

    def sink(self, worker: str) -> Sink: ...

    def write(self, name: str, content: Iterable[bytes]) -> str:
        """A file beside the sounds, such as the manifest, whole or not at all; returns its name.

        An earlier one is replaced if it is as it was written here. One that someone else made or
        changed stays, and this one has a number in its name.

        Raises:
            BadOutput: it can't be written.
        """
        ...

    def close(self) -> None:
        """Let others write into it."""
        ...


def numbered(name: str) -> Iterator[str]:
    """A file's name, then the same with a number."""
    yield name
    path, number = PurePosixPath(name), 2
    while True:
        yield str(path.with_name(f"{path.stem}-{number}{path.suffix}"))
        number += 1


def checked_name(row: Row) -> str:
    """A row's file name, which stays inside the destination.

    Raises:
        BadOutput: it doesn't.
    """
    parts = row.name.split("/")
    if not all(map(is_name, parts)) or parts[0] == STATE:
        raise BadOutput(f"{row.name!r} can't be the name of a file there")
    return row.name
