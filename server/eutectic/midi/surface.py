"""A controller as another client: its controls send requests, its lights show the pads' states."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from eutectic.config import PadState
from eutectic.files.toml import BadState, stamp_of, write
from eutectic.midi.fourteen import HOLD_SECONDS, LSB, MAX_VALUE, Halves
from eutectic.midi.keys import Keys
from eutectic.midi.learning import Learning
from eutectic.midi.maps import (
    Control,
    Kind,
    Map,
    Mapped,
    Target,
    mapped_control,
    read_map,
)
from eutectic.midi.messages import Event, Splitter, movement
from eutectic.osc.server import MIDI, Handler
from eutectic.osc.spec import PREFIX
from eutectic.osc.table import Fuse, Request, spec_of

log = logging.getLogger("eutectic.midi")

Current = Callable[[Request], float | None]
Light = Callable[[list[int]], None]

PRESSED = 64
"""A button that sends control changes is down from this value on."""

CATCH = 2 / 127
"""A knob this close to the current value takes over."""


@dataclass
class _Knob:
    """A control's last position, and the value it sent then; None until it takes over (again)."""

    position: float | None = None
    sent: float | None = None
    down: bool = False


class Surface:
    """One controller; owned by the event loop.

    Attributes:
        port: part of its ports' names.
        address: its address as a peer.
    """

    def __init__(self, path: Path, own: Path, port: str | None, number: int = 0) -> None:
        """Read the map at `path`; learned controls are saved to `own`.

        `number` tells it from other controllers, and is in its address.

        Raises:
            BadState: the map can't be read.
        """
        self._path, self._own = path, own
        self.address = (MIDI, number)
        self._map, self._controls = read_map(path)
        self._stamp = stamp_of(path)
        self.port = self._map.device if port is None else port
        self._knobs: dict[Mapped, _Knob] = {}
        self._splitter = Splitter()
        self._halves: dict[tuple[int, int], Halves] = {}
        self._ids = itertools.count(1)
        self._shown: dict[tuple[Kind, int, int], int] = {}
        self._keys = Keys(self._send)
        self._learning: Learning | None = None
        self._take: Handler | None = None
        self._current: Current = lambda _: None
        self._light: Light = lambda _: None

    def open(self, light: Light) -> None:
        """Send the controller messages by `light` from now on."""
        self._light = light

    def connect(self, take: Handler, current: Current) -> None:
        """Send requests to `take` from now on; `current` gives the value that one would change."""
        self._take, self._current = take, current

    def send(self, packet: bytes) -> None:
        """Ignore an answer to one of its requests: the session logs failures."""

    # Controls

    def receive(self, data: list[int]) -> None:
        """Act on bytes from the controller."""
        for message in self._splitter.split(data):
            event = movement(message)
            if event is None:
                continue
            half = self._half(event)
            if self._learning is not None:
                joined = event if half is None else replace(event, kind="cc14", number=half)
                self._learning.take(joined)
            elif half is not None:
                self._join(event, half)
            else:
                self._act(event)

    def _act(self, event: Event) -> None:
        """Move the controls that an event is bound to, or else the keyboard."""
        bound = [mapped for mapped in self._controls if _is_of(mapped, event)]
        for mapped in bound:
            self._move(mapped, event)
        if not bound and self._map.keyboard is not None:
            self._keys.take(event, self._map.keyboard)

    def _half(self, event: Event) -> int | None:
        """The 14-bit control that an event is half of, if the map has one."""
        if event.kind != "cc":
            return None
        return next((number for number in (event.number, event.number - LSB)
                     if self._is_fourteen(event.channel, number)), None)  # fmt: skip

    def _is_fourteen(self, channel: int, number: int) -> bool:
        return any(each.control.message == "cc14" and each.number == number
                   and each.control.channel in (0, channel) for each in self._controls)  # fmt: skip

    def _join(self, event: Event, number: int) -> None:
        """Act on a 14-bit control as soon as both halves are there."""
        halves = self._halves.setdefault((event.channel, number), Halves())
        half = "upper" if event.number == number else "lower"
        value = halves.take(half, event.raw, time.monotonic())
        self._act_on(event.channel, number, value)
        if halves.held:
            what = self._release, event.channel, number, halves, halves.count
            asyncio.get_running_loop().call_later(HOLD_SECONDS, *what)

    def _release(self, channel: int, number: int, halves: Halves, count: int) -> None:
        """Act on a half whose other half hasn't come."""
        if halves.count == count:
            self._act_on(channel, number, halves.release())

    def _act_on(self, channel: int, number: int, value: int | None) -> None:
        if value is not None:
            self._act(Event("cc14", channel, number, value / MAX_VALUE, value >> 7))

    def _move(self, mapped: Mapped, event: Event) -> None:
        knob = self._knobs.setdefault(mapped, _Knob())
        control, target = mapped.control, mapped.target
        if event.kind in ("note", "program") or target.argument is None:
            down = event.raw > 0 if event.kind in ("note", "program") else event.raw >= PRESSED
            if down and (not knob.down or event.kind == "program"):
                self._request(target, target.fill(mapped.value(event.position)))
            elif knob.down and not down and (values := target.release()) is not None:
                self._request(target, values)
            knob.down = down
        elif control.mode != "absolute":
            self._turn(mapped, _steps(control.mode, event.raw))
        else:
            self._follow(mapped, knob, event.position)

    def _turn(self, mapped: Mapped, steps: int) -> None:
        """Turn an encoder: it counts from the current value, so nothing jumps."""
        value = self._value(mapped.target)
        at = 0.0 if value is None else mapped.position(value)
        at = min(max(at + steps / 127, 0.0), 1.0)
        self._request(mapped.target, mapped.target.fill(mapped.value(at)))

    def _follow(self, mapped: Mapped, knob: _Knob, position: float) -> None:
        """Move a knob: it takes over at the current value, until something else changes that."""
        before, knob.position = knob.position, position
        current = self._value(mapped.target) if mapped.control.takeover else None
        if current is not None and (knob.sent is None or abs(current - knob.sent) > 1e-3):
            target = mapped.position(current)
            caught = abs(position - target) <= CATCH or (
                before is not None and (before - target) * (position - target) <= 0
            )
            if not caught:
                knob.sent = None
                return
        knob.sent = mapped.value(position)
        self._request(mapped.target, mapped.target.fill(knob.sent))

    def _value(self, target: Target) -> float | None:
        return self._current(target.request())

    def _request(self, target: Target, values: tuple[Any, ...]) -> None:
        has_id = spec_of(target.address).has_id
        self._send(target.address, (next(self._ids), *values) if has_id else values)

    def _send(self, address: str, values: tuple[Any, ...]) -> None:
        assert self._take is not None
        self._take(self, PREFIX + address, values, None)

    # Lights

    def show(self, pad: Callable[[Fuse], PadState]) -> None:
        """Light every pad that fuses by its state; only changes are sent."""
        leds = self._map.leds
        if leds is None:
            return
        for mapped in self._controls:
            control = mapped.control
            request = mapped.target.request()
            if not isinstance(request, Fuse) or control.message not in ("note", "cc"):
                continue
            value = getattr(leds, pad(request))
            place = control.message, max(control.channel, 1), mapped.number
            if self._shown.get(place) != value:
                self._shown[place] = value
                status = 0x90 if control.message == "note" else 0xB0
                self._light([status + place[1] - 1, mapped.number, value])

    def let_go(self) -> None:
        """Let go what is held: the controller was unplugged, or its keys get another meaning."""
        for mapped, knob in self._knobs.items():
            if knob.down and (values := mapped.target.release()) is not None:
                self._request(mapped.target, values)
                knob.down = False
        self._keys.leave()

    def darken(self) -> None:
        """No pad is lit, as of an output that has just been opened: show all states anew."""
        self._shown.clear()

    def plugged_in(self) -> None:
        """Reset after the controller was plugged in: no pad is down, none is lit."""
        self.let_go()
        self._knobs.clear()
        self._halves.clear()
        self._shown.clear()
        self._splitter = Splitter()

    # Its map

    async def learn(self, text: str, seconds: float) -> str:
        """Assign the next control that moves to a target; returns which one it is.

        Raises:
            BadRequest: the table has no such request.
            BadOutput: the changed map can't be saved.
            TimeoutError: no control was moved.
        """
        mapped_control(Control("cc", text))
        async with asyncio.timeout(seconds):
            event = await self.moved()
        return await self.assign(event, text)

    async def moved(self) -> Event:
        """The next control to move, which does nothing else meanwhile."""
        self.let_go()
        self._learning = Learning()
        try:
            return await self._learning.moved
        finally:
            self._learning = None

    async def assign(self, event: Event, text: str) -> str:
        """Assign a control to a target; returns which one it is.

        Raises:
            BadOutput: the changed map can't be saved.
        """
        control = Control(event.kind, text, event.number, event.channel)
        others = [each for each in self._single_controls() if not _same(each, control)]
        await self._keep(msgspec.structs.replace(self._map, controls=[*others, control]))
        return f"{event.kind} {event.number} channel {event.channel}"

    def _single_controls(self) -> list[Control]:
        """All controls with a `count` of 1, so that each can be replaced."""
        return [
            msgspec.structs.replace(
                each.control, number=each.number, count=1, step=1,
                target=each.control.target.replace("#", str(_index(each) + 1)),
            )
            for each in self._controls
        ]  # fmt: skip

    async def _keep(self, changed: Map) -> None:
        """Save the user's own map, and use it."""
        await asyncio.to_thread(write, self._own, changed)
        self._path = self._own
        await self.reload()

    @property
    def stale(self) -> bool:
        """Whether the map's file has changed since it was read."""
        return stamp_of(self._path) != self._stamp

    async def reload(self) -> None:
        """Read the map again; one that can't be read is logged and changes nothing."""
        self._stamp = stamp_of(self._path)
        try:
            changed = await asyncio.to_thread(read_map, self._path)
        except BadState as error:
            log.error("%s", error)
            return
        self.let_go()
        self._map, self._controls = changed
        self._knobs.clear()
        self._shown.clear()
        log.info("%s: %d controls", self._path, len(self._controls))


def _is_of(mapped: Mapped, event: Event) -> bool:
    control = mapped.control
    channel = control.channel in (0, event.channel)
    return channel and (control.message, mapped.number) == (event.kind, event.number)


def _steps(mode: str, raw: int) -> int:
    """Steps of an encoder, in two's complement, offset by 64, or with a sign in bit 6."""
    if mode == "twos":
        return raw - 128 if raw >= 64 else raw
    return raw - 64 if mode == "offset" else 64 - raw if raw > 64 else raw


def _index(mapped: Mapped) -> int:
    return (mapped.number - mapped.control.number) // mapped.control.step


def _same(one: Control, other: Control) -> bool:
    """Whether one would act on messages of the other."""
    channel = 0 in (one.channel, other.channel) or one.channel == other.channel
    return channel and bool(_messages(one) & _messages(other))


def _messages(control: Control) -> set[tuple[str, int]]:
    if control.message == "cc14":
        return {("cc", control.number), ("cc", control.number + LSB)}
    return {(control.message, control.number)}
