"""A wire that can be cut: a TCP proxy in the loop of a test, which counts what goes through it."""

from __future__ import annotations

import asyncio
import contextlib


class Wire:
    """Leads to a port of this machine, until it is cut; `sent` bytes have gone there so far."""

    def __init__(self, to: int) -> None:
        self._to = to
        self.sent = self.port = 0
        self._connections: list[asyncio.StreamWriter] = []
        self._server: asyncio.Server | None = None
        self.is_cut = False

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def lay(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        self.is_cut = True
        for each in self._connections:
            each.transport.abort()
        self._connections.clear()

    def mend(self) -> None:
        self.is_cut = False

    async def remove(self) -> None:
        self.cut()
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_cut:
            writer.transport.abort()
            return
        there, back = await asyncio.open_connection("127.0.0.1", self._to)
        self._connections += [writer, back]
        with contextlib.suppress(OSError):
            await asyncio.gather(self._copy(reader, back, True), self._copy(there, writer, False))

    async def _copy(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, there: bool
    ) -> None:
        while data := await reader.read(1 << 16):
            self.sent += len(data) if there else 0
            writer.write(data)
            await writer.drain()
        writer.close()
