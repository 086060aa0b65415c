"""Requests about clips and references."""

from typing import Annotated, Literal

from eutectic.config import MAX_STRENGTH, Method
from eutectic.osc import answers
from eutectic.osc.fields import Clip, Path, Reference
from eutectic.osc.request import JOB, Answered, AtBeat, Quantise, choice
from eutectic.osc.spec import Argument, Option

Heard = Literal["input", "output"]
Trim = Annotated[int | None, Option("int", "1: without the silence at both ends", 0, 1)]
From = Annotated[Heard | None, choice("what is recorded", Heard)]


class LoadClip(Answered, frozen=True, kw_only=True):
    """Load a sound file, or a section of it, as a clip."""

    address = "/clip/load"
    replies = JOB

    clip: Clip
    path: Path
    start: Annotated[float | None, Option("float", "s", 0, 86_400)] = None
    duration: Annotated[float | None, Option("float", "s", 0.05, 86_400)] = None


class RecordClip(Answered, frozen=True, kw_only=True):
    """Record a clip: so many seconds, or until /clip/record/stop."""

    address = "/clip/record"
    replies = JOB

    clip: Clip
    seconds: Annotated[
        float | None, Argument("float", "s; without, until it is stopped", 0.05, 600)
    ] = None
    threshold: Annotated[
        float | None, Option("float", "dB; it starts by itself at this level", -120, 0)
    ] = None
    trim: Trim = None
    from_: From = None
    at_beat: AtBeat = None
    quantise: Quantise = None


class StopClip(Answered, frozen=True, kw_only=True):
    """End the recording of a clip, or of all; each is then loaded."""

    address = "/clip/record/stop"

    clip: Annotated[str | None, Argument("name", "default: all that are being recorded")] = None
    at_beat: AtBeat = None
    quantise: Quantise = None


class GrabClip(Answered, frozen=True, kw_only=True):
    """Make a clip of what was heard in the last seconds, up to 60 s ago."""

    address = "/clip/grab"
    replies = JOB

    clip: Clip
    seconds: Annotated[float, Argument("float", "s", 0.05, 60)]
    ago: Annotated[float | None, Option("float", "s from its end to now", 0, 60)] = None
    trim: Trim = None
    from_: From = None


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
