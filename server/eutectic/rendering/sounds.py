"""The sounds of a plan: found by paths, folders and patterns, and all read before any work."""

from __future__ import annotations

import glob
import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from eutectic.audio import open_section
from eutectic.errors import BadInput, NoFile
from eutectic.files import names
from eutectic.link.protocol import Source
from eutectic.rendering.destination import STATE

SUFFIXES = (
    ".aac", ".aif", ".aifc", ".aiff", ".au", ".avi", ".caf", ".flac", ".m4a", ".mka", ".mkv",
    ".mov", ".mp3", ".mp4", ".oga", ".ogg", ".opus", ".rf64", ".snd", ".w64", ".wav", ".wave",
    ".webm", ".wma", ".wv",
)  # fmt: skip
"""Of files that are taken as sounds where a folder is named."""

READERS = 8
"""Threads that read at most."""

Progress = Callable[[int, int], None]
"""Called with how many are done, of how many."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a section holds: the digest of its samples and its length; or why it can't be used."""

    digest: str = ""
    seconds: float = 0.0
    reason: str = ""


class Finder:
    """Finds sound files; what lies under `without`, where renders go, isn't found by chance."""

    def __init__(self, without: Path | None) -> None:
        self._without = None if without is None else without.resolve()
        self._found: dict[str, Sequence[Path]] = {}

    def find(self, text: str) -> Sequence[Path]:
        """The files that a path, a folder or a pattern stands for, in order.

        A path that isn't there stands for itself.

        Raises:
            BadInput: a folder or pattern has no sound files.
        """
        if text not in self._found:
            self._found[text] = list(self._expanded(text))
        return self._found[text]

    def _expanded(self, text: str) -> Iterator[Path]:
        path = Path(text)
        if path.is_dir():
            there = sorted(each for each in _under(path) if each.suffix.lower() in SUFFIXES)
            found = self._of_others(text, there)
            if not found:
                raise BadInput(f"{text}: has no sound files")
        elif glob.has_magic(text) and not path.exists():
            matching = sorted(glob.glob(text, recursive=True))  # noqa: PTH207  # absolute, too
            there = [each for each in map(Path, matching) if not each.is_dir()]
            found = self._of_others(text, there)
            if not found:
                raise BadInput(f"{text}: matches no file")
        else:
            found = [path]
        yield from (Path(names.text(os.path.abspath(each))) for each in found)  # noqa: PTH100

    def _of_others(self, text: str, there: Sequence[Path]) -> list[Path]:
        """Files that aren't where renders go.

        Raises:
            BadInput: all are.
        """
        found = [each for each in there if not self._is_ours(each)]
        if there and not found:
            raise BadInput(
                f"{text}: all of it lies in {self._without}, where the renders go; "
                "give them a folder of their own"
            )
        return found

    def _is_ours(self, path: Path) -> bool:
        return self._without is not None and path.resolve().is_relative_to(self._without)


def _under(folder: Path) -> Iterator[Path]:
    """All files in a folder and in those within, but hidden ones and other renders."""
    for where, folders, files in os.walk(folder):
        if STATE in folders and Path(where) != folder:
            folders.clear()
            continue
        folders[:] = [each for each in folders if not each.startswith(".")]
        yield from (Path(where, name) for name in files if not name.startswith("."))


def hear(
    sections: Sequence[Source], max_seconds: float | None, progress: Progress
) -> list[Heard]:  # fmt: skip
    """Read sections; each may be `max_seconds` long."""
    readers = ThreadPoolExecutor(min(READERS, os.cpu_count() or 1))
    try:
        heard: list[Heard] = []
        for each in readers.map(_heard, sections, itertools.repeat(max_seconds)):
            heard.append(each)
            progress(len(heard), len(sections))
        return heard
    finally:
        readers.shutdown(cancel_futures=True)


def _heard(section: Source, max_seconds: float | None) -> Heard:
    path = Path(section.path)
    try:
        sound = open_section(path, section.start_seconds, section.duration_seconds, max_seconds)
    except NoFile:
        return Heard(reason=names.missing(path))
    except BadInput as error:
        return Heard(reason=str(error))
    return Heard(sound.digest, sound.seconds)
