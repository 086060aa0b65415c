"""Requests about audio devices, recordings and controllers."""

from typing import Annotated

from eutectic.osc import answers
from eutectic.osc.fields import Path
from eutectic.osc.request import JOB, Answered, AtBeat, Quantise
from eutectic.osc.spec import Argument, Option


class ListDevices(Answered, frozen=True, kw_only=True):
    """List the output devices."""

    address = "/device/list"
    replies = (answers.Device,)


class SetDevice(Answered, frozen=True, kw_only=True):
    """Switch to another output device."""

    address = "/device/set"

    device: Annotated[str, Argument("words", "a device's name")]


class ListInputs(Answered, frozen=True, kw_only=True):
    """List the input devices."""

    address = "/input/list"
    replies = (answers.Device,)


class SetInput(Answered, frozen=True, kw_only=True):
    """Listen to another input device, or to none."""

    address = "/input/set"

    device: Annotated[str, Argument("words", "a device's name, file:PATH, or off")]


class StartRecording(Answered, frozen=True, kw_only=True):
    """Record the output to a file, and all events to another beside it."""

    address = "/record/start"
    found = answers.SavedFile

    path: Path
    stems: Annotated[
        int | None, Option("int", "1: a file for each voice, too, of the same frames", 0, 1)
    ] = None
    at_beat: AtBeat = None
    quantise: Quantise = None


class StopRecording(Answered, frozen=True, kw_only=True):
    """Stop recording and close the file."""

    address = "/record/stop"
    found = answers.SoundFile
    at_beat: AtBeat = None
    quantise: Quantise = None


class Replay(Answered, frozen=True, kw_only=True):
    """Play a show again, to the frame, from the events that were written beside a recording."""

    address = "/replay"
    replies = JOB
    found = answers.Replayed

    path: Path


class LearnMidi(Answered, frozen=True, kw_only=True):
    """Assign a request to the next MIDI control that is moved, and keep it in the map."""

    address = "/midi/learn"
    replies = (answers.Queued,)
    found = answers.LearnedControl

    target: Annotated[
        str, Argument("words", "a request without its id; $ stands for the control's value")
    ]
