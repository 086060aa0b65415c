"""Workers that make nothing: they answer with rows at once, so that all else can be measured.

An actor for `rendering.on_ray`, and a process for `rendering.processes`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import msgspec

from eutectic.link.errands import Wanted
from eutectic.rendering import protocol, rows
from eutectic.rendering.pool import Reference
from eutectic.rendering.work import Batch, Row

MODULE = "eutectic.experiments.speed.simulated"

AT = "2000-01-01T00:00:00+00:00"

SOUND_BYTES = 2 << 20
"""Of an original in a cluster's memory: 6 s of stereo."""


class Simulated:
    """As `rendering.actor.Actor`."""

    def __init__(self, _setup: bytes, _processors: int) -> None:
        self._name = f"simulated {os.getpid()}"

    def begin(self) -> bytes:
        import ray

        from eutectic.rendering.actor import Hello

        node = ray.get_runtime_context().get_node_id()
        return msgspec.msgpack.encode(Hello(self._name, node, version("eutectic"), "simulated"))

    def learn(self, packed: bytes) -> tuple[bytes, bytes]:
        wanted = msgspec.msgpack.decode(packed, type=Wanted)
        return msgspec.msgpack.encode(Reference(wanted)), b""

    def encode(self, _packed: bytes) -> bytes:
        return bytes(SOUND_BYTES)

    def render(self, packed: bytes, _sounds: Any, _reference: Any) -> bytes:
        batch = msgspec.msgpack.decode(packed, type=Batch)
        return msgspec.msgpack.encode(list(rows_of(batch, self._name)))


def rows_of(batch: Batch, worker: str) -> Iterator[Row]:
    """What a worker would answer."""
    for piece in batch.pieces:
        for item in piece.items:
            row = rows.planned(batch, piece, item)
            yield msgspec.structs.replace(row, worker=worker, seconds=0.0, at=AT)


def main() -> None:
    """As `rendering.process.run`."""
    orders, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb", buffering=0)
    name = protocol.decode_start(orders.readline()).name
    answers.write(protocol.line(protocol.Ready("cpu", 1, 1)))
    for line in orders:
        order = protocol.decode_order(line)
        if isinstance(order, protocol.Learn):
            answers.write(protocol.line(protocol.Learned(Reference(order.wanted))))
        else:
            for row in rows_of(order.batch, name):
                answers.write(protocol.line(protocol.Did(row)))
        answers.write(protocol.line(protocol.Ended()))


if __name__ == "__main__":
    main()
