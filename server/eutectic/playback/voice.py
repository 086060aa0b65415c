"""Voices: layers that crossfade and notes, mixed through a channel strip."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection

import numpy as np
from numpy.typing import NDArray

from eutectic.playback.cursor import Section
from eutectic.playback.events import Ended, Event, Underrun
from eutectic.playback.filters import Knobs
from eutectic.playback.layer import Fade, Layer
from eutectic.playback.notes import FAST_SECONDS, Note, Notes, Press
from eutectic.playback.sounds import SIDES, Fan
from eutectic.playback.strip import Send, Strip
from eutectic.playback.timeline import Timeline

ATTACK_SECONDS, CROSSFADE_SECONDS = 0.001, 0.01

LATE_SECONDS = 0.1
"""A seam that is past for longer is passed over: its loop was off, or beats are counted anew."""

MAX_LAYERS, MAX_FADING = 4, 4
"""A voice's layers that sound at once; and those beyond that, which fade out fast or are cut."""


class Voice:
    """One voice: its newest layer, the ones that fade out under it, its notes, and their routing.

    Attributes:
        bend: of its notes, times the speed.
        choke: the group whose notes end one another's; 0 for none.
    """

    def __init__(self, number: int, channels: int, rate_hz: int) -> None:
        self.number, self.rate_hz = number, rate_hz
        self.layers: list[Layer] = []
        self.crossfade_seconds = CROSSFADE_SECONDS
        self.speed, self.bend, self.section = 1.0, 1.0, Section()
        self.notes, self.choke = Notes(rate_hz), 0
        self.strip = Strip(channels, rate_hz)

    def start(self, layer: Layer, report: Callable[[Event], None]) -> None:
        """Crossfade from what plays to a new layer."""
        for old in self.layers:
            old.release(self.crossfade_seconds)
        self._wake()
        is_smooth = self.layers or layer.position
        self._add(layer, self.crossfade_seconds if is_smooth else ATTACK_SECONDS, report)

    def next_seam(self, timeline: Timeline) -> float:
        """The frame at which its loop of so many beats turns; infinite if it plays none."""
        return self.layers[-1].next_seam(timeline) if self.layers else math.inf

    def turn(self, frame: int, timeline: Timeline, report: Callable[[Event], None]) -> None:
        """Begin its loop anew, if the seam is at this frame, crossfading from what still sounds."""
        late = frame - self.next_seam(timeline)
        if late < 0:
            return
        old = self.layers[-1]
        assert old.beats is not None
        beat = max(old.seam, timeline.beat_of(frame))
        if late > LATE_SECONDS * self.rate_hz:
            old.seam = old.beats.seam(beat)
            return
        longest = old.beats.length * timeline.frames_per_beat / self.rate_hz / 2
        crossfade = min(self.crossfade_seconds, longest)
        again = old.again(self.section, self.speed)
        again.set_beats(old.beats, beat)
        old.is_continued = True
        old.release(crossfade)
        self._add(again, ATTACK_SECONDS if old.is_past else crossfade, report)

    def moved(self, beat: float) -> None:
        """Beats are counted anew, from this one: its loop is where it would be, seen from there."""
        for layer in self.layers:
            if layer.beats is not None:
                layer.seam = layer.beats.seam_from(beat)

    def press(self, press: Press, number: int) -> Note:
        """Strike a note."""
        self._wake()
        return self.notes.begin(press, number, self.speed * self.bend)

    def release(self, seconds: float) -> None:
        """Fade everything out."""
        for layer in self.layers:
            layer.release(seconds)
        self.notes.fade(seconds, self.notes.all)

    def end(self, tokens: Collection[int], seconds: float) -> None:
        """Fade out what was begun under these tokens."""
        for layer in self.layers:
            if layer.token in tokens:
                layer.release(seconds)

    @property
    def is_silent(self) -> bool:
        return not self.layers and not self.notes.sounding

    def panic(self, seconds: float) -> None:
        """Fade everything out, and what the filter would make of it."""
        self.release(seconds)
        self.strip.hush(True)

    def scrub(self, blend: float, y: float) -> None:
        """Glide the newest layer to a blend and along its second axis."""
        if self.layers:
            self.layers[-1].hand.targets[:] = blend, y

    def change(self, token: int, fan: Fan) -> None:
        """Crossfade a request's layer to another fan, where it is."""
        for layer in self.layers:
            if layer.token == token:
                layer.change(fan)

    def set_speed(self, speed: float) -> None:
        """Glide to another speed."""
        self.speed = speed
        for layer in self.layers:
            layer.speed.glide(speed)
        self.notes.speed.glide(speed * self.bend)

    def set_bend(self, bend: float) -> None:
        """Glide the notes to another speed, times the voice's."""
        self.bend = bend
        self.notes.speed.glide(self.speed * bend)

    def cut(self, section: Section) -> None:
        """Play another section of sounds."""
        if section == self.section:
            return
        self.section = section
        for layer in self.layers:
            layer.cut(section)

    def set_loop(self, loop: bool) -> None:
        """Loop the newest layer and the notes, or let them end."""
        if self.layers:
            self.layers[-1].set_loop(loop)
        self.notes.set_loop(loop)

    def route(
        self, gain_db: float | None = None, pan: float | None = None, output: int | None = None,
        mute: bool | None = None,
    ) -> None:  # fmt: skip
        """Glide to another gain, pan or first output; at once if nothing plays."""
        self.strip.route(gain_db, pan, output, mute)
        self._settle()

    def filter(self, knobs: Knobs) -> None:
        """Glide the filter to other settings; at once if nothing plays."""
        self.strip.filter(knobs)
        self._settle()

    def send(self, number: int, send: Send) -> None:
        """Glide a send to another output or gain; at once if nothing plays."""
        self.strip.send(number, send)
        self._settle()

    def mix(
        self, out: NDArray[np.float32], report: Callable[[Event], None],
        stem: NDArray[np.float32] | None = None,
    ) -> None:  # fmt: skip
        """Add the next frames to `out` (frame, channel), and to the voice's stem (frame, 2)."""
        if self.is_silent and not self.strip.sounding:
            return
        frames = len(out)
        crossfade = round(self.crossfade_seconds * self.rate_hz)
        mixed = np.zeros((SIDES, frames), np.float32)
        for layer in list(self.layers):
            samples, underrun = layer.mix(frames, crossfade)
            mixed += samples
            if underrun:
                report(Underrun(self.number, layer.token))
            if layer.silent:
                self.layers.remove(layer)
                self._ended(layer, report)
        if self.notes.sounding:
            mixed += self.notes.mix(frames, crossfade)
        self.strip.mix(mixed, out, stem)

    def _add(self, layer: Layer, attack: float, report: Callable[[Event], None]) -> None:
        layer.fades.append(Fade(max(1, round(attack * self.rate_hz)), True))
        self.layers.append(layer)
        for old in self.layers[:-MAX_LAYERS]:
            old.release(FAST_SECONDS)
        while len(self.layers) > MAX_LAYERS + MAX_FADING:
            self._ended(self.layers.pop(0), report)

    def _ended(self, layer: Layer, report: Callable[[Event], None]) -> None:
        if not layer.is_continued:
            report(Ended(self.number, layer.token))

    def _wake(self) -> None:
        """Make the strip ready for what starts."""
        self.strip.hush(False)
        self._settle()

    def _settle(self) -> None:
        """Let the strip be as it is set, unless something is heard."""
        if self.is_silent and not self.strip.sounding:
            self.strip.settle()
