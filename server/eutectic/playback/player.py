"""Voices, their loops and crossfades, and the mix: `fill` makes the device's next frames.

One thread calls `fill`; any other gives orders, which take effect at the next block. Nothing in
here waits, and nothing that is heard jumps: gains glide, what begins over something else and what
ends are faded with smooth ends, and a sound that isn't decoded far enough is faded out before its
end and in again later.
"""

from __future__ import annotations

import heapq
import itertools
import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eutectic.audio import db_to_gain, gain_to_db, smoothstep
from eutectic.playback.smooth import Limiter, Smoother
from eutectic.playback.sounds import SIDES, Fan, Nodes

GAIN_RATE = 1000.0
"""Of gains' glides, 1/s: settled in about 8 ms."""

SCRUB_RATE = 200.0
"""Of the blend's glide, 1/s: settled in about 40 ms."""

ATTACK_SECONDS, CROSSFADE_SECONDS, STOP_SECONDS, PANIC_SECONDS = 0.001, 0.01, 0.03, 0.005
END_SECONDS = 0.01
STARVED_SECONDS, FED_SECONDS = 0.005, 0.05
"""A voice whose sound isn't there yet fades out over the one, and goes on once the other is."""

NODES_SECONDS = 0.03
"""A neighbour that gets ready is faded to."""

LAYERS = 4
"""Sounds that may fade out on one voice at once; of more, the oldest ends."""

LEAST_DB = -120.0
FAR_SECONDS = 0.05
"""A clock that is so far from where it was expected is believed at once."""


@dataclass(frozen=True)
class Started:
    """A request's first sample was mixed, at this monotonic time."""

    voice: int
    token: int
    at: float


@dataclass(frozen=True)
class Ended:
    """A request that had started is silent."""

    voice: int
    token: int


@dataclass(frozen=True)
class Dropped:
    """A request was superseded or cleared before it started."""

    voice: int
    token: int


@dataclass(frozen=True)
class Starved:
    """A sound was played faster than it was made, and waits."""

    voice: int
    token: int


Event = Started | Ended | Dropped | Starved


@dataclass
class Fade:
    """From one gain to another, both 0 or 1, in `length` frames; equal power."""

    length: int
    rising: bool
    at: int = 0

    @property
    def over(self) -> bool:
        return self.at >= self.length

    def course(self, frames: int) -> NDArray[np.float32]:
        share = ((self.at + np.arange(1, frames + 1)) / (self.length + 1)).clip(0, 1)
        self.at += frames
        angle = 0.5 * np.pi * smoothstep(share)
        return (np.sin(angle) if self.rising else np.cos(angle)).astype(np.float32)


class Layer:
    """One request on a voice, from its first sample to its last."""

    def __init__(
        self, fan: Fan, token: int, blend: float, gain: float, loop: bool, rate_hz: int
    ) -> None:
        self.fan, self.token, self.gain, self.loop = fan, token, np.float32(gain), loop
        self.rate_hz = rate_hz
        self.position = 0
        self.fades: list[Fade] = []
        """What it comes in by and, from then on, leaves by; both are heard in full."""
        self.underrun_fade: Fade | None = None
        """Falling while starved, and at its end; rising after that."""
        self.blend = Smoother(np.array([blend]), SCRUB_RATE, rate_hz)
        self.nodes: Nodes | None = None
        self.before: Nodes | None = None
        self.change = Fade(1, True, 1)
        self.wrapped = False
        self.silent = False

    def leave(self, seconds: float) -> None:
        """Fade out; one that is silent as soon anyway goes on as it is."""
        length = max(1, round(seconds * self.rate_hz))
        falling = [fade.length - fade.at for fade in self.fades if not fade.rising]
        if all(left > length for left in falling):
            self.fades.append(Fade(length, False))

    @property
    def leaving(self) -> bool:
        return any(not fade.rising for fade in self.fades)

    def mix(self, frames: int, crossfade: int) -> tuple[NDArray[np.float32], bool]:
        """The next frames (2, frame), and whether it has just starved."""
        starved = self._check_underrun(frames)
        out = np.zeros((SIDES, frames), np.float32)
        if (
            self.underrun_fade is not None
            and self.underrun_fade.over
            and not self.underrun_fade.rising
        ):
            self.silent = self.leaving
            return out, starved
        count = frames
        if self.underrun_fade is not None and not self.underrun_fade.rising:
            count = min(frames, self.underrun_fade.length - self.underrun_fade.at)
        for index, gain in self._gains(count).items():
            out[:, :count] += gain * self._read(index, count, crossfade)
        self._advance(count)
        out *= self.gain
        if self.underrun_fade is not None:
            out[:, :count] *= self.underrun_fade.course(count)
            if self.underrun_fade.over and self.underrun_fade.rising:
                self.underrun_fade = None
        for fade in self.fades:
            out *= fade.course(frames)
            self.silent = self.silent or (fade.over and not fade.rising)
        self.fades = [fade for fade in self.fades if not fade.over]
        return out, starved

    def _frames(self, seconds: float) -> int:
        return round(seconds * self.rate_hz)

    def _check_underrun(self, frames: int) -> bool:
        """Look after what is decoded; true where it has just turned out too little."""
        if self.underrun_fade is not None and not self.underrun_fade.rising:
            fed = self.fan.nodes(self.position, frames + self._frames(FED_SECONDS))
            if self.underrun_fade.over and fed is not None:
                self.underrun_fade = Fade(self._frames(STARVED_SECONDS), True)
                self._use(fed)
            return False
        usable = self.fan.nodes(self.position, frames + self._frames(STARVED_SECONDS))
        if usable is not None:
            self._use(usable)
            return False
        length = self._frames(STARVED_SECONDS)
        begun = self.nodes is not None
        self.underrun_fade = Fade(length, False, 0 if begun else length)
        return begun

    def _use(self, nodes: Nodes) -> None:
        if nodes == self.nodes or not self.change.over:
            return
        if self.nodes is not None:
            self.before, self.change = self.nodes, Fade(self._frames(NODES_SECONDS), True)
        self.nodes = nodes

    def _gains(self, frames: int) -> dict[int, NDArray[np.float32]]:
        if self.nodes is None:
            return {}
        blends = self.blend.course(frames)[0]
        gains = self.nodes.gains(blends)
        if self.before is None:
            return gains
        share = self.change.course(frames) ** 2  # of one sound's own gains: they add up linearly
        mixed = {index: share * gain for index, gain in gains.items()}
        for index, gain in self.before.gains(blends).items():
            mixed[index] = mixed.get(index, np.float32(0)) + (1 - share) * gain
        if self.change.over:
            self.before = None
        return mixed

    def _read(self, index: int, frames: int, crossfade: int) -> NDArray[np.float32]:
        """The sound at this position, around its loop's seam, or to its faded end."""
        sound = self.fan.sounds[index]
        assert sound is not None
        at = self.position + np.arange(frames)
        again = at >= sound.frames
        if self.loop:
            at[again] -= sound.frames
            again |= self.wrapped
        else:
            again[:] = self.wrapped
        last = sound.samples.shape[1] - 1
        out = sound.samples[:, at.clip(max=last)]
        seam = min(sound.tail, crossfade)
        inside = np.flatnonzero(again & (at < seam))
        if len(inside):
            angle = 0.5 * np.pi * smoothstep((at[inside] + 1) / (seam + 1))
            tail = sound.samples[:, sound.frames + at[inside]]
            out[:, inside] = np.sin(angle) * out[:, inside] + np.cos(angle) * tail
        if not self.loop:
            length = sound.tail or min(self._frames(END_SECONDS), sound.frames)
            share = (at + length - last) / (length + 1)
            if share[-1] > 0:
                out = out * (1 - smoothstep(share.clip(0, 1)))
        return out.astype(np.float32)

    def set_loop(self, loop: bool) -> None:
        """Whether it begins again at its end; one that is past it goes on to be silent."""
        if self.position < self.fan.frames:
            self.loop = loop

    def _advance(self, frames: int) -> None:
        self.position += frames
        if self.loop and self.position >= self.fan.frames > 0:
            self.position -= self.fan.frames
            self.wrapped = True
        elif not self.loop and self.nodes is not None:
            whole = max(sound.samples.shape[1] for sound in self.fan.sounds if sound is not None)
            self.silent = self.silent or self.position >= whole


class Voice:
    """One voice: the newest request, what still fades under it, and where it goes."""

    def __init__(self, number: int, channels: int, rate_hz: int) -> None:
        self.number, self.channels, self.rate_hz = number, channels, rate_hz
        self.layers: list[Layer] = []
        self.gain_db, self.pan, self.first, self.crossfade_seconds = 0.0, 0.0, 1, CROSSFADE_SECONDS
        self.peak = 0.0
        self.routing = Smoother(self._routes(), GAIN_RATE, rate_hz)

    def route(self) -> None:
        """Move to what gain, pan and outputs say; at once where nothing is heard."""
        if self.layers:
            self.routing.targets = self._routes()
        else:
            self.routing.jump(self._routes())

    def _routes(self) -> NDArray[np.float64]:
        """Gain of each side to each output, (output × side,)."""
        routes = np.zeros((self.channels, SIDES))
        gain = db_to_gain(self.gain_db)
        left = gain * math.cos(0.5 * math.pi * max(self.pan, 0.0))
        right = gain * math.cos(0.5 * math.pi * max(-self.pan, 0.0))
        first = self.first - 1
        if first + 1 < self.channels:
            routes[first, 0], routes[first + 1, 1] = left, right
        else:  # one output alone: both sides, as one
            routes[first] = 0.5 * left, 0.5 * right
        return routes.ravel()

    def mix(self, out: NDArray[np.float32], tell: Callable[[Event], None]) -> None:
        """Add the next frames to `out` (frame, channel)."""
        if not self.layers:
            return
        frames = len(out)
        crossfade = round(self.crossfade_seconds * self.rate_hz)
        mixed = np.zeros((SIDES, frames), np.float32)
        for layer in list(self.layers):
            sound, starved = layer.mix(frames, crossfade)
            mixed += sound
            if starved:
                tell(Starved(self.number, layer.token))
            if layer.silent:
                self.layers.remove(layer)
                tell(Ended(self.number, layer.token))
        moving = self.routing.moving
        routes = self.routing.course(frames if moving else 1).astype(np.float32)
        routes = routes.reshape(self.channels, SIDES, -1)
        self.peak = max(self.peak, float(np.abs(mixed).max()) * db_to_gain(self.gain_db))
        for channel, side in zip(*np.nonzero(np.abs(routes).max(axis=2)), strict=True):
            out[:, channel] += routes[channel, side] * mixed[side]


class Player:
    """The mix of all voices, at the device's rate and channels.

    Attributes:
        latency_frames: by which the limiter delays everything.
        frames: mixed so far.
    """

    latency_frames = Limiter.AHEAD

    def __init__(self, rate_hz: int, channels: int = 2, voices: int = 4) -> None:
        self.rate_hz, self.channels = rate_hz, channels
        self.voices = [Voice(number + 1, channels, rate_hz) for number in range(voices)]
        self.frames = 0
        self._orders: deque[Callable[[], None]] = deque()
        self._events: deque[Event] = deque()
        self._waiting: list[tuple[int, int, int, int, Callable[[], None]]] = []
        """(frame, order, voice, token, what to do then)."""
        self._numbers = itertools.count()
        self._offset: float | None = None
        self._master = Smoother(np.ones(1), GAIN_RATE, rate_hz)
        self._limiter = Limiter(channels)
        self._record: Callable[[NDArray[np.float32]], None] | None = None

    # Orders, from any thread

    def play(
        self,
        voice: int,
        fan: Fan,
        token: int,
        *,
        blend: float,
        gain_db: float = 0.0,
        loop: bool = False,
        at: float | None = None,
    ) -> None:
        """Play a fan on a voice, now or at a monotonic time, over what plays there."""
        target = self.voices[voice - 1]

        def begin() -> None:
            layer = Layer(fan, token, blend, db_to_gain(gain_db), loop, self.rate_hz)
            crossfade = target.crossfade_seconds
            for old in target.layers:
                old.leave(crossfade)
            heard = bool(target.layers)
            attack = crossfade if heard else ATTACK_SECONDS
            layer.fades.append(Fade(max(1, round(attack * self.rate_hz)), True))
            if not heard:
                target.routing.jump(target.routing.targets)
            target.layers.append(layer)
            for old in target.layers[:-LAYERS]:
                target.layers.remove(old)
                self._events.append(Ended(voice, old.token))
            self._events.append(Started(voice, token, self._time()))

        def order() -> None:
            frame = self.frames if at is None else max(self.frames, self._frame(at))
            heapq.heappush(self._waiting, (frame, next(self._numbers), voice, token, begin))

        self._orders.append(order)

    def scrub(self, voice: int, blend: float) -> None:
        """Move what a voice plays to another blend of its fan."""
        self._newest(voice, lambda layer: layer.blend.targets.fill(blend))

    def stop(self, voice: int, seconds: float = STOP_SECONDS) -> None:
        """Fade a voice out."""
        self._orders.append(lambda: self._leave([self.voices[voice - 1]], seconds))

    def panic(self) -> None:
        """Fade everything out, fast, and forget what waits."""
        self.clear_schedule()
        self._orders.append(lambda: self._leave(self.voices, PANIC_SECONDS))

    def clear_schedule(self) -> None:
        """Forget what waits for its time."""

        def clear() -> None:
            for _, _, voice, token, _ in self._waiting:
                self._events.append(Dropped(voice, token))
            self._waiting.clear()

        self._orders.append(clear)

    def set_loop(self, voice: int, loop: bool) -> None:
        """Whether what a voice plays begins again at its end."""
        self._newest(voice, lambda layer: layer.set_loop(loop))

    def set_gain(self, voice: int, db: float) -> None:
        self._set(voice, "gain_db", db)

    def set_pan(self, voice: int, pan: float) -> None:
        """-1 left … 1 right."""
        self._set(voice, "pan", pan)

    def set_outputs(self, voice: int, first: int) -> None:
        """To this output (from 1) and the next."""
        self._set(voice, "first", first)

    def set_crossfade(self, voice: int, seconds: float) -> None:
        self._set(voice, "crossfade_seconds", seconds)

    def set_master(self, db: float) -> None:
        self._orders.append(lambda: self._master.targets.fill(db_to_gain(db)))

    def record(self, put: Callable[[NDArray[np.float32]], None] | None) -> None:
        """Give every block (frame, channel) that is played to `put`, too; None ends that."""

        def change() -> None:
            self._record = put

        self._orders.append(change)

    # Looks, from any thread

    def take_events(self) -> list[Event]:
        """What happened since the last call."""
        events: list[Event] = []
        while self._events:
            events.append(self._events.popleft())
        return events

    def levels_db(self) -> list[float]:
        """Peak of each voice since the last call."""
        levels: list[float] = []
        for voice in self.voices:
            levels.append(max(LEAST_DB, gain_to_db(voice.peak)))
            voice.peak = 0.0
        return levels

    def playing(self, voice: int) -> int | None:
        """Token of the newest request that a voice plays."""
        layers = list(self.voices[voice - 1].layers)
        return layers[-1].token if layers and not layers[-1].leaving else None

    # The mixing thread

    def fill(self, out: NDArray[np.float32]) -> None:
        """Overwrite `out` (frame, channel) with what comes next."""
        self._keep_time(len(out))
        while self._orders:
            self._orders.popleft()()
            self._begin_due()  # before the next order, which may be to stop it
        mixed = np.zeros_like(out)
        at = 0
        while at < len(out):
            self._begin_due()
            stop = len(out)
            if self._waiting:
                stop = min(stop, at + self._waiting[0][0] - self.frames)
            for voice in self.voices:
                voice.mix(mixed[at:stop], self._events.append)
            self.frames += stop - at
            at = stop
        if self._master.moving or self._master.values[0] != 1:
            mixed *= self._master.course(len(out))[0, :, None].astype(np.float32)
        out[:] = self._limiter.limit(mixed)
        if self._record is not None:
            self._record(out.copy())

    def _begin_due(self) -> None:
        while self._waiting and self._waiting[0][0] <= self.frames:
            heapq.heappop(self._waiting)[4]()

    def _keep_time(self, frames: int) -> None:
        """Follow the monotonic time at which frames are asked for, smoothly."""
        offset = time.monotonic() - self.frames / self.rate_hz
        if self._offset is None or abs(offset - self._offset) > FAR_SECONDS:
            self._offset = offset
        else:
            self._offset += 0.02 * (offset - self._offset)

    def _frame(self, at: float) -> int:
        return self.frames if self._offset is None else round((at - self._offset) * self.rate_hz)

    def _time(self) -> float:
        return self.frames / self.rate_hz + (self._offset or 0.0)

    def _leave(self, voices: list[Voice], seconds: float) -> None:
        for voice in voices:
            for layer in voice.layers:
                layer.leave(seconds)

    def _newest(self, voice: int, change: Callable[[Layer], None]) -> None:
        def order() -> None:
            layers = self.voices[voice - 1].layers
            if layers:
                change(layers[-1])

        self._orders.append(order)

    def _set(self, voice: int, name: str, value: Any) -> None:
        def order() -> None:
            target = self.voices[voice - 1]
            setattr(target, name, value)
            target.route()

        self._orders.append(order)
