"""Controller maps: which control sends which request.

A control's target is a request of the OSC table without its id. In it, `$` stands for the control's
value, scaled to the range of the table or the control's own `range`, and `#` for the control's
number among `count`, from 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from eutectic.config import MAX_VOICES
from eutectic.files import toml
from eutectic.osc.parse import number_or_word, parse
from eutectic.osc.spec import PREFIX, Argument, BadRequest, Spec
from eutectic.osc.table import VOICE_RANGES, Note, Request, spec_of

VALUE, NUMBER = "$", "#"

Kind = Literal["note", "cc", "cc14", "pitch", "program"]
Mode = Literal["absolute", "twos", "offset", "sign"]

Byte = Annotated[int, Meta(ge=0, le=127)]


class Leds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Velocities that light a pad in each state."""

    off: Byte = 0
    ready: Byte = 1
    working: Byte = 2
    playing: Byte = 3


class Control(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A knob, fader or pad, or `count` of them, `step` numbers apart.

    `channel` 0 is any. `mode` is absolute, or how an encoder counts. `bottom`, if given, is sent at
    the lowest position. With `takeover` the control has no effect until it reaches the current
    value.
    """

    message: Kind
    target: str
    number: Byte = 0
    channel: Annotated[int, Meta(ge=0, le=16)] = 0
    count: Annotated[int, Meta(ge=1, le=128)] = 1
    step: Annotated[int, Meta(ge=1, le=127)] = 1
    mode: Mode = "absolute"
    range: tuple[float, float] | None = None
    bottom: float | None = None
    takeover: bool = True


class Keyboard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Keys that play a voice, those that no control is bound to; `channel` 0 is any.

    `voice` 0 is the one in focus; `bend` is how many semitones the wheel goes either way.
    """

    channel: Annotated[int, Meta(ge=0, le=16)] = 0
    voice: Annotated[int, Meta(ge=0, le=MAX_VOICES)] = 0
    bend: Annotated[float, Meta(ge=0, le=24)] = 2.0


class Map(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A controller: part of its port's name, its controls, and its keyboard if it has one."""

    format: int
    description: str = ""
    device: str = ""
    leds: Leds | None = None
    controls: list[Control] = []
    keyboard: Keyboard | None = None


@dataclass(frozen=True)
class Target:
    """A request to send, with or without a place for the control's value.

    Attributes:
        at: index of that place in `values`.
        argument: the table's argument there.
    """

    address: str
    values: tuple[Any, ...]
    at: int | None
    argument: Argument | None

    def fill(self, value: float) -> tuple[Any, ...]:
        """The request's values, with this one in its place."""
        if self.at is None or self.argument is None:
            return self.values
        whole = round(value) if self.argument.kind == "int" else float(value)
        return (*self.values[: self.at], whole, *self.values[self.at + 1 :])

    def release(self) -> tuple[Any, ...] | None:
        """The values with which a pad lets go what it struck; None if it struck no note."""
        return (*self.values[:2], 0, *self.values[3:]) if self.address == Note.address else None

    def request(self) -> Request:
        """The request as the daemon parses it, with the lowest value."""
        low = 0.0 if self.argument is None else self.argument.low
        values = self.fill(low)
        has_id = spec_of(self.address).has_id
        return parse(PREFIX + self.address, (0, *values) if has_id else values)


def parse_target(text: str, number: int = 1) -> Target:
    """Parse a control's target; `number` replaces `#`.

    Raises:
        BadRequest: the table has no such request, or takes no number where `$` is.
    """
    address, *words = text.replace(NUMBER, str(number)).split()
    spec = spec_of(address)
    values = tuple(word if word == VALUE else number_or_word(word) for word in words)
    at = words.index(VALUE) if VALUE in words else None
    argument = None if at is None else _argument(spec, words, at)
    target = Target(spec.address, values, at, argument)
    target.request()
    return target


def _argument(spec: Spec, words: list[str], at: int) -> Argument:
    """The argument or option of the table that a control's value fills."""
    arguments = [each for each in spec.arguments if each.name != "id"]
    if at and words[at - 1].startswith("@"):
        arguments, at = [each for each in spec.options if f"@{each.name}" == words[at - 1]], 0
    if spec.address == "/voice/set" and at == 2 and words[1] in VOICE_RANGES:
        low, high = VOICE_RANGES[words[1]]
        return replace(arguments[at], name=words[1], low=low, high=high)
    if at >= len(arguments) or arguments[at].kind not in ("int", "float"):
        raise BadRequest("bad_arguments", f"{spec.address} takes no number where {VALUE} is")
    return arguments[at]


@dataclass(frozen=True)
class Mapped:
    """One control of a map, and what it sends."""

    control: Control
    number: int
    target: Target
    low: float
    high: float

    @property
    def bottom(self) -> float:
        """The value at the lowest position."""
        return self.low if self.control.bottom is None else self.control.bottom

    @property
    def in_octaves(self) -> bool:
        """Whether equal turns are equal steps to the ear, as of Hz; otherwise equal differences."""
        argument = self.target.argument
        return argument is not None and argument.name == "cutoff" and min(self.low, self.high) > 0

    def value(self, position: float) -> float:
        """The value at a position, 0 to 1."""
        if position <= 0:
            return self.bottom
        if self.in_octaves:
            return self.low * (self.high / self.low) ** position
        return self.low + position * (self.high - self.low)

    def position(self, value: float) -> float:
        """Where a value is, 0 to 1; the nearer end if it is beyond."""
        if self.in_octaves:
            way = math.log(max(value, 1e-9) / self.low) / math.log(self.high / self.low)
        else:
            way = (value - self.low) / (self.high - self.low)
        return min(max(way, 0.0), 1.0)


def read_map(path: Path) -> tuple[Map, list[Mapped]]:
    """Read a map, and its controls one by one.

    Raises:
        BadState: it can't be read or has an invalid value; the text names file, line and key.
    """
    found = toml.read(path, Map)
    mapped: list[Mapped] = []
    for index, control in enumerate(found.controls):
        for each in range(control.count):
            try:
                mapped.append(mapped_control(control, each))
            except BadRequest as error:
                where = (f"controls[{index}]",)
                raise toml.fault(path, where, "target", str(error)) from None
    return found, mapped


def mapped_control(control: Control, index: int = 0) -> Mapped:
    """The control at an index among `count`.

    Raises:
        BadRequest: its target isn't a request, or its number is beyond 127.
    """
    number = control.number + index * control.step
    if number > 127:
        raise BadRequest("bad_arguments", f"number {number} is beyond 127")
    target = parse_target(control.target, index + 1)
    low, high = 0.0, 1.0
    if target.argument is not None:
        low, high = control.range or (target.argument.low, target.argument.high)
        for value in (low, high, control.bottom):
            if value is not None:
                _check(target.argument, value)
    return Mapped(control, number, target, low, high)


def _check(argument: Argument, value: float) -> None:
    try:
        argument.read(value)
    except ValueError as error:
        raise BadRequest("bad_arguments", f"range: {error}") from None
