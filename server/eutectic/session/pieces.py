"""Pieces of what is heard: where each begins and ends, whether there is anything in it."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eutectic.audio import Samples, gain_to_db
from eutectic.playback.heard import Heard

CROSSFADE_SECONDS = 0.03
"""From one piece to the next; no more than half of what is between them."""

BEYOND_SECONDS = 0.05
"""A piece goes on so long after its end, mirrored: a sound that is cut is fused badly there."""

SPARE_SECONDS = 0.02
"""Of that, so much may be heard, if the next piece is late."""

BLOCK_SECONDS, AHEAD_SECONDS, HOLD_SECONDS = 0.01, 0.01, 0.3
"""The gate looks at blocks, opens before the first that is loud, and closes after the last."""

HYSTERESIS_DB = 6.0
"""The gate closes at a level so much lower than it opens at."""

DEADBAND_SECONDS = 0.002
"""Clocks that differ by less than this from what they were taken for are left alone."""

SIGHTINGS = 64
"""Of two clocks at once: their median counts."""


@dataclass(frozen=True)
class Window:
    """Frames of the input that are fused as one.

    Attributes:
        start, stop: of what was heard; before its first frame there is silence.
        frames: with what is mirrored beyond the end.
        latents: whole frames of latents from the input's beginning to the window's.
    """

    start: int
    stop: int
    frames: int
    latents: int

    @classmethod
    def ending(cls, stop: int, length: float, rate_hz: int, hop: float) -> Window:
        """About `length` frames up to `stop`.

        It begins on a whole frame of latents, counted from the input's beginning, `hop` input
        frames each: then windows that overlap have the same latents where they do.
        """
        latents = math.floor((stop - length) / hop)
        frames = math.ceil(length + hop + BEYOND_SECONDS * rate_hz)
        return cls(round(latents * hop), stop, frames, latents)

    def read(self, heard: Heard) -> Samples:
        """Its samples (channel, frames).

        Raises:
            ValueError: they aren't there any more, or not yet.
        """
        first = max(0, self.start)
        samples = np.nan_to_num(heard.read(first, self.stop), posinf=0.0, neginf=0.0)
        missing = self.frames - (self.stop - self.start)
        before = np.zeros((heard.channels, first - self.start), np.float32)
        mirrored = samples[:, ::-1][:, :missing]
        whole = np.concatenate([before, samples, mirrored], axis=1)
        return np.pad(whole, ((0, 0), (0, self.frames - whole.shape[1])))


class Gate:
    """Says where what is heard becomes loud enough, and where it no longer is.

    It is closed at first.
    """

    def __init__(self, threshold_db: float, rate_hz: int) -> None:
        self.threshold_db = threshold_db
        self.is_open = False
        self._block = round(BLOCK_SECONDS * rate_hz)
        self._ahead, self._hold = round(AHEAD_SECONDS * rate_hz), round(HOLD_SECONDS * rate_hz)
        self._last = self._edge = 0
        """The end of the last loud block, and where the gate was turned last."""

    def take(self, samples: NDArray[np.float32], start: int) -> list[tuple[int, bool]]:
        """Where it opens (True) and closes in the next samples (channel, frame)."""
        edges: list[tuple[int, bool]] = []
        for at in range(0, samples.shape[1], self._block):
            part = samples[:, at : at + self._block]
            level = gain_to_db(float(np.abs(part).max(initial=0.0)))
            stop = start + at + part.shape[1]
            if level >= self.threshold_db - (HYSTERESIS_DB if self.is_open else 0):
                self._last = stop
                if not self.is_open:
                    edges.append(self._turn(start + at - self._ahead, True))
            elif self.is_open and stop - self._last >= self._hold:
                edges.append(self._turn(stop, False))
        return edges

    def close(self, frame: int) -> list[tuple[int, bool]]:
        """Close it, if it is open: nothing more is heard."""
        return [self._turn(frame, False)] if self.is_open else []

    def _turn(self, frame: int, is_open: bool) -> tuple[int, bool]:
        self.is_open, self._edge = is_open, max(self._edge, frame)
        return self._edge, is_open


class Clocks:
    """Which of the player's frames is mixed while a frame of the input is heard.

    Two devices' clocks drift apart, and each is known to a part of a millisecond only. So that the
    lag is constant they are seen often, and what was found is kept until it is clearly wrong.
    """

    def __init__(self, heard_hz: int, player_hz: int) -> None:
        self.ratio = player_hz / heard_hz
        self._deadband = DEADBAND_SECONDS * player_hz
        self._sightings: deque[float] = deque(maxlen=SIGHTINGS)
        self._delays: deque[float] = deque([0.0], maxlen=SIGHTINGS)
        self._arrived = -1
        self._offset: float | None = None

    @property
    def delay(self) -> float:
        """Frames of the input from when one is heard to when it can be read, at most."""
        return max(self._delays)

    def see(self, heard: float, arrived: int, player: float) -> None:
        """At one time frame `heard` was heard, `arrived` of them could be read, `player` mixed."""
        self._sightings.append(player - heard * self.ratio)
        if arrived != self._arrived:  # else it may be lost
            self._arrived = arrived
            self._delays.append(heard - arrived)

    def settle(self) -> None:
        """Take on what was seen, unless that is about what it was."""
        median = sorted(self._sightings)[len(self._sightings) // 2]
        if self._offset is None or abs(median - self._offset) > self._deadband:
            self._offset = median

    def to_player(self, heard: float) -> float:
        """The player's frame at a frame of the input, once something was seen."""
        assert self._offset is not None
        return heard * self.ratio + self._offset

    def to_heard(self, player: float) -> float:
        """The reverse."""
        assert self._offset is not None
        return (player - self._offset) / self.ratio


def likeness(one: Samples, other: Samples) -> float:
    """The correlation of two sounds (2, frame), 0 to 1."""
    a, b = one.ravel().astype(np.float64), other.ravel().astype(np.float64)
    power = float(np.sqrt(np.dot(a, a) * np.dot(b, b)))
    return max(0.0, min(1.0, float(np.dot(a, b)) / power)) if power > 0 else 0.0
