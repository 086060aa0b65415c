"""The blocking client, for scripts and for `eutectic send`."""

from __future__ import annotations

import itertools
import socket
import struct
import time
from collections.abc import Callable
from typing import Any, Self

from eutectic.client.asked import Asked, Blocking, Result
from eutectic.client.methods import Methods
from eutectic.client.replies import (
    LOST_SECONDS,
    PING_SECONDS,
    NoAnswer,
    Reply,
    check_answered,
    ends,
    heard,
    is_for,
    lists,
    outcome,
    with_options,
)
from eutectic.osc.answers import Answer, read_answer
from eutectic.osc.packets import MAX_PACKET_BYTES, Value, bundle, decode, encode
from eutectic.osc.spec import PORT, PREFIX


class Client(Methods, Blocking):
    """Talks to one daemon from one thread, over UDP or TCP.

        with Client() as daemon:
            daemon.load_clip("glass", "ambi_glass_rub.flac")

    Addresses are given without `/eutectic`. What arrives and answers no request that is being
    waited for is kept for `events`. Nothing is waited for once the daemon is gone.
    """

    def __init__(
        self, host: str = "127.0.0.1", port: int = PORT, tcp: bool = False, timeout: float = 3600.0
    ) -> None:
        kind = socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM
        self._socket = socket.socket(socket.AF_INET, kind)
        self._tcp, self.timeout, self._address = tcp, timeout, (host, port)
        try:
            self._socket.connect(self._address)
        except OSError as error:
            self._socket.close()
            raise self._no_answer(error) from None
        self._ids = itertools.count(1)
        self._kept: list[Answer] = []
        self._pings: set[int] = set()
        self._heard = 0.0
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
        try:
            self._socket.sendall(struct.pack(">i", len(packet)) + packet if self._tcp else packet)
        except ConnectionError as error:
            raise self._no_answer(error) from None

    def send_bundle(self, at: float, address: str, *values: Value) -> None:
        """Send one message that is due at a time (seconds since 1970)."""
        self._send(bundle(at, encode(PREFIX + address, values)))

    def begin(self, address: str, *values: Value) -> int:
        """Send a request, and return its id.

        Raises:
            BadRequest: it is one that is never answered.
        """
        check_answered(address)
        number = next(self._ids)
        self.send(address, number, *values)
        return number

    def end(self, address: str, number: int, timeout: float = 60.0) -> Reply:
        """Wait until a request is done.

        Raises:
            RequestFailed: it failed.
            NoAnswer: it wasn't within `timeout` seconds, or the daemon is gone.
        """
        until = time.monotonic() + timeout
        earlier: list[Answer] = []
        waiting, self._kept = self._kept, []
        while True:
            is_new = not waiting
            answer = self._awaited(until) if is_new else waiting.pop(0)
            if ends(answer, address, number):
                self._kept += waiting
                return outcome(address, answer, earlier)
            is_part = is_for(answer, number) or (is_new and lists(answer, address))
            (earlier if is_part else self._kept).append(answer)

    def request(self, address: str, *values: Value, timeout: float = 60.0) -> Reply:
        """Send a request and wait until it is done.

        Raises:
            RequestFailed, NoAnswer: as `end`.
        """
        return self.end(address, self.begin(address, *values), timeout)

    def ask(self, address: str, *values: Value, **options: Any) -> Reply:
        """As `request`, with the client's own timeout."""
        return self.request(address, *with_options(values, options), timeout=self.timeout)

    def run(self, asked: Asked[Result]) -> Result:
        """Send a request and return its value; that it was heard meanwhile is kept for `events`."""
        reply = self.ask(asked.address, *asked.values, **asked.options)
        self._kept += heard(reply)
        return asked.read(reply)

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
        until = time.monotonic() + timeout
        while True:
            answer = self._next(until - time.monotonic())
            if answer is not None:
                return answer
            if time.monotonic() >= until:
                raise self._no_answer("timed out")

    def _awaited(self, until: float) -> Answer:
        """The next answer; while there is none, the daemon is asked whether it is there."""
        self._heard = time.monotonic()
        while (now := time.monotonic()) < until:
            answer = self._next(min(until - now, PING_SECONDS))
            if answer is not None:
                return answer
            silent = time.monotonic() - self._heard
            if silent > LOST_SECONDS:
                raise self._no_answer(f"silent for {LOST_SECONDS:g} s")
            if silent >= PING_SECONDS:
                number = next(self._ids)
                self._pings.add(number)
                self.send("/ping", number)
        raise self._no_answer("timed out")

    def _next(self, timeout: float) -> Answer | None:
        """The next answer; None if there was none in time, or just that of a ping.

        Raises:
            NoAnswer: nobody is listening.
        """
        self._socket.settimeout(max(timeout, 1e-3))
        try:
            if self._tcp:
                packet = self._exactly(struct.unpack(">i", self._exactly(4))[0])
            else:
                packet = self._socket.recv(MAX_PACKET_BYTES)
        except TimeoutError:
            return None
        except OSError as error:
            raise self._no_answer(error) from None
        self._heard = time.monotonic()
        ((address, values, _),) = decode(packet)
        answer = read_answer(address, values)
        for number in self._pings:
            if ends(answer, "/ping", number):
                self._pings.discard(number)
                return None
        if self.on_answer is not None:
            self.on_answer(answer)
        return answer

    def _no_answer(self, reason: object) -> NoAnswer:
        host, port = self._address
        return NoAnswer(f"no answer from {host}:{port} ({reason}); is `eutectic serve` running?")

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            part = self._socket.recv(size - len(data))
            if not part:
                raise ConnectionError("the daemon closed the connection")
            data += part
        return data
