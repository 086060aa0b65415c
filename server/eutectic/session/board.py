"""One state that all clients see: what there is, as events, and which of them have changed.

The parts of the session say what there is; nobody has to announce anything. A few times a second
that is compared with what clients were sent, and what differs is sent. So a client that comes late
is sent the same rows, and is as right as the others.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from eutectic.osc import answers
from eutectic.osc.answers import Answer, packet
from eutectic.osc.server import Peer
from eutectic.osc.subscribers import Subscriber, Subscribers

log = logging.getLogger("eutectic.session")

COUNT_SECONDS = 1.0
"""So often at least, clients are told how much they were sent: a sign of life, too."""

AT_ONCE, PAUSE_SECONDS = 64, 0.01
"""So many rows of a snapshot are sent without a pause: a client's socket takes a few hundred."""

JUMP_BEATS = 0.02
"""A beat this far from where it was expected was moved, by hand or by its clock."""

JUMP_SECONDS = 0.1
"""A voice this far from where it was expected has been started again, or was held up."""

Part = Callable[[], Iterable[Answer]]
"""A part of the session's rows, one for each thing that there is."""

_KEYS: dict[type[Answer], str] = {
    answers.VoiceState: "voice", answers.Clip: "clip", answers.Reference: "reference",
    answers.Preset: "name", answers.Client: "number", answers.History: "voice",
    answers.Favourite: "name", answers.Live: "voice", answers.VoiceStrip: "voice",
    answers.VoiceNotes: "voice", answers.VoiceAxis: "voice",
}  # fmt: skip
"""What tells rows of one kind apart; of all others there is one."""

_GONE: dict[type[Answer], dict[str, Any]] = {
    answers.Clip: {"state": "freed"}, answers.Reference: {"state": "freed"},
    answers.Preset: {"there": 0}, answers.Client: {"on": 0},
    answers.Live: {"reference": "", "state": "off", "lag_ms": 0.0, "dropped": 0, "text": ""},
    answers.Favourite: {"state": "freed"},
}  # fmt: skip
"""How it is said that there is none any more."""

Key = tuple[type[Answer], Any]


class Board:
    """What clients are sent; owned by the event loop."""

    def __init__(self, subscribers: Subscribers) -> None:
        self._subscribers = subscribers
        self._parts: list[Part] = []
        self._rows: dict[Key, Answer] = {}
        """As clients know them."""
        self._positions: dict[int, tuple[float, float]] = {}
        """Where voices were by their last events, and when (monotonic)."""
        self._updated = 0.0
        """When the rows were last as things are (monotonic)."""
        self._beat = 0.0, 0.0
        """The beat by its last event, and when that was."""
        self._counted = 0.0
        self._sending: set[asyncio.Task[None]] = set()

    def show(self, *parts: Part) -> None:
        """Show what these say there is, from now on."""
        self._parts += parts

    def publish(self, answer: Answer) -> None:
        """Send every client an event now, which may be a row that has changed."""
        is_row = not isinstance(answer, answers.Session) or answer.in_use
        if is_row and _key(answer) in self._rows:
            self._rows[_key(answer)] = answer
        is_counted = not isinstance(answer, answers.Fail)  # one client may be sent that, too
        self._subscribers.publish(packet(answer), counted=is_counted)

    def update(self) -> None:
        """Send what has changed since the last call, then how much each client was sent."""
        self._updated = time.monotonic()
        now = {_key(row): row for part in self._parts for row in part()}
        for key, row in now.items():
            before, self._rows[key] = self._rows.get(key), row
            if before is None or _still(before) != _still(row) or self._has_jumped(row):
                self._subscribers.publish(packet(row))
                if isinstance(row, answers.VoiceState):
                    self._positions[row.voice] = row.position, time.monotonic()
                elif isinstance(row, answers.Tempo):
                    self._beat = row.beat, time.monotonic()
        for key in [key for key in self._rows if key[0] in _GONE and key not in now]:
            gone = msgspec.structs.replace(self._rows[key], **_GONE[key[0]])
            self._subscribers.publish(packet(gone))
            del self._rows[key]
        self._count()

    def greet(self, peer: Peer) -> None:
        """Send a client all there was at the last update, which events will change."""
        subscriber = self._subscribers.get(peer)
        if subscriber is None:
            return
        task = asyncio.get_running_loop().create_task(self._send_all(subscriber))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _send_all(self, subscriber: Subscriber) -> None:
        """Send the rows; those that change meanwhile are sent as they are by then."""
        subscriber.sent, subscriber.told = 0, -1
        subscriber.tell(packet(answers.Snapshot(subscriber.number)))
        for sent, key in enumerate(list(self._rows), 1):
            row = self._rows.get(key)
            if row is not None:
                subscriber.tell(packet(_gone_on(row, time.monotonic() - self._updated)))
                subscriber.sent += 1
            if sent % AT_ONCE == 0:
                await asyncio.sleep(PAUSE_SECONDS)
                if self._subscribers.get(subscriber.peer) is not subscriber:
                    return  # it left, or asked again
        self._tell(subscriber)

    def _has_jumped(self, row: Answer) -> bool:
        """Whether a voice or the beat isn't where it would be by now, going by the last event."""
        if isinstance(row, answers.Tempo):
            beat, at = self._beat
            beats = (time.monotonic() - at) * row.bpm / 60 if row.running else 0.0
            return abs(row.beat - beat - beats) > JUMP_BEATS
        if not isinstance(row, answers.VoiceState) or not row.seconds:
            return False
        position, at = self._positions.get(row.voice, (row.position, time.monotonic()))
        way = (time.monotonic() - at) * self._speed(row.voice)
        jump = row.position - position - way
        if row.loop:
            jump -= round(jump / row.seconds) * row.seconds
        return abs(jump) > JUMP_SECONDS

    def _speed(self, voice: int) -> float:
        """How fast a voice goes through its sound; below 0 in reverse."""
        row = self._rows.get((answers.VoiceNotes, voice))
        if not isinstance(row, answers.VoiceNotes):
            return 1.0
        return -row.rate if row.reverse else row.rate

    def _count(self) -> None:
        now = time.monotonic()
        is_due = now - self._counted >= COUNT_SECONDS
        self._counted = now if is_due else self._counted
        for subscriber in self._subscribers:
            has_snapshot = subscriber.told >= 0
            if has_snapshot and (is_due or subscriber.told != subscriber.sent):
                self._tell(subscriber)

    def _tell(self, subscriber: Subscriber) -> None:
        subscriber.told = subscriber.sent
        subscriber.tell(packet(answers.Sent(subscriber.sent)))


def _still(row: Answer) -> Answer:
    """A row without what goes on by itself."""
    if isinstance(row, answers.VoiceState):
        return msgspec.structs.replace(row, position=0.0)
    return msgspec.structs.replace(row, beat=0.0) if isinstance(row, answers.Tempo) else row


def _gone_on(row: Answer, seconds: float) -> Answer:
    """A row as it is so much later."""
    if not isinstance(row, answers.Tempo) or not row.running:
        return row
    return msgspec.structs.replace(row, beat=row.beat + seconds * row.bpm / 60)


def _key(row: Answer) -> Key:
    name = _KEYS.get(type(row))
    return type(row), None if name is None else getattr(row, name)
