"""Musical time in the session: the tempo, when requests are due in it, and what it follows.

The player's timeline says on which beat a frame is *mixed*. A clock from elsewhere says on which
beat something is *heard*: a frame that is mixed now is heard once the output's latency is over, so
it gets the beat that the clock will have then. The clock sent to others is late by as much. The
timeline follows a clock without jumps: its tempo is the clock's, and a little more or less where it
is behind or ahead, so that its error is bounded whatever two crystals do; only where it is far off,
as after a start, is it set.
"""

from __future__ import annotations

import asyncio
import itertools
import statistics
from collections import deque
from collections.abc import Callable, Iterator
from typing import Protocol

from eutectic.osc import answers, table
from eutectic.osc.answers import Answer
from eutectic.osc.requests.time import MAX_BPM, MIN_BPM
from eutectic.playback.player import DUE_FRAME, Player
from eutectic.playback.timeline import Beat
from eutectic.session import clocks
from eutectic.session.tickets import Refused, Ticket

TAPS, FORGET_SECONDS = 5, 2.0
"""The tempo follows from so many taps, none of which is longer after another."""

JUMP_SECONDS = 0.03
"""Further off than this, the timeline is set to the clock's beat."""

FOLLOW_SECONDS, MOST = 0.3, 0.03
"""It makes up for what it is off within about this time, by so much of the tempo at most."""

EVERY_SECONDS = 0.02
"""Between such corrections."""

NOTICED = 0.002
"""Clients are told of a clock's tempo when it has changed by more of itself: it never rests."""

Do = Callable[[Beat, Callable[[int | None], None]], None]
"""What the player does at a beat, and then reports."""


class Dated(Protocol):
    """A request with a time in beats."""

    @property
    def at_beat(self) -> float | None: ...
    @property
    def quantise(self) -> float | None: ...


class Tempo:
    """The player's timeline, as clients set and see it; owned by the event loop.

    `latency_seconds`: from the mix to the ear. `heard_beat` and `heard_time` are for any thread.

    Attributes:
        tapped: what would have set the tempo as the last tap did; None: that set nothing.
    """

    def __init__(
        self, player: Player, latency_seconds: Callable[[], float], changed: Callable[[], None]
    ) -> None:
        self._player, self._latency_seconds, self._changed = player, latency_seconds, changed
        self._taps: deque[float] = deque(maxlen=TAPS)
        self.tapped: table.SetTempo | None = None
        self._by = 0
        self._clock: clocks.Clock | None = None
        self._out: clocks.ClockOut | None = None
        self._followed, self._was_running = 0.0, True
        self._shown_bpm = player.timeline.bpm
        self._kept_bpm = player.timeline.bpm

    # When requests are due

    @property
    def beat(self) -> float:
        """The beat that it is now, in the mix; or when commands of this context take effect."""
        due = DUE_FRAME.get()
        frame = self._player.frame_at(self._player.clock()) if due is None else due
        return self._player.timeline.beat_of(frame)

    @property
    def bpm(self) -> float:
        """The tempo, as clients see it."""
        return self._player.timeline.bpm if self._clock is None else self._shown_bpm

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
            return Beat.after(now, due.first, due.every), None
        return None, 60_000 * late / timeline.bpm

    def time_of(self, due: Beat) -> float | None:
        """The monotonic time of it, as beats run by now; None while they are held."""
        timeline = self._player.timeline
        if not timeline.running:
            return None
        return self._player.time_of(timeline.frame_of(due.number))

    async def reached(self, due: Beat | None, do: Do | None = None) -> int | None:
        """Wait until it is due; returns the frame, or None if it is at once.

        `do` is what the player does then; it takes what `Player.call` does.

        Raises:
            Refused: the schedule was cleared before (`cancelled`).
        """
        if due is None:
            return None
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
        self._set(ticket, request.bpm, request.beat, ticket.moment)

    async def tap(self, ticket: Ticket, request: table.TapTempo) -> None:
        self.tapped = None
        if request.press == 0:
            return
        now = ticket.moment
        if self._taps and not 0 < now - self._taps[-1] <= FORGET_SECONDS:
            self._taps.clear()
        self._taps.append(now)
        gaps = [after - before for before, after in itertools.pairwise(self._taps)]
        if gaps:
            bpm = min(max(60 / statistics.median(gaps), MIN_BPM), MAX_BPM)
            tapped = self._player.timeline.beat_of(self._player.frame_at(now))
            beat = round(tapped) if self._clock is None else None
            self._set(ticket, bpm, beat, now)
            self.tapped = table.SetTempo(bpm=bpm, beat=beat)

    async def run(self, ticket: Ticket, request: table.SetTransport) -> None:
        running = bool(request.on)
        self._check_own()
        if self._clock is not None:
            self._clock.set(None, None, running)
        else:
            self._player.set_tempo(running=running, at=ticket.moment)
        self._by = ticket.client

    async def set_clock(self, ticket: Ticket, request: table.SetClock) -> None:
        source = request.source.strip()
        await asyncio.to_thread(clocks.check, source)
        await self.follow(source)
        self._by = ticket.client
        ticket.done(answers.ClockInUse(self._name))

    async def follow(self, source: str) -> None:
        """Follow another clock from now on; beats go on from where they are.

        Raises:
            Refused: there is no such clock (`no_clock`).
        """
        await self._follow(source, self.bpm)

    async def _follow(self, source: str, bpm: float) -> None:
        """Follow another clock, which may go on with this tempo."""
        new, old = clocks.opened(source, bpm), self._clock
        self._was_running = self._player.timeline.running
        self._shown_bpm = bpm
        self._clock = new
        if new is None:
            self._player.set_tempo(bpm=bpm)
        if old is not None:
            await asyncio.to_thread(old.close)

    async def start(self, source: str, out: str | None) -> None:
        """Follow a clock from the start, and send one to a MIDI output, if there is to be one.

        Raises:
            Refused: there is no such clock (`no_clock`).
        """
        await self._follow(source, self._kept_bpm)  # the player may not have that yet
        if out is not None:
            self._out = clocks.ClockOut(out, self)

    async def close(self) -> None:
        """Let go of the clocks."""
        for each in (self._out, self._clock):
            if each is not None:
                await asyncio.to_thread(each.close)

    def _set(self, ticket: Ticket, bpm: float, beat: float | None, at: float) -> None:
        self._check_own()
        if self._clock is not None:
            self._clock.set(bpm, beat, None)
        else:
            self._player.set_tempo(bpm=bpm, beat=beat, at=at)
        self._kept_bpm, self._by = bpm, ticket.client
        self._changed()

    def _check_own(self) -> None:
        """Refuse to set what another clock sets.

        Raises:
            Refused: the tempo isn't ours (`followed`).
        """
        if self._clock is not None and not self._clock.is_shared:
            text = f"the beats follow {self._clock.name}; /tempo/clock internal lets you set them"
            raise Refused("followed", text)

    # Clocks

    def update(self) -> None:
        """Follow the clock, if there is one."""
        reading = None if self._clock is None else self._clock.reading()
        if reading is None:
            return
        timeline, now = self._player.timeline, self._player.clock()
        if reading.running == self._was_running and now - self._followed < EVERY_SECONDS:
            return
        self._followed, self._was_running = now, reading.running
        self._show(reading.bpm)
        if not reading.running:
            self._player.set_tempo(bpm=reading.bpm, beat=reading.beat, running=False, at=now)
            return
        frame, latency = self._player.frame_at(now), self._latency_seconds()
        off = (reading.beat_at(now + latency) - timeline.beat_of(frame)) * 60 / reading.bpm
        if not timeline.running or abs(off) > JUMP_SECONDS:
            self._player.set_tempo(
                bpm=reading.bpm, beat=reading.beat, running=True, at=reading.at - latency
            )
        else:
            share = min(max(off / FOLLOW_SECONDS, -MOST), MOST)
            self._player.set_tempo(bpm=reading.bpm * (1 + share), at=now)

    def heard_beat(self, at: float) -> float | None:
        """The beat that is heard at a time (monotonic); None while there are none."""
        timeline, player = self._player.timeline, self._player
        if not timeline.running or not player.has_begun:
            return None
        return timeline.beat_of(player.frame_at(at - self._latency_seconds()))

    def heard_time(self, beat: float) -> float | None:
        """The time (monotonic) at which a beat is heard; None while there are none."""
        timeline, player = self._player.timeline, self._player
        if not timeline.running or not player.has_begun:
            return None
        return player.time_of(timeline.frame_of(beat)) + self._latency_seconds()

    def _show(self, bpm: float) -> None:
        if abs(bpm / self._shown_bpm - 1) > NOTICED:
            self._shown_bpm = bpm

    # What clients see, and what is kept

    def states(self) -> Iterator[Answer]:
        running = int(self._player.timeline.running)
        yield answers.Tempo(self.bpm, self.beat, running, self._name, self._problem, self._by)

    @property
    def line(self) -> str:
        """For `/status`."""
        beat, problem = self.beat, self._problem
        held = [] if self._player.timeline.running else ["held"]
        parts = [f"{self.bpm:.2f} bpm", f"beat {beat:.2f}", f"phase {beat % 1:.2f}", *held]
        return ", ".join([*parts, self._name + (f": {problem}" if problem else "")])

    @property
    def kept(self) -> float:
        """The tempo that the session keeps: a clock's isn't its own."""
        return self._kept_bpm

    def restore(self, bpm: float | None) -> None:
        """Set the tempo that a session has; not that of a clock."""
        if bpm is not None:
            self._kept_bpm = bpm
            if self._clock is None:
                self._player.set_tempo(bpm=bpm)

    @property
    def _name(self) -> str:
        return "internal" if self._clock is None else self._clock.name

    @property
    def _problem(self) -> str:
        return "" if self._clock is None else self._clock.problem
