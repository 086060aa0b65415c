"""From a received message to its handler, at its time."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from eutectic.osc.parse import parse
from eutectic.osc.server import Peer
from eutectic.osc.spec import PREFIX, BadRequest
from eutectic.osc.subscribers import Subscribers
from eutectic.osc.table import Cancel, Request
from eutectic.session.due import timing
from eutectic.session.tickets import MAX_OPEN, Refused, RequestRegistry, Ticket

log = logging.getLogger("eutectic.session")

AnyRequest = TypeVar("AnyRequest", bound=Request)


class Dispatcher:
    """Handlers by request, and those that wait for their time; owned by the event loop.

    `greet` sends a subscriber that was silent for too long, and is back, what it has missed;
    `before` is told of each request that is about to be carried out.
    """

    def __init__(
        self, registry: RequestRegistry, subscribers: Subscribers, greet: Callable[[Peer], None],
        before: Callable[[Ticket, Request], None],
    ) -> None:  # fmt: skip
        self._registry, self._subscribers = registry, subscribers
        self._greet, self._before = greet, before
        self._handlers: dict[type[Request], Callable[..., Coroutine[Any, Any, None]]] = {}
        self._timers: dict[Ticket, asyncio.TimerHandle] = {}

    def on(
        self, kind: type[AnyRequest],
        handler: Callable[[Ticket, AnyRequest], Coroutine[Any, Any, None]],
    ) -> None:  # fmt: skip
        """Handle requests of this kind; a handler returns when the request is done."""
        self._handlers[kind] = handler

    def take(self, peer: Peer, address: str, arguments: tuple[Any, ...], due: float | None) -> None:
        """Handle a message; `due` is the monotonic time of its time tag."""
        returned = self._subscribers.touch(peer, time.monotonic())
        if returned:
            log.info("client %d: is back", returned)
            self._greet(peer)
        try:
            request = parse(address, arguments)
        except BadRequest as error:
            short = address.removeprefix(PREFIX)[:80]
            Ticket(self._registry, peer, short, error.id).fail(error.code, str(error))
            return
        ticket = Ticket(self._registry, peer, request.address, request.id, due)
        if request.due == "heard":
            self._begin(ticket, request)
            return
        when, late_ms = timing(due, time.monotonic())
        ticket.late(late_ms)
        if when is None or request.due == "ignored":
            self._begin(ticket, request)
        elif len(self._timers) >= MAX_OPEN:
            ticket.fail("busy", f"{MAX_OPEN} messages are waiting for their time")
        else:
            loop = asyncio.get_running_loop()
            self._timers[ticket] = loop.call_at(when, self._begin, ticket, request)

    def cancel_scheduled(self, reason: str) -> None:
        """Cancel the requests that wait for their time."""
        timers, self._timers = self._timers, {}
        for ticket, timer in timers.items():
            timer.cancel()
            ticket.fail("cancelled", reason)

    async def cancel(self, ticket: Ticket, request: Cancel) -> None:
        """Cancel a client's requests with this id, running or scheduled."""
        key = ticket.peer, request.request
        running = [each for each in self._registry.open(*key) if each is not ticket]
        scheduled = [each for each in self._timers if (each.peer, each.id) == key]
        for each in scheduled:
            self._timers.pop(each).cancel()
            each.fail("cancelled", "cancelled")
        for each in running:
            each.cancel("cancelled")
        if not running and not scheduled:
            raise Refused("unknown_request", f"request {request.request} is not running")

    def _begin(self, ticket: Ticket, request: Request) -> None:
        self._timers.pop(ticket, None)
        handler = self._handlers[type(request)]

        def work() -> Coroutine[Any, Any, None]:
            self._before(ticket, request)
            return handler(ticket, request)

        self._registry.begin(ticket, work)
