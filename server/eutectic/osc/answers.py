"""The OSC table, second half: what the daemon sends. PROTOCOL.md lists it.

Answers hold ints, floats and strings alone, since that is all that every client can read.
"""

from collections.abc import Sequence
from typing import Annotated, Any

from eutectic.config import MAX_STRENGTH, MAX_VOICES
from eutectic.osc import fields
from eutectic.osc.fields import Id, Name, Path, Text, Voice
from eutectic.osc.packets import Value, encode
from eutectic.osc.spec import PREFIX, Argument, Message, annotated_arguments, flatten

Fraction = Annotated[float, Argument("float", "0 … 1", 0, 1)]
Level = Annotated[float, Argument("float", "dB", -200, 200)]
About = Annotated[int, Argument("int", "of the request; -1 in events", -1)]
By = Annotated[int, Argument("int", "the client that changed it last, by its number; 0: none", 0)]


class Answer(Message, frozen=True):
    """Anything that the daemon sends."""


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
    """A fusion has fallen silent."""

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
    """A voice of the status; names are empty and times 0 unless it plays."""

    address = "/voice.reply"

    id: Id
    voice: Voice
    state: Annotated[str, Argument("text", "idle, making or playing")]
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


class Clip(Answer, frozen=True):
    """A clip."""

    address = "/clip"

    id: About
    clip: fields.Clip
    path: Path
    seconds: Annotated[float, Argument("float", "s; 0 until it is known", 0, 600)]
    state: Annotated[str, Argument("text", "loaded, loading or missing; freed: there is none now")]
    fraction: Annotated[float, Argument("float", "of what is under way, 0 … 1", 0, 1)] = 1.0


class Reference(Answer, frozen=True):
    """A reference."""

    address = "/reference"

    id: About
    reference: fields.Reference
    clip: fields.Clip
    prompt: Text
    state: Annotated[
        str,
        Argument(
            "text",
            "remembered, learning 42 %, loading 42 %, learned, not_learned, missing; "
            "freed: there is none now",
        ),
    ]
    fraction: Annotated[float, Argument("float", "of what is under way, 0 … 1", 0, 1)] = 1.0


class Preset(Answer, frozen=True):
    """A preset."""

    address = "/preset"

    id: About
    name: Name
    what: Annotated[str, Argument("text", "what it does, or what is wrong with it")]
    there: Annotated[int, Argument("int", "0: it is gone", 0, 1)] = 1


class PresetChanged(Answer, frozen=True):
    """The file of the preset in use has changed: reloaded, or why it could not be."""

    address = "/preset/changed"

    name: Name
    text: Text


class Device(Answer, frozen=True):
    """An output device and its state."""

    address = "/device"

    name: Text
    state: Text


class Engine(Answer, frozen=True):
    """The engine's state."""

    address = "/engine"

    state: Annotated[str, Argument("text", "starting, loading, warming, ready, dead or failed")]
    fraction: Fraction
    model: Annotated[str, Argument("text", "the model in use")] = ""
    text: Annotated[
        str, Argument("text", "cpu, cuda or mps once ready; until then what it does, or why not")
    ] = ""


class Queue(Answer, frozen=True):
    """How much the engine has to do."""

    address = "/queue"

    jobs: Annotated[int, Argument("int", "running or waiting", 0)]


class Recording(Answer, frozen=True):
    """What is being recorded of the output."""

    address = "/recording"

    path: Annotated[str, Argument("text", "empty: nothing is")]
    seconds: Annotated[float, Argument("float", "s", 0)]
    free_mb: Annotated[float, Argument("float", "MB free on its disk", 0)]
    text: Annotated[str, Argument("text", "why it can't be written; empty: it is")]


class Session(Answer, frozen=True):
    """A session: one that was saved, or the one in use."""

    address = "/session"

    id: About
    name: Annotated[str, Argument("text", "empty: the one in use isn't kept")]
    what: Annotated[str, Argument("text", "what it holds, or what is wrong with it")]
    in_use: Annotated[int, Argument("int", "0 or 1", 0, 1)]


class Client(Answer, frozen=True):
    """A client of `/notify` has come or gone."""

    address = "/client"

    number: Annotated[int, Argument("int", "from 1", 1)]
    name: Annotated[str, Argument("text", "as it gave it; or its address")]
    on: Annotated[int, Argument("int", "1: it is there, 0: it has gone", 0, 1)]


class Snapshot(Answer, frozen=True):
    """What there is follows, as events: what a client knew before is over."""

    address = "/snapshot"

    number: Annotated[int, Argument("int", "the client's own, from 1", 1)]


class Sent(Answer, frozen=True):
    """How much a client should have been sent; if it has less, `/notify 1` asks for all.

    Sent after events, and every second.
    """

    address = "/seq"

    count: Annotated[
        int, Argument("int", "events since /snapshot, without /meter, /log, /seq and /fail", 0)
    ]


class Log(Answer, frozen=True):
    """A line of the daemon's log, for clients that asked for them."""

    address = "/log"

    level: Annotated[str, Argument("text", "info, warning (also: a request failed) or error")]
    client: Annotated[str, Argument("text", "whose request it is about; empty: no client's")]
    text: Text


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


class Master(Answer, frozen=True):
    """The master gain."""

    address = "/master"

    gain: Annotated[float, Argument("float", "dB", -200, 24)]
    by: By


class Xrun(Answer, frozen=True):
    """Audio was lost: underruns and xruns."""

    address = "/xrun"

    count: Annotated[int, Argument("int", "since the start", 0)]


class Late(Answer, frozen=True):
    """The time was in the past, or too far ahead; it was done at once."""

    address = "/late"

    id: Id
    ms: Annotated[float, Argument("float", "ms", 0)]


class VoiceState(Answer, frozen=True):
    """What a voice plays, or played last, and how its knobs are set, whenever that changes.

    Between two of them the position goes on by itself.
    """

    address = "/voice"

    voice: Voice
    original: Annotated[str, Argument("name", "a clip's number or word; empty: none yet")]
    reference: Annotated[str, Argument("name", "a reference's number or word; empty: none yet")]
    blend: Annotated[float, Argument("float", "0 the reference … 1 the original", 0, 1)]
    state: Annotated[str, Argument("text", "playing, waiting or silent")]
    gain: Annotated[float, Argument("float", "dB", -200, 24)]
    recall: Annotated[float, Argument("float", "0 … 1; -1: the reference's own", -1, 1)]
    position: Annotated[float, Argument("float", "s, in what it plays", 0)]
    seconds: Annotated[float, Argument("float", "s, the length of what it plays", 0)]
    fraction: Annotated[float, Argument("float", "of what it waits for, 0 … 1", 0, 1)]
    loop: Annotated[int, Argument("int", "0 or 1", 0, 1)]
    mute: Annotated[int, Argument("int", "0 or 1", 0, 1)]
    seed: Annotated[int, Argument("int", "of its newest fusion; -1: none yet", -1)]
    strength: Annotated[float, Argument("float", "-1: the reference's own", -1, MAX_STRENGTH)]
    cfg: Annotated[float, Argument("float", "-1: the model's", -1, 30)]
    pan: Annotated[float, Argument("float", "-1 … 1", -1, 1)]
    by: By


class Meter(Answer, frozen=True):
    """Peaks since the last one, 30 a second, for clients that asked for them."""

    address = "/meter"

    voice: Annotated[int, Argument("int", "from 1; 0: the output", 0, MAX_VOICES)]
    level: Level
    position: Annotated[float, Argument("float", "s, in what the voice plays", 0)]
    limiter: Annotated[float, Argument("float", "dB that the output's limiter takes off", 0, 200)]


class Unknown(Answer, frozen=True):
    """A message that this version's table doesn't have, or not in this form."""

    name: Text
    values: Annotated[tuple[Any, ...], Argument("words")]


ANSWERS: tuple[type[Answer], ...] = (
    Done, Fail, Queued, Progress, Started, Ended, Idle, FanReady, Synced, VersionReply, StatusReply,
    VoiceReply, Model, Clip, Reference, Preset, PresetChanged, Session, Device, Engine, Queue, Xrun,
    Late, VoiceState, Master, Meter, PairReply, FanReply, Recording, Client, Log, Snapshot,
    Sent,
)  # fmt: skip

_BY_ADDRESS = {PREFIX + kind.address: kind for kind in ANSWERS}


# What `/done` reports, by request


class Found(Message, frozen=True):
    """What a request reports in its `/done`."""


class Registered(Found, frozen=True):
    number: Annotated[int, Argument("int", "the client's, from 1; 0 for one that has left", 0)]


class Learned(Found, frozen=True):
    steps: Annotated[int, Argument("int", "of learning", 0)]


class LoraLoaded(Found, frozen=True):
    kind: Annotated[str, Argument("text", "lora, dora-rows, dora-cols or bora, maybe with -xs")]
    rank: Annotated[int, Argument("int", "of its factors", 0)]


class Deleted(Found, frozen=True):
    kb: Annotated[int, Argument("int", "kB that are free now", 0)]


class SavedFile(Found, frozen=True):
    path: Path


class LoadedPreset(Found, frozen=True):
    clips: Annotated[str, Argument("text", "names with spaces between, maybe none")]
    references: Annotated[str, Argument("text", "names with spaces between, maybe none")]
    voices: Annotated[str, Argument("text", "numbers with spaces between, maybe none")]


class SoundFile(Found, frozen=True):
    path: Path
    frames: Annotated[int, Argument("int", "", 0)]
    rate_hz: Annotated[int, Argument("int", "Hz", 0)]


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
