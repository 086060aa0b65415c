"""The OSC table, second half: what the daemon sends. PROTOCOL.md lists it.

Answers hold ints, floats and strings alone, since that is all that every client can read.
"""

from collections.abc import Sequence
from typing import Annotated, Any

from eutectic.config import MAX_VOICES
from eutectic.osc import fields
from eutectic.osc.answer import About, Answer, Found, Fraction
from eutectic.osc.events import (
    Client,
    Clip,
    Device,
    Engine,
    Favourite,
    Focus,
    History,
    Input,
    InputLevel,
    Live,
    Log,
    Master,
    Meter,
    Preset,
    PresetChanged,
    Queue,
    Recording,
    Reference,
    Sent,
    Session,
    Snapshot,
    Tempo,
    VoiceAxis,
    VoiceNotes,
    VoiceState,
    VoiceStrip,
    Xrun,
)
from eutectic.osc.fields import Id, Name, Path, Text, Voice
from eutectic.osc.packets import Value, encode
from eutectic.osc.spec import PREFIX, Argument, annotated_arguments, flatten


class Done(Answer, frozen=True):
    """A request has been carried out."""

    address = "/done"

    request: Annotated[str, Argument("text", "the request's address")]
    id: Id
    found: Annotated[tuple[Value, ...], Argument("words", "what the request reports")] = ()


class Fail(Answer, frozen=True):
    """A request failed, and changed nothing."""

    address = "/fail"

    request: Annotated[str, Argument("text", "the request's address")]
    id: Annotated[int, Argument("int", "-1 if it has none", -1)]
    code: Annotated[str, Argument("text", "a word for programs")]
    text: Text


class Queued(Answer, frozen=True):
    """The engine has queued it."""

    address = "/queued"

    id: Id


class Progress(Answer, frozen=True):
    """What is being done, and how much of the whole request is."""

    address = "/progress"

    id: Id
    stage: Text
    fraction: Fraction


class Started(Answer, frozen=True):
    """A fusion's first sample is played."""

    address = "/started"

    id: Id
    voice: Voice
    latency_ms: Annotated[float, Argument("float", "from the request to its first sample", 0)]


class Ended(Answer, frozen=True):
    """A fusion has fallen silent, or was dropped from the schedule before it began."""

    address = "/ended"

    voice: Voice
    id: Id


class Idle(Answer, frozen=True):
    """A voice that plays nothing was stopped or scrubbed; at most once a second."""

    address = "/idle"

    id: Annotated[int, Argument("int", "-1: such messages have none", -1)]
    voice: Voice
    text: Text


class FanReady(Answer, frozen=True):
    """One place of a fan is ready."""

    address = "/fan/ready"

    id: Id
    k: Annotated[int, Argument("int", "of n, from 0", 0)]
    n: Annotated[int, Argument("int", "", 0)]


class Synced(Answer, frozen=True):
    """Sent before the `/done` of a `/sync`."""

    address = "/synced"

    id: Id


class VersionReply(Answer, frozen=True):
    """The version."""

    address = "/version.reply"

    id: Id
    text: Text


class StatusReply(Answer, frozen=True):
    """One line of the status."""

    address = "/status.reply"

    id: Id
    what: Text
    text: Text


class VoiceReply(Answer, frozen=True):
    """A voice of the status; names are empty and times 0 unless it plays; live has a reference."""

    address = "/voice.reply"

    id: Id
    voice: Voice
    state: Annotated[str, Argument("text", "idle, making, playing or live")]
    original: Annotated[str, Argument("text", "a clip's name")]
    reference: Annotated[str, Argument("text", "a reference's name")]
    blend: Fraction
    position: Annotated[float, Argument("float", "s", 0)]
    seconds: Annotated[float, Argument("float", "s, its length", 0)]


class Model(Answer, frozen=True):
    """A model."""

    address = "/model"

    id: Id
    name: Text
    in_use: Annotated[int, Argument("int", "0 or 1", 0, 1)]


class PairReply(Answer, frozen=True):
    """Whether a pair can be fused now, and how soon it would be heard; sent when it has changed.

    Of the voice's settings, or the options that the request gave.
    """

    address = "/pair.reply"

    id: About
    original: fields.Clip
    reference: fields.Reference
    ready: Annotated[int, Argument("int", "places of its fan that play at once", 0)]
    of: Annotated[int, Argument("int", "places of its fan", 0)]
    cost_ms: Annotated[
        float, Argument("float", "ms to its first sample, as measured; 0: ready; -1: unknown", -1)
    ]
    state: Annotated[str, Argument("text", "now, later, working or never")]
    text: Annotated[str, Argument("text", "what is under way, or why it can't be")]
    voice: Annotated[
        int, Argument("int", "whose settings it would have; 0: no voice's", 0, MAX_VOICES)
    ] = 0


class FanReply(Answer, frozen=True):
    """A place of a fan."""

    address = "/fan.reply"

    id: Id
    k: Annotated[int, Argument("int", "of n, from 0", 0)]
    n: Annotated[int, Argument("int", "", 0)]
    blend: Fraction
    ready: Annotated[int, Argument("int", "0 or 1", 0, 1)]
    key: Annotated[str, Argument("text", "names its file among the kept fusions")]
    y: Annotated[float, Argument("float", "along the second axis", 0, 1)] = 0.0


class Late(Answer, frozen=True):
    """The time was in the past, or too far ahead; it was done at once."""

    address = "/late"

    id: Id
    ms: Annotated[float, Argument("float", "ms", 0)]


class Unknown(Answer, frozen=True):
    """A message that this version's table doesn't have, or not in this form."""

    name: Text
    values: Annotated[tuple[Any, ...], Argument("words")]


ANSWERS: tuple[type[Answer], ...] = (
    Done, Fail, Queued, Progress, Started, Ended, Idle, FanReady, Synced, VersionReply, StatusReply,
    VoiceReply, Model, Clip, Reference, Preset, PresetChanged, Session, Device, Engine, Queue, Xrun,
    Late, VoiceState, VoiceNotes, VoiceStrip, VoiceAxis, Focus, History, Live, Tempo, Input,
    InputLevel, Favourite, Master, Meter, PairReply, FanReply, Recording, Client, Log, Snapshot,
    Sent,
)  # fmt: skip

_BY_ADDRESS = {PREFIX + kind.address: kind for kind in ANSWERS}


# What `/done` reports, by request


class ClockInUse(Found, frozen=True):
    clock: Annotated[str, Argument("text", "what the beats follow")]


class Registered(Found, frozen=True):
    number: Annotated[int, Argument("int", "the client's, from 1; 0 for one that has left", 0)]


class EnginePlace(Found, frozen=True):
    place: Annotated[str, Argument("text", "local, or HOST:PORT")]
    state: Annotated[str, Argument("text", "as /engine has it")]
    round_trip_ms: Annotated[
        float, Argument("float", "ms there and back; 0: local; -1: not known, or lost", -1)
    ]


class Learned(Found, frozen=True):
    steps: Annotated[int, Argument("int", "of learning", 0)]


class LoraLoaded(Found, frozen=True):
    kind: Annotated[str, Argument("text", "lora, dora-rows, dora-cols or bora, maybe with -xs")]
    rank: Annotated[int, Argument("int", "of its factors", 0)]


class Deleted(Found, frozen=True):
    kb: Annotated[int, Argument("int", "kB that are free now", 0)]


class SavedFile(Found, frozen=True):
    path: Path


class KeptSound(Found, frozen=True):
    name: Name
    path: Path


class LoadedPreset(Found, frozen=True):
    clips: Annotated[str, Argument("text", "names with spaces between, maybe none")]
    references: Annotated[str, Argument("text", "names with spaces between, maybe none")]
    voices: Annotated[str, Argument("text", "numbers with spaces between, maybe none")]


class SoundFile(Found, frozen=True):
    path: Path
    frames: Annotated[int, Argument("int", "", 0)]
    rate_hz: Annotated[int, Argument("int", "Hz", 0)]


class Replayed(Found, frozen=True):
    events: Annotated[int, Argument("int", "of the show", 0)]
    failed: Annotated[int, Argument("int", "of these", 0)]
    late: Annotated[int, Argument("int", "of these, that were not at their frames", 0)]


class LearnedControl(Found, frozen=True):
    control: Annotated[str, Argument("text", "kind, number and channel")]


def packet(answer: Answer) -> bytes:
    """An answer as OSC."""
    return encode(PREFIX + answer.address, flatten(answer))


def read_answer(address: str, values: Sequence[Any]) -> Answer:
    """A received message as a value; `Unknown` if the table doesn't have it in this form."""
    unknown = Unknown(address, tuple(values))
    kind = _BY_ADDRESS.get(address)
    if kind is None:
        return unknown
    build: Any = kind
    if kind is Done and len(values) > 2:
        values = (*values[:2], tuple(values[2:]))
    try:
        answer: Answer = build(*values)
        flatten(answer)
    except (TypeError, ValueError):  # too few or too many values, or text for a number
        return unknown
    return answer


def starts_with_id(answer: Answer) -> bool:
    """Whether an answer is about a request of the client that receives it, by its id."""
    arguments = annotated_arguments(type(answer))
    return bool(arguments) and arguments[0].name == "id"
