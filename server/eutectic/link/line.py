"""A daemon's connection to an engine's machine: ZeroMQ, by CURVE where there are keys."""

from __future__ import annotations

import asyncio
import ipaddress
import logging

import zmq
import zmq.asyncio
from zmq.utils.monitor import recv_monitor_message

from eutectic.link import messages
from eutectic.link.keys import Curve
from eutectic.link.messages import Message
from eutectic.link.outbox import Frame

log = logging.getLogger("eutectic.link")

LINGER_MS = 300
"""What was sent last has so long to go."""

CONNECT_MS = 5000

NEXT_SECONDS = 0.25
"""Then a name's next address is tried, too."""

MAX_MESSAGE_BYTES = 16 << 20
"""Longer ones end a connection."""

SIGNATURE = b"\xff" + bytes(8) + b"\x7f\x03"
"""How each side of a connection begins (ZMTP 3, ZeroMQ's RFC 23); the eight bytes may be others."""

MECHANISM = slice(12, 32)
"""The bytes after that, by which it says whether it wants a key."""

_CLOSED = zmq.EVENT_DISCONNECTED, zmq.EVENT_CLOSED, zmq.EVENT_CONNECT_RETRIED

_UNWANTED = (
    zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL,
    zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL,
    zmq.EVENT_HANDSHAKE_FAILED_AUTH,
)


class Unwanted(Exception):
    """The other side ended the connection as it began, for want of a key; or it is no engine."""


async def found(where: str) -> tuple[str, bool]:
    """A machine's place, by the first of its addresses that answers; and whether it wants a key.

    A name may have several addresses, of which ZeroMQ tries one.

    Raises:
        OSError: nothing answers there.
        Unwanted: something does that can't be an engine.
    """
    host, _, port = where.rpartition(":")
    try:
        async with asyncio.timeout(CONNECT_MS / 1000):
            reader, writer = await asyncio.open_connection(
                host.strip("[]"), int(port), happy_eyeballs_delay=NEXT_SECONDS
            )
            try:
                address = str(writer.get_extra_info("peername")[0])
                writer.write(SIGNATURE)
                greeting = await reader.readexactly(MECHANISM.stop)
                if (greeting[0], greeting[9]) != (SIGNATURE[0], SIGNATURE[9]):
                    raise Unwanted
                place = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
                return place, greeting[MECHANISM].startswith(b"CURVE")
            finally:
                writer.close()
    except EOFError:
        raise ConnectionResetError from None


class Line:
    """One connection, which isn't made again; owned by the event loop."""

    def __init__(self, where: str, curve: Curve | None) -> None:
        """Begin to connect.

        Raises:
            zmq.ZMQError: there can be no such place.
        """
        self._context = zmq.asyncio.Context()
        self._socket = self._context.socket(zmq.DEALER)
        self._monitor = self._socket.get_monitor_socket()
        for option, value in (
            (zmq.LINGER, LINGER_MS), (zmq.SNDHWM, 0), (zmq.RCVHWM, 0), (zmq.IPV6, 1),
            (zmq.RECONNECT_IVL, -1), (zmq.CONNECT_TIMEOUT, CONNECT_MS),
            (zmq.HANDSHAKE_IVL, CONNECT_MS), (zmq.MAXMSGSIZE, MAX_MESSAGE_BYTES),
        ):  # fmt: skip
            self._socket.setsockopt(option, value)
        if curve is not None:
            self._socket.curve_serverkey = curve.engine
            self._socket.curve_publickey = curve.public
            self._socket.curve_secretkey = curve.secret
        try:
            self._socket.connect(f"tcp://{where}")
        except zmq.ZMQError:
            self._close()
            raise

    def send(self, message: Message, frame: Frame | None = None) -> None:
        """Hand a message to the network."""
        first = messages.encode(message)
        self._socket.send_multipart([first] if frame is None else [first, frame])  # at once: no HWM

    async def receive(self) -> tuple[Message, bytes | None]:
        """The next message, and its frame if it has one.

        Raises:
            msgspec.DecodeError: there is no sense in it.
        """
        frames = await self._socket.recv_multipart()
        return messages.decode(frames[0]), frames[1] if len(frames) > 1 else None

    async def broken(self) -> None:
        """Wait until it can't be used any more.

        Raises:
            Unwanted: before it could be.
        """
        while True:
            event = (await recv_monitor_message(self._monitor))["event"]
            if event in _UNWANTED:
                raise Unwanted
            if event in _CLOSED:
                return

    async def close(self) -> None:
        """Close it, once what was sent has gone, or after LINGER_MS."""
        self._close()
        await asyncio.to_thread(self._context.term)

    def _close(self) -> None:
        self._socket.disable_monitor()
        self._monitor.close(0)
        self._socket.close()


def is_loopback(host: str) -> bool:
    """Whether an address is this machine's own, and nobody else's."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
