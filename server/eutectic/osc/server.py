"""OSC sockets: UDP and TCP on one port, messages with their due time out.

Owned by one event loop. The UDP socket is read here rather than by asyncio, so that a burst is
taken in bounded turns.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import socket
import struct
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from eutectic.errors import BadInput
from eutectic.osc.connections import Connections
from eutectic.osc.packets import MAX_PACKET_BYTES, SLIP_END, decode, slip, unslip

log = logging.getLogger("eutectic.osc")

RECEIVE_BUFFER_BYTES = 8 << 20
"""Requested from the system, so that a burst waits in the socket and isn't lost."""

PACKETS_PER_TURN = 32
"""Read from the socket before the rest of the event loop gets its turn."""

MAX_CONNECTIONS = 64
MAX_UNSENT_BYTES = 1 << 20
"""A TCP client that leaves this much unread is dropped."""


class Peer(Protocol):
    """The sender of a message, who can be answered."""

    @property
    def address(self) -> tuple[str, int]: ...

    def send(self, packet: bytes) -> None:
        """Send a packet; a peer that has gone away is no error."""
        ...


MIDI = "midi"
"""In place of a host, of controllers that are plugged into this machine."""


def is_local(peer: Peer) -> bool:
    """Whether it is on this machine, as far as its address proves that; a controller is, too."""
    host = peer.address[0]
    return host == MIDI or is_loopback(host)


def is_loopback(host: str) -> bool:
    """Whether it is an address of this machine that no other can have."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


FIRST_OF_PACKETS = (b"/", b"#")
"""The first byte of a message and of a bundle: some senders of SLIP leave out the first END."""

Handler = Callable[[Peer, str, tuple[Any, ...], float | None], None]
"""Called with peer, address, arguments and, for a time tag, the monotonic time it is due."""

Admits = Callable[[str], bool]
"""Whether a host may send anything; the others are answered nothing."""


def _anybody(_host: str) -> bool:
    return True


def _ignore(_peer: Peer) -> None:
    pass


@dataclass(frozen=True)
class _UdpPeer:
    socket: socket.socket
    address: tuple[str, int]

    def send(self, packet: bytes) -> None:
        # Nobody listening, or a full socket: the daemon goes on.
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
        if self.writer.transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
            log.warning("%s:%d reads too slowly: dropped", *self.address)
            self.writer.transport.abort()
            return
        self.writer.write(slip(packet) if self.slip else struct.pack(">i", len(packet)) + packet)


class Server:
    """One UDP socket and one TCP listener on the same port.

    Attributes:
        port: that it listens on.
        malformed: packets received that were not OSC.
    """

    def __init__(self) -> None:
        self._handler: Handler | None = None
        self._admits: Admits = _anybody
        self._gone: Callable[[Peer], None] = _ignore
        self._connections = Connections(MAX_CONNECTIONS)
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._tcp: asyncio.Server | None = None
        self.port = 0
        self.malformed = 0

    @classmethod
    async def bind(cls, host: str, port: int) -> Server:
        """Take the port (0: a free one); requests wait in the sockets until `serve`.

        Raises:
            BadInput: the port is taken, or the host isn't one of this machine's addresses.
        """
        server = cls()
        with contextlib.suppress(OSError):
            server._udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        server._udp.setblocking(False)
        try:
            # TCP first: far more ports are taken for it, if only by closed connections
            server._tcp = await asyncio.start_server(
                server._serve, host, port, family=socket.AF_INET, start_serving=False
            )
            server.port = server._tcp.sockets[0].getsockname()[1]
            server._udp.bind((host, server.port))
        except OSError as error:
            server._udp.close()
            if server._tcp is not None:
                server._tcp.close()
            raise BadInput(
                f"can't listen on {host}:{port} ({error.strerror or error}); "
                "is another daemon running? --port chooses another port"
            ) from None
        return server

    async def serve(
        self, handler: Handler, admits: Admits = _anybody, gone: Callable[[Peer], None] = _ignore
    ) -> None:
        """Pass every message of hosts that are admitted to `handler` from now on.

        `gone` is called with each peer whose connection has ended.
        """
        self._handler, self._admits, self._gone = handler, admits, gone
        asyncio.get_running_loop().add_reader(self._udp, self._read)
        if self._tcp is not None:
            await self._tcp.start_serving()

    async def close(self) -> None:
        """Close all sockets."""
        asyncio.get_running_loop().remove_reader(self._udp)
        self._udp.close()
        self._connections.abort()
        if self._tcp is not None:
            self._tcp.close()
            await self._tcp.wait_closed()

    def udp_peer(self, address: tuple[str, int]) -> Peer:
        """A peer at a UDP address."""
        return _UdpPeer(self._udp, address)

    def _read(self) -> None:
        for _ in range(PACKETS_PER_TURN):
            try:
                packet, address = self._udp.recvfrom(MAX_PACKET_BYTES)
            except OSError:  # nothing left, or the error of an earlier reply to a client now gone
                return
            if self._admits(address[0]):
                self._take(_UdpPeer(self._udp, address), packet)

    def _take(self, peer: Peer, packet: bytes) -> None:
        assert self._handler is not None
        try:
            messages = decode(packet)
        except ValueError:
            self.malformed += 1
            return
        for address, arguments, due in messages:
            self._handler(peer, address, arguments, due)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._admits(writer.get_extra_info("peername")[0]):
            writer.transport.abort()  # takes no place, nor anybody else's
            return
        with self._connections.admit(writer) as admitted:
            if not admitted:
                return
            _keep_alive(writer)
            first = await reader.readexactly(1)
            slipped = first in (bytes([SLIP_END]), *FIRST_OF_PACKETS)
            peer = _TcpPeer(writer, writer.get_extra_info("peername")[:2], slipped)
            packets = _slipped(reader, first) if slipped else _prefixed(reader, first)
            try:
                async for packet in packets:
                    self._connections.touch(writer)
                    self._take(peer, packet)
            finally:
                self._gone(peer)


async def _prefixed(reader: asyncio.StreamReader, first: bytes) -> AsyncGenerator[bytes]:
    while True:
        (size,) = struct.unpack(">i", first + await reader.readexactly(4 - len(first)))
        first = b""
        if not 0 < size <= MAX_PACKET_BYTES:
            raise ValueError("no packet has this size")
        yield await reader.readexactly(size)


async def _slipped(reader: asyncio.StreamReader, first: bytes) -> AsyncGenerator[bytes]:
    """Packets between ENDs; `first` is their first byte."""
    while True:
        rest = b"" if first == bytes([SLIP_END]) else await reader.readuntil(bytes([SLIP_END]))
        frame, first = (first + rest).strip(bytes([SLIP_END])), b""
        if frame:
            yield unslip(frame)


def _keep_alive(writer: asyncio.StreamWriter) -> None:
    """Have the system find out that a client is gone which never said so."""
    connection = writer.get_extra_info("socket")
    options = (("TCP_KEEPIDLE", 10), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3))
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, seconds in options:
            if hasattr(socket, name):  # not every system has them
                connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), seconds)
