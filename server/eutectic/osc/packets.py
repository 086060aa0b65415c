"""OSC packets: messages and bundles to bytes and back, and SLIP framing.

The only user of python-osc, and only of its parser and builder: its servers lose bursts, sleep on
time tags and raise on packets that are not OSC.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator, Sequence
from typing import Any

from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder

MAX_PACKET_BYTES = 65_536
MAX_BUNDLE_DEPTH = 4

NTP_EPOCH_SECONDS = 2_208_988_800
"""From 1900 to 1970."""

SLIP_END = 0xC0

Value = int | float | str


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
        message = OscMessage(packet)
        yield message.address, tuple(message.params), due
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


def slip(packet: bytes) -> bytes:
    """A packet in SLIP framing (RFC 1055), with an END on both sides."""
    escaped = packet.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc")
    return b"\xc0" + escaped + b"\xc0"


def unslip(frame: bytes) -> bytes:
    """The packet of a frame between two ENDs."""
    return frame.replace(b"\xdb\xdc", b"\xc0").replace(b"\xdb\xdd", b"\xdb")
