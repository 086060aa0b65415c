"""Accepted TCP connections: a limited number, each closed when it has been served."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Generator

IDLE_SECONDS = 30.0
"""A connection that was silent for so long makes room for a new one."""


class Connections:
    """Up to `limit` open connections; owned by the event loop."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._open: dict[asyncio.StreamWriter, float] = {}
        """When each sent something, the longest silent first."""

    @contextlib.contextmanager
    def admit(self, writer: asyncio.StreamWriter) -> Generator[bool]:
        """While a connection is served; yields False if there are too many that are in use.

        A client that goes away or can't be understood ends it quietly.
        """
        now = time.monotonic()
        silent, since = next(iter(self._open.items()), (writer, now))
        if len(self._open) >= self._limit and now - since > IDLE_SECONDS:
            silent.transport.abort()
            del self._open[silent]
        admitted = len(self._open) < self._limit
        if admitted:
            self._open[writer] = now
        try:
            yield admitted
        except (OSError, EOFError, TimeoutError, ValueError, asyncio.LimitOverrunError):
            pass
        finally:
            self._open.pop(writer, None)
            writer.transport.abort()

    def touch(self, writer: asyncio.StreamWriter) -> None:
        """It has sent something."""
        if self._open.pop(writer, None) is not None:
            self._open[writer] = time.monotonic()

    def abort(self) -> None:
        """Close every connection at once."""
        for writer in list(self._open):
            writer.transport.abort()
