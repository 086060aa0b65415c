"""A voice's filter, low, high or band, whose every knob can turn while it sounds.

A state-variable filter of two integrators, by the trapezoidal rule: Zavalishin, *The Art of VA
Filter Design*, 2018, 4.4. Its states are what the integrators hold, so they mean the same whatever
its knobs say, and it stays stable however fast they turn. Knobs glide anew for each sample. The
recursion of a block is a triangular system with four diagonals, which LAPACK solves at once.

That needs SciPy, whose import takes too long for a daemon's start and for the mixing thread: it is
loaded in the background when a filter is first wanted, and until then sound passes.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from eutectic.playback.smooth import Smoother

Kind = Literal["off", "low", "high", "band"]
KINDS: tuple[Kind, ...] = ("low", "high", "band")

KNOB_RATE = 300.0
"""How fast knobs glide, 1/s: settled in about 30 ms, which is how often a controller sends."""

HIGHEST = 0.45
"""Share of the rate that a cutoff reaches at most."""

DAMPING, LEAST_DAMPING = math.sqrt(2), 1 / 12
"""1/Q at resonance 0, where nothing rings, and at 1, far from oscillating by itself."""

TAIL = 3e-6
"""-110 dB: a state that rings on under this has ended."""

_loading = threading.Lock()


class Knobs(NamedTuple):
    """How a filter is set: cutoff in Hz, resonance 0 to 1."""

    kind: Kind = "off"
    cutoff_hz: float = 1000.0
    resonance: float = 0.0


def load() -> None:
    """Load what filters need; not for the mixing thread."""
    with _loading:
        if Filter.solve is None:
            from scipy.linalg import get_lapack_funcs

            (Filter.solve,) = get_lapack_funcs(("tbtrs",), dtype=np.float64)


def load_soon() -> None:
    """Load it in the background, unless it is there."""
    if Filter.solve is None:
        threading.Thread(target=load, name="filters", daemon=True).start()


class Filter:
    """Filters a voice's two sides; bypassed exactly while it is off.

    `solve` is LAPACK's, for systems with few diagonals, once it is loaded.
    """

    solve: ClassVar[Callable[..., Any] | None] = None

    def __init__(self, rate_hz: int, sides: int) -> None:
        self.rate_hz = rate_hz
        self._states = np.zeros((2, sides))
        """Of each integrator, for each side."""
        self._knobs = Smoother(self._values(Knobs()), KNOB_RATE, rate_hz)
        """Octaves of the cutoff, damping's, and the share of each of KINDS in what is heard."""
        self._steady: tuple[int, _Coefficients] | None = None
        """Those of knobs that don't turn, for so many frames."""

    @property
    def sounding(self) -> bool:
        """Whether it rings on."""
        return bool(np.abs(self._states).max() > TAIL)

    def turn(self, knobs: Knobs) -> None:
        """Glide to other settings."""
        values = self._values(knobs)
        if knobs.kind == "off":  # it fades as it sounds
            values[:2] = self._knobs.targets[:2]
        self._knobs.targets = values
        self._steady = None

    def settle(self) -> None:
        """Take on what it glides to at once, and forget what rings, while nothing is heard."""
        self._knobs.jump(self._knobs.targets)
        self._states[:] = 0
        self._steady = None

    def mix(self, sides: NDArray[np.float32]) -> NDArray[np.float32]:
        """The next frames (side, frame), filtered."""
        if self.solve is None:
            self._knobs.values[2:] = 0  # once it can, it fades in
            return sides
        if not self._knobs.moving and not self._knobs.values[2:].any():
            self._states[:] = 0
            return sides
        coefficients = self._advance(sides.shape[1])
        out = self._filtered(sides.astype(np.float64), coefficients)
        if not self.sounding and not sides.any():
            self._states[:] = 0  # or it would fall to where numbers are slow
        return out

    def _values(self, knobs: Knobs) -> NDArray[np.float64]:
        cutoff_hz = min(knobs.cutoff_hz, HIGHEST * self.rate_hz)
        damping = math.log2(DAMPING) + knobs.resonance * math.log2(LEAST_DAMPING / DAMPING)
        shares = [float(knobs.kind == kind) for kind in KINDS]
        return np.array([math.log2(cutoff_hz), damping, *shares])

    def _advance(self, frames: int) -> _Coefficients:
        """The coefficients of the next frames."""
        if self._knobs.moving:
            self._steady = None
            return _Coefficients(self._knobs.advance(frames), self.rate_hz)
        if self._steady is None or self._steady[0] != frames:
            steady = _Coefficients(self._knobs.advance(frames), self.rate_hz)
            self._steady = frames, steady
        return self._steady[1]

    def _filtered(
        self, sides: NDArray[np.float64], coefficients: _Coefficients
    ) -> NDArray[np.float32]:
        """Filter (side, frame) from the states on."""
        each, frames = coefficients, sides.shape[1]
        right = np.empty((2 * frames, len(sides)), order="F")
        right[0::2], right[1::2] = (each.to_band * sides).T, (each.to_low * sides).T
        right[:2] += each.first @ self._states
        assert self.solve is not None
        states, _ = self.solve(each.diagonals, right, uplo="L", diag="U", overwrite_b=1)
        before = np.concatenate([self._states, states[:-2]])
        self._states = states[-2:].copy()
        middle = 0.5 * (before + states).T
        return (
            each.of_input * sides + each.of_band * middle[:, 0::2] + each.of_low * middle[:, 1::2]
        ).astype(np.float32)


class _Coefficients:
    """Of the recursion, and of what is heard of it; all (frame,) unless they say otherwise.

    With band b, low l and input u the integrators' states s, t go on to 2b - s and 2l - t, where
    b = (s + g(u - t)) / (1 + g(g + k)) and l = t + g b; g is tan(pi cutoff / rate), k the damping.

    What is heard of low and high is half way between the level that the passband had and the one
    that noise had: resonance 1 lowers the first by 6 dB and peaks 15 dB above it. Of band, noise
    keeps its level.

    `course` is that of the knobs, (knob, frame), as `Filter` smooths them.

    Attributes:
        diagonals: of the triangular system, (4, 2 × frame).
        first: what the states before add to the first right sides, (2, 2).
    """

    def __init__(self, course: NDArray[np.float64], rate_hz: int) -> None:
        octaves, dampings, low, high, band = course
        g = np.tan(math.pi / rate_hz * np.exp2(octaves))
        k = np.exp2(dampings)
        scale = 2 / (1 + g * (g + k))
        stays_band, self.to_band = scale - 1, g * scale
        self.to_low = g * self.to_band
        stays_low = 1 - self.to_low
        self.diagonals = np.zeros((4, 2 * len(g)), order="F")
        self.diagonals[0] = 1
        self.diagonals[1, 1:-1:2] = self.to_band[1:]
        self.diagonals[2, 0:-2:2] = -stays_band[1:]
        self.diagonals[2, 1:-1:2] = -stays_low[1:]
        self.diagonals[3, 0:-2:2] = -self.to_band[1:]
        self.first = np.array([[stays_band[0], -self.to_band[0]], [self.to_band[0], stays_low[0]]])
        level = (k / DAMPING) ** 0.25
        self.of_input = 1 - low - high - band + high * level
        self.of_low = (low - high) * level
        self.of_band = band * np.sqrt(k * DAMPING) - high * level * k
