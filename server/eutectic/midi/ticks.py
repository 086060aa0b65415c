"""MIDI clock, sent: a tick whenever the beats have one, from a thread of its own.

What is sent for a beat is sent when that is heard, not when it is mixed.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import Protocol

from eutectic.midi.clock import CONTINUE, POSITION, SIXTEENTH, START, STOP, TICK, TICKS
from eutectic.system.processes import make_thread_real_time

AHEAD_SECONDS = 0.003
"""A start is sent so long before its tick; MIDI 1.0 wants a millisecond at least."""

LOOK_SECONDS = 0.005
"""A change of the beats is noticed within this time."""

JUMP_TICKS = 2.0
"""Where the next tick is further off than that, beats are counted anew."""

MAX_POSITION = 1 << 14


class Beats(Protocol):
    """Beats as they are heard, at monotonic times; any thread may ask."""

    def heard_beat(self, at: float) -> float | None:
        """The beat at a time; None while there are none."""
        ...

    def heard_time(self, beat: float) -> float | None:
        """The time of a beat; None while there are none."""
        ...


class TickSender:
    """Sends start, continue, position, stop and ticks as beats run; `send` takes each message.

    Without a thread, `step` is for the caller.
    """

    def __init__(
        self, beats: Beats, send: Callable[[list[int]], None], *, threaded: bool = True
    ) -> None:
        self._beats, self._send = beats, send
        self._next: int | None = None
        """The tick that comes next; None while there are none."""
        self._leave = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ticks", daemon=True)
        if threaded:
            self._thread.start()

    def close(self) -> None:
        """Stop, also those that follow."""
        self._leave.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._next is not None:
            self._send([STOP])

    def _run(self) -> None:
        make_thread_real_time()
        while not self._leave.is_set():
            self._leave.wait(max(0.0, min(self.step(time.monotonic()), LOOK_SECONDS)))

    def step(self, now: float) -> float:
        """Send what is due at a (monotonic) time; returns the seconds to the next."""
        beat = self._beats.heard_beat(now)
        if self._next is not None and (beat is None or abs(TICKS * beat - self._next) > JUMP_TICKS):
            self._send([STOP])
            self._next = None
        if beat is None:
            return LOOK_SECONDS
        if self._next is None:
            return self._start(now, beat)
        due = self._beats.heard_time(self._next / TICKS)
        if due is not None and due <= now:
            self._send([TICK])
            self._next += 1
            due = self._beats.heard_time(self._next / TICKS)
        return LOOK_SECONDS if due is None else due - now

    def _start(self, now: float, beat: float) -> float:
        """Start at the next sixteenth, where a song position can be."""
        sixteenth = max(0, math.ceil(beat * TICKS / SIXTEENTH))
        due = self._beats.heard_time(sixteenth * SIXTEENTH / TICKS)
        if due is None or due - AHEAD_SECONDS > now:
            return LOOK_SECONDS if due is None else due - AHEAD_SECONDS - now
        if sixteenth:
            position = sixteenth % MAX_POSITION
            self._send([POSITION, position & 0x7F, position >> 7])
        self._send([CONTINUE if sixteenth else START])
        self._next = SIXTEENTH * sixteenth
        return 0.0
