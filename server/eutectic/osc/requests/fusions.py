"""Requests that fuse, and that play and stop fusions."""

from typing import Annotated, Literal

from eutectic.config import MAX_SEED, MAX_VOICES
from eutectic.osc import answers
from eutectic.osc.fields import Original, Path, Pressed, Reference, Voice
from eutectic.osc.request import (
    JOB,
    Answered,
    AtBeat,
    FuseOptions,
    FusionOptions,
    Quantise,
    Request,
    Timed,
    choice,
)
from eutectic.osc.spec import LARGEST_INT, Argument, Option, Press, PressedVoice

Across = Literal["recall", "cfg", "reference2", "eta"]
Unit = Literal["s", "beats"]


class Fuse(FuseOptions, frozen=True, kw_only=True):
    """Fuse, and play on a voice."""

    address = "/fuse"
    replies = (*JOB, answers.Started, answers.Ended)
    due = "heard"

    voice: Voice
    original: Original
    reference: Reference


class MakeFan(FusionOptions, frozen=True, kw_only=True):
    """Prepare the fusions of a pair at many blends, and maybe across a second axis.

    A voice that plays the pair takes it up at once. Where recall, cfg or eta is the axis, y and the
    voice's setting of that name are the same knob.
    """

    address = "/fan"
    replies = (*JOB, answers.FanReady)
    hidden = ("blend", "remaining")

    original: Original
    reference: Reference
    n: Annotated[int, Argument("int", "places, from 0 to 1", 2, 33)]
    even: Annotated[
        int | None, Option("int", "1: equal steps to the ear, whatever their blends", 0, 1)
    ] = None
    across: Annotated[Across | None, choice("what the second axis, y of /scrub, turns", Across)] = (
        None
    )
    m: Annotated[int | None, Option("int", "places of the second axis", 2, 9)] = None
    low: Annotated[float | None, Option("float", "its value at y 0", 0, 30)] = None
    high: Annotated[float | None, Option("float", "its value at y 1", 0, 30)] = None
    reference2: Annotated[str | None, Option("name", "the reference at y 1, across reference2")] = (
        None
    )


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
    """Move a voice across its fan, and along a second axis if it has one."""

    address = "/scrub"

    voice: Voice
    blend: Annotated[float, Argument("float", "0 the reference … 1 the original", 0, 1)]
    y: Annotated[float | None, Argument("float", "along the second axis", 0, 1)] = None


class PlayPad(Request, frozen=True, kw_only=True):
    """Play four fusions on a voice, one in each corner; /scrub moves between them, x and y."""

    address = "/pad/xy"

    voice: Voice
    pair00: Annotated[str, Argument("text", "x 0, y 0: original:reference, maybe :blend")]
    pair10: Annotated[str, Argument("text", "x 1, y 0")]
    pair01: Annotated[str, Argument("text", "x 0, y 1")]
    pair11: Annotated[str, Argument("text", "x 1, y 1")]
    loop: Annotated[int | None, Option("int", "1: play them as loops", 0, 1)] = None


class GoLive(Timed, frozen=True, kw_only=True):
    """Fuse what comes in, over and over, and play it on a voice, always as late.

    Each new piece is crossfaded in at its place in time; one that comes too late is dropped. In
    beats it is late by a whole number of them. Sent to a voice that is live it changes that.
    """

    address = "/live"

    voice: Voice
    reference: Reference
    length: Annotated[
        float | None,
        Option("float", "s or beats of each piece, if that is more than every", 0.1, 64),
    ] = None
    every: Annotated[float | None, Option("float", "s or beats from one to the next", 0.1, 64)] = (
        None
    )
    unit: Annotated[Unit | None, choice("of length and every", Unit)] = None
    gate: Annotated[
        float | None, Option("float", "dB; what comes in under it is silence", -120, 0)
    ] = None
    blend: Annotated[
        float | None, Option("float", "default: the voice's, which /scrub turns", 0, 1)
    ] = None
    seed: Annotated[int | None, Option("int", "of every piece", 0, MAX_SEED)] = None
    recall: Annotated[float | None, Option("float", "0 the network … 1 the memory", 0, 1)] = None
    preset: Annotated[str | None, Option("name", "default options")] = None


class StopLive(Timed, frozen=True, kw_only=True):
    """End what /live began: the piece that plays fades out."""

    address = "/live/stop"

    voice: Annotated[int | None, Argument("int", "from 1; none: all", 1, MAX_VOICES)] = None


class Undo(Request, frozen=True, kw_only=True):
    """Go back to what a voice played before, as it was."""

    address = "/undo"

    voice: Voice


class Redo(Request, frozen=True, kw_only=True):
    """Take back an /undo."""

    address = "/redo"

    voice: Voice


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
    at_beat: AtBeat = None
    quantise: Quantise = None


class Panic(Request, frozen=True, kw_only=True):
    """Silence everything at once."""

    address = "/panic"
    due = "ignored"

    press: Pressed = None


class ClearSchedule(Request, frozen=True, kw_only=True):
    """Cancel everything scheduled."""

    address = "/schedule/clear"

    press: Pressed = None
