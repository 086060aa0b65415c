"""A worker on a node of a cluster: the actor that Ray places there, which holds the model.

What goes in and out is MessagePack and parcels. Sounds and references that others opened and
learned lie in the cluster's object store; one that is lost, as its node is, is opened or learned
again here.
"""

from __future__ import annotations

import functools
import os
import socket
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import msgspec
import ray
from ray.exceptions import RayError

from eutectic.config import data_folder
from eutectic.errors import BadInput
from eutectic.link.errands import Wanted
from eutectic.link.protocol import Source
from eutectic.rendering.opening import open_destination
from eutectic.rendering.pool import Reference, Setup
from eutectic.rendering.work import Batch, Piece, Row

if TYPE_CHECKING:
    from eutectic.engine.adapter import Adapter
    from eutectic.engine.clips import Clip
    from eutectic.rendering.supplied import Fetch, Supplied
    from eutectic.rendering.worker import Worker

Stored = Sequence[Any]
"""An ObjectRef of a parcel, or nothing. In a list, where Ray leaves it to the actor to fetch it: as
an argument of its own, the call would fail with it.
"""


class Hello(msgspec.Struct, frozen=True):
    """What a worker says of itself once it has loaded its model; `node`: where, as Ray calls it."""

    name: str
    node: str
    version: str
    model_digest: str


class Actor:
    """Serves one call after another, in the order they were sent.

    `processors`: those that are its own, beside a GPU.
    """

    _engine: Supplied
    _worker: Worker

    def __init__(self, setup: bytes, processors: int) -> None:
        self._setup, self._processors = msgspec.msgpack.decode(setup, type=Setup), processors

    def begin(self) -> bytes:
        """Load the model; returns a Hello.

        Raises:
            BadInput: the model or the destination can't be used here.
        """
        import torch

        from eutectic.engine.loading import load_for_use
        from eutectic.engine.store import Store
        from eutectic.rendering.supplied import Supplied
        from eutectic.rendering.worker import Worker

        destination = open_destination(self._setup.destination)
        model = load_for_use(self._setup.model, self._setup.compute)
        self._engine = Supplied(model, Store(data_folder()))
        name, finishers = f"{socket.gethostname()} {os.getpid()}", self._processors
        if model.device.type == "cpu":
            torch.set_num_threads(self._processors)
            finishers = 0
        self._worker = Worker(self._engine, destination, name, finishers, self._check)
        node = ray.get_runtime_context().get_node_id()
        return msgspec.msgpack.encode(Hello(name, node, version("eutectic"), model.digest))

    def learn(self, packed: bytes) -> tuple[bytes, bytes]:
        """Learn a reference (a Wanted); returns a Reference, and a parcel for other workers."""
        from eutectic.rendering import parcels
        from eutectic.rendering.finishing import Failed, reasons

        wanted = msgspec.msgpack.decode(packed, type=Wanted)
        self._engine.supply({}, wanted)
        try:
            with reasons():
                known = self._worker.learn(wanted)
                parcel = parcels.pack(*self._engine.learned(wanted, known))
        except Failed as failed:
            return msgspec.msgpack.encode(Reference(wanted, reason=failed.reason)), b""
        return msgspec.msgpack.encode(Reference(wanted, known)), parcel

    def encode(self, packed: bytes) -> bytes:
        """Open the original of a Piece; returns its parcel.

        Raises:
            BadInput: it can't be used, which who needs it finds out again.
        """
        from eutectic.rendering import parcels

        piece = msgspec.msgpack.decode(packed, type=Piece)
        self._check(piece.original, piece.digest)
        return parcels.pack(self._engine.open(piece.original))

    def render(self, packed: bytes, sounds: Mapping[str, Stored], reference: Stored) -> bytes:
        """Make a Batch; returns its rows. `sounds`: its originals, by their digests.

        Raises:
            BadOutput: the destination can't be written.
        """
        batch = msgspec.msgpack.decode(packed, type=Batch)
        fetches: dict[Source, Fetch] = {
            piece.original: self._fetch(sounds[piece.digest]) for piece in batch.pieces
        }
        fetches[batch.reference.source] = self._fetch(reference)
        self._engine.supply(fetches, batch.reference)
        rows: list[Row] = []
        self._worker.render(batch, rows.append)
        return msgspec.msgpack.encode(rows)

    def _check(self, source: Source, digest: str) -> None:
        """As `worker.check_unchanged`, of what is read here."""
        from eutectic.rendering.worker import check_unchanged

        if not self._engine.is_supplied(source):
            check_unchanged(source, digest)

    def _fetch(self, stored: Stored) -> Fetch:
        """Gets a parcel, once it is needed and if it can be had."""
        from eutectic.rendering import parcels

        @functools.cache
        def fetch() -> tuple[Clip | None, Adapter | None]:
            try:
                packed = b"".join(ray.get(list(stored)))
            except (RayError, BadInput):
                return None, None
            return parcels.unpack(packed, self._engine.model.device) if packed else (None, None)

        return fetch
