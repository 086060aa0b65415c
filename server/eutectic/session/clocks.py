"""Clocks that the beats may follow: MIDI's, and Ableton Link's where `aalink` is installed.

aalink is under the GPL, so that it comes with the extra `link` alone, and is imported only when it
is asked for.
"""

from __future__ import annotations

import importlib.util
import time
from typing import TYPE_CHECKING, Protocol

from eutectic.session.tickets import Refused

if TYPE_CHECKING:
    from eutectic.midi.clock import Reading
    from eutectic.midi.ticks import Beats

POLL_SECONDS = 0.001
"""Between looks at a MIDI port."""


class Clock(Protocol):
    """Something that beats follow; owned by the event loop.

    Attributes:
        name: as clients see it.
        problem: what is wrong with it; empty: nothing.
        is_shared: whether whoever follows it may set it, too.
    """

    name: str
    is_shared: bool

    @property
    def problem(self) -> str: ...
    def reading(self) -> Reading | None:
        """What it says; None as long as nothing has come from it."""
        ...

    def set(self, bpm: float | None, beat: float | None, running: bool | None) -> None:
        """Set it for all that follow it."""
        ...

    def close(self) -> None: ...


class MidiClock:
    """The clock that comes in at a MIDI input: a part of its name, or empty for the first."""

    is_shared = False

    def __init__(self, port: str) -> None:
        from eutectic.midi.clock import ClockReader
        from eutectic.midi.ports import Plug, Ports

        self.name = f"midi {port}".strip()
        self._port, self._reader = port, ClockReader()
        plug = Plug(port, self._take, self._open, is_clock=True)
        self._ports = Ports([plug], POLL_SECONDS)

    @property
    def problem(self) -> str:
        from eutectic.midi.clock import SILENT_SECONDS

        if not self._ports.is_open(0):
            return f"no MIDI input matches {self._port!r}" if self._port else "no MIDI input"
        reading = self._reader.reading
        is_silent = time.monotonic() - self._reader.heard > SILENT_SECONDS
        if reading is None or (reading.running and is_silent):
            return "no clock comes from it"
        return ""

    def reading(self) -> Reading | None:
        return self._reader.reading

    def set(self, bpm: float | None, beat: float | None, running: bool | None) -> None:
        raise NotImplementedError

    def close(self) -> None:
        self._ports.close()

    def _take(self, message: list[int]) -> None:
        self._reader.take(message, time.monotonic() - POLL_SECONDS / 2)

    def _open(self) -> None:
        """Nothing is sent to it."""


class LinkClock:
    """A session of Ableton Link, whose tempo and beats all peers share."""

    name, is_shared, problem = "link", True, ""

    def __init__(self, bpm: float) -> None:
        from aalink import Link  # pyright: ignore[reportMissingImports]

        self._link = Link(bpm)
        self._link.enabled = True
        self._link.start_stop_sync_enabled = True
        self._running, self._was_playing = True, bool(self._link.playing)

    def reading(self) -> Reading:
        from eutectic.midi.clock import Reading

        playing = bool(self._link.playing)
        if playing != self._was_playing:  # one that has never been started runs all the same
            self._running = self._was_playing = playing
        return Reading(time.monotonic(), self._link.beat, self._link.tempo, self._running)

    def set(self, bpm: float | None, beat: float | None, running: bool | None) -> None:
        if bpm is not None:
            self._link.tempo = bpm
        if beat is not None:
            self._link.request_beat(beat)
        if running is not None:
            self._link.playing = self._running = self._was_playing = running

    def close(self) -> None:
        self._link.enabled = False


class ClockOut:
    """Sends beats as MIDI clock to an output: a part of its name."""

    def __init__(self, port: str, beats: Beats) -> None:
        from eutectic.midi.ports import OutPort
        from eutectic.midi.ticks import TickSender

        self._port = OutPort(port)
        self._sender = TickSender(beats, self._port.send)

    def close(self) -> None:
        """Stop those that follow, and close the port."""
        self._sender.close()
        self._port.close()


def opened(source: str, bpm: float) -> Clock | None:
    """The clock of a name: `midi`, maybe with part of an input's name, or `link`; None: internal.

    Raises:
        Refused: there is no such clock (`no_clock`).
    """
    kind, _, port = source.strip().partition(" ")
    if kind == "internal" and not port:
        return None
    if kind == "midi":
        return MidiClock(port.strip())
    if kind != "link" or port:
        raise Refused("no_clock", f"the clock is internal, midi or link, not {source}")
    if importlib.util.find_spec("aalink") is None:
        raise Refused("no_clock", "link needs aalink: pip install 'eutectic[link]'")
    return LinkClock(bpm)


def check(source: str) -> None:
    """Check that there is an input for a MIDI clock, now.

    Raises:
        Refused: there is none (`no_clock`).
    """
    kind, _, port = source.strip().partition(" ")
    if kind != "midi":
        return
    from eutectic.midi.names import rank
    from eutectic.midi.ports import input_names

    names = input_names()
    if not any(rank(port.strip(), name) is not None for name in names):
        there = ", ".join(names) or "none"
        raise Refused("no_clock", f"no MIDI input matches {port.strip()!r}; available: {there}")
