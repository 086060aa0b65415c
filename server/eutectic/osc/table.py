"""The OSC table, first half: every request that the daemon takes, once.

Parsing, OSCQuery, PROTOCOL.md, `eutectic send` and the patches' tests all follow from these classes
and from those of `answers`. Addresses are written without the prefix `/eutectic` here.

Clients send what they can: Pure Data has only floats, so whole floats count as ints; a prompt may
be several arguments.
"""

from typing import Annotated

from eutectic.config import MAX_STRENGTH, MAX_VOICES, Method
from eutectic.near import nearest
from eutectic.osc import answers
from eutectic.osc.fields import Clip, Name, Original, Path, Reference, Voice
from eutectic.osc.request import KINDS, Answered, FuseOptions, FusionOptions, Request, choice
from eutectic.osc.spec import (
    LARGEST_INT,
    MAX_PORT,
    PREFIX,
    Argument,
    BadRequest,
    Option,
    Press,
    PressedVoice,
    Spec,
    annotated_arguments,
    printable,
    words_of,
)

VOICE_RANGES = {
    "gain": (-200.0, 24.0), "pan": (-1.0, 1.0), "out": (1.0, 64.0), "loop": (0.0, 1.0),
    "xfade": (0.0, 60_000.0), "cfg": (0.0, 30.0), "recall": (0.0, 1.0),
    "strength": (0.0, MAX_STRENGTH), "mute": (0.0, 1.0),
}  # fmt: skip
"""Of `/voice/set`; the outputs end with the device's."""

Pressed = Annotated[
    int | None, Press("int", "0 (a button's release): nothing; all else, or none, acts", 0, 1)
]

Keep = Annotated[int | None, Option("int", "1: what plays plays on; else it fades out", 0, 1)]

JOB = (answers.Queued, answers.Progress)


# The daemon itself


class Ping(Answered, frozen=True, kw_only=True):
    """Check that the daemon is running."""

    address = "/ping"


class Version(Answered, frozen=True, kw_only=True):
    """Report the daemon's version."""

    address = "/version"
    replies = (answers.VersionReply,)


class Status(Answered, frozen=True, kw_only=True):
    """Report the daemon's state, one line per item, then every voice."""

    address = "/status"
    replies = (answers.StatusReply, answers.VoiceReply)


class Sync(Answered, frozen=True, kw_only=True):
    """Answered once all earlier requests have started."""

    address = "/sync"
    replies = (answers.Synced,)


class Notify(Request, frozen=True, kw_only=True):
    """Send this client all there is, then what changes, as long as it sends something every 30 s.

    What it changes itself comes back to it, too, marked with its number.
    """

    address = "/notify"
    replies = (answers.Snapshot, answers.Sent)
    found = answers.Registered

    id: int = 0
    on: Annotated[int, Argument("int", "1 registers, 0 leaves", 0, 1)]
    reply_port: Annotated[
        int | None, Argument("int", "port of the same host that also receives replies", 1, MAX_PORT)
    ] = None
    meter: Annotated[int | None, Option("int", "1: levels, too", 0, 1)] = None
    log: Annotated[int | None, Option("int", "1: lines of the daemon's log, too", 0, 1)] = None
    name: Annotated[str | None, Option("text", "what others see it as")] = None


class ListModels(Answered, frozen=True, kw_only=True):
    """List the available models."""

    address = "/model/list"
    replies = (answers.Model,)


class SetModel(Answered, frozen=True, kw_only=True):
    """Switch to another model; what was learned with this one isn't for it.

    Where there is memory for both, this one makes fusions until the other is ready.
    """

    address = "/model/set"

    model: Annotated[str, Argument("text", "one of /model/list, or a Hub id")]


# Clips and references


class LoadClip(Answered, frozen=True, kw_only=True):
    """Load a sound file, or a section of it, as a clip."""

    address = "/clip/load"
    replies = JOB

    clip: Clip
    path: Path
    start: Annotated[float | None, Option("float", "s", 0, 86_400)] = None
    duration: Annotated[float | None, Option("float", "s", 0.05, 86_400)] = None


class RecordClip(Answered, frozen=True, kw_only=True):
    """Record a clip from the input device."""

    address = "/clip/record"
    replies = JOB

    clip: Clip
    seconds: Annotated[float, Argument("float", "s", 0.05, 600)]


class FreeClip(Answered, frozen=True, kw_only=True):
    """Remove a clip; what is playing plays on."""

    address = "/clip/free"

    clip: Clip


class ListClips(Answered, frozen=True, kw_only=True):
    """List all clips."""

    address = "/clip/list"
    replies = (answers.Clip,)


class Remember(Answered, frozen=True, kw_only=True):
    """Remember a clip as a reference: it can be fused with at once, and nothing is learned."""

    address = "/reference/remember"

    reference: Reference
    clip: Clip
    prompt: Annotated[
        str | None, Argument("words", "words that describe it; default: the file's name")
    ] = None


class Learn(Answered, frozen=True, kw_only=True):
    """Remember a clip as a reference, and learn it while playing goes on.

    Until it is learned, and if learning fails or is cancelled, fusions use what is remembered.
    """

    address = "/reference/learn"
    replies = JOB
    found = answers.Learned

    reference: Reference
    clip: Clip
    prompt: Annotated[str, Argument("words", "words that describe it")]
    steps: Annotated[int | None, Option("int", "of learning", 1, 100_000)] = None
    budget_s: Annotated[float | None, Option("float", "s at most", 0.1, 86_400)] = None
    rank: Annotated[int | None, Option("int", "of lora", 1, 256)] = None
    method: Annotated[Method | None, choice("which weights are learned", Method)] = None


class LoadReference(Answered, frozen=True, kw_only=True):
    """Load a LoRA file, .safetensors or .ckpt, as a reference. A copy is kept with the references.

    Without a clip nothing is remembered: its fusions have recall 0.
    """

    address = "/reference/load"
    replies = JOB
    found = answers.LoraLoaded

    reference: Reference
    path: Path
    strength: Annotated[
        float | None,
        Option("float", "of its fusions that give none; 1 as trained", 0, MAX_STRENGTH),
    ] = None
    prompt: Annotated[
        str | None, Option("text", "words that describe it; default: the file's name")
    ] = None
    clip: Annotated[str | None, Option("name", "a clip that is remembered, too")] = None


class FreeReference(Answered, frozen=True, kw_only=True):
    """Remove a reference; the file of what was learned is kept, and learning again is instant."""

    address = "/reference/free"

    reference: Reference


class DeleteReference(Answered, frozen=True, kw_only=True):
    """Remove a reference and the file of what was learned, unless others use that."""

    address = "/reference/delete"
    replies = JOB
    found = answers.Deleted

    reference: Reference


class ListReferences(Answered, frozen=True, kw_only=True):
    """List all references."""

    address = "/reference/list"
    replies = (answers.Reference,)


# Fusions


class Fuse(FuseOptions, frozen=True, kw_only=True):
    """Fuse, and play on a voice."""

    address = "/fuse"
    replies = (*JOB, answers.Started, answers.Ended)
    due = "heard"

    voice: Voice
    original: Original
    reference: Reference


class MakeFan(FusionOptions, frozen=True, kw_only=True):
    """Prepare the fusions of a pair at many blends."""

    address = "/fan"
    replies = (*JOB, answers.FanReady)
    hidden = ("blend", "remaining")

    original: Original
    reference: Reference
    n: Annotated[int, Argument("int", "places, from 0 to 1", 2, 33)]
    even: Annotated[
        int | None, Option("int", "1: equal steps to the ear, whatever their blends", 0, 1)
    ] = None


class ListFan(FusionOptions, frozen=True, kw_only=True):
    """List the places of a pair's fan."""

    address = "/fan/list"
    replies = (answers.FanReply,)
    hidden = ("blend", "remaining")

    original: Original
    reference: Reference
    voice: Annotated[
        int | None, Option("int", "the fan that this voice plays, if of these two", 1, MAX_VOICES)
    ] = None


class AskPair(FusionOptions, frozen=True, kw_only=True):
    """Report whether a pair can be fused now, and how soon it would be heard."""

    address = "/pair"
    replies = (answers.PairReply,)

    original: Original
    reference: Reference
    voice: Annotated[int | None, Option("int", "whose settings it would have", 1, MAX_VOICES)] = (
        None
    )


class Scrub(Request, frozen=True, kw_only=True):
    """Move a voice across its fan."""

    address = "/scrub"

    voice: Voice
    blend: Annotated[float, Argument("float", "0 the reference … 1 the original", 0, 1)]


class Render(FusionOptions, frozen=True, kw_only=True):
    """Fuse into a sound file, .wav or .flac, whose tags say how it was made."""

    address = "/render"
    replies = JOB
    found = answers.SoundFile

    original: Original
    reference: Reference
    path: Path


class Cancel(Answered, frozen=True, kw_only=True):
    """Cancel a request."""

    address = "/cancel"

    request: Annotated[int, Argument("int", "its id", 0, LARGEST_INT)]


class Stop(Request, frozen=True, kw_only=True):
    """Fade a voice out, or all."""

    address = "/stop"

    voice: Annotated[
        int | None,
        PressedVoice("int", "from 1; none: all; 0 (a release): nothing", 0, MAX_VOICES),
    ] = None
    fade_ms: Annotated[float | None, Press("float", "ms", 0, 60_000)] = None


class Panic(Request, frozen=True, kw_only=True):
    """Silence everything at once."""

    address = "/panic"
    due = "ignored"

    press: Pressed = None


class ClearSchedule(Request, frozen=True, kw_only=True):
    """Cancel everything scheduled."""

    address = "/schedule/clear"

    press: Pressed = None


# How it sounds


class SetVoice(Request, frozen=True, kw_only=True):
    """Change how a voice plays."""

    address = "/voice/set"

    voice: Voice
    what: Annotated[str, Argument("choice", choices=tuple(VOICE_RANGES))]
    value: Annotated[
        float,
        Argument(
            "float",
            "gain dB, pan -1 … 1, first output from 1, loop and mute 0 or 1, xfade ms, "
            "cfg of its fusions from then on, recall 0 … 1 and strength 0 … 2 of those and of "
            "what it plays",
            -200, 60_000,
        ),
    ]  # fmt: skip


class ListVoices(Answered, frozen=True, kw_only=True):
    """List all voices."""

    address = "/voice/list"
    replies = (answers.VoiceState,)


class SetMasterGain(Request, frozen=True, kw_only=True):
    """Change the master gain."""

    address = "/master/gain"

    gain: Annotated[float, Argument("float", "dB", -200, 24)]


# What is kept


class SavePreset(Answered, frozen=True, kw_only=True):
    """Save the settings of voices and fusions as a preset."""

    address = "/preset/save"

    name: Name


class LoadPreset(Answered, frozen=True, kw_only=True):
    """Apply a preset and follow changes of its file: fusions, voices, clips, references."""

    address = "/preset/load"
    replies = JOB
    found = answers.LoadedPreset

    name: Name


class ListPresets(Answered, frozen=True, kw_only=True):
    """List all presets."""

    address = "/preset/list"
    replies = (answers.Preset,)


class SaveSession(Answered, frozen=True, kw_only=True):
    """Save clips, references and voices for another night."""

    address = "/session/save"
    found = answers.SavedFile

    name: Annotated[str | None, Argument("title", "a name; default: the session's own")] = None


class LoadSession(Answered, frozen=True, kw_only=True):
    """Go on with a session that was saved; the one in use is saved first."""

    address = "/session/load"

    name: Annotated[str, Argument("title", "one of /session/list")]
    keep: Keep = None


class NewSession(Answered, frozen=True, kw_only=True):
    """Go on with a new, empty session; the one in use is saved first."""

    address = "/session/new"

    name: Annotated[str, Argument("title", "of which there is none")]
    keep: Keep = None


class ListSessions(Answered, frozen=True, kw_only=True):
    """List all sessions."""

    address = "/session/list"
    replies = (answers.Session,)


class PackSession(Answered, frozen=True, kw_only=True):
    """Pack the session with all its sounds into one file, under the folder of renders."""

    address = "/session/pack"
    replies = JOB
    found = answers.SavedFile

    path: Path


# Devices


class ListDevices(Answered, frozen=True, kw_only=True):
    """List the output devices."""

    address = "/device/list"
    replies = (answers.Device,)


class SetDevice(Answered, frozen=True, kw_only=True):
    """Switch to another output device."""

    address = "/device/set"

    device: Annotated[str, Argument("words", "a device's name")]


class StartRecording(Answered, frozen=True, kw_only=True):
    """Record the output to a file."""

    address = "/record/start"
    found = answers.SavedFile

    path: Path


class StopRecording(Answered, frozen=True, kw_only=True):
    """Stop recording and close the file."""

    address = "/record/stop"
    found = answers.SoundFile


class LearnMidi(Answered, frozen=True, kw_only=True):
    """Assign a request to the next MIDI control that is moved, and keep it in the map."""

    address = "/midi/learn"
    replies = (answers.Queued,)
    found = answers.LearnedControl

    target: Annotated[
        str, Argument("words", "a request without its id; $ stands for the control's value")
    ]


def _spec(kind: type[Request]) -> Spec:
    arguments = [each for each in annotated_arguments(kind) if each.name not in kind.hidden]
    return Spec(
        kind, kind.address, words_of(kind.__doc__),
        tuple(each for each in arguments if not isinstance(each, Option)),
        tuple(each for each in arguments if isinstance(each, Option)),
        tuple(each.address for each in kind.replies),
        annotated_arguments(kind.found) if kind.found is not None else (),
    )  # fmt: skip


REQUESTS = tuple(_spec(kind) for kind in KINDS)
ANSWERS = tuple(
    Spec(kind, kind.address, words_of(kind.__doc__), annotated_arguments(kind))
    for kind in answers.ANSWERS
)

_BY_ADDRESS = {spec.address: spec for spec in REQUESTS}


def spec_of(address: str) -> Spec:
    """The request at an address, with or without the prefix.

    Raises:
        BadRequest: there is none.
    """
    short = "/" + address.removeprefix(PREFIX).lstrip("/")
    spec = _BY_ADDRESS.get(short)
    if spec is None:
        near = nearest(short, _BY_ADDRESS)
        raise BadRequest("unknown_address", f"there is no {printable(address)}{near}")
    return spec
