"""OSC packets: messages and bundles to bytes and back, and SLIP framing.

The only user of python-osc, and only of its builder and of its parser of single values: its servers
lose bursts, sleep on time tags and raise on packets that are not OSC, and its parser of messages
knows neither all types of OSC nor any encoding but UTF-8.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pythonosc.osc_message_builder import OscMessageBuilder
from pythonosc.parsing import osc_types

MAX_PACKET_BYTES = 65_536
MAX_BUNDLE_DEPTH = 16

NTP_EPOCH_SECONDS = 2_208_988_800
"""From 1900 to 1970."""

SLIP_END = 0xC0

Value = int | float | str


@dataclass(frozen=True)
class Unusable:
    """An argument of a type that isn't OSC's; what follows it can't be read."""

    tag: str

    def __repr__(self) -> str:
        return f"an argument of type {self.tag!r}"


def encode(address: str, values: Sequence[Value]) -> bytes:
    """A packet of one message, of int32, float32 and strings."""
    builder = OscMessageBuilder(address)
    for value in values:
        kind = "s" if isinstance(value, str) else "f" if isinstance(value, float) else "i"
        builder.add_arg(value, kind)
    return builder.build().dgram


def bundle(at: float, packet: bytes) -> bytes:
    """A bundle of one packet, due at a time (seconds since 1970)."""
    seconds, fraction = divmod(at, 1)
    tag = struct.pack(">II", int(seconds) + NTP_EPOCH_SECONDS, int(fraction * 2**32))
    return b"#bundle\0" + tag + struct.pack(">i", len(packet)) + packet


def decode(packet: bytes) -> list[tuple[str, tuple[Any, ...], float | None]]:
    """Messages of a packet: address, arguments, and when it is due (monotonic; None: now).

    Raises:
        ValueError: not OSC, or bundles nested deeper than MAX_BUNDLE_DEPTH.
    """
    try:
        return list(_messages(packet, None, 0))
    except Exception as error:  # the parser raises all kinds of errors on malformed packets
        raise ValueError(f"not an OSC packet ({type(error).__name__})") from None


def _messages(
    packet: bytes, due: float | None, depth: int
) -> Iterator[tuple[str, tuple[Any, ...], float | None]]:
    if not packet.startswith(b"#bundle\0"):
        address, at = _string(packet, 0)
        yield address, tuple(_arguments(packet, at)), due
        return
    if depth == MAX_BUNDLE_DEPTH:
        raise ValueError("bundles are nested too deeply")
    seconds, fraction = struct.unpack(">II", packet[8:16])
    if (seconds, fraction) != (0, 1):
        wall = seconds - NTP_EPOCH_SECONDS + fraction / 2**32
        due = time.monotonic() + wall - time.time()
    at = 16
    while at < len(packet):
        (size,) = struct.unpack(">i", packet[at : at + 4])
        if not 0 < size <= len(packet) - at - 4:
            raise ValueError("a bundle's element is longer than the bundle")
        yield from _messages(packet[at + 4 : at + 4 + size], due, depth + 1)
        at += 4 + size


def _arguments(packet: bytes, at: int) -> list[Any]:
    """The arguments of a message from its type tags on, of every type of OSC 1.0 and 1.1.

    Raises:
        ValueError: they don't follow their tags.
    """
    if at >= len(packet):  # as senders do that are older than type tags
        return []
    tags, at = _string(packet, at)
    if not tags.startswith(","):
        raise ValueError("type tags begin with a comma")
    nested: list[list[Any]] = [[]]
    for tag in tags[1:]:
        if tag == "[":
            nested.append([])
        elif tag == "]":
            array = nested.pop()
            nested[-1].append(array)
        elif tag in _WITHOUT_BYTES:
            nested[-1].append(_WITHOUT_BYTES[tag])
        elif tag in _READERS:
            value, at = _READERS[tag](packet, at)
            nested[-1].append(value)
        else:
            nested[0].append(Unusable(tag))
            return nested[0]
    (values,) = nested
    return values


def _string(packet: bytes, at: int) -> tuple[str, int]:
    """A string and where it ends; in UTF-8, or else in Windows' Western encoding."""
    end = packet.index(b"\0", at)
    raw = packet[at:end]
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = raw.decode("cp1252", "replace")
    return text, end + 4 - (end - at) % 4


def _character(packet: bytes, at: int) -> tuple[str, int]:
    value, at = osc_types.get_int(packet, at)
    return chr(value), at


_READERS: dict[str, Callable[[bytes, int], tuple[Any, int]]] = {
    "i": osc_types.get_int, "h": osc_types.get_int64, "f": osc_types.get_float,
    "d": osc_types.get_double, "s": _string, "S": _string, "c": _character,
    "b": osc_types.get_blob, "r": osc_types.get_rgba, "m": osc_types.get_midi,
    "t": osc_types.get_timetag,
}  # fmt: skip

_WITHOUT_BYTES = {"T": True, "F": False, "N": None, "I": True}
"""True, false, nil, and impulse, which buttons send."""


def slip(packet: bytes) -> bytes:
    """A packet in SLIP framing (RFC 1055), with an END on both sides."""
    escaped = packet.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc")
    return b"\xc0" + escaped + b"\xc0"


def unslip(frame: bytes) -> bytes:
    """The packet of a frame between two ENDs."""
    return frame.replace(b"\xdb\xdc", b"\xc0").replace(b"\xdb\xdd", b"\xdb")
