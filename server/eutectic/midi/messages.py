"""From a port's bytes to movements of controls."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass
from typing import Any

import mido

from eutectic.midi.maps import Kind

STATUS, SYSTEM, REAL_TIME = 0x80, 0xF0, 0xF8
"""The lowest bytes of statuses, of system messages, and of those that may be within others."""

SHORT = (0xC0, 0xD0)
"""Programs and channel pressure, which have one byte of data; others have two."""


@dataclass(frozen=True)
class Event:
    """A control's movement: `position` from 0 to 1, and the `raw` value."""

    kind: Kind
    channel: int
    number: int
    position: float
    raw: int


class Splitter:
    """The messages of channels in a stream of bytes, with running status.

    mido's own parser has none: it would drop all but the first of several messages that share a
    status. What belongs to no channel is passed over.
    """

    def __init__(self) -> None:
        self._status, self._data = 0, []

    _data: list[int]

    def split(self, data: Iterable[int]) -> Generator[Any]:
        """Messages of mido's that are complete by now."""
        for byte in data:
            if byte >= REAL_TIME:
                continue
            if byte >= STATUS:
                self._status, self._data = byte if byte < SYSTEM else 0, []
            elif self._status:
                self._data.append(byte)
                if len(self._data) == (1 if self._status & 0xF0 in SHORT else 2):
                    yield mido.Message.from_bytes([self._status, *self._data])
                    self._data = []


def movement(message: Any) -> Event | None:
    """The movement in a message; None if it is no control's, such as pressure on a key."""
    channel = message.channel + 1
    match message.type:
        case "note_on":
            velocity = message.velocity  # 0 is a release
            return Event("note", channel, message.note, velocity / 127, velocity)
        case "note_off":
            return Event("note", channel, message.note, 0.0, 0)
        case "control_change":
            return Event("cc", channel, message.control, message.value / 127, message.value)
        case "pitchwheel":
            return Event("pitch", channel, 0, (message.pitch + 8192) / 16383, 1)
        case "program_change":
            return Event("program", channel, message.program, 1.0, 127)
        case _:
            return None
