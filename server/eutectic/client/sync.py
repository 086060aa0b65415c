"""The blocking client, for scripts and for `eutectic send`."""

from __future__ import annotations

import itertools
import socket
import struct
import time
from collections.abc import Callable
from typing import Any, Self

from eutectic.client.methods import Methods
from eutectic.client.replies import NoAnswer, Reply, ends, is_for, outcome, with_options
from eutectic.osc.answers import Answer, read_answer
from eutectic.osc.packets import MAX_PACKET_BYTES, Value, bundle, decode, encode
from eutectic.osc.spec import PORT, PREFIX


class Client(Methods[Reply]):
    """Talks to one daemon from one thread, over UDP or TCP.

        with Client() as daemon:
            daemon.load_clip("glass", "ambi_glass_rub.flac")

    Addresses are given without `/eutectic`. What arrives and answers no request that is being
    waited for is kept for `events`.
    """

    def __init__(
        self, host: str = "127.0.0.1", port: int = PORT, tcp: bool = False, timeout: float = 3600.0
    ) -> None:
        kind = socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM
        self._socket = socket.socket(socket.AF_INET, kind)
        self._tcp, self.timeout = tcp, timeout
        self._socket.connect((host, port))
        self._ids = itertools.count(1)
        self._kept: list[Answer] = []
        self.on_answer: Callable[[Answer], None] | None = None
        """Called with every answer that arrives."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def send(self, address: str, *values: Value) -> None:
        """Send one message."""
        self._send(encode(PREFIX + address, values))

    def _send(self, packet: bytes) -> None:
        self._socket.sendall(struct.pack(">i", len(packet)) + packet if self._tcp else packet)

    def send_bundle(self, at: float, address: str, *values: Value) -> None:
        """Send one message that is due at a time (seconds since 1970)."""
        self._send(bundle(at, encode(PREFIX + address, values)))

    def begin(self, address: str, *values: Value) -> int:
        """Send a request, and return its id."""
        number = next(self._ids)
        self.send(address, number, *values)
        return number

    def end(self, address: str, number: int, timeout: float = 60.0) -> Reply:
        """Wait until a request is done.

        Raises:
            RequestFailed: it failed.
            NoAnswer: nothing arrived within `timeout` seconds.
        """
        until = time.monotonic() + timeout
        earlier: list[Answer] = []
        waiting, self._kept = self._kept, []
        while True:
            answer = waiting.pop(0) if waiting else self.receive(until - time.monotonic())
            if ends(answer, address, number):
                self._kept += waiting
                return outcome(address, answer, earlier)
            (earlier if is_for(answer, number) else self._kept).append(answer)

    def request(self, address: str, *values: Value, timeout: float = 60.0) -> Reply:
        """Send a request and wait until it is done.

        Raises:
            RequestFailed, NoAnswer: as `end`.
        """
        return self.end(address, self.begin(address, *values), timeout)

    def ask(self, address: str, *values: Value, **options: Any) -> Reply:
        """As `request`, with the client's own timeout."""
        return self.request(address, *with_options(values, options), timeout=self.timeout)

    def events(self, seconds: float = 0.0) -> list[Answer]:
        """What has arrived meanwhile, and arrives within so many seconds from now."""
        until = time.monotonic() + seconds
        events, self._kept = self._kept, []
        while True:
            try:
                events.append(self.receive(until - time.monotonic()))
            except NoAnswer:
                return events

    def keep(self, answers: list[Answer]) -> None:
        """Put answers back for `events`, and for the requests that they belong to."""
        self._kept += answers

    def receive(self, timeout: float) -> Answer:
        """The next answer to arrive.

        Raises:
            NoAnswer: none arrived in time, or nobody is listening.
        """
        self._socket.settimeout(max(timeout, 1e-3))
        try:
            if self._tcp:
                packet = self._exactly(struct.unpack(">i", self._exactly(4))[0])
            else:
                packet = self._socket.recv(MAX_PACKET_BYTES)
        except OSError as error:
            host, port = self._socket.getpeername()[:2]
            raise NoAnswer(
                f"no answer from {host}:{port} ({error}); is `eutectic serve` running?"
            ) from None
        ((address, values, _),) = decode(packet)
        answer = read_answer(address, values)
        if self.on_answer is not None:
            self.on_answer(answer)
        return answer

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            part = self._socket.recv(size - len(data))
            if not part:
                raise ConnectionError("the daemon closed the connection")
            data += part
        return data
