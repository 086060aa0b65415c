"""A voice's channel strip: its filter, gain, pan, outputs and sends."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from eutectic.audio import db_to_gain
from eutectic.playback.filters import Filter, Knobs
from eutectic.playback.smooth import Smoother
from eutectic.playback.sounds import SIDES

GAIN_RATE = 1000.0
"""How fast gains glide, 1/s: settled in about 8 ms."""

SENDS = 2


class Send(NamedTuple):
    """Where a voice goes, too, at what gain; to no output at 0."""

    output: int = 0
    gain_db: float = 0.0


class _Paths(NamedTuple):
    """Where sound goes: outputs with the side that each is of and its gains (frame or 1,).

    And the gains of each side to all of the voice's own outputs together, (side, frame or 1).
    """

    used: list[tuple[int, int, NDArray[np.float32]]]
    of_voice: NDArray[np.float32]


class Strip:
    """From a voice's two sides to the device's outputs.

    Attributes:
        peak: of what the filter let through times the gain, since it was last set to 0.
    """

    def __init__(self, channels: int, rate_hz: int) -> None:
        self.channels = channels
        self.gain_db, self.pan, self.first_output, self.mute = 0.0, 0.0, 1, False
        self.peak = 0.0
        self._sends = [Send()] * SENDS
        self._is_hushed = False
        self._filter = Filter(rate_hz, SIDES)
        self._routing = Smoother(self._routes(), GAIN_RATE, rate_hz)
        self._at_rest: _Paths | None = None
        """Of gains that don't glide."""

    @property
    def sounding(self) -> bool:
        """Whether its filter rings on and is heard."""
        return self._filter.sounding and not (self._is_hushed and not self._routing.moving)

    def route(
        self, gain_db: float | None = None, pan: float | None = None, output: int | None = None,
        mute: bool | None = None,
    ) -> None:  # fmt: skip
        """Glide to another gain, pan or first output."""
        self.mute = self.mute if mute is None else mute
        self.gain_db = self.gain_db if gain_db is None else gain_db
        self.pan = self.pan if pan is None else pan
        self.first_output = self.first_output if output is None else output
        self._routing.targets = self._routes()

    def send(self, number: int, send: Send) -> None:
        """Glide a send, from 1, to another output or gain."""
        self._sends[number - 1] = send
        self._routing.targets = self._routes()

    def filter(self, knobs: Knobs) -> None:
        """Glide the filter to other settings."""
        self._filter.turn(knobs)

    def hush(self, on: bool) -> None:
        """Fade out what rings on, until something starts."""
        if self._is_hushed and not self._routing.moving:
            self.settle()  # what rang on isn't to come back
        self._is_hushed = on
        self._routing.targets = self._routes()

    def settle(self) -> None:
        """Take on what it glides to at once, while nothing is heard."""
        self._routing.jump(self._routing.targets)
        self._at_rest = None
        self._filter.settle()

    def mix(
        self, sides: NDArray[np.float32], out: NDArray[np.float32],
        stem: NDArray[np.float32] | None = None,
    ) -> None:  # fmt: skip
        """Add a voice's next frames (2, frame) to `out` (frame, channel), and to its `stem`.

        In the stem (frame, 2) each side has its gains to all of the voice's outputs together,
        without its sends.
        """
        sides = self._filter.mix(sides)
        self.peak = max(self.peak, float(np.abs(sides).max()) * self._gain)
        if self._routing.moving:
            self._at_rest, paths = None, self._paths(len(out))
        else:
            paths = self._at_rest = self._at_rest or self._paths(1)
        for channel, side, gain in paths.used:
            out[:, channel] += gain * sides[side]
        if stem is not None:
            stem += (paths.of_voice * sides).T

    def _paths(self, frames: int) -> _Paths:
        """Those of the next frames."""
        gains = self._routing.advance(frames).astype(np.float32)
        gains = gains.reshape(2, self.channels, SIDES, -1)
        both = gains.sum(axis=0)
        used = zip(*np.nonzero(np.abs(both).max(axis=2)), strict=True)
        return _Paths(
            [(channel, side, both[channel, side]) for channel, side in used], gains[0].sum(axis=0)
        )

    @property
    def _gain(self) -> float:
        return 0.0 if self.mute else db_to_gain(self.gain_db)

    def _routes(self) -> NDArray[np.float64]:
        """Gain of each side to each output, of the voice and of its sends, flat from (2, …)."""
        routes = np.zeros((2, self.channels, SIDES))
        gain = 0.0 if self._is_hushed else self._gain
        self._add(routes[0], self.first_output, gain)
        for send in self._sends:
            if send.output:
                self._add(routes[1], send.output, gain * db_to_gain(send.gain_db))
        return routes.ravel()

    def _add(self, routes: NDArray[np.float64], output: int, gain: float) -> None:
        """Add what is panned to an output and the next."""
        left = gain * math.cos(0.5 * math.pi * max(self.pan, 0.0))
        right = gain * math.cos(0.5 * math.pi * max(-self.pan, 0.0))
        first = output - 1
        if first + 1 < self.channels:
            routes[first, 0] += left
            routes[first + 1, 1] += right
        else:  # the last output: both sides, folded to mono
            routes[first] += 0.5 * left, 0.5 * right
