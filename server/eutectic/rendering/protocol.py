"""What a pool and its worker processes tell each other, one JSON value per line.

A worker's standard input begins with `Start`; each order is answered by `Ended`.
"""

from __future__ import annotations

import msgspec

from eutectic.link.errands import Wanted
from eutectic.rendering.pool import Reference, Setup
from eutectic.rendering.work import Batch, Row

MODULE = "eutectic.rendering"


class Start(msgspec.Struct, frozen=True):
    """What one worker is told first; as of `Worker.start`."""

    setup: Setup
    name: str
    memory_bytes: int
    processors: int


class Learn(msgspec.Struct, frozen=True, tag=True):
    """Learn a reference, with so many threads of the processor."""

    wanted: Wanted
    threads: int = 1


class Make(msgspec.Struct, frozen=True, tag=True):
    """Make a batch."""

    batch: Batch


Order = Learn | Make


class Ready(msgspec.Struct, frozen=True, tag=True):
    """The model is loaded, on a device of a kind of which there are so many here."""

    device: str
    devices: int
    resident_bytes: int


class Learned(msgspec.Struct, frozen=True, tag=True):
    """What came of a reference."""

    reference: Reference


class Did(msgspec.Struct, frozen=True, tag=True):
    """A row is in the destination."""

    row: Row


class Ended(msgspec.Struct, frozen=True, tag=True):
    """The order is done."""


class Refused(msgspec.Struct, frozen=True, tag=True):
    """What ends the whole run: neither the model nor the destination can be used."""

    text: str


Answer = Ready | Learned | Did | Ended | Refused

_encode = msgspec.json.Encoder().encode
decode_start = msgspec.json.Decoder(Start).decode
decode_order = msgspec.json.Decoder(Order).decode
decode_answer = msgspec.json.Decoder(Answer).decode


def line(value: Start | Order | Answer) -> bytes:
    """A value as it is sent."""
    return _encode(value) + b"\n"
