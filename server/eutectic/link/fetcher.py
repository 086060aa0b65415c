"""What was learned on the engine's machine, brought into the store of the daemon's.

The user's work is where the user is: it stays when the other machine doesn't.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
from collections.abc import Callable
from pathlib import Path

from eutectic.link import messages as wire
from eutectic.link.messages import PART_BYTES, Message
from eutectic.link.outbox import Frame, Outbox
from eutectic.link.protocol import Learned, Priority, Result
from eutectic.link.stored import stored_path

log = logging.getLogger("eutectic.link")


class Fetcher:
    """Fetches over one wire into the store at `data`; owned by the event loop.

    `send` hands a message to the network, `say` gives the host a result.
    """

    def __init__(
        self, data: Path, send: Callable[[Message], None], say: Callable[[Result], None]
    ) -> None:
        self._data, self._send, self._say = data, send, say
        self._waiting: dict[str, list[Learned]] = {}
        """What isn't said before its file is here."""
        self._files: dict[str, Path] = {}

    def take(self, learned: Learned) -> bool:
        """Fetch its file, if that isn't here; returns whether the result is said after that."""
        if not _is_key(learned.key) or self._path(learned.key).exists():
            return False
        waiting = self._waiting.setdefault(learned.key, [])
        waiting.append(learned)
        if len(waiting) == 1:
            self._send(wire.Want(learned.key))
        return True

    def keep(self, message: wire.Keep, part: bytes) -> None:
        """Append bytes of a file."""
        key = message.key
        if key not in self._waiting or (message.at and key not in self._files):
            return  # the rest of what was given up
        try:
            is_whole = self._append(message, part)
        except OSError as error:
            log.warning("what was learned of a reference is kept by the engine's machine alone "
                        "(%s)", error.strerror or error)  # fmt: skip
            self._abandon(key)
            is_whole = True
        if is_whole:
            for learned in self._waiting.pop(key):
                self._say(learned)

    def close(self) -> None:
        """Nothing more will come."""
        for key in list(self._files):
            self._abandon(key)

    def _append(self, message: wire.Keep, part: bytes) -> bool:
        """Whether the file is here now, and whole.

        Raises:
            OSError: it isn't, and won't be.
        """
        path = self._path(message.key)
        if message.at == 0:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._files[message.key] = path.with_name(f".{path.name}.{os.getpid()}.part")
            self._files[message.key].unlink(missing_ok=True)
        with self._files[message.key].open("ab") as file:
            if not part or file.tell() != message.at:
                raise OSError("it isn't whole")
            file.write(part)
            is_whole = file.tell() == message.size
        if is_whole:
            self._files.pop(message.key).replace(path)
        return is_whole

    def _abandon(self, key: str) -> None:
        with contextlib.suppress(KeyError, OSError):
            self._files.pop(key).unlink()

    def _path(self, key: str) -> Path:
        return stored_path(self._data, "reference", key)


def give(outbox: Outbox, data: Path, key: str) -> None:
    """Queue the bytes of what was learned here; none, if there is no such file.

    Raises:
        ValueError: that is no key.
    """
    if not _is_key(key):
        raise ValueError(f"no key: {key}")
    path = stored_path(data, "reference", key)
    try:
        size = path.stat().st_size
    except OSError:
        size = 0

    def read(at: int) -> Frame:
        try:
            with path.open("rb") as file:
                file.seek(at)
                return file.read(PART_BYTES)
        except OSError:
            return b""  # it isn't whole

    for at in range(0, max(size, 1), PART_BYTES):
        part = min(PART_BYTES, size - at)
        outbox.put(key, Priority.LEARN, wire.Keep(key, size, at), part, lambda at=at: read(at))


def _is_key(key: str) -> bool:
    return re.fullmatch("[0-9a-f]{32}", key) is not None
