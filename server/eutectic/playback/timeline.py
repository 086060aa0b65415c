"""Musical time as the player has it: which beat a frame is on.

Beats are counted from one anchor, never added up, so that nothing drifts: after days a beat is
still where its number says, to a small part of a frame. With a tempo of its own the timeline goes
by the device's clock alone. One that is followed from elsewhere is moved a little again and again;
see `session.tempo`, also for latency: here a frame is on its beat when it is mixed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

BPM = 120.0

ROUNDING_BEATS = 1e-6
"""A beat this far beyond a multiple is on it: numbers in messages are 32 bits wide."""


@dataclass(frozen=True)
class Timeline:
    """Beats over frames: `beat` is on `frame`, and they run at `bpm`, or are held there.

    `frame` needn't be whole.
    """

    rate_hz: int
    bpm: float = BPM
    beat: float = 0.0
    frame: float = 0.0
    running: bool = True

    @property
    def frames_per_beat(self) -> float:
        return 60 * self.rate_hz / self.bpm

    def frame_of(self, beat: float) -> float:
        """The frame of a beat; infinite while beats are held."""
        if not self.running:
            return math.inf
        return self.frame + (beat - self.beat) * self.frames_per_beat

    def whole_frame_of(self, beat: float) -> float:
        """The whole frame nearest to a beat; infinite while beats are held."""
        frame = self.frame_of(beat)
        return frame if math.isinf(frame) else round(frame)

    def beat_of(self, frame: float) -> float:
        """The beat at a frame."""
        if not self.running:
            return self.beat
        return self.beat + (frame - self.frame) / self.frames_per_beat

    def set(
        self, frame: float, *,
        bpm: float | None = None, beat: float | None = None, running: bool | None = None,
    ) -> Timeline:  # fmt: skip
        """Another from a frame on, where the beat goes on from what it was unless it is given."""
        return replace(
            self,
            bpm=self.bpm if bpm is None else bpm,
            beat=self.beat_of(frame) if beat is None else beat,
            frame=frame,
            running=self.running if running is None else running,
        )


@dataclass(frozen=True)
class Beat:
    """When something is due in musical time: at a beat, or a multiple of so many, not before it.

    `number` is the beat that follows from both, `first` the one that was asked for, `every` the
    number that it is a multiple of; 0: any.
    """

    number: float
    first: float = -math.inf
    every: float = 0.0

    @classmethod
    def after(cls, now: float, first: float | None, every: float) -> Beat:
        """The one that follows at `now`, a beat."""
        earliest = now if first is None else first if not every else max(now, first)
        return cls(_multiple(earliest, every), -math.inf if first is None else first, every)

    def again(self, now: float) -> Beat:
        """The same, after beats were counted anew: the next multiple may be a smaller number."""
        if not self.every:
            return self
        number = _multiple(max(now, self.first), self.every)
        return replace(self, number=min(self.number, number))


def _multiple(beat: float, every: float) -> float:
    """The next multiple, which may be the beat itself."""
    return every * math.ceil((beat - ROUNDING_BEATS) / every) if every else beat


@dataclass(frozen=True)
class BeatLoop:
    """A loop of `length` beats that began on the beat `origin`: it starts anew on every seam."""

    origin: float
    length: float

    def seam(self, beat: float) -> float:
        """The first seam after a beat."""
        turns = math.floor((beat - self.origin + ROUNDING_BEATS) / self.length) + 1
        return self.origin + self.length * turns

    def seam_from(self, beat: float) -> float:
        """The first seam at a beat or after."""
        return self.seam(beat - 2 * ROUNDING_BEATS)
