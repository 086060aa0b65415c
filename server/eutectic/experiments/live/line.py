"""A long line between two machines, on one: a TCP relay that delays, jitters, loses, and is cut.

A program never sees a lost segment, only what TCP makes of it: whatever was sent behind it waits
until it has been sent again. So that is what is done here. A segment that is lost arrives later by

- a round trip, if three more are sent right behind it, whose acknowledgements tell of the gap
  (fast retransmission, RFC 5681, section 3.2); otherwise
- a round trip and the least time that Linux waits for an acknowledgement, 200 ms (RFC 6298).

A segment that is sent again may be lost again. What follows is held back, never reordered. Nothing
models a congestion window, which on a real line limits the rate after losses. While a line is cut
nothing arrives, and nobody is told; once it has healed all that was held arrives.

    python -m eutectic.experiments.live.line PORT --delay-ms 25 --jitter-ms 2 --lost 0.01

relays to a port of this machine, prints its own, and takes `cut`, `heal` and `reset` as lines.
"""

from __future__ import annotations

import argparse
import contextlib
import queue
import random
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

from eutectic.system.processes import Service

SEGMENT_BYTES = 1448
"""Of one Ethernet frame, with TCP's timestamps."""

READ_BYTES, HELD_READS = 1 << 16, 64
"""What is read at once, and how many reads may be on the way: 4 MiB, as a socket's buffer."""

FOLLOWING = 3
"""Segments behind a lost one whose acknowledgements tell of it."""

TIMEOUT_SECONDS = 0.2


@dataclass(frozen=True)
class Way:
    """Seconds that each way takes, and at random up to so many more; the share that is lost."""

    delay_seconds: float = 0.0
    jitter_seconds: float = 0.0
    lost: float = 0.0

    def lateness(self, segments: int, chance: random.Random) -> Iterator[tuple[int, float]]:
        """Of segments sent at once, those that are lost, and how many seconds that holds them."""
        round_trip = 2 * self.delay_seconds + self.jitter_seconds
        for index in range(segments):
            held = 0.0
            while chance.random() < self.lost:
                is_told = held == 0.0 and segments - index > FOLLOWING
                held += round_trip if is_told else round_trip + TIMEOUT_SECONDS
            if held:
                yield index, held


class Line(Service):
    """Relays connections from a port of its own to another of this machine, both ways alike.

    Attributes:
        port: its own, once it has started.
        is_open: cleared while the line is cut.
        carried: bytes that connections have sent to the other port so far.
    """

    def __init__(self, port: int, way: Way = Way(), seed: int = 0) -> None:
        self._to, self.way, self._chance = port, way, random.Random(seed)
        self.port = self.carried = 0
        self.is_open = threading.Event()
        self.is_open.set()
        self._listener: socket.socket | None = None
        self._sockets: set[socket.socket] = set()
        self._lock = threading.Lock()

    def start(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def stop(self) -> None:
        assert self._listener is not None
        _close(self._listener)
        self.is_open.set()
        self.reset()

    def cut(self) -> None:
        """From now on nothing arrives, on either side."""
        self.is_open.clear()

    def heal(self) -> None:
        """What was held arrives now, and all else as before."""
        self.is_open.set()

    def reset(self) -> None:
        """Break all connections; both sides are told."""
        with self._lock:
            broken, self._sockets = self._sockets, set()
        for each in broken:
            with contextlib.suppress(OSError):  # it is closed already
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            _close(each)

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):  # it was closed
            while True:
                near, _ = listener.accept()
                self._connect(near)

    def _connect(self, near: socket.socket) -> None:
        try:
            far = socket.create_connection(("127.0.0.1", self._to))
        except OSError:
            near.close()
            return
        with self._lock:
            self._sockets |= {near, far}
        for source, target in ((near, far), (far, near)):
            target.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            held: queue.Queue[tuple[float, bytes]] = queue.Queue(HELD_READS)
            seed = self._chance.random()
            reading = source, held, random.Random(seed), source is near
            threading.Thread(target=self._read, args=reading, daemon=True).start()
            threading.Thread(target=self._write, args=(target, held), daemon=True).start()

    def _read(
        self, source: socket.socket, held: queue.Queue[tuple[float, bytes]], chance: random.Random,
        there: bool,
    ) -> None:  # fmt: skip
        """Read what is sent, and say when it arrives; empty: there is no more."""
        data, due = b"-", 0.0
        while data:
            try:
                data = source.recv(READ_BYTES)
            except OSError:
                data = b""
            self.carried += len(data) if there else 0
            way, start = self.way, 0
            arrives = time.monotonic() + way.delay_seconds + chance.random() * way.jitter_seconds
            for index, late in way.lateness(-(-len(data) // SEGMENT_BYTES), chance):
                before = data[start : index * SEGMENT_BYTES]
                due = max(due, arrives)
                if before:
                    held.put((due, before))
                start, due = index * SEGMENT_BYTES, max(due, arrives + late)
            due = max(due, arrives)
            held.put((due, data[start:]))

    def _write(self, target: socket.socket, held: queue.Queue[tuple[float, bytes]]) -> None:
        is_whole = True
        while True:
            due, data = held.get()
            time.sleep(max(0.0, due - time.monotonic()))
            self.is_open.wait()
            if not data:
                break
            if is_whole:
                try:
                    target.sendall(data)
                except OSError:  # what comes now is read, and goes nowhere
                    is_whole = False
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)


def _close(each: socket.socket) -> None:
    with contextlib.suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)  # or who waits for it, waits on
    each.close()


def main() -> None:
    parser = argparse.ArgumentParser(description="Relay TCP over a long line.")
    parser.add_argument("port", type=int)
    parser.add_argument("--delay-ms", type=float, default=0.0)
    parser.add_argument("--jitter-ms", type=float, default=0.0)
    parser.add_argument("--lost", type=float, default=0.0)
    given = parser.parse_args()
    way = Way(given.delay_ms / 1000, given.jitter_ms / 1000, given.lost)
    with Line(given.port, way) as line:
        print(line.port, flush=True)
        does = {"cut": line.cut, "heal": line.heal, "reset": line.reset}
        for command in sys.stdin:
            does.get(command.strip(), lambda: None)()


if __name__ == "__main__":
    main()
