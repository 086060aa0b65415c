"""What is asked for while a recording is made, written beside it; see `shows` for the file."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass

from eutectic.files.lines import LineWriter
from eutectic.osc import table
from eutectic.osc.access import WATCHING
from eutectic.osc.table import Request
from eutectic.playback.player import DUE_FRAME, Player
from eutectic.playback.recorder import Recorder
from eutectic.session.shows import SUFFIX, Begin, End, Event, arguments_of, line
from eutectic.session.tickets import Ticket

ELSEWHERE = (
    *WATCHING, table.Fuse, table.StartRecording, table.StopRecording, table.Cancel, table.Replay,
)  # fmt: skip
"""Requests that aren't noted when they are begun: fusions are when they start, others never."""

MUSICAL = (table.SetTempo, table.TapTempo, table.SetTransport)
"""Requests that take effect when they are received, rather than with the next block; what is heard
at the time of its tag is noted there."""


@dataclass(eq=False)
class Entry:
    """A request that is carried out; `frame` is of the player, None until the player says."""

    number: int
    request: Request
    by: str
    frame: int | None = None
    state: str = "open"


class Journal:
    """Notes requests; owned by the event loop, except that the player says when they took effect.

    `begun` says how things stand at a recording's first frame, `instead` what to note of a request
    that has ended; they are set before anything is noted.
    """

    def __init__(self, player: Player) -> None:
        self._player = player
        self.begun: Callable[[Recorder], Begin]
        self.instead: Callable[[Request], Request | None]
        self._writer: LineWriter | None = None
        self._recorder: Recorder | None = None
        self._began: int | None = None
        self._entries: list[Entry] = []
        self._numbers = itertools.count(1)

    @property
    def error(self) -> str | None:
        """Why nothing more is written, in one line."""
        return None if self._writer is None else self._writer.error

    @property
    def is_open(self) -> bool:
        return self._writer is not None

    def open(self, recorder: Recorder) -> None:
        """Begin a file beside a recording.

        Raises:
            BadOutput: it exists, or can't be written.
        """
        self._writer = LineWriter(recorder.path.with_suffix(SUFFIX))
        self._recorder, self._began, self._entries = recorder, None, []

    def end(self, frames: int) -> Callable[[], str | None]:
        """The recording is this long; returns what waits for the disk, and says what went wrong."""
        writer, began = self._writer, self._began
        last = None if began is None else began + frames
        self.look(last)
        self._writer, self._recorder, self._entries = None, None, []
        if writer is None:
            return lambda: None
        writer.put(line(End(frames)))

        def close() -> str | None:
            writer.close()
            return writer.error

        return close

    def discard(self) -> None:
        """Remove the file of a recording that never began."""
        writer, self._writer, self._recorder, self._entries = self._writer, None, None, []
        if writer is not None:
            writer.close()
            writer.path.unlink(missing_ok=True)

    def note(self, ticket: Ticket, request: Request) -> None:
        """Note a request that is about to be carried out, unless it fails."""
        if self._writer is None or isinstance(request, ELSEWHERE):
            return
        entry, due = Entry(next(self._numbers), request, ticket.sender), DUE_FRAME.get()
        self._entries.append(entry)
        is_dated = isinstance(request, MUSICAL) or (
            request.due == "heard" and ticket.due is not None
        )
        if is_dated and due is None:
            entry.frame = max(0, round(self._player.frame_at(ticket.moment)))
        else:
            self._mark(entry)

        def ended(is_done: bool) -> None:
            entry.state = "done" if is_done else "failed"
            found = self.instead(request) if is_done else request
            if found is None:
                entry.state = "failed"
            elif found is not request:
                entry.request = found
                if not is_dated:
                    entry.frame = None
                    self._mark(entry)

        ticket.ended = ended

    def did(self, ticket: Ticket, request: Request) -> None:
        """Note what is done next, on behalf of a request."""
        if self._writer is not None:
            entry = Entry(next(self._numbers), request, ticket.sender, state="done")
            self._entries.append(entry)
            self._mark(entry)

    def will_start(self, ticket: Ticket, request: Request) -> Entry:
        """A fusion whose place among other requests is here, whenever it is heard."""
        return Entry(next(self._numbers), request, ticket.sender)

    def started(self, entry: Entry, frame: int) -> None:
        """Note a fusion that has started."""
        if self._writer is not None:
            entry.frame, entry.state = frame, "done"
            self._entries.append(entry)

    def look(self, last: int | None = None) -> None:
        """Write what has ended; where the last frame is given, what goes on, up to there."""
        writer, recorder = self._writer, self._recorder
        if writer is None or recorder is None or recorder.began is None:
            return
        if self._began is None:
            self._began = recorder.began
            writer.put(line(self.begun(recorder)))
        left: list[Entry] = []
        for entry in self._entries:
            if entry.frame is None or (entry.state == "open" and last is None):
                left.append(entry)
            elif entry.state != "failed" and (last is None or entry.frame <= last):
                self._write(writer, entry)
        self._entries = left

    def _write(self, writer: LineWriter, entry: Entry) -> None:
        frame = (entry.frame or 0) - (self._began or 0)
        if frame >= 0:  # else it is part of how things stood
            arguments = arguments_of(entry.request)
            event = Event(frame, entry.number, entry.request.address, arguments, entry.by)
            writer.put(line(event))

    def _mark(self, entry: Entry) -> None:
        def mark(frame: int) -> None:
            entry.frame = frame

        # What the request has the player do next takes effect with the block that is noted.
        self._player.gather()
        asyncio.get_running_loop().call_soon(self._player.hand_over)
        self._player.mark(mark)
