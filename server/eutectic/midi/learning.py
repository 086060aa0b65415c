"""Which control a user means by moving it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from eutectic.midi.fourteen import LSB
from eutectic.midi.messages import Event

SETTLE_SECONDS = 0.05
"""One movement's messages arrive within this time of the first."""

SELECTORS = range(98, 102)
"""Control changes that select a parameter (NRPN, RPN), which the next DATA is for."""

DATA = (6, 38, 96, 97)
MODES = range(120, 128)
"""Channel modes, such as all notes off."""

BANK = (0, 32)
"""Sent before a program."""

NONE_SELECTED = 127


class Learning:
    """Waits for the first control to move; owned by the event loop.

    Selections of parameters, their data and channel modes are nobody's movement. Two halves of a
    value are one 14-bit control, and a bank belongs to the program after it.

    Attributes:
        moved: the control, once it has moved.
    """

    def __init__(self) -> None:
        self.moved: asyncio.Future[Event] = asyncio.get_running_loop().create_future()
        self._first: Event | None = None
        self._seen: set[tuple[int, int]] = set()
        """Channels and numbers of control changes."""
        self._selected: set[int] = set()
        """Channels with a parameter selected."""

    def take(self, event: Event) -> None:
        """Look at an event, as the controller sent it."""
        if event.kind == "cc":
            if self._is_technical(event):
                return
            self._seen.add((event.channel, event.number))
        first = self._first
        if first is None and event.raw:
            self._first = event
            asyncio.get_running_loop().call_later(SETTLE_SECONDS, self._settle)
        elif first is not None and event.kind == "program" and first.kind == "cc":
            self._first = event if first.number in BANK else first

    def _is_technical(self, event: Event) -> bool:
        if event.number in SELECTORS:
            select = self._selected.discard if event.raw == NONE_SELECTED else self._selected.add
            select(event.channel)
            return True
        in_use = event.channel in self._selected
        return event.number in MODES or (in_use and event.number in DATA)

    def _settle(self) -> None:
        event = self._first
        assert event is not None
        if event.kind == "cc" and event.number < 2 * LSB:
            upper = event.number % LSB
            if {(event.channel, upper), (event.channel, upper + LSB)} <= self._seen:
                event = replace(event, kind="cc14", number=upper)
        if not self.moved.done():
            self.moved.set_result(event)
