"""Sigma grids, in variance-exploding coordinates y = x/α, s = σ/α (so y = x0 + s·ε).

A grid runs from s_max down to s_min and then to 0. Values are float64: in bf16, 200 grid times
collapse to 108. Flow models' own grids start at time 1, which is s = ∞.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np

from eutectic.errors import BadSetting


@dataclass(frozen=True)
class Grid:
    """Noise levels of a sampling run: `steps` of them, decreasing, then a final 0.

    The first may be infinite (a flow model's time 1); the state there is the noise itself.
    """

    sigmas: tuple[float, ...]

    def __post_init__(self) -> None:
        levels = self.sigmas
        if (
            len(levels) < 2
            or levels[-1] != 0
            or not all(high > low for high, low in itertools.pairwise(levels))
        ):
            raise BadSetting("a sigma grid needs one or more decreasing levels and a final 0")

    @property
    def steps(self) -> int:
        """Network evaluations of a full run."""
        return len(self.sigmas) - 1

    @property
    def s_min(self) -> float:
        """The lowest level above 0."""
        return self.sigmas[-2]

    @property
    def first_finite(self) -> int:
        """Index of the highest finite level, the first where injection is possible."""
        return 1 if math.isinf(self.sigmas[0]) else 0

    @property
    def s_max(self) -> float:
        """The highest finite level."""
        return self.sigmas[self.first_finite]

    def spacing(self, index: int) -> float:
        """Log distance from level `index` down to the next; infinite at either open end."""
        high, low = self.sigmas[index], self.sigmas[index + 1]
        return math.inf if math.isinf(high) or low == 0 else math.log(high / low)


def _check(steps: int, s_min: float, s_max: float) -> None:
    if not 1 <= steps <= 1000:
        raise BadSetting(f"steps must be 1 to 1000, not {steps}")
    if not 0 < s_min < s_max:
        raise BadSetting(f"sigma limits must be 0 < s_min < s_max, not {s_min} and {s_max}")


def polyexponential(steps: int, s_min: float, s_max: float, rho: float = 1.0) -> Grid:
    """Polynomial in log sigma; rho 1 is even in log sigma (k-diffusion's, Stable Audio Open's)."""
    _check(steps, s_min, s_max)
    ramp = np.linspace(1.0, 0.0, steps) ** rho
    levels = np.exp(ramp * (math.log(s_max) - math.log(s_min)) + math.log(s_min))
    return Grid((*levels.tolist(), 0.0))


def karras(steps: int, s_min: float, s_max: float, rho: float = 7.0) -> Grid:
    """Karras et al. (2022), Eq. 5."""
    _check(steps, s_min, s_max)
    ramp = np.linspace(0.0, 1.0, steps)
    low, high = s_min ** (1 / rho), s_max ** (1 / rho)
    return Grid((*((high + ramp * (low - high)) ** rho).tolist(), 0.0))


def log_snr(steps: int, lowest: float = -6.0, highest: float = 2.0) -> Grid:
    """stable-audio-tools' grid for flow models: even in log-SNR, time 1 first, time 0 last.

    Its log-SNR is log((1−t)/t) = −log s, so level i is e^(−logsnr_i), with s_0 = ∞.
    """
    if not 2 <= steps <= 1000:
        raise BadSetting(f"steps must be 2 to 1000 on a flow model's grid, not {steps}")
    levels = np.exp(-np.linspace(lowest, highest, steps + 1))
    return Grid((math.inf, *levels[1:-1].tolist(), 0.0))
