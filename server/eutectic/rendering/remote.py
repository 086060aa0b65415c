"""Renders in a store that fsspec reaches, such as S3.

Stores of objects have no files that grow and no links, but what is uploaded is there as a whole or
not at all. So a worker's journal is a row of small objects, the last of which is uploaded anew
with each row, and then the sound is. Other kinds of store, where a file may be there in part, get
a sound under another name first, and an object for each row.

There are no locks: that two runs don't write to one address is up to whoever starts them.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Generator, Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from eutectic.audio import Waveform
from eutectic.errors import BadInput, BadOutput, one_line
from eutectic.files.tags import Tags
from eutectic.rendering import journal
from eutectic.rendering.destination import STATE, TAKEN, checked_name, numbered
from eutectic.rendering.journal import Counts, Index, KeySet, own_name, short, stamped, taken
from eutectic.rendering.work import Row
from eutectic.saving import save_sound

ROWS = 128
"""Of one object of a journal."""

END = ".jsonl"
WRITTEN, PARTS = "written", "parts"

OF_OBJECTS = {"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "oss", "memory"}
"""Kinds of address where what is uploaded is there as a whole or not at all."""

PACKAGES = {
    "s3": "pip install 'eutectic[cloud]'",
    "gs": "pip install 'eutectic[cloud]' gcsfs",
    "az": "pip install 'eutectic[cloud]' adlfs",
}


class RemoteFolder:
    """A `Destination` at an address."""

    folder = None

    def __init__(self, url: str, files: Any, root: str) -> None:
        """At a root in a file system of fsspec's."""
        self._url, self._files, self._root = url, files, root.rstrip("/")

    @classmethod
    def at(cls, url: str) -> RemoteFolder:
        """Of an address; how to log in is what its package finds in the environment.

        Raises:
            BadInput: it is of no kind that is known, or its packages aren't installed.
        """
        kind = url.partition("://")[0]
        how = PACKAGES.get(kind, "see fsspec's documentation")
        try:
            from fsspec.core import url_to_fs

            return cls(url, *url_to_fs(url))
        except ImportError as error:
            raise BadInput(f"{url}: needs a package ({error}): {how}") from None
        except ValueError as error:
            raise BadInput(f"{url}: {one_line(str(error))}") from None

    def settle(self) -> None:
        with _talking(self._url):
            self._files.invalidate_cache()
            parts = self._path(STATE, PARTS)
            if self._files.exists(parts):
                self._files.rm(parts, recursive=True)

    def rows(self) -> Iterator[Row]:
        with self._index() as index:
            yield from index.rows(self._counting())

    def ordered(self, keys: Iterable[str]) -> Iterator[Row]:
        with self._index() as index:
            yield from index.ordered(keys, self._counting())

    @contextlib.contextmanager
    def _index(self) -> Generator[Index]:
        """Of copies of the journals on this machine."""
        with tempfile.TemporaryDirectory() as folder:
            with _talking(self._url):
                there = [path for path in self._sizes(STATE) if path.endswith(END)]
                here = [Path(folder) / f"{number}{END}" for number in range(len(there))]
                if there:
                    self._files.get(
                        [self._path(STATE, path) for path in there], list(map(str, here))
                    )
            yield Index(here)

    def _counting(self) -> Counts:
        """What tells whether a row counts, by one list of all files; some 100 bytes for each."""
        with _talking(self._url):
            sizes = {short(name): size for name, size in self._sizes().items()}

        def counts(row: Row) -> bool:
            size = sizes.get(short(row.name))
            return row.reason != TAKEN or size is not None if row.reason else size == row.size

        return counts

    def _sizes(self, *under: str) -> dict[str, int]:
        """Sizes of all files under a folder, by their names from there, sorted."""
        folder = self._path(*under)
        self._files.invalidate_cache()
        found = self._files.find(folder, detail=True)
        self._files.invalidate_cache()
        return {path[len(folder) + 1 :]: found[path]["size"] for path in sorted(found)}

    def _path(self, *parts: str) -> str:
        return "/".join((self._root, *parts))

    def names(self) -> Callable[[str], bool]:
        """As it is now; eight bytes are held of each."""
        with _talking(self._url):
            return KeySet(self._sizes()).__contains__

    def sink(self, worker: str) -> RemoteSink:
        return RemoteSink(self._url, self._files, self._root, worker)

    def write(self, name: str, content: Iterable[bytes]) -> str:
        with tempfile.NamedTemporaryFile(suffix=PurePosixPath(name).suffix) as file:
            for piece in content:
                file.write(piece)
            file.flush()
            with _talking(self._url):
                self._files.invalidate_cache()
                name = next(each for each in numbered(name) if self._is_ours(each))
                self._files.put_file(file.name, self._path(name))
                self._files.invalidate_cache()
                mark = self._files.checksum(self._path(name))
                self._files.pipe_file(self._path(STATE, WRITTEN, name), str(mark).encode())
        return name

    def _is_ours(self, name: str) -> bool:
        """Whether nothing is lost if a file of this name is written."""
        path, mark = self._path(name), self._path(STATE, WRITTEN, name)
        if not self._files.exists(path):
            return True
        known = self._files.cat_file(mark).decode() if self._files.exists(mark) else None
        return known == str(self._files.checksum(path))

    def close(self) -> None:
        """There is nothing that others wait for."""


class RemoteSink:
    """A `Sink` to an address, owned by one thread."""

    def __init__(self, url: str, files: Any, root: str, worker: str) -> None:
        self._url, self._files, self._root = url, files, root
        self._own = own_name(worker)
        self._rows, self._objects = list[bytes](), 0
        self._is_of_objects = url.partition("://")[0] in OF_OBJECTS
        self._limit = ROWS if self._is_of_objects else 1
        self._here = tempfile.TemporaryDirectory()

    def put(self, row: Row, waveform: Waveform | None, tags: Tags | None) -> Row:
        row = stamped(row)
        path = f"{self._root}/{checked_name(row)}"
        if waveform is None:
            return self._journalled(row)
        with _talking(self._url):
            if self._files.exists(path):
                return self._journalled(taken(row))
        part = Path(self._here.name) / f"{row.key}{PurePosixPath(row.name).suffix}"
        save_sound(part, waveform, tags)
        try:
            row = self._journalled(msgspec.structs.replace(row, size=part.stat().st_size))
            with _talking(self._url):
                self._upload(part, path)
        finally:
            part.unlink()
        return row

    def _upload(self, part: Path, path: str) -> None:
        """Under its name only as a whole."""
        if self._is_of_objects:
            self._files.put_file(str(part), path)
            return
        there = f"{self._root}/{STATE}/{PARTS}/{self._own}{part.suffix}"
        for each in (there, path):
            self._files.makedirs(each.rpartition("/")[0], exist_ok=True)
        self._files.put_file(str(part), there)
        self._files.mv(there, path)

    def _journalled(self, row: Row) -> Row:
        """A row, in the store."""
        if len(self._rows) == self._limit:
            self._rows, self._objects = [], self._objects + 1
        self._rows.append(journal.line(row))
        path = f"{self._root}/{STATE}/{self._own}/{self._objects:06}{END}"
        with _talking(self._url):
            if not self._is_of_objects:
                self._files.makedirs(path.rpartition("/")[0], exist_ok=True)
            self._files.pipe_file(path, b"".join(self._rows))
        return row

    def close(self) -> None:
        self._here.cleanup()


@contextlib.contextmanager
def _talking(url: str) -> Generator[None]:
    """What goes wrong is one line; the packages for stores raise errors of many kinds."""
    try:
        yield
    except Exception as error:
        raise BadOutput(f"{url}: {one_line(str(error)) or type(error).__name__}") from error
