"""Which references are being remembered and learned at the moment, and how far that is."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field

from eutectic.session.jobs import part
from eutectic.session.tickets import Ticket


@dataclass(eq=False)
class Learning:
    """A reference that a request makes; `remembered` is set once it can be fused with.

    `doing`: in a word. `share`: of the request, from where to where.
    """

    ticket: Ticket
    doing: str
    share: tuple[float, float] = (0.0, 1.0)
    fraction: float = 0.0
    remembered: asyncio.Event = field(default_factory=asyncio.Event)

    def progress(self, stage: str, fraction: float) -> None:
        """Note it, and report it to the client."""
        self.fraction = fraction
        part(self.ticket.progress, *self.share)(stage, fraction)


class Learnings:
    """Those under way, by the reference's name; owned by the event loop."""

    def __init__(self) -> None:
        self._all: dict[str, list[Learning]] = {}

    def __iter__(self) -> Generator[str]:
        """The references' names."""
        yield from self._all

    def __contains__(self, name: str) -> bool:
        return name in self._all

    def state(self, name: str) -> str:
        """In words, of one that is under way."""
        newest = self._all[name][-1]
        return f"{newest.doing} {100 * newest.fraction:.0f} %"

    def fraction(self, name: str) -> float:
        """How much is done of one that is under way; 1 if none is."""
        return self._all[name][-1].fraction if name in self._all else 1.0

    @contextlib.contextmanager
    def of(
        self, ticket: Ticket, names: Sequence[str], doing: str = "learning"
    ) -> Generator[dict[str, Learning]]:
        """While a request makes these references, in this order."""
        count = len(names)
        begun = {
            name: Learning(ticket, doing, (number / count, (number + 1) / count))
            for number, name in enumerate(names)
        }
        for name, each in begun.items():
            self._all.setdefault(name, []).append(each)
        try:
            yield begun
        finally:
            for name, each in begun.items():
                self.end(name, each)

    def end(self, name: str, learning: Learning) -> None:
        """It is over, unless it already was."""
        learning.remembered.set()
        running = self._all.get(name, [])
        if learning in running:
            running.remove(learning)
            if not running:
                del self._all[name]

    async def until_remembered(self, name: str) -> None:
        """Wait until the requests that make a reference have made it, or have ended."""
        for each in list(self._all.get(name, ())):
            await each.remembered.wait()

    def cancel(self, name: str, reason: str) -> None:
        """Cancel every request that makes a reference."""
        for each in self._all.get(name, ()):
            each.ticket.cancel(reason)
