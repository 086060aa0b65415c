"""A voice's notes: sounds at a pitch, each with an envelope, mixed all at once.

A note's sound is at its pitch already (see `pitch`), so mixing is slicing. What all notes of a
voice have in common, its speed and its bend, is applied to their sum.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eutectic.playback.cursor import Cursor, Section
from eutectic.playback.layer import END_SECONDS, RESUME_SECONDS, UNDERRUN_FADE_SECONDS, Fade
from eutectic.playback.sounds import SIDES, Sound
from eutectic.playback.varispeed import Varispeed

MAX_NOTES = 64
"""Notes that sound at once, of all voices together; beyond that one is taken."""

MAX_FADING = 32
"""Notes on top of those that are fading out fast; beyond that one is cut."""

FAST_SECONDS = 0.005
"""Fade of a note that is choked, taken, or struck again."""

MIN_ATTACK_SECONDS, MIN_RELEASE_SECONDS = 0.001, 0.005


@dataclass(frozen=True)
class Envelope:
    """Attack, decay and release in seconds; `sustain` is a share of the full level."""

    attack: float = 0.002
    decay: float = 0.0
    sustain: float = 1.0
    release: float = 0.12


@dataclass(frozen=True)
class Press:
    """A note to be played: a section of a sound, at its pitch; `key` is what it is released by."""

    key: float
    sound: Sound
    section: Section
    gain: float
    envelope: Envelope
    loop: bool


class Note:
    """A note that sounds; `number` is the order in which they began, of all voices together.

    Attributes:
        released: whether its key was let go.
        fading: whether it fades out fast.
    """

    def __init__(self, press: Press, number: int, rate_hz: int) -> None:
        self.key, self.number = press.key, number
        self.released = self.fading = False
        self.cursor = Cursor(press.loop)
        self._sound, self._section, self._rate_hz = press.sound, press.section, rate_hz
        self._passage = press.section.of(press.sound, rate_hz)
        self._is_whole = False
        self._plain_from = self._plain_until = 0
        """Where it is read as it is."""
        self._gap: Fade | None = None
        """Falling where no more is decoded, rising once there is."""

    @property
    def ended(self) -> bool:
        """Whether its sound is over."""
        return not self.cursor.loop and self.cursor.position >= self._passage.samples.shape[1]

    def read_into(self, block: NDArray[np.float32], crossfade: int) -> None:
        """Fill a block (2, frame) with the next frames."""
        frames, cursor = block.shape[1], self.cursor
        position = cursor.position
        if position >= self._plain_from and position + frames <= self._plain_until:
            block[:] = self._passage.samples[:, position : position + frames]
            cursor.position = position + frames
        else:
            self._read_carefully(block, crossfade)

    def set_loop(self, loop: bool) -> None:
        """Loop its sound, or let that end."""
        if not self.ended:
            self.cursor.loop = loop
            self._plain_until = 0

    def _read_carefully(self, block: NDArray[np.float32], crossfade: int) -> None:
        """As `read_into`, where there is an end or a seam, or what isn't decoded yet."""
        frames, end = block.shape[1], self._frames(END_SECONDS)
        if not self._is_whole:
            block[:] = self._read_growing(frames, crossfade)
            return
        block[:] = self.cursor.read(self._passage, frames, crossfade, end)
        self.cursor.advance(frames, self._passage.frames)
        passage, cursor = self._passage, self.cursor
        self._plain_from = min(passage.tail, crossfade) if cursor.wrapped else 0
        last = passage.samples.shape[1] - (passage.tail or end)
        self._plain_until = passage.frames if cursor.loop else last

    def _read_growing(self, frames: int, crossfade: int) -> NDArray[np.float32]:
        """As `read`, of what is still being written: it fades out in time, and in again later."""
        ready, length = self._section.ready(self._sound, self._rate_hz), self._gap_frames
        is_whole = ready == self._passage.samples.shape[1]
        left = ready - self.cursor.position
        gap = self._gap
        if gap is None and not is_whole and left < frames + length:
            gap = Fade(length, False, 0 if self.cursor.position else length)
        elif gap is not None and not gap.rising and gap.over and (
            is_whole or left >= frames + self._frames(RESUME_SECONDS)
        ):  # fmt: skip
            gap = Fade(length, True)
        self._gap, self._is_whole = gap, is_whole and gap is None
        count = frames if gap is None or gap.rising else min(frames, max(0, gap.left))
        out = np.zeros((SIDES, frames), np.float32)
        end = self._frames(END_SECONDS)
        out[:, :count] = self.cursor.read(self._passage, count, crossfade, end)
        self.cursor.advance(count, self._passage.frames)
        if gap is not None:
            out[:, :count] *= gap.advance(count)
            self._gap = None if gap.rising and gap.over else gap
        return out

    @property
    def _gap_frames(self) -> int:
        return self._frames(UNDERRUN_FADE_SECONDS)

    def _frames(self, seconds: float) -> int:
        return round(seconds * self._rate_hz)


AGE, ATTACK, DECAY, SUSTAIN, RELEASE, RELEASED, LEVEL, NOW, GAIN = range(9)
"""Columns of the notes' state: frames since a note began; its envelope, in frames; at what age it
was released (infinite: it is held), and its level then; its level now; its gain."""


class Notes:
    """The notes of one voice that sound; owned by the mixing thread.

    Attributes:
        to_come: keys of those that haven't begun, by the order in which they were asked for; other
            threads add to it.
    """

    def __init__(self, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        self.all: list[Note] = []
        self.to_come: dict[int, float] = {}
        self.speed = Varispeed(1.0, rate_hz)
        self._state = np.zeros((0, GAIN + 1))
        """A row for each note."""
        self._memory = np.zeros(0, np.float32)
        """For what all of them read."""
        self._elapsed = 0
        """Frames to be heard, of which none has been taken from the notes."""

    def __len__(self) -> int:
        return len(self.all)

    @property
    def sounding(self) -> bool:
        """Whether a note sounds, or the end of one is still to be heard at another speed."""
        return bool(self.all) or self.speed.rings

    def begin(self, press: Press, number: int, speed: float) -> Note:
        """Strike a note, at a speed; one of the same key fades out fast."""
        if not self.sounding:
            self.speed.jump(speed)
        self.fade(FAST_SECONDS, [note for note in self.all if note.key == press.key])
        note, of = Note(press, number, self.rate_hz), press.envelope
        attack = self._frames(max(of.attack, MIN_ATTACK_SECONDS))
        release = self._frames(max(of.release, MIN_RELEASE_SECONDS))
        state = 0, attack, self._frames(of.decay), of.sustain, release, np.inf, 1, 0, press.gain
        self.all.append(note)
        self._state = np.concatenate([self._state, np.array([state])])
        return note

    def release(self, key: float) -> bool:
        """Let a key go; returns whether it was held."""
        held = [note for note in self.all if note.key == key and not note.released]
        for note in held:
            self.let_go(note)
        return bool(held)

    def forget(self, key: float, number: int) -> None:
        """Begin no note of a key that was asked for before this number."""
        for asked, each in list(self.to_come.items()):
            if each == key and asked < number:
                self.to_come.pop(asked, None)

    def let_go(self, note: Note) -> None:
        """Release one note, if it still sounds."""
        if note in self.all and not note.released:
            note.released = True
            row = self._state[self.all.index(note)]
            row[RELEASED], row[LEVEL] = row[AGE], row[NOW]

    def fade(self, seconds: float, notes: list[Note]) -> None:
        """Fade notes out, unless they are over as soon."""
        length = max(1, self._frames(seconds))
        for note in notes:
            row = self._state[self.all.index(note)]
            note.fading |= seconds <= FAST_SECONDS
            if row[RELEASED] + row[RELEASE] - row[AGE] > length:
                note.released = True
                row[RELEASED], row[LEVEL], row[RELEASE] = row[AGE], row[NOW], length

    def cut(self, note: Note) -> None:
        """End a note at once."""
        self._keep([each is not note for each in self.all])

    def set_loop(self, loop: bool) -> None:
        """Loop the sounds of the notes, or let them end."""
        for note in self.all:
            note.set_loop(loop)

    def mix(self, frames: int, crossfade: int) -> NDArray[np.float32]:
        """The next frames (2, frame)."""
        self._elapsed += frames
        out = self.speed.play(frames, lambda count: self._sum(count, crossfade))
        state = self._state
        over = state[:, AGE] >= state[:, RELEASED] + state[:, RELEASE]
        self._keep([not (end or note.ended) for end, note in zip(over, self.all, strict=True)])
        return out

    def _sum(self, frames: int, crossfade: int) -> NDArray[np.float32]:
        """The next frames (2, frame) at speed 1; envelopes take their time at any speed."""
        count = len(self.all)
        if not count:
            return np.zeros((SIDES, frames), np.float32)
        size = count * SIDES * frames
        if self._memory.size < size:
            self._memory = np.empty(2 * size, np.float32)
        blocks = self._memory[:size].reshape(count, SIDES, frames)
        for block, note in zip(blocks, self.all, strict=True):
            note.read_into(block, crossfade)
        gains = self._gains(np.linspace(0, self._elapsed, frames + 1)[1:])
        self._elapsed = 0
        if gains.shape[1] == 1:
            return (gains[:, 0] @ blocks.reshape(count, -1)).reshape(SIDES, frames)
        return np.einsum("nsf,nf->sf", blocks, gains)

    def _gains(self, later: NDArray[np.float64]) -> NDArray[np.float32]:
        """Each note's gain (note, frame) so many frames later (frame); of one frame if all rest."""
        state = self._state
        held = np.isinf(state[:, RELEASED])
        moving = np.flatnonzero(held & (state[:, AGE] < state[:, ATTACK] + state[:, DECAY]))
        let_go = np.flatnonzero(~held)
        if not len(moving) and not len(let_go):
            state[:, AGE] += later[-1]
            state[:, NOW] = state[:, SUSTAIN]
            return (state[:, SUSTAIN] * state[:, GAIN]).astype(np.float32)[:, None]
        levels = np.repeat(state[:, SUSTAIN, None], len(later), axis=1).astype(np.float32)
        if len(moving):
            levels[moving] = _held(state[moving], later)
        if len(let_go):
            levels[let_go] = _let_go(state[let_go], later)
        state[:, AGE] += later[-1]
        state[:, NOW] = levels[:, -1]
        levels *= state[:, GAIN, None].astype(np.float32)
        return levels

    def _keep(self, which: list[bool]) -> None:
        if not all(which):
            self.all = [note for note, stays in zip(self.all, which, strict=True) if stays]
            self._state = self._state[which]

    def _frames(self, seconds: float) -> int:
        return round(seconds * self.rate_hz)


def _held(state: NDArray[np.float64], later: NDArray[np.float64]) -> NDArray[np.float32]:
    """Levels (note, frame) of notes that are held, so many frames later (frame)."""
    ages = state[:, AGE, None] + later
    attack, decay, sustain = (state[:, each, None] for each in (ATTACK, DECAY, SUSTAIN))
    sustain = sustain.astype(np.float32)
    falling = _falling(np.maximum(ages - attack, 0) / np.maximum(decay, 1))
    levels = np.where(ages < attack, _rising(ages / attack), sustain + (1 - sustain) * falling)
    return levels.astype(np.float32, copy=False)


def _let_go(state: NDArray[np.float64], later: NDArray[np.float64]) -> NDArray[np.float32]:
    """Levels (note, frame) of notes that were released, so many frames later (frame)."""
    since = (state[:, AGE] - state[:, RELEASED])[:, None] + later
    levels = _falling(since / state[:, RELEASE, None])
    levels *= state[:, LEVEL, None].astype(np.float32)
    return levels


def _rising(share: NDArray[np.float64]) -> NDArray[np.float32]:
    """`audio.smoothstep`, without the powers that take most of its time."""
    x = np.minimum(share, 1).astype(np.float32)
    return (x * x * x * (x * (6 * x - 15) + 10)).astype(np.float32, copy=False)


def _falling(share: NDArray[np.float64]) -> NDArray[np.float32]:
    """1 to 0 over shares from 0 to 1, like a string: it lets go smoothly, and has a long end.

    Slope and curvature are continuous, at the end the third derivative, too.
    """
    left = np.maximum(1 - share, 0).astype(np.float32)
    past = 1 - left
    left *= left
    return (left * left * (1 + past * (4 + 10 * past))).astype(np.float32, copy=False)
