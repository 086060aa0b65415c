"""Requests about musical time."""

from typing import Annotated

from eutectic.osc import answers
from eutectic.osc.fields import Pressed
from eutectic.osc.request import Answered, Request
from eutectic.osc.spec import Argument

MIN_BPM, MAX_BPM = 20.0, 400.0


class SetTempo(Request, frozen=True, kw_only=True):
    """Set the tempo, and what beat it is now; both are followed from elsewhere with another clock.

    Beats are counted from 0, and go on from where they were without one.
    """

    address = "/tempo"

    bpm: Annotated[float, Argument("float", "beats a minute", MIN_BPM, MAX_BPM)]
    beat: Annotated[float | None, Argument("float", "that it is now", -1e6, 1e9)] = None


class TapTempo(Request, frozen=True, kw_only=True):
    """A beat, now: the tempo follows from the last few."""

    address = "/tempo/tap"

    press: Pressed = None


class SetTransport(Request, frozen=True, kw_only=True):
    """Let the beats run, or hold them; what waits for a beat waits until they run."""

    address = "/tempo/run"

    on: Annotated[int, Argument("int", "1: they run, 0: they are held", 0, 1)]


class SetClock(Answered, frozen=True, kw_only=True):
    """Choose what the beats follow."""

    address = "/tempo/clock"
    found = answers.ClockInUse

    source: Annotated[
        str,
        Argument("words", "internal, link, or midi and maybe the name of an input"),
    ]
