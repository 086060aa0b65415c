"""A voice's channel strip: its gain, pan and outputs."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from eutectic.audio import db_to_gain
from eutectic.playback.smooth import Smoother
from eutectic.playback.sounds import SIDES

GAIN_RATE = 1000.0
"""How fast gains glide, 1/s: settled in about 8 ms."""


class Strip:
    """From a voice's two sides to the device's outputs.

    Attributes:
        peak: of what came in times the gain, since it was last set to 0.
    """

    def __init__(self, channels: int, rate_hz: int) -> None:
        self.channels = channels
        self.gain_db, self.pan, self.first_output, self.mute = 0.0, 0.0, 1, False
        self.peak = 0.0
        self._routing = Smoother(self._routes(), GAIN_RATE, rate_hz)

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

    def settle(self) -> None:
        """Take on what it glides to at once, while nothing is heard."""
        self._routing.jump(self._routing.targets)

    def mix(
        self, sides: NDArray[np.float32], out: NDArray[np.float32],
        stem: NDArray[np.float32] | None = None,
    ) -> None:  # fmt: skip
        """Add a voice's next frames (2, frame) to `out` (frame, channel), and to its `stem`.

        In the stem (frame, 2) each side has its gains to all of the voice's outputs together.
        """
        moving = self._routing.moving
        routes = self._routing.advance(len(out) if moving else 1).astype(np.float32)
        routes = routes.reshape(self.channels, SIDES, -1)
        self.peak = max(self.peak, float(np.abs(sides).max()) * self._gain)
        for channel, side in zip(*np.nonzero(np.abs(routes).max(axis=2)), strict=True):
            out[:, channel] += routes[channel, side] * sides[side]
        if stem is not None:
            stem += (routes.sum(axis=0) * sides).T

    @property
    def _gain(self) -> float:
        return 0.0 if self.mute else db_to_gain(self.gain_db)

    def _routes(self) -> NDArray[np.float64]:
        """Gain of each side to each output, (output × side,)."""
        routes = np.zeros((self.channels, SIDES))
        gain = self._gain
        left = gain * math.cos(0.5 * math.pi * max(self.pan, 0.0))
        right = gain * math.cos(0.5 * math.pi * max(-self.pan, 0.0))
        first = self.first_output - 1
        if first + 1 < self.channels:
            routes[first, 0], routes[first + 1, 1] = left, right
        else:  # the last output: both sides, folded to mono
            routes[first] = 0.5 * left, 0.5 * right
        return routes.ravel()
