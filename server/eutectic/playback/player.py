"""The player: mixes all voices, and takes commands from any thread.

One thread calls `fill` for the device's next frames; commands from other threads take effect at the
next block. Nothing here waits, and nothing audible jumps: gains glide, starts over something else
and stops are faded, and a sound that isn't decoded far enough fades out in time and in again later.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from contextvars import ContextVar
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from eutectic.audio import db_to_gain, gain_to_db
from eutectic.playback.clock import followed
from eutectic.playback.cursor import Section
from eutectic.playback.events import Dropped, Event, Reached, Sounding, Started
from eutectic.playback.filters import Knobs, load_soon
from eutectic.playback.heard import Heard
from eutectic.playback.layer import Layer
from eutectic.playback.notes import FAST_SECONDS, MAX_FADING, MAX_NOTES, Press
from eutectic.playback.rolling import Rolling
from eutectic.playback.schedule import Schedule
from eutectic.playback.smooth import Limiter, Smoother
from eutectic.playback.sounds import SIDES, Fan
from eutectic.playback.strip import GAIN_RATE, Send
from eutectic.playback.tap import Recording, Tap
from eutectic.playback.timeline import Beat, BeatLoop, Timeline
from eutectic.playback.voice import Voice

STOP_SECONDS, PANIC_SECONDS = 0.03, 0.005

MIN_LEVEL_DB = -120.0

DUE_FRAME: ContextVar[int | None] = ContextVar("due_frame", default=None)
"""The frame at which commands of this context take effect; None: the next block's first."""


At = float | Beat | None
"""When something happens: at a monotonic time, on a beat, or at once."""


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
        clock: gives monotonic times.
        frames: mixed so far.
        timeline: which beat a frame is on; replaced by the mixing thread.
        heard: the last minute of the output's first two channels, in the same frames.
    """

    latency_frames = Limiter.LOOK_AHEAD

    def __init__(
        self, rate_hz: int, channels: int = 2, voices: int = 4,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self.rate_hz, self.channels = rate_hz, channels
        self.voices = [Voice(number + 1, channels, rate_hz) for number in range(voices)]
        self.clock, self.frames = clock, 0
        self.timeline = Timeline(rate_hz)
        self.heard = Heard(rate_hz, min(2, channels))
        self._commands: deque[Sequence[Callable[[], None]]] = deque()
        self._gathered: list[Callable[[], None]] | None = None
        self._gatherer = 0
        """The thread whose commands are gathered."""
        self._events: deque[Event] = deque()
        self._schedule, self._gates = Schedule(), Schedule()
        """What waits to begin; and the ends of notes that sound, which aren't cleared."""
        self._numbers, self._asked = itertools.count(), itertools.count()
        """Of notes and their releases: in the order in which notes begin, and as asked for."""
        self._offset: float | None = None
        """Monotonic time of frame 0, as estimated from the blocks so far."""
        self._master = Smoother(np.ones(1), GAIN_RATE, rate_hz)
        self._limiter = Limiter(channels)
        self._peak = 0.0
        self._tap = Tap(self._events.append)

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
        beats: float | None = None,
        at: At = None,
        position: int = 0,
    ) -> None:
        """Play a fan on a voice, crossfading from what plays there.

        `beats`: the loop's length, if that isn't the sound's; `position`: the frame of the sound
        to begin with.
        """
        target = self.voices[voice - 1]

        def start(due: Beat | None) -> None:
            layer = Layer(
                fan, token, blend, db_to_gain(gain_db), loop, self.rate_hz, target.section,
                target.speed, position, y,
            )  # fmt: skip
            if beats is not None:
                origin = self.timeline.beat_of(self.frames) if due is None else due.number
                layer.set_beats(BeatLoop(origin, beats), origin)
            target.start(layer, self._events.append)
            self._events.append(Started(voice, token, self._time(), self.frames))

        self._at(at, start, partial(self._events.append, Dropped(voice, token)))

    def roll(self, voice: int, rolling: Rolling, frame: int) -> None:
        """Play pieces on a voice from a frame on, crossfading from what plays there."""

        def start(_due: Beat | None) -> None:
            if rolling.given_up:
                self._events.append(Dropped(voice, rolling.token))
                return
            rolling.begin(self.frames)
            self.voices[voice - 1].start(rolling, self._events.append)
            self._events.append(Started(voice, rolling.token, self._time(), self.frames))

        drop = partial(self._events.append, Dropped(voice, rolling.token))
        self._ask(partial(self._schedule.add, frame, start, drop))

    def press(
        self, voice: int, press: Press, gate_seconds: float | None = None, at: At = None
    ) -> None:
        """Strike a note on a voice; `gate_seconds` later it lets itself go.

        Without a gate, one whose key is let go before it begins is never heard.
        """
        target, number = self.voices[voice - 1], next(self._asked)
        keys = target.notes.to_come

        def start(_due: Beat | None) -> None:
            if gate_seconds is None and keys.pop(number, None) is None:
                return
            if target.choke:
                for each in self.voices:
                    if each.choke == target.choke:
                        each.notes.fade(FAST_SECONDS, each.notes.all)
            self._make_room()
            note = target.press(press, next(self._numbers))
            if gate_seconds is not None:
                frame = self.frames + max(1, round(gate_seconds * self.rate_hz))
                self._gates.add(frame, lambda _: target.notes.let_go(note))

        def drop() -> None:
            keys.pop(number, None)

        if gate_seconds is None:
            keys[number] = press.key
        self._at(at, start, drop)

    def let_go(self, voice: int, key: float, at: At = None) -> None:
        """Release a voice's notes of a key; at once, if the schedule is cleared.

        Those that were asked for before this, and still wait, never begin; unless this waits, too,
        and is the end of one that sounds by then.
        """
        notes, number = self.voices[voice - 1].notes, next(self._asked)

        def release() -> None:
            if not notes.release(key) or at is None:
                notes.forget(key, number)

        self._at(at, lambda _: release(), release)

    def scrub(self, voice: int, blend: float, y: float = 0.0) -> None:
        """Glide a voice to another blend and y of the fan it plays."""
        self._do(partial(self.voices[voice - 1].scrub, blend, y))

    def change(self, voice: int, token: int, fan: Fan) -> None:
        """Crossfade what a request plays to another fan of the same length, where it is."""
        self._do(partial(self.voices[voice - 1].change, token, fan))

    def stop(self, voice: int, seconds: float = STOP_SECONDS, at: At = None) -> None:
        """Fade a voice out."""
        release = partial(self.voices[voice - 1].release, seconds)
        if at is None:
            self._do(release)
        else:
            self._at(at, lambda _: release())

    def end(
        self, voice: int, tokens: Collection[int], seconds: float = STOP_SECONDS, at: At = None
    ) -> None:
        """Fade out what a voice plays under these tokens; whatever else it plays, plays on."""
        end = partial(self.voices[voice - 1].end, tokens, seconds)
        if at is None:
            self._do(end)
        else:
            self._at(at, lambda _: end())

    def panic(self) -> None:
        """Fade everything out fast, and clear the schedule."""
        self.clear_schedule()

        def release() -> None:
            for voice in self.voices:
                voice.panic(PANIC_SECONDS)

        self._do(release)

    def clear_schedule(self) -> None:
        """Drop every request that hasn't started."""
        self._do(self._schedule.clear)

    def call(self, at: At, then: Callable[[int | None], None]) -> None:
        """Report the frame at which this is: who takes the events calls `then`.

        With None, if the schedule was cleared before.
        """
        drop = partial(self._reached, then, None)
        self._at(at, lambda _: self._reached(then, self.frames), drop)

    def set_tempo(
        self, *, bpm: float | None = None, beat: float | None = None,
        running: bool | None = None, at: float | None = None,
    ) -> None:  # fmt: skip
        """Change the tempo, count beats anew, or hold them, from now or a monotonic time on.

        What waits for a beat waits for where that is now.
        """

        is_dated = at is not None and DUE_FRAME.get() is None

        def change() -> None:
            frame = self.frame_at(at) if is_dated and at is not None else self.frames
            self.timeline = self.timeline.set(frame, bpm=bpm, beat=beat, running=running)
            if beat is not None:
                self._schedule.moved(beat)
                for voice in self.voices:
                    voice.moved(beat)

        self._do(change)

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

    def set_filter(self, voice: int, knobs: Knobs) -> None:
        """Set a voice's filter; the first one of all filters as soon as it can."""
        if knobs.kind != "off":
            load_soon()
        self._do(partial(self.voices[voice - 1].filter, knobs))

    def set_send(self, voice: int, number: int, send: Send) -> None:
        """Send a voice, after its gain and pan, to another pair of outputs, too."""
        self._do(partial(self.voices[voice - 1].send, number, send))

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

    def record(self, recording: Recording | None, at: At = None) -> None:
        """Pass what is played to a recording, too, from a time or beat on; None ends that."""

        def begin() -> None:
            self._tap.begin(recording, self.frames, self._sounding())

        self._ask(partial(self._tap.expect, recording))
        if at is None:
            self._ask(begin)  # with whole blocks
        else:
            self._at(at, lambda _: begin())

    def end_recording(
        self, recording: Recording, is_wanted: Callable[[], bool], at: Beat,
        then: Callable[[int | None], None],
    ) -> None:  # fmt: skip
        """End it with what is mixed by a beat, to the frame, if that is still wanted by then.

        Afterwards, `then` is called as by `call`.
        """

        def end(_due: Beat | None) -> None:
            last = self.frames + self.latency_frames
            if not (is_wanted() and self._tap.end(recording, last, then)):
                self._reached(then, self.frames)

        self._at(at, end, partial(self._reached, then, None))

    def mark(self, report: Callable[[int], None]) -> None:
        """Report the frame at which the commands before this one have taken effect."""
        self._do(lambda: report(self.frames))

    def gather(self) -> None:
        """From here on this thread's commands wait, until they are handed over."""
        if self._gathered is None:
            self._gathered, self._gatherer = [], threading.get_ident()

    def hand_over(self) -> None:
        """Have the commands that were gathered take effect, all with the same block."""
        gathered, self._gathered = self._gathered, None
        if gathered:
            self._commands.append(gathered)

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
        if not layers:
            return 0.0
        newest = layers[-1]
        return (newest.position if newest.turning else newest.sound_frame) / self.rate_hz

    def seconds(self, voice: int) -> float:
        """How long what a voice plays is, or one turn of its loop; 0 if that is nothing."""
        layers = list(self.voices[voice - 1].layers)
        if not layers:
            return 0.0
        newest = layers[-1]
        if newest.turning and newest.beats is not None:
            return 60 * newest.beats.length / self.timeline.bpm
        return newest.fan.frames / self.rate_hz

    @property
    def has_begun(self) -> bool:
        """Whether frames have times."""
        return self._offset is not None

    def frame_at(self, at: float) -> float:
        """The frame that is mixed at a monotonic time, smoothly; not a whole one."""
        return self.frames if self._offset is None else (at - self._offset) * self.rate_hz

    def time_of(self, frame: float) -> float:
        """The monotonic time at which a frame is mixed."""
        return frame / self.rate_hz + (self._offset or 0.0)

    # The mixing thread

    def fill(self, out: NDArray[np.float32]) -> None:
        """Overwrite `out` (frame, channel) with the next frames."""
        self._follow_clock()
        while self._commands:
            for command in self._commands.popleft():
                command()
                self._start_due()  # before the next command, which may stop it
        mixed = np.zeros_like(out)
        stems: NDArray[np.float32] | None = None
        if self._tap.wants_stems:
            stems = np.zeros((len(self.voices), len(out), SIDES), np.float32)
        at = 0
        while at < len(out):
            stop = round(min(len(out), at + self._start_due() - self.frames))
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
        self._tap.put(self.frames - len(out), out, stems)

    def _ask(self, command: Callable[[], None]) -> None:
        gathered = self._gathered
        if gathered is not None and threading.get_ident() == self._gatherer:
            gathered.append(command)
        else:
            self._commands.append((command,))

    def _do(self, command: Callable[[], None]) -> None:
        """Have a command take effect when its context says."""
        frame = DUE_FRAME.get()
        self._ask(command if frame is None else partial(self._put, frame, command))

    def _put(self, frame: int, command: Callable[[], None]) -> None:
        """Schedule a setting, which the session has made already: it is never dropped."""
        self._schedule.add(max(self.frames, frame), lambda _: command(), command)

    def _at(
        self, at: At, begin: Callable[[Beat | None], None],
        drop: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        """Have something begin on a beat; or at a time, unless its context says when."""
        due = DUE_FRAME.get()

        def schedule() -> None:
            if isinstance(at, Beat):
                self._schedule.add(at, begin, drop)
            elif due is not None:
                self._schedule.add(due, begin, drop)
            else:
                frame = self.frames if at is None else round(self.frame_at(at))
                self._schedule.add(max(self.frames, frame), begin, drop)

        self._ask(schedule)

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

    def _start_due(self) -> float:
        """Begin what is scheduled by now, and loops that are so many beats anew.

        Returns the frame of the next of those. What begins may set the tempo, so that more is due.
        """
        while (due := self._next_due()) <= self.frames:
            self._gates.begin_due(self.frames, self.timeline)
            self._schedule.begin_due(self.frames, self.timeline)
            for voice in self.voices:
                voice.turn(self.frames, self.timeline, self._events.append)
        return due

    def _next_due(self) -> float:
        """The frame at which something is due; infinite if nothing is."""
        seams = (voice.next_seam(self.timeline) for voice in self.voices)
        waiting = (each.next_frame(self.timeline) for each in (self._gates, self._schedule))
        return min(*waiting, *seams)

    def _reached(self, then: Callable[[int | None], None], frame: int | None) -> None:
        self._events.append(Reached(then, frame))

    def _follow_clock(self) -> None:
        """Estimate the monotonic time of frame 0 from when blocks are requested, smoothly."""
        offset = self.clock() - self.frames / self.rate_hz
        self._offset = offset if self._offset is None else followed(self._offset, offset)

    def _time(self) -> float:
        return self.time_of(self.frames)


def _level_db(peak: float) -> float:
    return max(MIN_LEVEL_DB, gain_to_db(peak))
