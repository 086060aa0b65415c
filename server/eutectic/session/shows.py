"""Shows as files: all that was asked for while a recording was made, to the frame.

Lines of JSON beside the recording: first how things stood at its first frame, then a line for each
request that was carried out, by the frame at which it took effect, last the recording's length.
Lines are in the order in which requests ended; `number` is that in which they were begun.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from eutectic.errors import BadInput
from eutectic.files.toml import BadState
from eutectic.fusion_options import Options
from eutectic.osc.parse import parse
from eutectic.osc.requests.time import MAX_BPM, MIN_BPM
from eutectic.osc.spec import PREFIX, BadRequest, field_of
from eutectic.osc.table import Request, spec_of
from eutectic.session.kept import KeptSession, KeptVoice, check_known, check_session

FORMAT = 1
SUFFIX = ".jsonl"

Line = TypeVar("Line")

Frame = Annotated[int, Meta(ge=0)]
"""Of the recording."""


class Playing(msgspec.Struct, frozen=True):
    """What a voice played at the first frame: the request of it, and where it was by then."""

    voice: Annotated[int, Meta(ge=1)]
    request: Options
    blend: Annotated[float, Meta(ge=0, le=1)]
    position: Frame


class Steps(msgspec.Struct, frozen=True):
    """How a voice could go back and forth."""

    undo: list[KeptVoice]
    redo: list[KeptVoice]


class Begin(msgspec.Struct, frozen=True):
    """How things stood at the first frame; `beat` is the one that it was on.

    `bpm` is the tempo, which may have followed another clock than the session's; None: that.
    """

    format: int
    version: str
    rate_hz: Annotated[int, Meta(ge=1)]
    session: KeptSession
    beat: float
    running: bool
    playing: list[Playing]
    steps: list[Steps]
    bpm: Annotated[float, Meta(ge=MIN_BPM, le=MAX_BPM)] | None = None


class Event(msgspec.Struct, frozen=True):
    """A request: when it took effect, its address and arguments without an id, and who sent it."""

    frame: Frame
    number: int
    address: str
    arguments: list[int | float | str]
    by: str

    def message(self, number: int) -> tuple[Any, ...]:
        """The arguments as they are sent, with an id if there is to be one."""
        has_id = spec_of(self.address).has_id
        return (number, *self.arguments) if has_id else tuple(self.arguments)


class End(msgspec.Struct, frozen=True):
    """The recording's length."""

    frames: Frame


@dataclass(frozen=True)
class Show:
    """A show that was read: how it began, its events in order, and its length."""

    begin: Begin
    events: list[Event]
    frames: int


def arguments_of(request: Request) -> list[int | float | str]:
    """A request's arguments as they are sent, without its id."""
    spec, values = spec_of(request.address), list[int | float | str]()
    for each in (*spec.arguments, *spec.options):
        value = getattr(request, field_of(each.name))
        if value is not None and each.name != "id":
            values += [f"@{each.name}", value] if each in spec.options else [value]
    return values


def line(of: Begin | Event | End) -> str:
    """A line of the file."""
    return msgspec.json.encode(of).decode() + "\n"


def read(path: Path) -> Show:
    """Read a show; one that was cut off ends with its last event.

    Raises:
        BadInput: it is none, or of another version.
    """
    try:
        first, *lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise BadInput(f"{path}: can't be read ({error.strerror})") from None
    begin = _decoded(path, 1, first, Begin)
    if begin.format != FORMAT:
        raise BadInput(f"{path}: was written by another version, {begin.version}")
    _check_begin(path, begin)
    events: list[Event] = []
    frames = 0
    for number, each in enumerate(lines[:-1], 2):  # behind the last line end, nothing is whole
        if each.startswith(b'{"frames"'):
            frames = _decoded(path, number, each, End).frames
        else:
            events.append(_decoded(path, number, each, Event))
            _check(path, number, events[-1])
    events.sort(key=lambda each: (each.frame, each.number))
    return Show(begin, events, max([frames, *(each.frame for each in events)]))


def _decoded(path: Path, number: int, line: bytes, kind: type[Line]) -> Line:
    try:
        return msgspec.json.decode(line, type=kind)
    except (msgspec.DecodeError, BadInput) as error:  # or rejected by a type's own checks
        raise BadInput(f"{path}, line {number}: is no part of a show ({error})") from None


def _check_begin(path: Path, begin: Begin) -> None:
    stepped = [kept.request for steps in begin.steps for kept in (*steps.undo, *steps.redo)]
    try:
        check_session(path, begin.session)
        for each in (*(playing.request for playing in begin.playing), *stepped):
            check_known(path, ("request",), each)
    except BadState as error:
        raise BadInput(str(error)) from None


def _check(path: Path, number: int, event: Event) -> None:
    try:
        parse(PREFIX + event.address, event.message(0))
    except BadRequest as error:
        raise BadInput(f"{path}, line {number}: {error}") from None
