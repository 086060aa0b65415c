"""Musical time in the session: the tempo, when requests are due in it, and what sets it."""

from __future__ import annotations

import asyncio
import itertools
import statistics
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Protocol

from eutectic.osc import answers, table
from eutectic.osc.answers import Answer
from eutectic.osc.requests.time import MAX_BPM, MIN_BPM
from eutectic.playback.player import Player
from eutectic.playback.timeline import Beat
from eutectic.session.tickets import Refused, Ticket

TAPS, FORGET_SECONDS = 5, 2.0
"""The tempo follows from so many taps, none of which is longer after another."""


Do = Callable[[Beat, Callable[[int | None], None]], None]
"""What the player does at a beat, and then reports."""


class Dated(Protocol):
    """A request with a time in beats."""

    @property
    def at_beat(self) -> float | None: ...
    @property
    def quantise(self) -> float | None: ...


class Tempo:
    """The player's timeline, as clients set and see it; owned by the event loop."""

    def __init__(self, player: Player, changed: Callable[[], None]) -> None:
        self._player, self._changed = player, changed
        self._taps: deque[float] = deque(maxlen=TAPS)
        self._by = 0

    # When requests are due

    @property
    def beat(self) -> float:
        """The beat that it is now."""
        return self._player.timeline.beat_of(self._player.frame_at(time.monotonic()))

    def due(self, ticket: Ticket, request: Dated, earliest: float | None = None) -> Beat | None:
        """When a request is due by its `at_beat` and `quantise`; None: at once, or by its time.

        With both, at the next multiple at or after `at_beat`; with a time (monotonic), `earliest`,
        and `quantise`, at or after that. A beat that is past is at once, and reported as late.
        """
        first, every = request.at_beat, request.quantise or 0.0
        if first is None and not every:
            return None
        timeline, now = self._player.timeline, self.beat
        if first is None and earliest is not None:
            now = max(now, timeline.beat_of(self._player.frame_at(earliest)))
        due = Beat.after(now, first, every)
        late = now - due.number
        if late > 0 and timeline.running:
            ticket.late(60_000 * late / timeline.bpm)
            return None
        return due

    def again(self, due: Beat) -> tuple[Beat | None, float | None]:
        """When it is due, of something that took time, and by how many ms it is late.

        What isn't ready on its multiple waits for the next.
        """
        timeline, now = self._player.timeline, self.beat
        late = now - due.number
        if late <= 0 or not timeline.running:
            return due, None
        if due.every:
            return Beat.after(now, max(due.first, now), due.every), None
        return None, 60_000 * late / timeline.bpm

    def time_of(self, due: Beat) -> float | None:
        """The monotonic time of it, as beats run by now; None while they are held."""
        timeline = self._player.timeline
        if not timeline.running:
            return None
        return self._player.time_of(timeline.frame_of(due.number))

    async def reached(self, due: Beat, do: Do | None = None) -> int:
        """Wait until it is due; returns the frame. `do` is done then, with `Player.call`'s values.

        Raises:
            Refused: the schedule was cleared before (`cancelled`).
        """
        reached: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()

        def then(frame: int | None) -> None:
            if not reached.done():
                reached.set_result(frame)

        (do or self._player.call)(due, then)
        frame = await reached
        if frame is None:
            raise Refused("cancelled", "the schedule was cleared")
        return frame

    # Requests

    async def set(self, ticket: Ticket, request: table.SetTempo) -> None:
        self._set(ticket, request.bpm, request.beat)

    async def tap(self, ticket: Ticket, request: table.TapTempo) -> None:
        if request.press == 0:
            return
        now = ticket.received if ticket.due is None else ticket.due
        if self._taps and not 0 < now - self._taps[-1] <= FORGET_SECONDS:
            self._taps.clear()
        self._taps.append(now)
        gaps = [after - before for before, after in itertools.pairwise(self._taps)]
        if gaps:
            bpm = min(max(60 / statistics.median(gaps), MIN_BPM), MAX_BPM)
            self._set(ticket, bpm, round(self.beat), at=now)

    async def run(self, ticket: Ticket, request: table.SetTransport) -> None:
        self._player.set_tempo(running=bool(request.on), at=time.monotonic())
        self._by = ticket.client

    def _set(self, ticket: Ticket, bpm: float, beat: float | None, at: float | None = None) -> None:
        self._player.set_tempo(bpm=bpm, beat=beat, at=at or time.monotonic())
        self._by = ticket.client
        self._changed()

    # What clients see, and what is kept

    def states(self) -> Iterator[Answer]:
        running = int(self._player.timeline.running)
        yield answers.Tempo(self.bpm, self.beat, running, "internal", "", self._by)

    @property
    def line(self) -> str:
        """For `/status`."""
        beat = self.beat
        held = "" if self._player.timeline.running else ", held"
        return f"{self.bpm:.2f} bpm, beat {beat:.2f}, phase {beat % 1:.2f}{held}, internal"

    @property
    def bpm(self) -> float:
        return self._player.timeline.bpm

    def restore(self, bpm: float | None) -> None:
        """Set the tempo that a session has."""
        if bpm is not None:
            self._player.set_tempo(bpm=bpm)
