"""The client for programs that await: every request may be under way beside the others."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable
from types import TracebackType
from typing import Any

from eutectic.client.requests import Requests, with_options
from eutectic.client.sync import Message, NoAnswer, Reply, RequestFailed, is_of
from eutectic.osc import server as osc
from eutectic.osc.table import PORT, PREFIX

KEPT_EVENTS = 10_000
"""Events that nobody took; the oldest go."""


class _Request:
    def __init__(self, address: str) -> None:
        self.address = PREFIX + address
        self.lines: list[Message] = []
        self.over: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()


class AsyncClient(Requests[Awaitable[Reply]], asyncio.DatagramProtocol):
    """Talks to one daemon over UDP, from one event loop.

        async with AsyncClient() as daemon:
            await daemon.load_clip("glass", "ambi_glass_rub.flac")

    A request that is cancelled is cancelled in the daemon, too.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = PORT, timeout: float = 3600.0) -> None:
        self._to, self.timeout = (host, port), timeout
        self._ids = itertools.count(1)
        self._requests: dict[int, _Request] = {}
        self._events: asyncio.Queue[Message] = asyncio.Queue()
        self._transport: asyncio.DatagramTransport | None = None

    async def __aenter__(self) -> AsyncClient:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, remote_addr=self._to)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._transport is not None:
            self._transport.close()

    def send(self, address: str, *values: osc.Value) -> None:
        """Send one message; its address without `/eutectic`."""
        if self._transport is None:
            raise NoAnswer("not connected: use `async with AsyncClient() as daemon`")
        self._transport.sendto(osc.encode(PREFIX + address, values))

    async def ask(self, address: str, *values: osc.Value, **options: Any) -> Reply:
        """Send a request, and wait until it is done.

        Raises:
            RequestFailed: it failed.
            NoAnswer: nothing came within `timeout` seconds, or nobody is there.
        """
        number = next(self._ids)
        request = self._requests[number] = _Request(address)
        try:
            self.send(address, number, *with_options(values, options))
            return await asyncio.wait_for(request.over, self.timeout)
        except TimeoutError:
            raise NoAnswer(f"nothing came of {address} in {self.timeout:g} s") from None
        except asyncio.CancelledError:
            self.send("/cancel", next(self._ids), number)
            raise
        finally:
            del self._requests[number]

    async def events(self) -> AsyncIterator[Message]:
        """What comes and answers no request that is under way: events, and late answers."""
        while True:
            yield await self._events.get()

    # asyncio's

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        for address, values, _ in osc.decode(data):
            self._receive((address.removeprefix(PREFIX), values))

    def error_received(self, exc: Exception) -> None:
        host, port = self._to
        for request in self._requests.values():
            if not request.over.done():
                text = f"nothing from a daemon on {host}:{port} ({exc}); does `eutectic serve` run?"
                request.over.set_exception(NoAnswer(text))

    def _receive(self, message: Message) -> None:
        name, values = message
        if name in ("/done", "/fail") and len(values) > 1 and values[1] in self._requests:
            request = self._requests[values[1]]
            if values[0] == request.address and not request.over.done():
                if name == "/fail":
                    request.over.set_exception(RequestFailed(values[2], values[3]))
                else:
                    request.over.set_result(Reply(values[2:], request.lines))
                return
        for number, request in self._requests.items():
            if is_of(message, number):
                request.lines.append(message)
                return
        if self._events.qsize() >= KEPT_EVENTS:
            self._events.get_nowait()
        self._events.put_nowait(message)
