"""Where in a sound its player is: what section of it is played, the loop's seam, the end's fade."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from eutectic.audio import Samples, equal_power, smoothstep
from eutectic.playback.sounds import Fan, Sound

SHORTEST_SECONDS = 0.05
"""A section is at least this long, if the sound is."""


class Passage(NamedTuple):
    """Samples in the order in which they are played, (2, frames + tail): a view of a sound's.

    As in a sound, the tail behind the `frames` of the loop's period is what its seam crossfades
    from.
    """

    samples: Samples
    frames: int
    tail: int


@dataclass(frozen=True)
class Section:
    """What of a sound is played: from `low` to `high`, shares of its length, maybe in reverse."""

    low: float = 0.0
    high: float = 1.0
    reverse: bool = False

    def edges(self, frames: int, rate_hz: int) -> tuple[int, int]:
        """Its first frame in a sound of so many, and the one behind its last."""
        low, high = round(self.low * frames), round(self.high * frames)
        shortest = min(frames, round(SHORTEST_SECONDS * rate_hz))
        high = max(high, min(frames, low + shortest))
        return min(low, high - shortest), high

    def of(self, sound: Sound, rate_hz: int) -> Passage:
        """This section of a sound."""
        low, high = self.edges(sound.frames, rate_hz)
        samples = sound.samples[:, low : high + sound.tail]
        return Passage(samples[:, ::-1] if self.reverse else samples, high - low, sound.tail)

    def ready(self, sound: Sound, rate_hz: int) -> int:
        """Frames of this section that are written, from its start without a gap."""
        low, high = self.edges(sound.frames, rate_hz)
        ready, whole = min(sound.ready, high + sound.tail) - low, high + sound.tail - low
        return (ready if ready == whole else 0) if self.reverse else max(0, ready)

    def needed(self, position: int, of: Fan, rate_hz: int) -> int:
        """How far a fan's sounds must be written to be played up to a position in this section."""
        low, high = self.edges(of.frames, rate_hz)
        return high + of.tail if self.reverse else low + position

    def frame(self, position: int, of: Fan, rate_hz: int) -> int:
        """The frame of a fan's sounds at a position in this section."""
        low, high = self.edges(of.frames, rate_hz)
        return high + of.tail - 1 - position if self.reverse else low + position

    def position(self, frame: int, of: Fan, rate_hz: int) -> int | None:
        """Where in this section a frame of a fan's sounds is; None if it isn't."""
        low, high = self.edges(of.frames, rate_hz)
        position = high + of.tail - 1 - frame if self.reverse else frame - low
        return position if 0 <= position < high - low else None


class Cursor:
    """A position that moves through passages of one length, around their seam or to their end.

    Attributes:
        wrapped: whether it has passed the seam.
    """

    def __init__(self, loop: bool, position: int = 0, wrapped: bool = False) -> None:
        self.loop, self.position, self.wrapped = loop, position, wrapped

    def read(self, passage: Passage, count: int, crossfade: int, end: int) -> Samples:
        """The next `count` frames (2, count) of a passage, maybe as a view.

        `crossfade`: frames of the seam; `end`: of the fade where a passage without a tail ends.
        """
        samples, frames, tail = passage
        position, last = self.position, samples.shape[1] - 1
        seam = min(tail, crossfade, frames)
        until = frames if self.loop else last + 1 - (tail or end)
        if not count or (position + count <= until and not (self.wrapped and position < seam)):
            return samples[:, position : position + count]
        at = position + np.arange(count)
        after_seam = at >= frames
        if self.loop:
            at %= frames
            after_seam |= self.wrapped
        else:
            after_seam[:] = self.wrapped
        out = samples[:, at.clip(max=last)]
        inside = np.flatnonzero(after_seam & (at < seam))
        if len(inside):
            rising, falling = equal_power((at[inside] + 1) / (seam + 1))
            out[:, inside] = rising * out[:, inside] + falling * samples[:, frames + at[inside]]
        if not self.loop:
            length = tail or min(end, frames)
            share = (at + length - last) / (length + 1)
            if share[-1] > 0:
                out = out * (1 - smoothstep(share.clip(0, 1)))
        return out.astype(np.float32, copy=False)

    def advance(self, count: int, frames: int) -> None:
        """Move on by `count` frames of passages with a period of `frames`."""
        self.position += count
        if self.loop and self.position >= frames > 0:
            self.position %= frames
            self.wrapped = True
