"""Requests that are being carried out: each is answered by exactly one `/done` or `/fail`."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from typing import Any

from eutectic.errors import EutecticError, one_line
from eutectic.osc import answers
from eutectic.osc.answers import Answer, Found, packet
from eutectic.osc.server import Peer
from eutectic.osc.spec import PREFIX, flatten
from eutectic.osc.subscribers import Subscribers
from eutectic.session.due import FAR_SECONDS

log = logging.getLogger("eutectic.session")

MAX_OPEN = 256
"""Requests that may be open at once, of all clients together."""

REMARK_SECONDS = 1.0
"""Between two remarks on messages without an id, to one client."""

MAX_REMARKED = 256


WRONG_CLOCK_MS = 3_600_000.0


class Refused(EutecticError):
    """A request that can't be carried out; `code` is for programs, the text for people."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class Ticket:
    """One request of one client; owned by the event loop.

    Attributes:
        received: when it arrived; `due`: the time of its time tag (both monotonic).
    """

    def __init__(
        self, registry: RequestRegistry, peer: Peer, address: str, number: int,
        due: float | None = None,
    ) -> None:  # fmt: skip
        self._registry, self.peer, self.address, self.id = registry, peer, address, number
        self.received, self.due = time.monotonic(), due
        self.answered, self.is_done, self.has_begun = False, False, False
        self.task: asyncio.Task[None] | None = None
        self.reason = "cancelled"
        """Why it was cancelled."""
        self.fraction = 0.0
        """How much of it is done."""
        self.ended: Callable[[bool], None] | None = None
        """Called once, with whether it was carried out."""
        self.is_routine = False
        """Whether it is sent over and over, to stay in contact: the log is spared it."""

    @property
    def client(self) -> int:
        """The number of the client that sent it; 0 for one that isn't registered."""
        return self._registry.number(self.peer)

    @property
    def sender(self) -> str:
        """The client's name, or its address."""
        return self._registry.name(self.peer)

    @property
    def moment(self) -> float:
        """When it was asked for (monotonic): the time of its tag, unless its clock is wrong."""
        is_near = self.due is not None and abs(self.due - self.received) < FAR_SECONDS
        return self.due if self.due is not None and is_near else self.received

    def reply(self, answer: Answer) -> None:
        """Send the client an answer; nothing if the request has no id."""
        if self.id >= 0:
            self._registry.send(self.peer, answer)

    def remark(self, answer: Answer) -> None:
        """Tell the client something about a message without an id, at most once a second."""
        self._registry.remark(self.peer, answer)

    def queued(self) -> None:
        self.reply(answers.Queued(self.id))

    def progress(self, stage: str, fraction: float) -> None:
        """Report what is being done, and how much of the whole is; that never runs backwards."""
        self.fraction = max(self.fraction, float(fraction))
        self.reply(answers.Progress(self.id, stage, self.fraction))

    def late(self, ms: float | None) -> None:
        """Report a due time that was past or too far ahead, if it was.

        Of a clock that is wrong altogether, once.
        """
        if ms is not None and (ms < WRONG_CLOCK_MS or self._registry.is_new(self.peer)):
            self.reply(answers.Late(self.id, ms))

    def done(self, found: Found | None = None) -> None:
        """Report success, and what was found."""
        if self._first(is_done=True):
            values = () if found is None else flatten(found)
            self.reply(answers.Done(PREFIX + self.address, self.id, values))
            self._log(self._level, f"done, {self._milliseconds:.0f} ms")

    def fail(self, code: str, text: str) -> None:
        """Report failure: a code for programs and a line for people."""
        if self._first(is_done=False):
            text = one_line(text)
            if self.id >= 0:
                self.reply(answers.Fail(PREFIX + self.address, self.id, code, text))
            else:
                self.remark(answers.Fail(PREFIX + self.address, -1, code, text))
            what = f"{code}, {self._milliseconds:.0f} ms: {text}"
            self._log(logging.DEBUG if self.is_routine else logging.INFO, what, failed=True)

    def cancel(self, reason: str) -> None:
        """Cancel its work; it then fails with `cancelled`."""
        self.reason = reason
        if self.task is not None:
            self.task.cancel()

    @property
    def _level(self) -> int:
        """Continuous values have no id, and would flood the log, as routine does."""
        return logging.INFO if self.id >= 0 and not self.is_routine else logging.DEBUG

    def _first(self, is_done: bool) -> bool:
        first, self.answered = not self.answered, True
        self.is_done = self.is_done or (first and is_done)
        if first and self.ended is not None:
            self.ended(is_done)
        return first

    @property
    def _milliseconds(self) -> float:
        return 1000 * (time.monotonic() - self.received)

    def _log(self, level: int, what: str, failed: bool = False) -> None:
        """Log it; clients that follow the log see the sender's name as well."""
        name = self._registry.name(self.peer)
        line = f"{self.address} {self.id}: {what}"
        about = {"client": name, "line": line, "failed": failed}
        log.log(level, "%s: %s", self, what, extra=about)

    def __str__(self) -> str:
        return f"{self.address} {self.id} of {self.peer.address[0]}:{self.peer.address[1]}"


class RequestRegistry:
    """All open requests; every answer is sent through it."""

    def __init__(self, subscribers: Subscribers) -> None:
        self._subscribers = subscribers
        self._open: dict[tuple[Peer, int], list[Ticket]] = {}
        self._count = 0
        self._remarked: dict[tuple[Peer, type[Answer]], float] = {}
        self._wrong_clocks: set[Peer] = set()

    def __len__(self) -> int:
        return self._count

    def number(self, peer: Peer) -> int:
        """A client's number; 0 for one that isn't registered."""
        return self._subscribers.number(peer)

    def name(self, peer: Peer) -> str:
        """A client's name, or its address."""
        known = self._subscribers.get(peer)
        return "{}:{}".format(*peer.address) if known is None else known.name

    def send(self, peer: Peer, answer: Answer) -> None:
        """Send an answer to a request's sender."""
        self._subscribers.reply(peer, packet(answer))

    def is_new(self, peer: Peer) -> bool:
        """Whether it is the first time that this client's clock is found to be wrong."""
        known = peer in self._wrong_clocks
        if not known:
            log.warning("%s:%d: its clock is wrong; what it sends is played at once", *peer.address)
            if len(self._wrong_clocks) >= MAX_REMARKED:
                self._wrong_clocks.clear()
            self._wrong_clocks.add(peer)
        return not known

    def remark(self, peer: Peer, answer: Answer) -> None:
        """Tell a client about a message without an id, at most once a second of each kind."""
        now = time.monotonic()
        about = peer, type(answer)
        if now - self._remarked.get(about, -REMARK_SECONDS) < REMARK_SECONDS:
            return
        if len(self._remarked) >= MAX_REMARKED:
            self._remarked.clear()
        self._remarked[about] = now
        self.send(peer, answer)

    def begin(self, ticket: Ticket, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Start a request's work; requests run in this order up to where each first waits."""
        if self._count >= MAX_OPEN:
            ticket.fail("busy", f"{MAX_OPEN} requests are open")
            return
        key = (ticket.peer, ticket.id)
        self._open.setdefault(key, []).append(ticket)
        self._count += 1
        ticket.task = asyncio.get_running_loop().create_task(_answered(ticket, work))
        ticket.task.add_done_callback(lambda _: self._over(key, ticket))

    def open(self, peer: Peer, number: int) -> list[Ticket]:
        """A client's open requests with this id."""
        return list(self._open.get((peer, number), []))

    def begun(self) -> list[Ticket]:
        """Open requests that have come to where they first wait, or further."""
        return [each for tickets in self._open.values() for each in tickets if each.has_begun]

    def cancel_all(self, reason: str) -> list[asyncio.Task[None]]:
        """Cancel everything; returns the tasks to wait for."""
        tickets = [ticket for tickets in self._open.values() for ticket in tickets]
        for ticket in tickets:
            ticket.cancel(reason)
        return [ticket.task for ticket in tickets if ticket.task is not None]

    def _over(self, key: tuple[Peer, int], ticket: Ticket) -> None:
        ticket.fail("cancelled", ticket.reason)  # if its task was cancelled before its first step
        self._count -= 1
        self._open[key].remove(ticket)
        if not self._open[key]:
            del self._open[key]


async def _answered(ticket: Ticket, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    ticket.has_begun = True
    try:
        await work()
    except asyncio.CancelledError:
        ticket.fail("cancelled", ticket.reason)
    except EutecticError as error:
        ticket.fail(error.code, str(error))
    except Exception as error:  # a bug: this request fails, the others don't
        log.exception("%s", ticket)
        ticket.fail("internal", f"{type(error).__name__}: {error}")
    else:
        ticket.done()
