"""The OSC table, second half, first part: what there is, sent to every client that asked for it."""

from typing import Annotated

from eutectic.config import MAX_STRENGTH, MAX_VOICES
from eutectic.osc import fields
from eutectic.osc.answer import About, Answer, By, Fraction, Level
from eutectic.osc.fields import Name, Path, Text, Voice
from eutectic.osc.spec import Argument


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
    """The engine's state, and where it is."""

    address = "/engine"

    state: Annotated[
        str, Argument("text", "starting, loading, warming, ready, dead, failed or lost")
    ]
    fraction: Fraction
    model: Annotated[str, Argument("text", "the model in use")] = ""
    text: Annotated[
        str, Argument("text", "cpu, cuda or mps once ready; until then what it does, or why not")
    ] = ""
    place: Annotated[str, Argument("text", "local, or HOST:PORT of another machine's")] = "local"


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
    stems: Annotated[int, Argument("int", "files of single voices beside it", 0, MAX_VOICES)] = 0


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


class Master(Answer, frozen=True):
    """The master gain."""

    address = "/master"

    gain: Annotated[float, Argument("float", "dB", -200, 24)]
    by: By


class Xrun(Answer, frozen=True):
    """Audio was lost: underruns and xruns."""

    address = "/xrun"

    count: Annotated[int, Argument("int", "since the start", 0)]


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


class VoiceNotes(Answer, frozen=True):
    """How a voice plays its notes, and what of its sound it plays."""

    address = "/voice/notes"

    voice: Voice
    rate: Annotated[float, Argument("float", "1: as made", 0.125, 8)]
    start: Fraction
    end: Fraction
    reverse: Annotated[int, Argument("int", "0 or 1", 0, 1)]
    root: Annotated[float, Argument("float", "the note at which it plays as made", 0, 127)]
    choke: Annotated[int, Argument("int", "its group; 0: none", 0, 16)]
    attack: Annotated[float, Argument("float", "ms", 0)]
    decay: Annotated[float, Argument("float", "ms", 0)]
    sustain: Fraction
    release: Annotated[float, Argument("float", "ms", 0)]
    by: By


class VoiceStrip(Answer, frozen=True):
    """A voice's filter and sends."""

    address = "/voice/strip"

    voice: Voice
    filter: Annotated[str, Argument("text", "off, low, high or band")]
    cutoff: Annotated[float, Argument("float", "Hz", 0)]
    resonance: Fraction
    out1: Annotated[int, Argument("int", "first output of its first send; 0: none", 0)]
    send1: Level
    out2: Annotated[int, Argument("int", "of its second", 0)]
    send2: Level
    by: By


class VoiceAxis(Answer, frozen=True):
    """The second axis of what a voice plays."""

    address = "/voice/axis"

    voice: Voice
    across: Annotated[
        str, Argument("text", "recall, cfg, reference2, eta, or pad: x and y; empty: there is none")
    ]
    y: Fraction
    low: Annotated[float, Argument("float", "what is turned, at y 0")]
    high: Annotated[float, Argument("float", "at y 1")]
    ready: Annotated[int, Argument("int", "places of both axes that play at once", 0)]
    of: Annotated[int, Argument("int", "places of both axes", 0)]
    by: By
    corners: Annotated[
        str, Argument("text", "of a pad: its four pairs as /pad/xy has them, with spaces between")
    ] = ""


class Focus(Answer, frozen=True):
    """The voice in focus, which keyboards play."""

    address = "/focus"

    voice: Voice
    by: By


class History(Answer, frozen=True):
    """How many steps a voice can go back and forth."""

    address = "/history"

    voice: Voice
    undo: Annotated[int, Argument("int", "", 0)]
    redo: Annotated[int, Argument("int", "", 0)]


class Live(Answer, frozen=True):
    """What a voice makes of the input."""

    address = "/live"

    voice: Voice
    reference: Annotated[str, Argument("name", "a reference's number or word; empty: none")]
    state: Annotated[str, Argument("text", "off, starting, playing or gated")]
    lag_ms: Annotated[float, Argument("float", "ms from the input to the fusion; 0 if off", 0)]
    dropped: Annotated[int, Argument("int", "pieces that came too late", 0)]
    text: Annotated[str, Argument("text", "what is wrong; empty: nothing")]


class Tempo(Answer, frozen=True):
    """The tempo, whenever that changes; between two of them the beat goes on by itself."""

    address = "/tempo"

    bpm: Annotated[float, Argument("float", "beats a minute", 0)]
    beat: Annotated[float, Argument("float", "that it is now")]
    running: Annotated[int, Argument("int", "0 or 1", 0, 1)]
    clock: Annotated[str, Argument("text", "what it follows: internal, midi NAME or link")]
    state: Annotated[str, Argument("text", "what is wrong with that; empty: nothing")]
    by: By


class Input(Answer, frozen=True):
    """The input device and its state."""

    address = "/input"

    name: Annotated[str, Argument("text", "empty: there is none")]
    state: Annotated[str, Argument("text", "listening, lost or off")]
    channels: Annotated[int, Argument("int", "", 0)]
    recording: Annotated[
        str, Argument("text", "clips being recorded, with spaces between; maybe none")
    ]
    text: Annotated[str, Argument("text", "what is wrong; empty: nothing")]


class InputLevel(Answer, frozen=True):
    """Peak of the input since the last one, with /meter."""

    address = "/input/level"

    level: Level


class Favourite(Answer, frozen=True):
    """A favourite."""

    address = "/favourite"

    id: About
    name: Name
    original: Annotated[str, Argument("text", "a clip's name")]
    reference: Annotated[str, Argument("text", "a reference's name")]
    blend: Fraction
    seconds: Annotated[float, Argument("float", "s", 0)]
    state: Annotated[str, Argument("text", "kept, or what is wrong with it; freed: it is gone")]
