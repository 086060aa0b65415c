"""Requests about how voices sound."""

from typing import Annotated, Literal, get_args

from eutectic.config import MAX_STRENGTH
from eutectic.osc import answers
from eutectic.osc.fields import Voice, VoiceOrFocus
from eutectic.osc.request import Answered, Request, Timed
from eutectic.osc.spec import Argument, Option

FilterKind = Literal["off", "low", "high", "band"]

VOICE_RANGES = {
    "gain": (-200.0, 24.0), "pan": (-1.0, 1.0), "out": (1.0, 64.0), "loop": (0.0, 1.0),
    "xfade": (0.0, 60_000.0), "cfg": (0.0, 30.0), "eta": (0.0, 1.0), "y": (0.0, 1.0),
    "recall": (0.0, 1.0), "strength": (0.0, MAX_STRENGTH), "mute": (0.0, 1.0),
    "rate": (0.125, 8.0), "start": (0.0, 1.0), "end": (0.0, 1.0), "reverse": (0.0, 1.0),
    "bend": (-24.0, 24.0), "root": (0.0, 127.0), "choke": (0.0, 16.0),
    "attack": (0.0, 60_000.0), "decay": (0.0, 60_000.0), "sustain": (0.0, 1.0),
    "release": (0.0, 60_000.0),
    "cutoff": (20.0, 20_000.0), "resonance": (0.0, 1.0), "send1": (-200.0, 24.0),
    "send2": (-200.0, 24.0),
}  # fmt: skip
"""Of `/voice/set`; the outputs end with the device's."""


class SetVoice(Request, frozen=True, kw_only=True):
    """Change how a voice plays."""

    address = "/voice/set"

    voice: VoiceOrFocus
    what: Annotated[str, Argument("choice", choices=tuple(VOICE_RANGES))]
    value: Annotated[
        float,
        Argument(
            "float",
            "gain dB, pan -1 … 1, first output from 1, loop and mute 0 or 1, xfade ms, "
            "y 0 … 1 along the second axis, as /scrub, "
            "cfg and eta of its fusions from then on, recall 0 … 1 and strength 0 … 2 of those "
            "and of what it plays, rate 1 as made, start and end 0 … 1 of its length, reverse "
            "0 or 1, bend semitones of its notes, root the note at which it plays as made, "
            "choke 0 none or a group, attack, decay, release ms, sustain 0 … 1, cutoff Hz, "
            "resonance 0 … 1, send1 and send2 dB",
            -200, 60_000,
        ),
    ]  # fmt: skip


class Note(Timed, frozen=True, kw_only=True):
    """Play what a voice plays, or would, at a pitch, until velocity 0 of the same note."""

    address = "/note"
    due = "heard"

    voice: VoiceOrFocus
    note: Annotated[float, Argument("float", "MIDI's, maybe with a fraction", 0, 127)]
    velocity: Annotated[float, Argument("float", "127 is full level; 0 lets it go", 0, 127)]
    gate: Annotated[
        float | None, Option("float", "s; it lets itself go after this", 0.001, 600)
    ] = None


class SetEnvelope(Request, frozen=True, kw_only=True):
    """Change the envelope of a voice's notes."""

    address = "/envelope"

    voice: VoiceOrFocus
    attack: Annotated[float, Argument("float", "ms", 0, 60_000)]
    decay: Annotated[float, Argument("float", "ms", 0, 60_000)]
    sustain: Annotated[float, Argument("float", "0 … 1", 0, 1)]
    release: Annotated[float, Argument("float", "ms", 0, 60_000)]


class SetFilter(Request, frozen=True, kw_only=True):
    """Change a voice's filter."""

    address = "/voice/filter"

    voice: Voice
    kind: Annotated[FilterKind, Argument("choice", choices=get_args(FilterKind))]
    cutoff: Annotated[float | None, Argument("float", "Hz", 20, 20_000)] = None
    resonance: Annotated[float | None, Argument("float", "0 … 1", 0, 1)] = None


class SetSend(Request, frozen=True, kw_only=True):
    """Send a voice to a second or third pair of outputs, too, for effects elsewhere."""

    address = "/voice/send"

    voice: Voice
    send: Annotated[int, Argument("int", "which", 1, 2)]
    out: Annotated[int, Argument("int", "first output from 1; 0: none", 0, 64)]
    gain: Annotated[float | None, Argument("float", "dB", -200, 24)] = None


class FocusVoice(Request, frozen=True, kw_only=True):
    """Bring a voice into focus: keyboards play it."""

    address = "/focus"

    voice: Voice


class ListVoices(Answered, frozen=True, kw_only=True):
    """List all voices."""

    address = "/voice/list"
    replies = (answers.VoiceState, answers.VoiceNotes, answers.VoiceStrip)


class SetMasterGain(Request, frozen=True, kw_only=True):
    """Change the master gain."""

    address = "/master/gain"

    gain: Annotated[float, Argument("float", "dB", -200, 24)]
