"""The asyncio client: any number of requests may be open at once."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any

from eutectic.client.asked import Asked, Awaiting, Result
from eutectic.client.methods import Methods
from eutectic.client.replies import (
    LOST_SECONDS,
    PING_SECONDS,
    NoAnswer,
    Reply,
    RequestFailed,
    check_answered,
    ends,
    heard,
    is_for,
    lists,
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


class AsyncClient(Methods, Awaiting, asyncio.DatagramProtocol):
    """Talks to one daemon over UDP, from one event loop.

        async with AsyncClient() as daemon:
            await daemon.load_clip("glass", "ambi_glass_rub.flac")

    Cancelling a request here cancels it in the daemon, too. Nothing is waited for once the daemon
    is gone.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = PORT, timeout: float = 3600.0) -> None:
        self._to, self.timeout = (host, port), timeout
        self._ids = itertools.count(1)
        self._requests: dict[int, _Request] = {}
        self._events: asyncio.Queue[Answer | None] = asyncio.Queue()
        """None is the last."""
        self._pings: set[int] = set()
        self._heard = 0.0
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
            NoAnswer: it wasn't within `timeout` seconds, or the daemon is gone.
            BadRequest: it is one that is never answered.
        """
        check_answered(address)
        number = next(self._ids)
        request = self._requests[number] = _Request(address)
        try:
            self.send(address, number, *with_options(values, options))
            async with asyncio.timeout(self.timeout):
                self._heard = self._now()
                while not request.over.done():
                    await asyncio.wait({request.over}, timeout=PING_SECONDS)
                    if not request.over.done():
                        self._check_heard()
            return request.over.result()
        except TimeoutError:
            raise NoAnswer(f"no answer to {address} in {self.timeout:g} s") from None
        except asyncio.CancelledError:
            self.send("/cancel", next(self._ids), number)
            raise
        finally:
            del self._requests[number]

    async def events(self) -> AsyncIterator[Answer]:
        """What arrives and belongs to no open request, until the client is closed.

        Raises:
            NoAnswer: the daemon is gone.
        """
        self._heard = self._now()
        while True:
            try:
                async with asyncio.timeout(PING_SECONDS):
                    answer = await self._events.get()
            except TimeoutError:
                self._check_heard()
                continue
            if answer is None:
                self._events.put_nowait(None)  # others may be waiting
                return
            yield answer

    async def run(self, asked: Asked[Result]) -> Result:
        """Send a request and return its value; that it was heard meanwhile is kept for `events`."""
        reply = await self.ask(asked.address, *asked.values, **asked.options)
        for answer in heard(reply):
            self._keep(answer)
        return asked.read(reply)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _check_heard(self) -> None:
        """Ask a daemon that is silent whether it is there, which also keeps it sending events.

        Raises:
            NoAnswer: it isn't, or the client is closed.
        """
        silent = self._now() - self._heard
        if silent > LOST_SECONDS:
            raise self._no_answer(f"silent for {LOST_SECONDS:g} s")
        if silent >= PING_SECONDS:
            number = next(self._ids)
            self._pings.add(number)
            self.send("/ping", number)

    def _no_answer(self, reason: object) -> NoAnswer:
        host, port = self._to
        return NoAnswer(f"no answer from {host}:{port} ({reason}); is `eutectic serve` running?")

    # Called by asyncio

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:  # noqa: ARG002
        for address, values, _ in decode(data):
            self._receive(read_answer(address, values))

    def error_received(self, exc: Exception) -> None:
        for request in self._requests.values():
            if not request.over.done():
                request.over.set_exception(self._no_answer(exc))

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self.error_received(exc or ConnectionError("the client is closed"))
        self._events.put_nowait(None)

    def _receive(self, answer: Answer) -> None:
        self._heard = self._now()
        for number in self._pings:
            if ends(answer, "/ping", number):
                self._pings.discard(number)
                return
        for number, request in self._requests.items():
            if ends(answer, request.address, number) and not request.over.done():
                try:
                    request.over.set_result(outcome(request.address, answer, request.earlier))
                except RequestFailed as error:
                    request.over.set_exception(error)
                return
            if is_for(answer, number) or lists(answer, request.address):
                request.earlier.append(answer)
                return
        self._keep(answer)

    def _keep(self, answer: Answer) -> None:
        """Keep it for `events`, in place of the oldest if need be."""
        if self._events.qsize() >= MAX_EVENTS:
            self._events.get_nowait()
        self._events.put_nowait(answer)
