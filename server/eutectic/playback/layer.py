"""A layer: one request's fan with its loop, section, speed, fades and underruns."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from eutectic.audio import equal_power
from eutectic.playback.cursor import Cursor, Section
from eutectic.playback.smooth import Smoother
from eutectic.playback.sounds import SIDES, Fan, Nodes, Sound
from eutectic.playback.timeline import BeatLoop, Timeline
from eutectic.playback.varispeed import Varispeed

SCRUB_RATE = 200.0
"""How fast blend and y glide, 1/s: settled in about 40 ms."""

END_SECONDS = 0.01
"""Fade at the end of a sound that has no tail."""

UNDERRUN_FADE_SECONDS = 0.005
"""A layer fades out over this much of what is decoded, and back in."""

RESUME_SECONDS = 0.05
"""After an underrun a layer resumes once this much is decoded ahead."""

NODES_SECONDS = 0.03
"""Crossfade to another set of nodes, when a sound of the fan becomes usable, to another fan, or to
another section."""


class Fade:
    """A fade in (`rising`) or out over `length` frames, at equal power."""

    def __init__(self, length: int, rising: bool, at: int = 0) -> None:
        self.length, self.rising, self.at = length, rising, at

    @property
    def left(self) -> int:
        return self.length - self.at

    @property
    def over(self) -> bool:
        return self.left <= 0

    def advance(self, frames: int) -> NDArray[np.float32]:
        """The next gains (frame)."""
        share = ((self.at + np.arange(1, frames + 1)) / (self.length + 1)).clip(0, 1)
        self.at += frames
        rising, falling = equal_power(share)
        return (rising if self.rising else falling).astype(np.float32)


class Layer:
    """One request on a voice, from its first sample to its last."""

    def __init__(
        self, fan: Fan, token: int, blend: float, gain: float, loop: bool, rate_hz: int,
        section: Section | None = None, speed: float = 1.0,
        position: int = 0, y: float = 0.0,
    ) -> None:  # fmt: skip
        self.fan, self.token, self.gain = fan, token, np.float32(gain)
        self.rate_hz = rate_hz
        self.section = section or Section()
        self.cursor = Cursor(loop, position)
        self.old_section, self.old_cursor = self.section, self.cursor
        self.cut_fade, self.is_same_frame = Fade(1, True, 1), True
        """From the old section to this one, which may go on at the same frame."""
        self.next_section: Section | None = None
        self.speed = Varispeed(speed, rate_hz)
        self.fades: list[Fade] = []
        """The attack and, later, the releases; their gains multiply."""
        self.underrun_fade: Fade | None = None
        """Falling from an underrun on, rising once there is more to play."""
        self.hand = Smoother(np.array([blend, y]), SCRUB_RATE, rate_hz)
        self.nodes: Nodes | None = None
        self.old_nodes: Nodes | None = None
        self.old_fan = fan
        """Of the old nodes."""
        self.nodes_fade = Fade(1, True, 1)
        self.next_fan: Fan | None = None
        self.silent = False
        self.beats: BeatLoop | None = None
        """Instead of a loop of the sound's own length: a new layer takes over at every seam."""
        self.turning, self.seam = False, math.inf
        """Whether it does, and the beat of the next one."""
        self.is_continued = False
        """By a new layer of the same request."""
        self._has_underrun = False

    @property
    def loop(self) -> bool:
        return self.cursor.loop or self.turning

    @property
    def position(self) -> int:
        """Frames into the section."""
        return self.cursor.position

    @property
    def sound_frame(self) -> int:
        """Of the sounds, at this position."""
        return self.section.frame(self.position, self.fan, self.rate_hz)

    @property
    def frames(self) -> int:
        """Of the section."""
        low, high = self.section.edges(self.fan.frames, self.rate_hz)
        return high - low

    @property
    def releasing(self) -> bool:
        return any(not fade.rising for fade in self.fades)

    def release(self, seconds: float) -> None:
        """Fade out, unless a fade under way ends as soon."""
        length = max(1, self._frames(seconds))
        if all(fade.left > length for fade in self.fades if not fade.rising):
            self.fades.append(Fade(length, False))

    def change(self, fan: Fan) -> None:
        """Crossfade to another fan of the same length, at this position, once it has a sound."""
        self.next_fan = fan

    def cut(self, section: Section) -> None:
        """Crossfade to another section, going on at the same frame if that has it."""
        self.next_section = section

    def set_loop(self, loop: bool) -> None:
        """Loop, or end at the end; past the end, nothing changes."""
        if self.beats is not None:
            self.turning = loop
        elif self.position < self.frames:
            self.cursor.loop = self.old_cursor.loop = loop

    def set_beats(self, beats: BeatLoop, beat: float) -> None:
        """Loop so many beats, from one on: what is longer is cut, what is shorter has silence."""
        self.beats, self.seam = beats, beats.seam(beat)
        self.turning, self.cursor.loop = self.loop, False

    def again(self, section: Section, speed: float) -> Layer:
        """The same request from the start."""
        again = Layer(
            self.fan, self.token, float(self.hand.targets[0]), float(self.gain), self.loop,
            self.rate_hz, section, speed, 0, float(self.hand.targets[1]),
        )  # fmt: skip
        again.next_fan = self.next_fan
        return again

    @property
    def is_past(self) -> bool:
        """Whether the sound is over, though its loop isn't."""
        return self.position >= self.frames + self.fan.tail + self.speed.ahead

    def next_seam(self, timeline: Timeline) -> float:
        """The frame at which its loop of beats turns; infinite if it has none."""
        is_turning = self.turning and not self.releasing
        return timeline.whole_frame_of(self.seam) if is_turning else math.inf

    def mix(self, frames: int, crossfade: int) -> tuple[NDArray[np.float32], bool]:
        """The next frames (2, frame), and whether an underrun has just begun."""
        self._has_underrun = False
        out = self.speed.play(frames, lambda count: self._decoded(count, crossfade)) * self.gain
        for fade in self.fades:
            out *= fade.advance(frames)
            self.silent = self.silent or (fade.over and not fade.rising)
        self.fades = [fade for fade in self.fades if not fade.over]
        return out, self._has_underrun

    def _decoded(self, frames: int, crossfade: int) -> NDArray[np.float32]:
        """The next frames (2, frame) at speed 1, as far as they are decoded."""
        self._change(frames)
        self._has_underrun |= self._check_underrun(frames)
        out = np.zeros((SIDES, frames), np.float32)
        count = frames
        if self.underrun_fade is not None and not self.underrun_fade.rising:
            if self.underrun_fade.over:
                self.silent = self.silent or self.releasing
                return out
            count = min(frames, self.underrun_fade.left)
        out[:, :count] = self._read(self._gains(count), count, crossfade)
        self._advance(count)
        if self.underrun_fade is not None:
            out[:, :count] *= self.underrun_fade.advance(count)
            if self.underrun_fade.over and self.underrun_fade.rising:
                self.underrun_fade = None
        return out

    def _frames(self, seconds: float) -> int:
        return round(seconds * self.rate_hz)

    def _nodes(self, fan: Fan, margin: int) -> Nodes | None:
        """The sounds of a fan that are decoded to `margin` frames beyond this position."""
        return fan.nodes(self.section.needed(self.position, fan, self.rate_hz), margin)

    def _change(self, frames: int) -> None:
        """Begin the crossfade to the next fan or section, if it can begin."""
        if self.next_section is not None and self.cut_fade.over:
            self._cut_to(self.next_section)
            self.next_section = None
        if self.next_fan is None or not self.nodes_fade.over:
            return
        nodes = self._nodes(self.next_fan, frames + self._frames(NODES_SECONDS))
        if nodes is not None:
            self._fade_to(self.next_fan, nodes)
            self.next_fan = None

    def _check_underrun(self, frames: int) -> bool:
        """Begin or end an underrun; true if one has just begun."""
        length = self._frames(UNDERRUN_FADE_SECONDS)
        fade = self.underrun_fade
        if fade is not None and not fade.rising:
            nodes = self._nodes(self.fan, frames + self._frames(RESUME_SECONDS))
            if fade.over and nodes is not None:
                self.underrun_fade = Fade(length, True)
                self._use(nodes)
            return False
        nodes = self._nodes(self.fan, frames + length)
        if nodes is not None:
            self._use(nodes)
            return False
        heard = self.nodes is not None
        self.underrun_fade = Fade(length, False, 0 if heard else length)
        return heard

    def _use(self, nodes: Nodes) -> None:
        """Crossfade to other nodes, once the last such crossfade is over."""
        if nodes != self.nodes and self.nodes_fade.over:
            self._fade_to(self.fan, nodes)

    def _fade_to(self, fan: Fan, nodes: Nodes) -> None:
        if self.nodes is not None:
            self.old_fan, self.old_nodes = self.fan, self.nodes
            self.nodes_fade = Fade(self._frames(NODES_SECONDS), True)
        self.fan, self.nodes = fan, nodes

    def _gains(self, frames: int) -> dict[Sound, NDArray[np.float32]]:
        """Gains over time (frame, or 1 where they stay) of each audible sound."""
        if self.nodes is None:
            return {}
        course = self.hand.advance(frames if self.hand.moving else 1)
        gains = _of_sounds(self.fan, self.nodes, course)
        if self.old_nodes is None:
            return gains
        share = self.nodes_fade.advance(frames) ** 2  # linear: the nodes may share sounds
        mixed = {sound: share * gain for sound, gain in gains.items()}
        for sound, gain in _of_sounds(self.old_fan, self.old_nodes, course).items():
            mixed[sound] = mixed.get(sound, np.float32(0)) + (1 - share) * gain
        if self.nodes_fade.over:
            self.old_nodes, self.old_fan = None, self.fan
        return mixed

    def _cut_to(self, section: Section) -> None:
        """Begin the crossfade to another section, unless nothing is heard yet."""
        old, frame = self.section, self.section.frame(self.position, self.fan, self.rate_hz)
        position = section.position(frame, self.fan, self.rate_hz)
        if self.nodes is not None:
            self.old_section, self.old_cursor = old, self.cursor
            self.cut_fade = Fade(self._frames(NODES_SECONDS), True)
            self.is_same_frame = position is not None and section.reverse == old.reverse
        self.section = section
        self.cursor = Cursor(self.cursor.loop, position or 0, self.cursor.wrapped)

    def _samples(self, gains: dict[Sound, NDArray[np.float32]], frames: int, crossfade: int,
                 section: Section, cursor: Cursor) -> NDArray[np.float32]:  # fmt: skip
        """The next frames (2, frame) of a section of sounds, with these gains."""
        out = np.zeros((SIDES, frames), np.float32)
        end = self._frames(END_SECONDS)
        for sound, gain in gains.items():
            passage = section.of(sound, self.rate_hz)
            out += gain * cursor.read(passage, frames, crossfade, end)
        return out

    def _read(
        self, gains: dict[Sound, NDArray[np.float32]], frames: int, crossfade: int
    ) -> NDArray[np.float32]:
        """The next frames (2, frame) of sounds with these gains, between sections if need be."""
        out = self._samples(gains, frames, crossfade, self.section, self.cursor)
        if self.cut_fade.over:
            return out
        old = self._samples(gains, frames, crossfade, self.old_section, self.old_cursor)
        rising = self.cut_fade.advance(frames)
        if self.is_same_frame:
            rising, falling = rising * rising, 1 - rising * rising
        else:
            falling = np.sqrt(1 - rising * rising)
        return (rising * out + falling * old).astype(np.float32, copy=False)

    def _advance(self, frames: int) -> None:
        low, high = self.section.edges(self.fan.frames, self.rate_hz)
        self.cursor.advance(frames, high - low)
        if not self.cut_fade.over:
            low, high = self.old_section.edges(self.fan.frames, self.rate_hz)
            self.old_cursor.advance(frames, high - low)
        if not self.loop and self.nodes is not None:
            self.silent = self.silent or self.is_past


def _of_sounds(
    fan: Fan, nodes: Nodes, course: NDArray[np.float64]
) -> dict[Sound, NDArray[np.float32]]:
    """Gains over time (frame) of a fan's audible sounds, for a course (blend and y, frame)."""
    gains: dict[Sound, NDArray[np.float32]] = {}
    for index, gain in nodes.gains(*course).items():
        sound = fan.sounds[index]
        assert sound is not None
        gains[sound] = gains.get(sound, np.float32(0)) + gain
    return gains
