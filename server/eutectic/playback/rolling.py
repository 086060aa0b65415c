"""Pieces of a live fusion, each crossfaded in at its place in time, and a gate.

Every piece is a fusion of what was heard lately, and overlaps the one before. Where they meet they
may be almost the same sound or different ones, so the crossfade takes into account how alike they
are: it keeps the level either way. Where none follows in time, the newest goes on from where it was
a step earlier, so that there is never a hole.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from eutectic.audio import Samples, equal_power, smoothstep
from eutectic.playback.layer import Layer
from eutectic.playback.sounds import SIDES, Fan

STEP = 128
"""Frames between two looks at what is to be played next."""

MOST_WAITING = 64
"""Of pieces that aren't due yet, the newest."""

OPEN_SECONDS, CLOSE_SECONDS = 0.005, 0.08
"""Fades of the gate."""


@dataclass(frozen=True, eq=False)
class Piece:
    """A fusion and its place in time, in the player's frames.

    Attributes:
        samples: (2, frame).
        start: the frame of its first sample.
        enter: from here on it may be heard; unless it is by `until`, it is dropped.
        step: frames from the place of one piece to that of the next.
        likeness: with the piece before it, where they meet: the correlation, 0 to 1.
        repeated: the same with itself, a step earlier.
    """

    samples: Samples
    start: int
    enter: int
    until: int
    step: int
    likeness: float = 0.0
    repeated: float = 0.0

    @property
    def stop(self) -> int:
        """The frame after its last."""
        return self.start + self.samples.shape[1]

    def again(self, steps: int = 1) -> Piece:
        """The same so many steps later, to go on where no other piece follows."""
        return replace(self, start=self.start + steps * self.step, likeness=self.repeated)

    def read(self, frame: int, count: int) -> Samples:
        """What it has of frames from `frame` on (2, count), silence around that."""
        at = frame - self.start
        first, last = max(at, 0), min(at + count, self.samples.shape[1])
        if first == at and last == at + count:
            return self.samples[:, first:last]
        out = np.zeros((SIDES, count), np.float32)
        if first < last:
            out[:, first - at : last - at] = self.samples[:, first:last]
        return out


class Rolling(Layer):
    """The pieces of a voice, from the first to where it is released.

    One thread adds pieces and turns the gate, another plays.

    Attributes:
        crossfade: frames from one piece to the next.
        next_frame: of the player.
        dropped: pieces that came too late.
        given_up: nobody wants it any more; unless it has begun, it never does.
    """

    def __init__(self, token: int, crossfade: int, rate_hz: int) -> None:
        super().__init__(Fan([0.5]), token, 0.5, 1.0, True, rate_hz)
        self.crossfade, self.next_frame, self.dropped, self.given_up = crossfade, 0, 0, False
        self._waiting: deque[Piece] = deque(maxlen=MOST_WAITING)
        self._edges: deque[tuple[int, bool]] = deque()
        self._piece: Piece | None = None
        self._old: Piece | None = None
        self._faded = crossfade
        """Frames of the crossfade that are over."""
        self._likeness = 0.0
        self._has_begun, self._is_open, self._opened = False, False, 0.0

    # From another thread

    @property
    def state(self) -> Literal["starting", "playing", "gated"]:
        """What is heard by now: nothing of it yet, its pieces, or the gate's silence."""
        if not self._has_begun:
            return "starting"
        return "playing" if self._is_open else "gated"

    # In the order of their frames

    def put(self, piece: Piece) -> None:
        """Play a piece, at its place."""
        self._waiting.append(piece)

    def gate(self, frame: int, is_open: bool) -> None:
        """Open or close the gate at a frame; it is closed at first."""
        self._edges.append((frame, is_open))

    # The mixing thread

    def begin(self, frame: int) -> None:
        """Start at a frame of the player, in what is there by then: the attack is the voice's.

        That may be a while before the next piece, as where the start waits for a beat.
        """
        self.next_frame = frame
        self._turn_gate(frame)
        self._opened = float(self._is_open)
        piece = self._take_newest()
        if piece is not None:
            missing = max(0, frame + self.crossfade + STEP - piece.stop)
            piece = piece.again(-(-missing // piece.step))
        self._piece = piece
        self.dropped, self._has_begun = 0, True

    def mix(self, frames: int, crossfade: int) -> tuple[NDArray[np.float32], bool]:  # noqa: ARG002
        """The next frames (2, frame); there is never an underrun."""
        out = np.zeros((SIDES, frames), np.float32)
        for at in range(0, frames, STEP):
            part = out[:, at : at + STEP]
            self._choose(part.shape[1])
            self._add(part)
            self.next_frame += part.shape[1]
        for fade in self.fades:
            out *= fade.advance(frames)
            self.silent = self.silent or (fade.over and not fade.rising)
        self.fades = [fade for fade in self.fades if not fade.over]
        return out, False

    def _choose(self, count: int) -> None:
        """Begin the crossfade to another piece, if it is time; turn the gate."""
        self._turn_gate(self.next_frame + count - 1)
        if not self._is_open and self._opened == 0:
            self._piece = self._old = None  # what is heard next is new
            self._faded = self.crossfade
        if self._faded < self.crossfade:
            return
        last = self.next_frame + count + self.crossfade + STEP
        newest = self._take_due()
        if newest is not None:
            self._go_on(newest)
        elif self._piece is not None and last > self._piece.stop:
            self._go_on(self._piece.again())

    def _turn_gate(self, frame: int) -> None:
        while self._edges and self._edges[0][0] <= frame:
            self._is_open = self._edges.popleft()[1]

    def _take_due(self) -> Piece | None:
        """The newest piece that may be heard by now, unless it is too late."""
        newest = self._take_newest()
        if newest is not None and newest.until < self.next_frame:
            self.dropped += 1
            return None
        return newest

    def _take_newest(self) -> Piece | None:
        """The newest piece that may be heard by now; those that it supersedes are dropped."""
        newest = None
        while self._waiting and self._waiting[0].enter <= self.next_frame:
            self.dropped += newest is not None
            newest = self._waiting.popleft()
        return newest

    def _go_on(self, piece: Piece) -> None:
        self._old, self._piece = self._piece, piece
        self._faded, self._likeness = 0, piece.likeness

    def _add(self, out: NDArray[np.float32]) -> None:
        """Add what is heard of the pieces to `out` (2, frame)."""
        count = out.shape[1]
        gate = self._gate_gains(count)
        if self._piece is None:
            return
        sound = self._piece.read(self.next_frame, count)
        if self._faded < self.crossfade:
            share = ((self._faded + np.arange(1, count + 1)) / (self.crossfade + 1)).clip(0, 1)
            rising, falling = equal_power(share)
            if self._old is None:
                sound = sound * rising.astype(np.float32)
            else:
                scale = 1 / np.sqrt(1 + 2 * rising * falling * self._likeness)
                old = self._old.read(self.next_frame, count)
                new_gain, old_gain = rising * scale, falling * scale
                sound = new_gain.astype(np.float32) * sound + old_gain.astype(np.float32) * old
            self._faded += count
            if self._faded >= self.crossfade:
                self._old = None
        out += sound if gate is None else gate * sound

    def _gate_gains(self, count: int) -> NDArray[np.float32] | None:
        """The gate's next gains (count,); None if all of them are 1."""
        target = 1.0 if self._is_open else 0.0
        if self._opened == target:
            return None if self._is_open else np.zeros(count, np.float32)
        seconds = OPEN_SECONDS if self._is_open else -CLOSE_SECONDS
        course = self._opened + np.arange(1, count + 1) / (seconds * self.rate_hz)
        course = course.clip(0.0, 1.0)
        self._opened = float(course[-1])
        return smoothstep(course).astype(np.float32)
