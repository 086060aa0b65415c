"""OSC over UDP and TCP: packets in, messages with their time out; the only user of python-osc.

One event loop owns all of it. The socket is ours, since python-osc's servers lose bursts, sleep on
time tags and raise on packets that are not OSC; only its packet parser and builder are used.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder

from eutectic.errors import BadInput

log = logging.getLogger("eutectic.osc")

MAX_PACKET_BYTES = 65_536
RECEIVE_BUFFER_BYTES = 8 << 20
"""Asked of the system, so that a burst waits in the socket and isn't lost."""

PACKETS_A_TURN = 32
"""Taken from the socket before everything else in the loop has its turn."""

MAX_BUNDLE_DEPTH = 4
MAX_CONNECTIONS = 16
UNSENT_BYTES = 1 << 20
"""A TCP client that leaves so much unread is dropped."""

LEASE_SECONDS = 30.0
MAX_CLIENTS = 64
LATE_SECONDS, FAR_SECONDS = 0.001, 10.0
"""What is due longer ago than the one, or later than the other, is done at once."""

NTP_EPOCH_SECONDS = 2_208_988_800
"""From 1900 to 1970."""

SLIP_END, SLIP_ESCAPE, SLIP_ESCAPED_END, SLIP_ESCAPED_ESCAPE = 0xC0, 0xDB, 0xDC, 0xDD

Value = int | float | str


class Peer(Protocol):
    """Who sent a message, and can be answered."""

    @property
    def address(self) -> tuple[str, int]: ...

    def send(self, packet: bytes) -> None:
        """Send a packet; a peer that is gone is no error."""
        ...


Handler = Callable[[Peer, str, tuple[Any, ...], float | None], None]
"""Called with peer, address, arguments and, for a time tag, the monotonic time it is due."""


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
        ValueError: not OSC, or bundles in bundles deeper than MAX_BUNDLE_DEPTH.
    """
    try:
        return list(_messages(packet, None, 0))
    except Exception as error:  # the parser raises whatever a packet makes of it
        raise ValueError(f"not an OSC packet ({type(error).__name__})") from None


def _messages(
    packet: bytes, due: float | None, depth: int
) -> Iterator[tuple[str, tuple[Any, ...], float | None]]:
    if not packet.startswith(b"#bundle\0"):
        message = OscMessage(packet)
        yield message.address, tuple(message.params), due
        return
    if depth == MAX_BUNDLE_DEPTH:
        raise ValueError("bundles in bundles")
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


def timing(due: float | None, now: float) -> tuple[float | None, float | None]:
    """When to do what is due then (None: at once), and by how many ms it is late or far off."""
    if due is None:
        return None, None
    ahead = due - now
    if ahead < -LATE_SECONDS:
        return None, -1000 * ahead
    if ahead > FAR_SECONDS:
        return None, 1000 * ahead
    return due, None


@dataclass(frozen=True)
class _UdpPeer:
    socket: socket.socket
    address: tuple[str, int]

    def send(self, packet: bytes) -> None:
        # Nobody there, or a full socket: the daemon goes on.
        with contextlib.suppress(OSError):
            self.socket.sendto(packet, self.address)


@dataclass(frozen=True)
class _TcpPeer:
    writer: asyncio.StreamWriter = field(compare=False)
    address: tuple[str, int]
    slip: bool

    def send(self, packet: bytes) -> None:
        if self.writer.is_closing():
            return
        if self.writer.transport.get_write_buffer_size() > UNSENT_BYTES:
            log.warning("%s:%d reads too slowly, and is dropped", *self.address)
            self.writer.transport.abort()
            return
        self.writer.write(slip(packet) if self.slip else struct.pack(">i", len(packet)) + packet)


def slip(packet: bytes) -> bytes:
    """A packet in SLIP's framing (RFC 1055), an END before it, too."""
    escaped = packet.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc")
    return b"\xc0" + escaped + b"\xc0"


def unslip(frame: bytes) -> bytes:
    """The packet of a frame between two ENDs."""
    return frame.replace(b"\xdb\xdc", b"\xc0").replace(b"\xdb\xdd", b"\xdb")


class Server:
    """One UDP socket and one TCP listener on the same port.

    Attributes:
        port: that it listens on.
        malformed: packets that were not OSC.
    """

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._connections: set[asyncio.StreamWriter] = set()
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._tcp: asyncio.Server | None = None
        self.port = 0
        self.malformed = 0

    @classmethod
    async def start(cls, host: str, port: int, handler: Handler) -> Server:
        """Listen; port 0 takes a free one.

        Raises:
            BadInput: the port is taken, or the host isn't this one.
        """
        server = cls(handler)
        with contextlib.suppress(OSError):
            server._udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        server._udp.setblocking(False)
        try:
            server._udp.bind((host, port))
            server.port = server._udp.getsockname()[1]
            server._tcp = await asyncio.start_server(server._serve, host, server.port)
        except OSError as error:
            server._udp.close()
            raise BadInput(
                f"can't listen on {host}:{port} ({error.strerror or error}); "
                "is another daemon there? --port chooses another"
            ) from None
        asyncio.get_running_loop().add_reader(server._udp, server._read)
        return server

    async def close(self) -> None:
        """Listen no more."""
        asyncio.get_running_loop().remove_reader(self._udp)
        self._udp.close()
        for writer in list(self._connections):
            writer.transport.abort()
        if self._tcp is not None:
            self._tcp.close()
            await self._tcp.wait_closed()

    def udp_peer(self, address: tuple[str, int]) -> Peer:
        """Somebody to send to."""
        return _UdpPeer(self._udp, address)

    def _read(self) -> None:
        for _ in range(PACKETS_A_TURN):
            try:
                packet, address = self._udp.recvfrom(MAX_PACKET_BYTES)
            except OSError:  # nothing more, or a client of before that is gone
                return
            self._take(_UdpPeer(self._udp, address), packet)

    def _take(self, peer: Peer, packet: bytes) -> None:
        try:
            messages = decode(packet)
        except ValueError:
            self.malformed += 1
            return
        for address, arguments, due in messages:
            self._handler(peer, address, arguments, due)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._connections) >= MAX_CONNECTIONS:
            writer.transport.abort()
            return
        self._connections.add(writer)
        try:
            first = await reader.readexactly(1)
            slipped = first[0] == SLIP_END
            peer = _TcpPeer(writer, writer.get_extra_info("peername")[:2], slipped)
            packets = _slipped(reader) if slipped else _prefixed(reader, first)
            async for packet in packets:
                self._take(peer, packet)
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError):
            pass  # gone, or nothing that can be read on
        finally:
            self._connections.discard(writer)
            writer.transport.abort()


async def _prefixed(reader: asyncio.StreamReader, first: bytes):
    while True:
        (size,) = struct.unpack(">i", first + await reader.readexactly(4 - len(first)))
        first = b""
        if not 0 < size <= MAX_PACKET_BYTES:
            raise ValueError("no packet is of this size")
        yield await reader.readexactly(size)


async def _slipped(reader: asyncio.StreamReader):
    while True:
        frame = (await reader.readuntil(bytes([SLIP_END])))[:-1]
        if frame:
            yield unslip(frame)


@dataclass
class Subscriber:
    """Somebody who wants events."""

    number: int
    peer: Peer
    extra: Peer | None
    meter: bool
    until: float


class Subscribers:
    """Who gets events; each for LEASE_SECONDS after anything came from it."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._clients: dict[Peer, Subscriber] = {}
        self._last = 0

    def __len__(self) -> int:
        return len(self._clients)

    def register(self, peer: Peer, reply_port: int | None, meter: bool, now: float) -> int:
        """Its number, from 1; of one who is there already, the same.

        Raises:
            BadInput: there are too many.
        """
        known = self._clients.get(peer)
        if known is None and len(self._clients) >= MAX_CLIENTS:
            raise BadInput(f"{MAX_CLIENTS} clients are registered, and no more can be")
        extra = None
        if reply_port is not None:  # at the sender's own host: nobody is sent what they didn't ask
            extra = self._server.udp_peer((peer.address[0], reply_port))
        if known is None:
            self._last += 1
        number = self._last if known is None else known.number
        self._clients[peer] = Subscriber(number, peer, extra, meter, now + LEASE_SECONDS)
        return number

    def touch(self, peer: Peer, now: float) -> None:
        """Something came from it."""
        if peer in self._clients:
            self._clients[peer].until = now + LEASE_SECONDS

    def leave(self, peer: Peer) -> int:
        """Its number; 0 for one who wasn't there."""
        client = self._clients.pop(peer, None)
        return 0 if client is None else client.number

    def expire(self, now: float) -> list[int]:
        """Numbers of those of whom nothing was heard any more."""
        gone = [client for client in self._clients.values() if client.until < now]
        return [self.leave(client.peer) for client in gone]

    def answer(self, peer: Peer, packet: bytes) -> None:
        """To a request's sender, and to the reply port that it named."""
        peer.send(packet)
        client = self._clients.get(peer)
        if client is not None and client.extra is not None:
            client.extra.send(packet)

    def tell(self, packet: bytes, meter: bool = False) -> None:
        """To everybody who is registered, or, for meters, who asked for them."""
        for client in self._clients.values():
            if client.meter or not meter:
                client.peer.send(packet)
                if client.extra is not None:
                    client.extra.send(packet)
