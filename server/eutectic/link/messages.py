"""What goes over the wire between a daemon and an engine's machine: MessagePack, typed and checked.

A message is one frame; samples, and parts of files, follow it in another. Jobs have the daemon's
numbers. What shared memory is between two processes, these frames are between two machines.
"""

from __future__ import annotations

import msgspec

from eutectic.link.protocol import Canvas, Command, Result

PROTOCOL = 1
"""Of these messages and of those that they hold. Both sides must have the same."""

PART_BYTES = 32 << 10
"""Of a frame: enough for the costs of each not to matter, and little to wait for."""


# From the daemon


class Hello(msgspec.Struct, frozen=True, tag=True):
    """Asks for an engine.

    `daemon` identifies it, `name` is its machine's. `digest`: what the model's must be, if known.
    `connection`: this one's number among the daemon's; `others`: those that it uses besides.
    """

    daemon: str
    name: str
    version: str
    protocol: int
    model: str
    digest: str
    connection: int
    others: tuple[int, ...]


class Do(msgspec.Struct, frozen=True, tag=True):
    """A command; its file, if that is there, by its digest and its name there."""

    command: Command
    digest: str = ""
    name: str = ""


class Ask(msgspec.Struct, frozen=True, tag=True):
    """Is this file there, by the digest of what is in it?"""

    digest: str
    name: str


class Part(msgspec.Struct, frozen=True, tag=True):
    """Bytes of a file of `size`, from `at` on, follow."""

    digest: str
    name: str
    size: int
    at: int


class Heard(msgspec.Struct, frozen=True, tag=True):
    """Bytes of what was heard, from `at` on, follow: for a job that follows them."""

    job: int
    canvas: Canvas
    at: int


class Want(msgspec.Struct, frozen=True, tag=True):
    """What was learned over there, by its key in the store there, is wanted here, too."""

    key: str


class Leave(msgspec.Struct, frozen=True, tag=True):
    """The daemon doesn't need this engine any more. `kill`: nor will it soon."""

    kill: bool


# From the engine's machine


class Welcome(msgspec.Struct, frozen=True, tag=True):
    """There is an engine, and its results will follow."""

    name: str


class Refused(msgspec.Struct, frozen=True, tag=True):
    """There is none. `later`: asking again may help. `memory`: so may ending the one in use."""

    text: str
    later: bool = False
    memory: bool = False


class Has(msgspec.Struct, frozen=True, tag=True):
    """Whether a file is there."""

    digest: str
    name: str
    is_there: bool


class Said(msgspec.Struct, frozen=True, tag=True):
    """A result; the samples of a chunk follow: float32 (channel, frame)."""

    result: Result


class Keep(msgspec.Struct, frozen=True, tag=True):
    """Bytes of what was learned, a file of `size`, from `at` on, follow; none: it isn't there."""

    key: str
    size: int
    at: int


class Over(msgspec.Struct, frozen=True, tag=True):
    """The engine has ended. `lost`: its machine leaves, too."""

    text: str
    lost: bool = False


# From both


class Got(msgspec.Struct, frozen=True, tag=True):
    """So many bytes have come with messages so far."""

    size: int


class Beat(msgspec.Struct, frozen=True, tag=True):
    """There is still somebody: a daemon asks at a time of its own, and gets that back.

    The other side asks nothing, by 0.
    """

    at: float


Message = (
    Hello
    | Do
    | Ask
    | Part
    | Heard
    | Want
    | Leave
    | Welcome
    | Refused
    | Has
    | Said
    | Keep
    | Over
    | Got
    | Beat
)

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Message)


def encode(message: Message) -> bytes:
    return _encoder.encode(message)


def decode(frame: bytes) -> Message:
    """The message of a frame.

    Raises:
        msgspec.DecodeError: there is none.
    """
    return _decoder.decode(frame)
