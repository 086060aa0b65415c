"""Requests on their way: whoever sent one hears of it, and of its end exactly once."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from typing import Any

from eutectic.errors import EutecticError
from eutectic.osc import server as osc
from eutectic.osc import table as messages
from eutectic.osc.server import Peer, Subscribers
from eutectic.osc.table import PREFIX

log = logging.getLogger("eutectic.session")

MAX_OPEN = 256
"""Requests that may be under way at once, of all clients together."""

COMPLAINT_SECONDS = 1.0
"""Between two failures of messages without an id, to one client."""

MAX_COMPLAINERS = 256


class Refused(EutecticError):
    """A request that can't be done; `code` is for programs, the text for people."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class Ticket:
    """One request of one client; owned by the event loop."""

    def __init__(self, office: Office, peer: Peer, address: str, number: int) -> None:
        self._office, self.peer, self.address, self.id = office, peer, address, number
        self.received = time.monotonic()
        self.answered = False
        self.task: asyncio.Task[None] | None = None
        self.reason = "cancelled"
        """Why it is given up, where it is."""

    def answer(self, address: str, *values: osc.Value) -> None:
        """Send the client something; nothing, where the request has no id to go by."""
        if self.id >= 0:
            self._office.send(self.peer, address, *values)

    def queued(self) -> None:
        self.answer("/queued", self.id)

    def progress(self, stage: str, fraction: float) -> None:
        self.answer("/progress", self.id, stage, float(fraction))

    def done(self, *found: osc.Value) -> None:
        """End it well."""
        if self._first():
            self.answer("/done", PREFIX + self.address, self.id, *found)
            log.log(self._level, "%s: done, %.0f ms", self, self._milliseconds)

    def fail(self, code: str, text: str) -> None:
        """End it with a word for programs and a line for people."""
        if self._first():
            text = " ".join(text.split())
            if self.id >= 0:
                self.answer("/fail", PREFIX + self.address, self.id, code, text)
            else:
                self._office.complain(self.peer, self.address, code, text)
            log.info("%s: %s, %.0f ms: %s", self, code, self._milliseconds, text)

    def give_up(self, reason: str) -> None:
        """Cancel what is done for it; it then fails with `cancelled`."""
        self.reason = reason
        if self.task is not None:
            self.task.cancel()

    @property
    def _level(self) -> int:
        """Continuous values come without an id, and too often to be read about."""
        return logging.INFO if self.id >= 0 else logging.DEBUG

    def _first(self) -> bool:
        first, self.answered = not self.answered, True
        return first

    @property
    def _milliseconds(self) -> float:
        return 1000 * (time.monotonic() - self.received)

    def __str__(self) -> str:
        return f"{self.address} {self.id} of {self.peer.address[0]}:{self.peer.address[1]}"


class Office:
    """All requests that are under way; answers leave through it."""

    def __init__(self, clients: Subscribers) -> None:
        self.clients = clients
        self._open: dict[tuple[Peer, int], list[Ticket]] = {}
        self._count = 0
        self._complained: dict[Peer, float] = {}

    def __len__(self) -> int:
        return self._count

    def send(self, peer: Peer, address: str, *values: osc.Value) -> None:
        """One message to a request's sender."""
        self.clients.answer(peer, osc.encode(*messages.answer(address, *values)))

    def complain(self, peer: Peer, address: str, code: str, text: str) -> None:
        """Of a message without an id; not more often than a client can want to hear."""
        now = time.monotonic()
        if now - self._complained.get(peer, -COMPLAINT_SECONDS) < COMPLAINT_SECONDS:
            return
        if len(self._complained) >= MAX_COMPLAINERS:
            self._complained.clear()
        self._complained[peer] = now
        self.send(peer, "/fail", PREFIX + address, -1, code, text)

    def begin(self, ticket: Ticket, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do a request's work; in the order of these calls up to where each first waits."""
        if self._count >= MAX_OPEN:
            ticket.fail("busy", f"{MAX_OPEN} requests are under way")
            return
        key = (ticket.peer, ticket.id)
        self._open.setdefault(key, []).append(ticket)
        self._count += 1
        ticket.task = asyncio.get_running_loop().create_task(_answered(ticket, work))
        ticket.task.add_done_callback(lambda task: self._over(key, ticket))

    def open(self, peer: Peer, number: int) -> list[Ticket]:
        """A client's requests of this id that are under way."""
        return list(self._open.get((peer, number), []))

    def cancel_all(self, reason: str) -> list[asyncio.Task[None]]:
        """Give everything up; returns what is then to be waited for."""
        tickets = [ticket for tickets in self._open.values() for ticket in tickets]
        for ticket in tickets:
            ticket.give_up(reason)
        return [ticket.task for ticket in tickets if ticket.task is not None]

    def _over(self, key: tuple[Peer, int], ticket: Ticket) -> None:
        ticket.fail("cancelled", ticket.reason)  # where its task never came to its first step
        self._count -= 1
        self._open[key].remove(ticket)
        if not self._open[key]:
            del self._open[key]


async def _answered(ticket: Ticket, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    try:
        await work()
    except asyncio.CancelledError:
        ticket.fail("cancelled", ticket.reason)
    except EutecticError as error:
        ticket.fail(error.code, str(error))
    except Exception as error:  # a fault of ours: this request fails, the others don't
        log.exception("%s", ticket)
        ticket.fail("internal", f"{type(error).__name__}: {error}")
    else:
        ticket.done()
