"""Accepted TCP connections: a limited number, each closed when it has been served."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Generator


class Connections:
    """Up to `limit` open connections; owned by the event loop."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._open: set[asyncio.StreamWriter] = set()

    @contextlib.contextmanager
    def admit(self, writer: asyncio.StreamWriter) -> Generator[bool]:
        """While a connection is served; yields False if there are too many.

        A client that goes away or can't be understood ends it quietly.
        """
        admitted = len(self._open) < self._limit
        if admitted:
            self._open.add(writer)
        try:
            yield admitted
        except (OSError, EOFError, TimeoutError, ValueError, asyncio.LimitOverrunError):
            pass
        finally:
            self._open.discard(writer)
            writer.transport.abort()

    def abort(self) -> None:
        """Close every connection at once."""
        for writer in list(self._open):
            writer.transport.abort()
