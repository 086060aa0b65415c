"""One TCP connection to the daemon, for one browser: OSC packets, each preceded by its length."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import AsyncGenerator

from eutectic.osc.packets import MAX_PACKET_BYTES

CONNECT_SECONDS, SEND_SECONDS = 2.0, 1.0
MAX_UNSENT_BYTES = 1 << 20
"""A daemon that leaves this much unread has stopped."""


class Connection:
    """Packets to and from the daemon; owned by the event loop."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, host: str, port: int) -> Connection:
        """Connect to the daemon.

        Raises:
            OSError: nothing listens there.
        """
        async with asyncio.timeout(CONNECT_SECONDS):
            return cls(*await asyncio.open_connection(host, port))

    def send(self, packet: bytes) -> None:
        """Send a packet; lost if the connection has ended, as `packets` finds out."""
        if self._writer.is_closing():
            return
        if self._writer.transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
            self._writer.transport.abort()
            return
        self._writer.write(struct.pack(">i", len(packet)) + packet)

    async def sent(self) -> None:
        """Wait until all that `send` was given is on its way, unless the daemon has stopped."""
        self._writer.transport.set_write_buffer_limits(0)
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(SEND_SECONDS):
                await self._writer.drain()

    async def packets(self) -> AsyncGenerator[bytes]:
        """What the daemon sends, until the connection ends."""
        try:
            while True:
                (size,) = struct.unpack(">i", await self._reader.readexactly(4))
                if not 0 < size <= MAX_PACKET_BYTES:
                    return
                yield await self._reader.readexactly(size)
        except (OSError, EOFError):
            return

    def close(self) -> None:
        """End the connection."""
        self._writer.transport.abort()
