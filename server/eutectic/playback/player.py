"""The player: mixes all voices, and takes commands from any thread.

One thread calls `fill` for the device's next frames; commands from other threads take effect at the
next block. Nothing here waits, and nothing audible jumps: gains glide, starts over something else
and stops are faded, and a sound that isn't decoded far enough fades out in time and in again later.
"""

from __future__ import annotations

import heapq
import itertools
import time
from collections import deque
from collections.abc import Callable
from contextvars import ContextVar
from functools import partial
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from eutectic.audio import db_to_gain, gain_to_db
from eutectic.playback.cursor import Section
from eutectic.playback.events import Dropped, Event, Sounding, Started
from eutectic.playback.heard import Heard
from eutectic.playback.layer import Layer
from eutectic.playback.notes import FAST_SECONDS, MAX_FADING, MAX_NOTES, Note, Press
from eutectic.playback.rolling import Rolling
from eutectic.playback.smooth import Limiter, Smoother
from eutectic.playback.sounds import SIDES, Fan
from eutectic.playback.strip import GAIN_RATE
from eutectic.playback.voice import Voice

STOP_SECONDS, PANIC_SECONDS = 0.03, 0.005

MIN_LEVEL_DB = -120.0

JUMP_SECONDS = 0.05
"""A clock this far from where it was expected is followed at once, not smoothly."""

CLOCK_SHARE = 0.02
"""Share of the clock's deviation that each block corrects."""


NOTE = -1
"""Stands for the token of notes, which have none."""

DUE_FRAME: ContextVar[int | None] = ContextVar("due_frame", default=None)
"""The frame at which commands of this context take effect; None: the next block's first."""


class _Scheduled(NamedTuple):
    """What happens at a frame; `number` is the order of arrival, `token` 0 unless it starts one."""

    frame: int
    number: int
    voice: int
    token: int
    start: Callable[[], None]


class Recording(Protocol):
    """What every block is passed to; the mixing thread calls it, so that it never waits.

    `stems`: whether it wants each voice by itself, too.
    """

    stems: bool

    def begin(self, frame: int, sounding: list[Sounding]) -> None:
        """The first block begins at this frame, in the middle of these."""
        ...

    def put(self, block: NDArray[np.float32], stems: NDArray[np.float32] | None) -> None:
        """The next block (frame, channel), and each voice's (voice, frame, 2)."""
        ...


class Meter(NamedTuple):
    """A peak: of a voice, and how far it is into what it plays; or of the output, which is voice 0.

    `limiter_db`: what the limiter took off at most.
    """

    voice: int
    level_db: float
    position_seconds: float
    limiter_db: float


class Player:
    """The mix of all voices, at the device's rate and channels.

    Attributes:
        latency_frames: the limiter's delay.
        frames: mixed so far.
        heard: the last minute of the output's first two channels, in the same frames.
    """

    latency_frames = Limiter.LOOK_AHEAD

    def __init__(self, rate_hz: int, channels: int = 2, voices: int = 4) -> None:
        self.rate_hz, self.channels = rate_hz, channels
        self.voices = [Voice(number + 1, channels, rate_hz) for number in range(voices)]
        self.frames = 0
        self.heard = Heard(rate_hz, min(2, channels))
        self._commands: deque[Callable[[], None]] = deque()
        self._events: deque[Event] = deque()
        self._schedule: list[_Scheduled] = []
        self._numbers = itertools.count()
        self._gates: list[tuple[int, int, Voice, Note]] = []
        """When notes let themselves go, in order."""
        self._offset: float | None = None
        """Monotonic time of frame 0, as estimated from the blocks so far."""
        self._master = Smoother(np.ones(1), GAIN_RATE, rate_hz)
        self._limiter = Limiter(channels)
        self._peak = 0.0
        self._recording: Recording | None = None

    # Commands, from any thread; where DUE_FRAME is set, they take effect at that frame

    def play(
        self,
        voice: int,
        fan: Fan,
        token: int,
        *,
        blend: float,
        y: float = 0.0,
        gain_db: float = 0.0,
        loop: bool = False,
        at: float | None = None,
        position: int = 0,
    ) -> None:
        """Play a fan on a voice, now or at a monotonic time, crossfading from what plays there.

        `position`: the frame of the sound to begin with.
        """
        target, due = self.voices[voice - 1], DUE_FRAME.get()

        def start() -> None:
            layer = Layer(
                fan, token, blend, db_to_gain(gain_db), loop, self.rate_hz, target.section,
                target.speed, position, y,
            )  # fmt: skip
            target.start(layer, self._events.append)
            self._events.append(Started(voice, token, self._time(), self.frames))

        def schedule() -> None:
            frame = self._frame(at) if due is None and at is not None else due
            self._put(frame or 0, start, voice, token)

        self._commands.append(schedule)

    def roll(self, voice: int, rolling: Rolling, frame: int) -> None:
        """Play pieces on a voice from a frame on, crossfading from what plays there."""

        def start() -> None:
            rolling.frame = self.frames
            self.voices[voice - 1].start(rolling, self._events.append)
            self._events.append(Started(voice, rolling.token, self._time(), self.frames))

        self._commands.append(partial(self._put, frame, start, voice, rolling.token))

    def press(
        self, voice: int, press: Press, gate_seconds: float | None = None, at: float | None = None
    ) -> None:
        """Strike a note on a voice, now or at a monotonic time; `gate_seconds` later it lets go."""
        target, due = self.voices[voice - 1], DUE_FRAME.get()

        def start() -> None:
            if target.choke:
                for each in self.voices:
                    if each.choke == target.choke:
                        each.notes.fade(FAST_SECONDS, each.notes.all)
            self._make_room()
            number = next(self._numbers)
            note = target.press(press, number)
            if gate_seconds is not None:
                frame = self.frames + max(1, round(gate_seconds * self.rate_hz))
                heapq.heappush(self._gates, (frame, number, target, note))

        def schedule() -> None:
            frame = self._frame(at) if due is None and at is not None else due
            self._put(frame or 0, start, voice, NOTE)

        self._commands.append(schedule)

    def let_go(self, voice: int, key: float, at: float | None = None) -> None:
        """Release a voice's notes of a key, now or at a monotonic time."""
        release, due = partial(self.voices[voice - 1].notes.release, key), DUE_FRAME.get()

        def schedule() -> None:
            frame = self._frame(at) if due is None and at is not None else due
            self._put(frame or 0, release, voice)

        self._commands.append(schedule)

    def scrub(self, voice: int, blend: float, y: float = 0.0) -> None:
        """Glide a voice to another blend and y of the fan it plays."""
        self._do(partial(self.voices[voice - 1].scrub, blend, y))

    def change(self, voice: int, token: int, fan: Fan) -> None:
        """Crossfade what a request plays to another fan of the same length, where it is."""
        self._do(partial(self.voices[voice - 1].change, token, fan))

    def stop(self, voice: int, seconds: float = STOP_SECONDS) -> None:
        """Fade a voice out."""
        self._do(partial(self.voices[voice - 1].release, seconds))

    def panic(self) -> None:
        """Fade everything out fast, and clear the schedule."""
        self.clear_schedule()

        def release() -> None:
            for voice in self.voices:
                voice.release(PANIC_SECONDS)

        self._do(release)

    def clear_schedule(self) -> None:
        """Drop every request that hasn't started."""

        def clear() -> None:
            waiting, self._schedule = sorted(self._schedule), []
            for each in waiting:
                if each.token:
                    self._events.append(Dropped(each.voice, each.token))
                else:  # a setting, which the session has made already
                    each.start()

        self._do(clear)

    def set_loop(self, voice: int, loop: bool) -> None:
        """Loop what a voice plays, or let it end."""
        self._do(partial(self.voices[voice - 1].set_loop, loop))

    def set_gain(self, voice: int, db: float) -> None:
        self._do(partial(self.voices[voice - 1].route, gain_db=db))

    def set_mute(self, voice: int, mute: bool) -> None:
        """Silence a voice, which plays on."""
        self._do(partial(self.voices[voice - 1].route, mute=mute))

    def set_pan(self, voice: int, pan: float) -> None:
        """Pan a voice, -1 left to 1 right."""
        self._do(partial(self.voices[voice - 1].route, pan=pan))

    def set_outputs(self, voice: int, first: int) -> None:
        """Route a voice to this output, from 1, and the next."""
        self._do(partial(self.voices[voice - 1].route, output=first))

    def set_crossfade(self, voice: int, seconds: float) -> None:
        self._do(partial(setattr, self.voices[voice - 1], "crossfade_seconds", seconds))

    def set_speed(self, voice: int, speed: float) -> None:
        """Glide a voice to a speed, with its pitch; 1 is as made."""
        self._do(partial(self.voices[voice - 1].set_speed, speed))

    def set_bend(self, voice: int, bend: float) -> None:
        """Glide a voice's notes to so many times its speed."""
        self._do(partial(self.voices[voice - 1].set_bend, bend))

    def set_choke(self, voice: int, group: int) -> None:
        """Let a voice's notes end those of its group; 0: of none."""
        self._do(partial(setattr, self.voices[voice - 1], "choke", group))

    def cut(self, voice: int, section: Section) -> None:
        """Play another section of a voice's sounds, crossfading from what plays."""
        self._do(partial(self.voices[voice - 1].cut, section))

    def set_master(self, db: float) -> None:
        self._do(lambda: self._master.targets.fill(db_to_gain(db)))

    def record(self, recording: Recording | None) -> None:
        """Pass every block that is played to a recording, too; None ends that."""

        def begin() -> None:
            self._recording = recording
            if recording is not None:
                recording.begin(self.frames, self._sounding())

        self._commands.append(begin)  # with whole blocks

    def mark(self, report: Callable[[int], None]) -> None:
        """Report the frame at which the commands before this one have taken effect."""
        self._do(lambda: report(self.frames))

    # Queries, from any thread

    def take_events(self) -> list[Event]:
        """Events since the last call."""
        events: list[Event] = []
        while self._events:
            events.append(self._events.popleft())
        return events

    def meters(self) -> list[Meter]:
        """The output's and each voice's peak since the last call."""
        reduction_db, self._limiter.lowest_gain = -gain_to_db(self._limiter.lowest_gain), 1.0
        meters = [Meter(0, _level_db(self._peak), 0.0, max(0.0, reduction_db))]
        self._peak = 0.0
        for voice in self.voices:
            at = self.position_seconds(voice.number)
            meters.append(Meter(voice.number, _level_db(voice.strip.peak), at, 0.0))
            voice.strip.peak = 0.0
        return meters

    def playing(self, voice: int) -> int | None:
        """Token of a voice's newest request, unless it is being released."""
        layers = list(self.voices[voice - 1].layers)
        return layers[-1].token if layers and not layers[-1].releasing else None

    def sounding(self, voice: int) -> set[int]:
        """Tokens of all that a voice plays, being released or not."""
        return {layer.token for layer in list(self.voices[voice - 1].layers)}

    def notes(self, voice: int) -> int:
        """How many notes of a voice sound."""
        return len(self.voices[voice - 1].notes)

    def loops(self, voice: int) -> bool | None:
        """Whether what a voice plays is a loop; None if it plays nothing."""
        layers = list(self.voices[voice - 1].layers)
        return layers[-1].loop if layers else None

    def position_seconds(self, voice: int) -> float:
        """How far a voice is into what it plays; 0 if that is nothing."""
        layers = list(self.voices[voice - 1].layers)
        return layers[-1].sound_frame / self.rate_hz if layers else 0.0

    # The mixing thread

    def fill(self, out: NDArray[np.float32]) -> None:
        """Overwrite `out` (frame, channel) with the next frames."""
        self._follow_clock()
        while self._commands:
            self._commands.popleft()()
            self._start_due()  # before the next command, which may stop it
        mixed, recording = np.zeros_like(out), self._recording
        stems: NDArray[np.float32] | None = None
        if recording is not None and recording.stems:
            stems = np.zeros((len(self.voices), len(out), SIDES), np.float32)
        at = 0
        while at < len(out):
            self._start_due()
            stop = len(out)
            if self._schedule:
                stop = min(stop, at + self._schedule[0].frame - self.frames)
            if self._gates:
                stop = min(stop, at + self._gates[0][0] - self.frames)
            for number, voice in enumerate(self.voices):
                stem = None if stems is None else stems[number, at:stop]
                voice.mix(mixed[at:stop], self._events.append, stem)
            if self._master.moving or self._master.values[0] != 1:
                gains = self._master.advance(stop - at)[0, :, None]
                mixed[at:stop] *= gains.astype(np.float32)
            self.frames += stop - at
            at = stop
        out[:] = self._limiter.limit(mixed)
        self._peak = max(self._peak, float(np.abs(out).max(initial=0.0)))
        self.heard.write(out[:, :2], self._time())
        if recording is not None:
            recording.put(out.copy(), stems)

    def _do(self, command: Callable[[], None]) -> None:
        """Have a command take effect when its context says."""
        frame = DUE_FRAME.get()
        self._commands.append(command if frame is None else partial(self._put, frame, command))

    def _put(self, frame: int, start: Callable[[], None], voice: int = 0, token: int = 0) -> None:
        scheduled = _Scheduled(max(self.frames, frame), next(self._numbers), voice, token, start)
        heapq.heappush(self._schedule, scheduled)

    def _sounding(self) -> list[Sounding]:
        newest = ((voice.number, voice.layers[-1]) for voice in self.voices if voice.layers)
        return [Sounding(number, layer.token, layer.position) for number, layer in newest
                if not layer.releasing]  # fmt: skip

    def _make_room(self) -> None:
        """Take the oldest note that was released, or else the oldest, if there are too many."""
        notes = [(voice.notes, note) for voice in self.voices for note in voice.notes.all]
        sounding = [each for each in notes if not each[1].fading]
        if len(sounding) >= MAX_NOTES:
            of, oldest = min(sounding, key=lambda each: (not each[1].released, each[1].number))
            of.fade(FAST_SECONDS, [oldest])
        fading = [each for each in notes if each[1].fading]
        if len(fading) >= MAX_FADING:
            of, oldest = min(fading, key=lambda each: each[1].number)
            of.cut(oldest)

    def _start_due(self) -> None:
        while self._gates and self._gates[0][0] <= self.frames:
            _, _, voice, note = heapq.heappop(self._gates)
            voice.notes.let_go(note)
        while self._schedule and self._schedule[0].frame <= self.frames:
            heapq.heappop(self._schedule).start()

    def _follow_clock(self) -> None:
        """Estimate the monotonic time of frame 0 from when blocks are requested, smoothly."""
        offset = time.monotonic() - self.frames / self.rate_hz
        if self._offset is None or abs(offset - self._offset) > JUMP_SECONDS:
            self._offset = offset
        else:
            self._offset += CLOCK_SHARE * (offset - self._offset)

    def _frame(self, at: float) -> int:
        return self.frames if self._offset is None else round((at - self._offset) * self.rate_hz)

    def _time(self) -> float:
        return self.frames / self.rate_hz + (self._offset or 0.0)


def _level_db(peak: float) -> float:
    return max(MIN_LEVEL_DB, gain_to_db(peak))
