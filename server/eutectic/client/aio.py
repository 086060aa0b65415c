"""The asyncio client: any number of requests may be open at once."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable
from types import TracebackType
from typing import Any

from eutectic.client.methods import Methods
from eutectic.client.replies import (
    NoAnswer,
    Reply,
    RequestFailed,
    ends,
    is_for,
    outcome,
    with_options,
)
from eutectic.osc.answers import Answer, read_answer
from eutectic.osc.packets import Value, decode, encode
from eutectic.osc.spec import PORT, PREFIX

MAX_EVENTS = 10_000
"""Events that are kept if nobody reads them; the oldest are dropped."""


class _Request:
    def __init__(self, address: str) -> None:
        self.address = address
        self.earlier: list[Answer] = []
        self.over: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()


class AsyncClient(Methods[Awaitable[Reply]], asyncio.DatagramProtocol):
    """Talks to one daemon over UDP, from one event loop.

        async with AsyncClient() as daemon:
            await daemon.load_clip("glass", "ambi_glass_rub.flac")

    Cancelling a request here cancels it in the daemon, too.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = PORT, timeout: float = 3600.0) -> None:
        self._to, self.timeout = (host, port), timeout
        self._ids = itertools.count(1)
        self._requests: dict[int, _Request] = {}
        self._events: asyncio.Queue[Answer] = asyncio.Queue()
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

    def send(self, address: str, *values: Value) -> None:
        """Send one message; its address without `/eutectic`."""
        if self._transport is None:
            raise NoAnswer("not connected: use `async with AsyncClient() as daemon`")
        self._transport.sendto(encode(PREFIX + address, values))

    async def ask(self, address: str, *values: Value, **options: Any) -> Reply:
        """Send a request, and wait until it is done.

        Raises:
            RequestFailed: it failed.
            NoAnswer: nothing arrived within `timeout` seconds, or nobody is listening.
        """
        number = next(self._ids)
        request = self._requests[number] = _Request(address)
        try:
            self.send(address, number, *with_options(values, options))
            return await asyncio.wait_for(request.over, self.timeout)
        except TimeoutError:
            raise NoAnswer(f"no answer to {address} in {self.timeout:g} s") from None
        except asyncio.CancelledError:
            self.send("/cancel", next(self._ids), number)
            raise
        finally:
            del self._requests[number]

    async def events(self) -> AsyncIterator[Answer]:
        """What arrives and belongs to no open request: events, and late answers."""
        while True:
            yield await self._events.get()

    # Called by asyncio

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:  # noqa: ARG002
        for address, values, _ in decode(data):
            self._receive(read_answer(address, values))

    def error_received(self, exc: Exception) -> None:
        host, port = self._to
        for request in self._requests.values():
            if not request.over.done():
                text = f"no answer from {host}:{port} ({exc}); is `eutectic serve` running?"
                request.over.set_exception(NoAnswer(text))

    def _receive(self, answer: Answer) -> None:
        for number, request in self._requests.items():
            if ends(answer, request.address, number) and not request.over.done():
                try:
                    request.over.set_result(outcome(request.address, answer, request.earlier))
                except RequestFailed as error:
                    request.over.set_exception(error)
                return
            if is_for(answer, number):
                request.earlier.append(answer)
                return
        if self._events.qsize() >= MAX_EVENTS:
            self._events.get_nowait()
        self._events.put_nowait(answer)
