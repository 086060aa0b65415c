"""A layer: one request's fan with its loop, fades and underruns."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from eutectic.audio import equal_power, smoothstep
from eutectic.playback.smooth import Smoother
from eutectic.playback.sounds import SIDES, Fan, Nodes, Sound
from eutectic.playback.timeline import ROUNDING_BEATS, BeatLoop, Timeline

ATTACK_SECONDS = 0.001

SCRUB_RATE = 200.0
"""How fast the blend glides, 1/s: settled in about 40 ms."""

END_SECONDS = 0.01
"""Fade at the end of a sound that has no tail."""

UNDERRUN_FADE_SECONDS = 0.005
"""A layer fades out over this much of what is decoded, and back in."""

RESUME_SECONDS = 0.05
"""After an underrun a layer resumes once this much is decoded ahead."""

NODES_SECONDS = 0.03
"""Crossfade to another set of nodes, when a sound of the fan becomes usable, or to another fan."""


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
        self, fan: Fan, token: int, blend: float, gain: float, loop: bool, rate_hz: int
    ) -> None:
        self.fan, self.token, self.gain, self.loop = fan, token, np.float32(gain), loop
        self.rate_hz = rate_hz
        self.position = 0
        self.fades: list[Fade] = []
        """The attack and, later, the releases; their gains multiply."""
        self.underrun_fade: Fade | None = None
        """Falling from an underrun on, rising once there is more to play."""
        self.blend = Smoother(np.array([blend]), SCRUB_RATE, rate_hz)
        self.nodes: Nodes | None = None
        self.old_nodes: Nodes | None = None
        self.old_fan = fan
        """Of the old nodes."""
        self.nodes_fade = Fade(1, True, 1)
        self.next_fan: Fan | None = None
        self.beats: BeatLoop | None = None
        """The loop's length, where that isn't the sound's."""
        self._seam_beat = math.inf
        self._cut, self._begun, self._seam_frames = 0, 0, 0
        """Where the last turn was cut, where this one began, and how long both sound."""
        self.wrapped = False
        self.silent = False

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

    def set_loop(self, loop: bool) -> None:
        """Loop, or end at the end; past the end, nothing changes."""
        if self.position < self.fan.frames or self.beats is not None:
            self.loop = loop

    def set_beats(self, loop: BeatLoop) -> None:
        """Loop so many beats: what is longer is cut, what is shorter has silence after it."""
        self.beats, self._seam_beat = loop, loop.seam(loop.origin)

    def turn(self, timeline: Timeline) -> float:
        """Frames from one turn of its loop to the next; without one, of the sound."""
        if self.beats is None or not self.loop:
            return self.fan.frames
        return self.beats.length * timeline.frames_per_beat

    def next_seam(self, timeline: Timeline) -> float:
        """The frame at which its loop of beats turns; infinite if it has none."""
        if self.beats is None or not self.loop or self.releasing:
            return math.inf
        return timeline.whole_frame_of(self._seam_beat)

    def turn_over(self, frame: int, timeline: Timeline, crossfade_seconds: float) -> None:
        """Begin the loop anew, at or after its seam, crossfading from what still sounds."""
        assert self.beats is not None
        late = frame - timeline.whole_frame_of(self._seam_beat)
        seam = min(self._frames(crossfade_seconds), self.position // 2)
        if self.position >= self._whole or self.fan.nodes(self.position, seam) is None:
            seam = self._frames(ATTACK_SECONDS)
        self._cut, self._seam_frames = self.position, seam
        self._begun = self.position = int(late % self.turn(timeline))
        self._seam_beat = self.beats.seam(max(self._seam_beat, timeline.beat_of(frame)))

    def moved(self, beat: float) -> None:
        """Beats are counted anew, from this one: its loop is where it would be, seen from there."""
        if self.beats is not None:
            self._seam_beat = self.beats.seam(beat - 2 * ROUNDING_BEATS)

    def mix(self, frames: int, crossfade: int) -> tuple[NDArray[np.float32], bool]:
        """The next frames (2, frame), and whether an underrun has just begun."""
        self._change(frames)
        underrun = self._check_underrun(frames)
        out = np.zeros((SIDES, frames), np.float32)
        count = frames
        if self.underrun_fade is not None and not self.underrun_fade.rising:
            if self.underrun_fade.over:
                self.silent = self.releasing
                return out, underrun
            count = min(frames, self.underrun_fade.left)
        for sound, gain in self._gains(count).items():
            out[:, :count] += gain * self._read(sound, count, crossfade)
        self._advance(count)
        out *= self.gain
        if self.underrun_fade is not None:
            out[:, :count] *= self.underrun_fade.advance(count)
            if self.underrun_fade.over and self.underrun_fade.rising:
                self.underrun_fade = None
        for fade in self.fades:
            out *= fade.advance(frames)
            self.silent = self.silent or (fade.over and not fade.rising)
        self.fades = [fade for fade in self.fades if not fade.over]
        return out, underrun

    def _frames(self, seconds: float) -> int:
        return round(seconds * self.rate_hz)

    @property
    def _whole(self) -> int:
        """Frames of its sounds, with their tails."""
        sounds = filter(None, self.fan.sounds)
        return max((sound.samples.shape[1] for sound in sounds), default=0)

    def _change(self, frames: int) -> None:
        """Begin the crossfade to the next fan, if it can begin."""
        if self.next_fan is None or not self.nodes_fade.over:
            return
        nodes = self.next_fan.nodes(self.position, frames + self._frames(NODES_SECONDS))
        if nodes is not None:
            self._fade_to(self.next_fan, nodes)
            self.next_fan = None

    def _check_underrun(self, frames: int) -> bool:
        """Begin or end an underrun; true if one has just begun."""
        length = self._frames(UNDERRUN_FADE_SECONDS)
        fade = self.underrun_fade
        if fade is not None and not fade.rising:
            nodes = self.fan.nodes(self.position, frames + self._frames(RESUME_SECONDS))
            if fade.over and nodes is not None:
                self.underrun_fade = Fade(length, True)
                self._use(nodes)
            return False
        nodes = self.fan.nodes(self.position, frames + length)
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
        """Gains over time (frame) of each audible sound."""
        if self.nodes is None:
            return {}
        blends = self.blend.advance(frames)[0]
        gains = _of_sounds(self.fan, self.nodes, blends)
        if self.old_nodes is None:
            return gains
        share = self.nodes_fade.advance(frames) ** 2  # linear: the nodes may share sounds
        mixed = {sound: share * gain for sound, gain in gains.items()}
        for sound, gain in _of_sounds(self.old_fan, self.old_nodes, blends).items():
            mixed[sound] = mixed.get(sound, np.float32(0)) + (1 - share) * gain
        if self.nodes_fade.over:
            self.old_nodes, self.old_fan = None, self.fan
        return mixed

    def _read(self, sound: Sound, frames: int, crossfade: int) -> NDArray[np.float32]:
        """A sound from the position on, around its loop's seam or into its fade at the end."""
        at = self.position + np.arange(frames)
        if self.beats is not None:
            return self._read_turn(sound, at).astype(np.float32)
        after_seam = at >= sound.frames
        if self.loop:
            at[after_seam] -= sound.frames
            after_seam |= self.wrapped
        else:
            after_seam[:] = self.wrapped
        last = sound.samples.shape[1] - 1
        out = sound.samples[:, at.clip(max=last)]
        seam = min(sound.tail, crossfade)
        inside = np.flatnonzero(after_seam & (at < seam))
        if len(inside):
            rising, falling = equal_power((at[inside] + 1) / (seam + 1))
            tail = sound.samples[:, sound.frames + at[inside]]
            out[:, inside] = rising * out[:, inside] + falling * tail
        return (out if self.loop else self._ended(sound, at, out)).astype(np.float32)

    def _read_turn(self, sound: Sound, at: NDArray[np.int64]) -> NDArray[np.floating]:
        """A sound in its loop of beats: as if played once, over the end of the last turn."""
        out = self._once(sound, at)
        since = at - self._begun
        if since[0] < self._seam_frames:
            rising, falling = equal_power(((since + 1) / (self._seam_frames + 1)).clip(max=1))
            out = rising * out + falling * self._once(sound, self._cut + since)
        return out

    def _once(self, sound: Sound, at: NDArray[np.int64]) -> NDArray[np.floating]:
        """A sound at positions, silent after its end."""
        last = sound.samples.shape[1] - 1
        return self._ended(sound, at, sound.samples[:, at.clip(max=last)])

    def _ended(
        self, sound: Sound, at: NDArray[np.int64], samples: NDArray[np.float32]
    ) -> NDArray[np.floating]:
        """The samples, faded out where the sound ends."""
        length = sound.tail or min(self._frames(END_SECONDS), sound.frames)
        share = (at + length - sound.samples.shape[1] + 1) / (length + 1)
        return samples * (1 - smoothstep(share.clip(0, 1))) if share[-1] > 0 else samples

    def _advance(self, frames: int) -> None:
        self.position += frames
        if self.loop and self.beats is not None:
            return
        if self.loop and self.position >= self.fan.frames > 0:
            self.position -= self.fan.frames
            self.wrapped = True
        elif not self.loop and self.nodes is not None:
            self.silent = self.silent or self.position >= self._whole


def _of_sounds(
    fan: Fan, nodes: Nodes, blends: NDArray[np.float64]
) -> dict[Sound, NDArray[np.float32]]:
    """Gains over time (frame) of a fan's audible sounds, for blends over time (frame)."""
    gains: dict[Sound, NDArray[np.float32]] = {}
    for index, gain in nodes.gains(blends).items():
        sound = fan.sounds[index]
        assert sound is not None
        gains[sound] = gain
    return gains
