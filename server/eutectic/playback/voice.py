"""Voices: layers that crossfade and notes, mixed through a channel strip."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from eutectic.playback.cursor import Section
from eutectic.playback.events import Ended, Event, Underrun
from eutectic.playback.layer import Fade, Layer
from eutectic.playback.notes import Note, Notes, Press
from eutectic.playback.sounds import SIDES, Fan
from eutectic.playback.strip import Strip

ATTACK_SECONDS, CROSSFADE_SECONDS = 0.001, 0.01

MAX_LAYERS = 4
"""A voice's layers that sound at once; beyond that the oldest is cut."""


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
        if self.is_silent:
            self.strip.settle()
        is_smooth = self.layers or layer.position
        attack = self.crossfade_seconds if is_smooth else ATTACK_SECONDS
        layer.fades.append(Fade(max(1, round(attack * self.rate_hz)), True))
        self.layers.append(layer)
        while len(self.layers) > MAX_LAYERS:
            report(Ended(self.number, self.layers.pop(0).token))

    def press(self, press: Press, number: int) -> Note:
        """Strike a note."""
        if self.is_silent:
            self.strip.settle()
        return self.notes.begin(press, number, self.speed * self.bend)

    def release(self, seconds: float) -> None:
        """Fade everything out."""
        for layer in self.layers:
            layer.release(seconds)
        self.notes.fade(seconds, self.notes.all)

    @property
    def is_silent(self) -> bool:
        return not self.layers and not self.notes

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
        if self.is_silent:
            self.strip.settle()

    def mix(
        self, out: NDArray[np.float32], report: Callable[[Event], None],
        stem: NDArray[np.float32] | None = None,
    ) -> None:  # fmt: skip
        """Add the next frames to `out` (frame, channel), and to the voice's stem (frame, 2)."""
        if self.is_silent:
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
                report(Ended(self.number, layer.token))
        if self.notes:
            mixed += self.notes.mix(frames, crossfade)
        self.strip.mix(mixed, out, stem)
