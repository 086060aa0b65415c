"""Maps of controllers: which control sends which request.

A control's target is a request of the OSC table without its id. `$` in it stands for the control's
value, scaled to what the table allows there, or to the control's `range`; `#` for a control's place
among several (`count`), from 1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from eutectic.files import toml
from eutectic.osc import table as messages
from eutectic.osc.table import Argument, BadRequest, Request

VALUE, NUMBER = "$", "#"

Kind = Literal["note", "cc", "cc14", "pitch", "program"]
Mode = Literal["absolute", "twos", "offset", "sign"]
PadState = Literal["off", "ready", "working", "playing"]
"""How a pad that fuses stands."""

Byte = Annotated[int, Meta(ge=0, le=127)]


class Leds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The values that show how a pad stands."""

    off: Byte = 0
    ready: Byte = 1
    working: Byte = 2
    playing: Byte = 3


class Control(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A knob, fader or pad, or `count` of them with numbers that follow each other.

    `channel` 0 is any. `mode` is how an encoder counts, where the control is one. `bottom` is sent
    instead at the lowest position. `takeover`: its value is taken only once it has met the one that
    there is.
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


class Map(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A controller: a part of its port's name, and its controls."""

    format: int
    description: str = ""
    device: str = ""
    leds: Leds | None = None
    controls: list[Control] = []


@dataclass(frozen=True)
class Target:
    """A request to be sent, with or without a place for the control's value.

    Attributes:
        at: where in `values` that place is.
        argument: of the table, what may be there.
    """

    address: str
    values: tuple[Any, ...]
    at: int | None
    argument: Argument | None

    def fill(self, value: float) -> tuple[Any, ...]:
        """The request's values with this one at its place."""
        if self.at is None or self.argument is None:
            return self.values
        whole = round(value) if self.argument.kind == "int" else float(value)
        return (*self.values[: self.at], whole, *self.values[self.at + 1 :])

    def request(self) -> Request:
        """As the daemon would read it, the value at its lowest."""
        low = 0.0 if self.argument is None else self.argument.low
        has_id = messages.spec_of(self.address).has_id
        values = self.fill(low)
        return messages.parse(messages.PREFIX + self.address, (0, *values) if has_id else values)


def parse_target(text: str, number: int = 1) -> Target:
    """What a control sends.

    Raises:
        BadRequest: it is no request of the table, or can't take a value where `$` is.
    """
    address, *words = text.replace(NUMBER, str(number)).split()
    spec = messages.spec_of(address)
    values = tuple(word if word == VALUE else _value(word) for word in words)
    at = words.index(VALUE) if VALUE in words else None
    argument = None if at is None else _argument(spec, words, at)
    target = Target(spec.address, values, at, argument)
    target.request()
    return target


def _argument(spec: messages.Spec, words: list[str], at: int) -> Argument:
    """The argument or option of the table that a control's value is."""
    arguments = [each for each in spec.arguments if each is not messages.ID]
    if at and words[at - 1].startswith("@"):
        arguments, at = [each for each in spec.options if f"@{each.name}" == words[at - 1]], 0
    if spec.address == "/voice/set" and at == 2 and words[1] in messages.VOICE_RANGES:
        low, high = messages.VOICE_RANGES[words[1]]
        return replace(arguments[at], name=words[1], low=low, high=high)
    if at >= len(arguments) or arguments[at].kind not in ("int", "float"):
        raise BadRequest("bad_arguments", f"{spec.address} takes no number where {VALUE} is")
    return arguments[at]


def _value(word: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(word)
        except ValueError:
            pass
    return word


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
        """What its lowest position means."""
        return self.low if self.control.bottom is None else self.control.bottom


def read_map(path: Path) -> tuple[Map, list[Mapped]]:
    """A map's file, and its controls one by one.

    Raises:
        BadState: it can't be read, or something in it can't be; file, line and key are named.
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
    """One of a control's several.

    Raises:
        BadRequest: its target is no request, or it has no number of its own.
    """
    number = control.number + index * control.step
    if number > 127:
        raise BadRequest("bad_arguments", f"there is no number {number}: 127 is the last")
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
