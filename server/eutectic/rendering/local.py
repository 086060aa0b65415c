"""Renders in a folder of this machine, or of a disk that several machines share.

`put` writes a sound into its worker's own folder in STATE, journals the row, and only then gives
the file its name, by a link, which never replaces anything. Killed before the row is journalled,
it leaves a file that `settle` removes; killed after, one that `settle` publishes. Both files and
journal are on the disk before that, so the same holds when the power fails.

Workers hold a lock for as long as they live, and a run holds one from `settle` on: the orphans of
a killed run are waited for, and two runs don't disturb each other.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

import msgspec
from filelock import FileLock, Timeout

from eutectic.audio import Waveform
from eutectic.errors import BadOutput
from eutectic.files.atomic import atomic_path
from eutectic.files.placing import move
from eutectic.files.tags import Tags
from eutectic.rendering import journal
from eutectic.rendering.destination import STATE, TAKEN, checked_name, numbered
from eutectic.rendering.journal import Index, own_name, stamped, taken
from eutectic.rendering.work import Row
from eutectic.saving import save_sound

JOURNAL = "rows.jsonl"
LOCK = "lock"
WRITTEN = "written"
"""Folder of the digests of what `write` wrote."""

PART = ".part"
"""End of the names of what it is writing."""

WAIT_SECONDS = 15.0
"""For a run that was killed: its workers may be about to see it."""


class LocalFolder:
    """A `Destination` in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._state = folder / STATE
        self._lock = FileLock(self._state / LOCK, thread_local=False)

    @classmethod
    def at(cls, url: str) -> LocalFolder:
        """Of a path, or a `file://` address.

        Raises:
            BadOutput: it is a file, or its parent isn't there.
        """
        path = unquote(urlsplit(url).path) if url.startswith("file://") else url
        folder = Path(path).expanduser().absolute()
        if folder.exists() and not folder.is_dir():
            raise BadOutput(f"{folder}: is not a folder")
        if not folder.parent.is_dir():
            raise BadOutput(f"{folder}: the folder {folder.parent} does not exist")
        return cls(folder)

    def settle(self) -> None:
        deadline = time.monotonic() + WAIT_SECONDS
        with _writing(self.folder):
            self._state.mkdir(parents=True, exist_ok=True)
            if not _taken(self._lock, WAIT_SECONDS):
                raise BadOutput(f"{self.folder}: another run writes into it")
            _remove(*(self._state / WRITTEN).glob(f"*{PART}"))
            for own in self._workers():
                lock = FileLock(own / LOCK, thread_local=False)
                if not _taken(lock, max(0.0, deadline - time.monotonic())):
                    self.close()
                    raise BadOutput(f"{self.folder}: {own.name}, of another run, writes into it")
                try:
                    self._settle(own)
                finally:
                    lock.release()

    def _settle(self, own: Path) -> None:
        """Finish what one worker left."""
        left = {path for path in own.iterdir() if path.name not in (JOURNAL, LOCK)}
        if left:
            for row in journal.read(own / JOURNAL):
                part = _part(own, row)
                if part in left and not row.reason and _size(part) == row.size:
                    _publish(part, self.folder / row.name)
        _remove(*left)
        if not _size(own / JOURNAL):
            shutil.rmtree(own, ignore_errors=True)

    def rows(self) -> Iterator[Row]:
        return Index(self._journals()).rows(self._counts)

    def ordered(self, keys: Iterable[str]) -> Iterator[Row]:
        return Index(self._journals()).ordered(keys, self._counts)

    def _workers(self) -> list[Path]:
        try:
            found = sorted(path for path in self._state.iterdir() if path.is_dir())
        except FileNotFoundError:
            return []
        return [path for path in found if path.name != WRITTEN]

    def _journals(self) -> list[Path]:
        return [own / JOURNAL for own in self._workers()]

    def _counts(self, row: Row) -> bool:
        if row.reason:
            return row.reason != TAKEN or _size(self.folder / row.name) is not None
        return _size(self.folder / row.name) == row.size

    def names(self) -> Callable[[str], bool]:
        return lambda name: os.path.lexists(f"{self.folder}/{name}")

    def sink(self, worker: str) -> LocalSink:
        return LocalSink(self.folder, worker)

    def write(self, name: str, content: Iterable[bytes]) -> str:
        marks, digest = self._state / WRITTEN, hashlib.sha256()
        with _writing(self.folder):
            marks.mkdir(parents=True, exist_ok=True)
            name = next(each for each in numbered(name) if self._is_ours(each))
            part, mark = marks / f"{name}{PART}", marks / name
            try:
                with part.open("wb") as file:
                    for piece in content:
                        digest.update(piece)
                        file.write(piece)
                _sync(part)
                with atomic_path(mark) as both:  # whichever is there if this is killed now
                    both.write_text("\n".join([digest.hexdigest(), *_lines(mark)[:1]]))
                part.replace(self.folder / name)
            finally:
                _remove(part)
        return name

    def _is_ours(self, name: str) -> bool:
        """Whether nothing is lost if a file of this name is written."""
        path = self.folder / name
        if not os.path.lexists(path):
            return True
        known = _lines(self._state / WRITTEN / name)
        return bool(known) and path.is_file() and _digest(path) in known

    def close(self) -> None:
        self._lock.release()


class LocalSink:
    """A `Sink` into a folder, owned by one thread."""

    def __init__(self, folder: Path, worker: str) -> None:
        """Make the worker's own folder, and lock it.

        Raises:
            BadOutput: it can't be written.
        """
        self._folder = folder
        self._own = folder / STATE / own_name(worker)
        self._lock = FileLock(self._own / LOCK, thread_local=False)
        with _writing(folder):
            self._own.mkdir(parents=True)
            _taken(self._lock, 0)
            self._journal = (self._own / JOURNAL).open("xb", buffering=0)

    def put(self, row: Row, waveform: Waveform | None, tags: Tags | None) -> Row:
        row = stamped(row)
        path = self._folder / checked_name(row)
        with _writing(self._folder):
            if waveform is None:
                return self._journalled(row)
            if os.path.lexists(path):
                return self._journalled(taken(row))
            part = _part(self._own, row)
            save_sound(part, waveform, tags)
            try:
                _sync(part)
                row = self._journalled(msgspec.structs.replace(row, size=part.stat().st_size))
            except OSError:
                _remove(part)
                raise
            if not _publish(part, path):
                _remove(part)
                return self._journalled(taken(row))
            return row

    def _journalled(self, row: Row) -> Row:
        """A row, on the disk."""
        start, data = self._journal.tell(), memoryview(journal.line(row))
        try:
            while data:  # a nearly full disk takes only part of what is written
                data = data[self._journal.write(data) or 0 :]
            os.fsync(self._journal.fileno())
        except OSError:
            with contextlib.suppress(OSError):
                self._journal.truncate(start)
                self._journal.seek(start)
            raise
        return row

    def close(self) -> None:
        self._journal.close()
        self._lock.release()


@contextlib.contextmanager
def _writing(folder: Path) -> Generator[None]:
    """What goes wrong is one line."""
    try:
        yield
    except OSError as error:
        raise BadOutput(f"{folder}: can't be written ({error.strerror or error})") from None


def _taken(lock: FileLock, seconds: float) -> bool:
    """Whether a lock could be had; where the disk has none, all can."""
    try:
        lock.acquire(timeout=seconds)
    except Timeout:
        return False
    except OSError as error:
        if error.errno not in (errno.ENOLCK, errno.ENOTSUP):
            raise
    return True


def _publish(part: Path, path: Path) -> bool:
    """Give a file its name, unless something has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        move(part, path)
    except FileExistsError:
        return False
    return True


def _part(own: Path, row: Row) -> Path:
    return own / f"{row.key}{PurePosixPath(row.name).suffix}"


def _size(path: Path) -> int | None:
    """Of a file; None if there is none."""
    try:
        return path.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        return None


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().split()
    except FileNotFoundError:
        return []


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _remove(*paths: Path) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    with path.open("r+b") as file:
        os.fsync(file.fileno())
