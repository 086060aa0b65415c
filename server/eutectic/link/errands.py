"""Errands: work that a command on this machine gives to an engine that is running.

The engine has loaded its model, and may know the sounds, so it is done sooner; it is done by the
same code as in the command's own process (`engine.errands`), and to the same bits. Where an engine
can be reached, and the key that proves who asks, is in a file in the data folder which only its
owner can read. Messages are MessagePack behind their length.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from eutectic.audio import Waveform
from eutectic.config import LearnSettings, Level, Place, SamplingSettings
from eutectic.errors import BadInput, EutecticError
from eutectic.link.protocol import Source
from eutectic.window import Made, Point, Window

FILE = "engine.json"

HELLO_SECONDS = 0.5
"""An engine that doesn't greet back within this time isn't used."""

HELLO_BYTES, MAX_BYTES = 1 << 12, 1 << 34
"""Longer messages are refused: the first, whose sender isn't known yet, and any."""

_LENGTH = struct.Struct(">Q")

Progress = Callable[[str, int, int], None]
"""Called with what is being done, and (done, total)."""


class EngineFailed(BadInput):
    """The engine couldn't do an errand, for want of memory or because of a fault."""


class Lost(Exception):
    """The engine ended, or can't be reached any more."""


class Hello(msgspec.Struct, frozen=True):
    """What must be the same on both sides."""

    key: str
    version: str
    model: str
    """What identifies it (`engine.model_files.identity`)."""
    compute: str | None


class Wanted(msgspec.Struct, frozen=True, tag=True):
    """A reference: the sound, and what it is to be learned or loaded with.

    `sampling`: what it will be heard with, at `places`; where the network has no part in that,
    nothing is learned. `lora`: a file instead of learning.
    """

    source: Source
    prompt: str
    learning: LearnSettings | None = None
    lora: str | None = None
    sampling: SamplingSettings | None = None
    places: tuple[Place, ...] = ()


class Fuse(msgspec.Struct, frozen=True, tag=True):
    """An original with a reference, at each place."""

    original: Source
    reference: Wanted
    places: tuple[Place, ...]
    sampling: SamplingSettings
    level: Level


class Measure(msgspec.Struct, frozen=True, tag=True):
    """The fusion window of the same."""

    fuse: Fuse


Errand = Wanted | Fuse | Measure


class Known(msgspec.Struct, frozen=True, tag=True):
    """What an engine found of a reference, and says about itself.

    `about`, `digest`: of the adapter, if there is one. `learning`: the settings it was learned
    with. `capped`: its budget ended learning now.
    """

    model: str
    model_digest: str
    device: str
    about: dict[str, Any] | None = None
    digest: str = ""
    learning: LearnSettings | None = None
    capped: bool = False


class Fused(msgspec.Struct, frozen=True):
    """Fusions, one for each place, and the sampling with the model's choices in it."""

    sampling: SamplingSettings
    made: list[Made]


class Report(msgspec.Struct, frozen=True, tag=True):
    """How far it is."""

    what: str
    done: int
    total: int


class _Sounds(msgspec.Struct, frozen=True, tag=True):
    sampling: SamplingSettings
    made: list[_Made]


class _Made(msgspec.Struct, frozen=True):
    sound: bytes
    channels: int
    rate_hz: int
    blend: float = 0.0
    remaining: int | None = None
    gain_db: float = 0.0


class _Point(msgspec.Struct, frozen=True):
    fusion: _Made
    from_original: float
    from_reference: float
    evaluations: int
    seconds: float


class _Window(msgspec.Struct, frozen=True, tag=True):
    original: _Made
    reference: _Made
    points: list[_Point]
    original_span: float
    reference_span: float


class Ended(msgspec.Struct, frozen=True, tag=True):
    """It is done; `code` and `text` say why, if it failed."""

    code: str = ""
    text: str = ""


Answer = Report | Known | _Sounds | _Window | Ended

_answer = msgspec.msgpack.Decoder(Answer)
_errand = msgspec.msgpack.Decoder(Errand)
_hello = msgspec.msgpack.Decoder(Hello)


# Both sides


def send(connection: socket.socket, message: msgspec.Struct) -> None:
    """Send one message.

    Raises:
        OSError: the other side is gone.
    """
    packet = msgspec.msgpack.encode(message)
    connection.sendall(_LENGTH.pack(len(packet)) + packet)


def _receive(connection: socket.socket, limit: int = MAX_BYTES) -> bytes:
    """One message; empty if the other side has left, or would send more than the limit."""
    packed = _exactly(connection, _LENGTH.size)
    length = _LENGTH.unpack(packed)[0] if packed else 0
    return _exactly(connection, length) if length <= limit else b""


def _exactly(connection: socket.socket, size: int) -> bytes:
    received = bytearray()
    while len(received) < size:
        part = connection.recv(min(size - len(received), 1 << 20))
        if not part:
            return b""
        received += part
    return bytes(received)


# The engine's side


def publish(data: Path, port: int, key: str) -> None:
    """Say where this engine is reached."""
    path = data / FILE
    mine = path.with_name(f".{FILE}.{os.getpid()}")
    mine.unlink(missing_ok=True)
    handle = os.open(mine, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump({"port": port, "key": key}, file)
    mine.replace(path)


def receive_hello(connection: socket.socket) -> Hello | None:
    """The first message; None if it isn't one.

    Raises:
        OSError: it doesn't come.
    """
    with contextlib.suppress(msgspec.DecodeError):
        return _hello.decode(_receive(connection, HELLO_BYTES))
    return None


def receive_errand(connection: socket.socket) -> Errand | None:
    """The next errand; None if the other side has left, or breaks the protocol."""
    with contextlib.suppress(msgspec.DecodeError, OSError):
        return _errand.decode(_receive(connection))
    return None


def sounds(fused: Fused) -> Answer:
    """Fusions as an answer."""
    return _Sounds(fused.sampling, [_packed(each) for each in fused.made])


def measured(window: Window) -> Answer:
    """A window as an answer."""
    points = [
        _Point(_packed(each.fusion), each.from_original, each.from_reference, each.evaluations,
               each.seconds)
        for each in window.points
    ]  # fmt: skip
    original, reference = _packed_sound(window.original), _packed_sound(window.reference)
    return _Window(original, reference, points, window.original_span, window.reference_span)


def _packed_sound(waveform: Waveform) -> _Made:
    samples = np.ascontiguousarray(waveform.samples)
    return _Made(samples.tobytes(), samples.shape[0], waveform.rate_hz)


def _packed(made: Made) -> _Made:
    sound = _packed_sound(made.waveform)
    return msgspec.structs.replace(
        sound, blend=made.blend, remaining=made.remaining, gain_db=made.gain_db
    )


# The command's side


def connect(data: Path, hello: Hello) -> Engine | None:
    """The engine that runs with this data folder, if it is one of the same kind.

    `hello`: without the key, which is found in the file.
    """
    try:
        there = json.loads((data / FILE).read_text(encoding="utf-8"))
        connection = socket.create_connection(("127.0.0.1", there["port"]), HELLO_SECONDS)
    except (OSError, ValueError, TypeError, KeyError):
        return None
    try:
        send(connection, msgspec.structs.replace(hello, key=str(there["key"])))
        if _answer.decode(_receive(connection)) == Ended():
            connection.settimeout(None)
            return Engine(connection)
    except (OSError, KeyError, msgspec.DecodeError):
        pass
    connection.close()
    return None


class Engine:
    """An engine that runs errands, one after another."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def remember(self, wanted: Wanted, progress: Progress) -> Known:
        """A reference from the store, or learned now.

        Raises:
            EutecticError: as in the engine.
            Lost: the engine ended.
        """
        asked = _whole_path(wanted)
        (known,) = (each for each in self._run(asked, progress) if isinstance(each, Known))
        return known

    def fuse(self, fuse: Fuse, progress: Progress) -> Fused:
        """Fusions, one for each place.

        Raises:
            EutecticError: as in the engine.
            Lost: the engine ended.
        """
        (found,) = (
            each for each in self._run(_whole_paths(fuse), progress) if isinstance(each, _Sounds)
        )
        return Fused(found.sampling, [_made(each) for each in found.made])

    def measure(self, measure: Measure, progress: Progress) -> Window:
        """A fusion window.

        Raises:
            EutecticError: as in the engine.
            Lost: the engine ended.
        """
        asked = Measure(_whole_paths(measure.fuse))
        (found,) = (each for each in self._run(asked, progress) if isinstance(each, _Window))
        points = [
            Point(_made(each.fusion), each.from_original, each.from_reference, each.evaluations,
                  each.seconds)
            for each in found.points
        ]  # fmt: skip
        return Window(
            _made(found.original).waveform, _made(found.reference).waveform, tuple(points),
            found.original_span, found.reference_span,
        )  # fmt: skip

    def _run(self, errand: Errand, progress: Progress) -> Iterator[Answer]:
        try:
            send(self._connection, errand)
            while True:
                answer = _answer.decode(_receive(self._connection))
                if isinstance(answer, Ended):
                    break
                if isinstance(answer, Report):
                    progress(answer.what, answer.done, answer.total)
                else:
                    yield answer
        except (OSError, msgspec.DecodeError):
            raise Lost from None
        if answer.code:
            raise _errors().get(answer.code, EngineFailed)(answer.text)


def _whole_paths(fuse: Fuse) -> Fuse:
    """The engine's current folder is another."""
    original = _whole(fuse.original)
    return msgspec.structs.replace(fuse, original=original, reference=_whole_path(fuse.reference))


def _whole_path(wanted: Wanted) -> Wanted:
    return msgspec.structs.replace(wanted, source=_whole(wanted.source))


def _whole(source: Source) -> Source:
    return msgspec.structs.replace(source, path=str(Path(source.path).absolute()))


def _made(packed: _Made) -> Made:
    samples = np.frombuffer(packed.sound, np.float32).reshape(packed.channels, -1)
    return Made(Waveform(samples, packed.rate_hz), packed.blend, packed.remaining, packed.gain_db)


def _errors() -> dict[str, type[Exception]]:
    """Errors by their codes."""
    found: dict[str, type[Exception]] = {}
    kinds: list[type[EutecticError]] = [EutecticError]
    while kinds:
        kind = kinds.pop()
        found.setdefault(kind.code, kind)
        kinds += kind.__subclasses__()
    found[BadInput.code] = BadInput
    return found
