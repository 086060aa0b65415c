"""The protocol between the daemon and the engine process.

Commands go to the engine's standard input and results come from its standard output, one JSON
value per line, typed and checked by msgspec. Audio goes through shared memory that the daemon
creates: float32 (channel, frame), C order; a `Chunk` is sent after its frames are written.

Shared memory is a mapped file in the system's memory file system (or in its temporary folder),
which, unlike Python's own, needs no tracker process. The daemon creates and unlinks it. If the
daemon is killed its engine removes what it left; if both are killed, the next daemon does.
"""

from __future__ import annotations

from enum import IntEnum
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from eutectic.config import LearnSettings, Level, Method, Place, SamplingSettings
from eutectic.link.stored import Kind
from eutectic.system.shared_memory import new_path, reserve


class Priority(IntEnum):
    """What the engine does first; a job is preempted between evaluations by a more urgent one."""

    TRIGGER = 0
    LIVE = 1
    """A piece of what is heard, which is late soon."""
    GLIDE = 2
    """To take the place of what sounds, at another setting."""
    LOAD = 3
    RENDER = 4
    FAN = 5
    LEARN = 6
    ERRAND = 7
    """A command's learning."""
    WARM = 8
    AHEAD = 9
    """Made in advance; no client has requested it."""


class Source(msgspec.Struct, frozen=True):
    """A section of a sound file; the path is absolute and has been checked."""

    path: str
    start_seconds: float = 0.0
    duration_seconds: float | None = None


class Load(msgspec.Struct, tag=True, frozen=True):
    """Load a clip. With its key from an earlier load, the file may be missing."""

    job: int
    source: Source
    key: str | None = None
    priority: Priority = Priority.LOAD


class Learn(msgspec.Struct, tag=True, frozen=True):
    """Learn a reference unless it is in the store, where it is looked up at a load's priority.

    It has settings.
    """

    job: int
    reference: ReferenceSpec
    priority: Priority = Priority.LOAD


class AddLora(msgspec.Struct, tag=True, frozen=True):
    """Take a LoRA file, whose path is absolute, into the store.

    With its key from an earlier time, the file may be missing.
    """

    job: int
    path: str
    key: str = ""
    priority: Priority = Priority.LOAD


class Adopt(msgspec.Struct, tag=True, frozen=True):
    """Take a file of another store, whose path is absolute, into this one, under its key there."""

    job: int
    kind: Kind
    key: Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]
    path: str
    priority: Priority = Priority.LOAD


class Forget(msgspec.Struct, tag=True, frozen=True):
    """Delete what was learned of a reference from the store."""

    job: int
    reference: ReferenceSpec
    priority: Priority = Priority.LOAD


class ReferenceSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """A reference: everything that its key in the store is made from.

    Without settings nothing is learned: its clip is remembered, and the prompt guides what the
    network adds to that. With the key of a LoRA it has the weights of that, and may have no clip.
    """

    clip: str
    prompt: str
    settings: LearnSettings | None = None
    lora: Annotated[str, Meta(pattern="^([0-9a-f]{32})?$")] = ""


class Canvas(msgspec.Struct, frozen=True):
    """Shared memory for one fusion: its file, its shape (channel, frame) and its sample rate.

    `frames` is the fusion's length at that rate; the tail follows it.
    """

    path: str
    channels: int
    frames: int
    tail: int
    rate_hz: int

    @classmethod
    def make(cls, channels: int, frames: int, tail: int, rate_hz: int) -> Canvas:
        """Allocate the memory.

        Raises:
            OSError: there isn't enough.
        """
        path = new_path()
        reserve(path, 4 * channels * (frames + tail))
        return cls(str(path), channels, frames, tail, rate_hz)

    def map(self) -> NDArray[np.float32]:
        """Its samples (channel, frames + tail)."""
        shape = (self.channels, self.frames + self.tail)
        return np.memmap(self.path, np.float32, "r+", shape=shape)

    def unlink(self) -> None:
        """Free the memory as soon as it is no longer mapped."""
        Path(self.path).unlink(missing_ok=True)


class Fuse(msgspec.Struct, tag=True, frozen=True):
    """Fuse a clip with a reference, one canvas for each place.

    `heard`: samples that take the clip's place, which has no key then; nothing is kept of them.
    """

    job: int
    original: str
    reference: ReferenceSpec
    places: list[Place]
    sampling: SamplingSettings
    level: Level
    canvases: list[Canvas]
    priority: Priority = Priority.TRIGGER
    heard: Canvas | None = None


class Even(msgspec.Struct, tag=True, frozen=True):
    """Find the blends at which fusions of a pair are equal steps apart to the ear."""

    job: int
    original: str
    reference: ReferenceSpec
    size: int
    sampling: SamplingSettings
    priority: Priority = Priority.FAN


class Cancel(msgspec.Struct, tag=True, frozen=True):
    """Cancel a job before its next network evaluation."""

    job: int


Work = Load | Learn | AddLora | Adopt | Forget | Fuse | Even
Command = Work | Cancel


class State(msgspec.Struct, tag=True, frozen=True):
    """`loading`, `warming` or `ready`; or `failed`, with the reason why it has no model."""

    state: str
    fraction: float
    text: str = ""


class ModelFacts(msgspec.Struct, tag=True, frozen=True):
    """What the daemon needs to know about the model, sent once it is loaded."""

    name: str
    digest: str
    rate_hz: int
    channels: int
    max_seconds: float
    tail_seconds: float
    recall: float
    """Of fusions with a learned reference where nothing else is asked for."""
    steps: int
    """Of the sampler, as `cfg`, where nothing else is asked for."""
    cfg: float
    infinite_levels: int
    """Levels at the grid's beginning at which nothing can be injected."""
    device: str = ""
    """What it runs on: cpu, cuda or mps."""
    ratio: int = 1
    """Frames of sound in one of a latent."""
    eta: float = 1.0
    """As `cfg`."""
    learn_method: Method = "full"
    """Of learning, as `learn_steps`, where nothing else is asked for."""
    learn_steps: int = 1


class Begun(msgspec.Struct, tag=True, frozen=True):
    """A job has started."""

    job: int


SENDING = "send"
"""The stage of a job whose file is on its way to another machine: it hasn't begun."""


class Progress(msgspec.Struct, tag=True, frozen=True):
    """What a job is doing, and how much of the whole is done, 0 to 1."""

    job: int
    stage: str
    fraction: float


class Chunk(msgspec.Struct, tag=True, frozen=True):
    """Frames start to stop of canvas `index`, a fusion at this blend, have been written."""

    job: int
    index: int
    start: int
    stop: int
    blend: float


class Fused(msgspec.Struct, tag=True, frozen=True):
    """Canvas `index` is complete."""

    job: int
    index: int
    blend: float
    remaining: int | None
    gain_db: float
    stages_ms: dict[str, float]
    speed: float
    """Seconds of audio decoded per second."""


class Done(msgspec.Struct, tag=True, frozen=True):
    """A job is finished."""

    job: int


class Loaded(Done, tag=True, frozen=True):
    """A clip is loaded; its key names it from then on."""

    key: str
    frames: int
    seconds: float
    loudness_lufs: float
    audio: str = ""
    """Of its samples, a digest."""


class Learned(Done, tag=True, frozen=True):
    """A reference is learned, after so many steps; its key in the store."""

    steps: int
    key: str = ""


class LoraAdded(Done, tag=True, frozen=True):
    """A LoRA file is in the store; its key names it from then on."""

    key: str
    kind: str
    """`lora`, `dora-rows`, `dora-cols`, `bora`, or one of them with `-xs`."""
    rank: int


class Forgotten(Done, tag=True, frozen=True):
    """So many bytes of the store are free, of what had these keys."""

    size: int
    keys: tuple[str, ...] = ()


class Evened(Done, tag=True, frozen=True):
    """The blends of a fan's places, rising from 0 to 1."""

    blends: list[float]


class Failed(msgspec.Struct, tag=True, frozen=True):
    job: int
    code: str
    text: str


class Usage(msgspec.Struct, tag=True, frozen=True):
    """The cache, its limit, process and device memory, in bytes; queued jobs; evicted entries.

    `device_free_bytes`: of a GPU; None if the model isn't on one whose memory is known.
    """

    kept_bytes: int
    limit_bytes: int
    process_bytes: int
    device_bytes: int
    waiting: int
    evicted: int
    device_free_bytes: int | None = None


Result = (
    State
    | ModelFacts
    | Begun
    | Progress
    | Chunk
    | Fused
    | Done
    | Loaded
    | LoraAdded
    | Forgotten
    | Learned
    | Evened
    | Failed
    | Usage
)

_encoder = msgspec.json.Encoder()
_commands = msgspec.json.Decoder(Command)
_results = msgspec.json.Decoder(Result)


def encode(value: Command | Result) -> bytes:
    """One line."""
    return _encoder.encode(value) + b"\n"


def decode_command(line: bytes) -> Command:
    """The command of a line.

    Raises:
        msgspec.DecodeError: not a command.
    """
    return _commands.decode(line)


def decode_result(line: bytes) -> Result:
    """The result of a line.

    Raises:
        msgspec.DecodeError: not a result.
    """
    return _results.decode(line)
