"""A small client of the daemon, for scripts, tests, and `eutectic send`."""

from __future__ import annotations

import itertools
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

from eutectic.client.requests import Requests, with_options
from eutectic.errors import EutecticError
from eutectic.osc import server as osc
from eutectic.osc.table import PORT, PREFIX

Message = tuple[str, tuple[Any, ...]]


class RequestFailed(EutecticError):
    """The daemon answered `/fail`; `code` is its word for programs."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class NoAnswer(EutecticError):
    """Nothing came in time."""

    code = "no_answer"


@dataclass(frozen=True)
class Reply:
    """What `/done` said after address and id, and every answer with this id before it."""

    found: tuple[Any, ...]
    lines: list[Message] = field(default_factory=list[Message])


class Client(Requests[Reply]):
    """Talks to one daemon from one thread, over UDP or TCP.

        with Client() as daemon:
            daemon.load_clip("glass", "ambi_glass_rub.flac")

    Addresses are given without `/eutectic`. What comes that answers nobody's request is kept for
    `events`.
    """

    def __init__(
        self, host: str = "127.0.0.1", port: int = PORT, tcp: bool = False, timeout: float = 3600.0
    ) -> None:
        kind = socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM
        self._socket = socket.socket(socket.AF_INET, kind)
        self._tcp, self.timeout = tcp, timeout
        self._socket.connect((host, port))
        self._ids = itertools.count(1)
        self._kept: list[Message] = []
        self.show: Callable[[str, tuple[Any, ...]], None] | None = None
        """Called with every message that comes."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def send(self, address: str, *values: osc.Value) -> None:
        """Send one message."""
        self._send(osc.encode(PREFIX + address, values))

    def _send(self, packet: bytes) -> None:
        self._socket.sendall(struct.pack(">i", len(packet)) + packet if self._tcp else packet)

    def send_bundle(self, at: float, address: str, *values: osc.Value) -> None:
        """Send one message that is due at a time (seconds since 1970)."""
        self._send(osc.bundle(at, osc.encode(PREFIX + address, values)))

    def begin(self, address: str, *values: osc.Value) -> int:
        """Send a request, and return its id."""
        number = next(self._ids)
        self.send(address, number, *values)
        return number

    def end(self, address: str, number: int, timeout: float = 60.0) -> Reply:
        """Wait until a request is done.

        Raises:
            RequestFailed: it failed.
            NoAnswer: nothing came within `timeout` seconds.
        """
        until = time.monotonic() + timeout
        lines: list[Message] = []
        there, self._kept = self._kept, []
        while True:
            message = there.pop(0) if there else self.receive(until - time.monotonic())
            name, values = message
            if name in ("/done", "/fail") and values[:2] == (PREFIX + address, number):
                self._kept += there
                if name == "/fail":
                    raise RequestFailed(values[2], values[3])
                return Reply(values[2:], lines)
            (lines if is_of(message, number) else self._kept).append(message)

    def request(self, address: str, *values: osc.Value, timeout: float = 60.0) -> Reply:
        """Send a request and wait until it is done.

        Raises:
            RequestFailed, NoAnswer: as `end`.
        """
        return self.end(address, self.begin(address, *values), timeout)

    def ask(self, address: str, *values: osc.Value, **options: Any) -> Reply:
        """As `request`, with the client's own timeout."""
        return self.request(address, *with_options(values, options), timeout=self.timeout)

    def events(self, seconds: float = 0.0) -> list[Message]:
        """What came meanwhile, and within so many seconds from now."""
        until = time.monotonic() + seconds
        events, self._kept = self._kept, []
        while True:
            try:
                events.append(self.receive(until - time.monotonic()))
            except NoAnswer:
                return events

    def keep(self, messages: list[Message]) -> None:
        """Leave messages for `events`, and for the requests that they answer."""
        self._kept += messages

    def receive(self, timeout: float) -> Message:
        """The next message, its address without `/eutectic`.

        Raises:
            NoAnswer: none came in time, or nobody is there.
        """
        self._socket.settimeout(max(timeout, 1e-3))
        try:
            if self._tcp:
                packet = self._exactly(struct.unpack(">i", self._exactly(4))[0])
            else:
                packet = self._socket.recv(osc.MAX_PACKET_BYTES)
        except OSError as error:
            host, port = self._socket.getpeername()[:2]
            raise NoAnswer(
                f"nothing from a daemon on {host}:{port} ({error}); does `eutectic serve` run?"
            ) from None
        ((address, values, _),) = osc.decode(packet)
        address = address.removeprefix(PREFIX)
        if self.show is not None:
            self.show(address, values)
        return address, values

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            part = self._socket.recv(size - len(data))
            if not part:
                raise ConnectionError("the daemon closed the connection")
            data += part
        return data


def is_of(message: Message, number: int) -> bool:
    """Whether an answer begins with this request's id; those to others begin with an address."""
    name, values = message
    started = ("/queued", "/progress", "/started", "/fan/ready", "/synced", "/version.reply",
               "/status.reply", "/model", "/clip", "/reference", "/preset", "/late")  # fmt: skip
    return name in started and values[:1] == (number,)
