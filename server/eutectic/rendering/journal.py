"""Journals: rows as lines of JSON, written one by one, and read again as a stream.

A million rows aren't held in memory: an index has 37 bytes of each, and the row is read again from
where it stands. A line that was torn by a crash is skipped.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import re
import secrets
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np
from numpy.typing import NDArray

from eutectic.rendering.destination import TAKEN
from eutectic.rendering.work import Row

Counts = Callable[[Row], bool]
"""Whether what a row says still holds: its file is there, of that size."""

CHUNK = 4096
"""Keys that are looked up at once."""

MAX_OPEN = 64
"""Journals that are read from at once."""

_ENTRY = struct.Struct("<QQdQI?")
_FIELDS: Any = np.dtype(
    [("key", "<u8"), ("name", "<u8"), ("at", "<f8"), ("offset", "<u8"), ("journal", "<u4"),
     ("has_file", "?")]
)  # fmt: skip
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Row).decode


class _Head(msgspec.Struct):
    """What the index needs of a row."""

    key: str
    name: str
    reason: str = ""
    at: str = ""


_decode_head = msgspec.json.Decoder(_Head).decode


def own_name(worker: str) -> str:
    """A name for what a worker writes, that no other has."""
    return re.sub(r"[^\w-]", "_", worker) + f".{secrets.token_hex(4)}"


def stamped(row: Row) -> Row:
    """With the time, unless it has one."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    return row if row.at else msgspec.structs.replace(row, at=now)


def taken(row: Row) -> Row:
    """A row whose name something else has."""
    return msgspec.structs.replace(row, reason=TAKEN, size=0)


def line(row: Row) -> bytes:
    """A row as a journal has it."""
    return _encode(row) + b"\n"


def read(path: Path) -> Iterator[Row]:
    """All rows of one journal, as they were written."""
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
        for each in file:
            with contextlib.suppress(msgspec.DecodeError):
                yield _decode(each)


class KeySet:
    """Many keys in eight bytes each: enough to ask whether one is among them."""

    def __init__(self, keys: Iterable[str]) -> None:
        self._sorted = np.unique(np.fromiter(map(short, keys), np.uint64))

    def __len__(self) -> int:
        return len(self._sorted)

    def __contains__(self, key: str) -> bool:
        asked = np.uint64(short(key))
        place = int(np.searchsorted(self._sorted, asked))
        return place < len(self._sorted) and bool(self._sorted[place] == asked)


class Index:
    """Which row of several journals counts for each key.

    It is the latest that a file was written for, if that file is still there; otherwise a later one
    that says why there is none. Of several keys with files of one name, the latest has it.
    """

    def __init__(self, journals: Sequence[Path]) -> None:
        entries = bytearray()
        for number, path in enumerate(journals):
            _add_entries(entries, number, path)
        self._journals = journals
        self._first, self._second = _that_count(np.frombuffer(entries, _FIELDS))

    def rows(self, counts: Counts) -> Iterator[Row]:
        """All rows that count, in the order of the journals."""
        order = np.lexsort((self._first["offset"], self._first["journal"]))
        return self._read(order, counts)

    def ordered(self, keys: Iterable[str], counts: Counts) -> Iterator[Row]:
        """The rows of these keys, in their order; then all others, by key."""
        is_left = np.ones(len(self._first), bool)

        def asked() -> Iterator[int]:
            for place in self._places(keys):
                if is_left[place]:
                    is_left[place] = False
                    yield place
            yield from map(int, np.flatnonzero(is_left))

        return self._read(asked(), counts)

    def _read(self, places: Iterable[Any], counts: Counts) -> Iterator[Row]:
        """The rows of the keys at these places, where any counts."""
        with _Reader(self._journals) as reader:
            for place in places:
                row = reader.row(self._first[place])
                if counts(row):
                    yield row
                elif second := self._after(self._first[place]):
                    yield from filter(counts, [reader.row(second)])

    def _after(self, first: Any) -> Any | None:
        """The entry that says why there is no file, after the one that says there is."""
        place = int(np.searchsorted(self._second["key"], first["key"]))
        if place == len(self._second):
            return None
        found = self._second[place]
        return found if found["key"] == first["key"] and found["at"] >= first["at"] else None

    def _places(self, keys: Iterable[str]) -> Iterator[int]:
        """Where the entries of those keys are that have one."""
        known, keys = self._first["key"], iter(keys)
        while chunk := [short(key) for key in itertools.islice(keys, CHUNK)]:
            asked = np.array(chunk, np.uint64)
            places = np.searchsorted(known, asked)
            is_found = places < len(known)
            is_found[is_found] = known[places[is_found]] == asked[is_found]
            yield from places[is_found].tolist()


class _Reader(contextlib.ExitStack):
    """Rows of journals from where they stand; few files are open at once."""

    def __init__(self, journals: Sequence[Path]) -> None:
        super().__init__()
        self._journals = journals
        self._open: dict[int, BinaryIO] = {}

    def row(self, entry: Any) -> Row:
        number = int(entry["journal"])
        if number not in self._open:
            if len(self._open) == MAX_OPEN:
                self.close()
                self._open.clear()
            self._open[number] = self.enter_context(self._journals[number].open("rb"))
        file = self._open[number]
        if file.tell() != entry["offset"]:
            file.seek(int(entry["offset"]))
        return _decode(file.readline())


def _add_entries(entries: bytearray, number: int, path: Path) -> None:
    """Append what the index has of a journal. A row that another had the name withdraws one."""
    offset, before = 0, ""
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
        for each in file:
            start, offset = offset, offset + len(each)
            try:
                head = _decode_head(each)
                at = datetime.fromisoformat(head.at).timestamp() if head.at else 0.0
            except ValueError:  # of msgspec, too
                continue
            if head.reason == TAKEN and head.key == before:
                del entries[-_ENTRY.size :]
            before = head.key
            entries += _ENTRY.pack(
                short(head.key), short(head.name), at, start, number, not head.reason
            )


def _that_count(entries: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Of each key the entry that counts, and of some one that does otherwise; sorted by key."""
    entries = entries[np.argsort(entries["at"], kind="stable")]
    files, reasons = entries[entries["has_file"]], entries[~entries["has_file"]]
    files = files[np.sort(_last_of_each(files["name"]))]
    files, reasons = (each[_last_of_each(each["key"])] for each in (files, reasons))
    both = np.concatenate([files, reasons])
    both = both[np.argsort(both["key"], kind="stable")]  # of one key, the file's is before
    is_again = np.zeros(len(both), bool)
    is_again[1:] = both["key"][1:] == both["key"][:-1]
    return both[~is_again], both[is_again]


def _last_of_each(values: NDArray[np.uint64]) -> NDArray[np.intp]:
    """Where each value stands for the last time, sorted by value."""
    order = np.argsort(values, kind="stable")
    is_last = np.ones(len(order), bool)
    is_last[:-1] = values[order[1:]] != values[order[:-1]]
    return order[is_last]


def short(key: str) -> int:
    """A text in eight bytes; two are hardly ever the same."""
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest())
