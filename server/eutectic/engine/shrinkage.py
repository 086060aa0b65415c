"""How much of a state its best estimate keeps, from which a fusion's survival follows."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Shrinkage:
    """A network's estimate, mixed with the memory of one clip.

    The network is taken to be the best denoiser of data of deviation 1, the memory is that of
    deviation `slack` around the clip.
    """

    recall: float = 0.0
    """Share of the memory, 0 to 1."""
    slack: float = 1.0

    def at(self, sigma: float) -> float:
        """Factor of a state around zero in its estimate at this level, 0 where it is infinite."""
        if math.isinf(sigma):
            return 0.0
        network, memory = 1 / (1 + sigma**2), kept(sigma, self.slack)
        return (1 - self.recall) * network + self.recall * memory

    def level_at(self, share: float) -> float:
        """The level at which the estimate keeps this share of the state, above 0 and below 1."""
        # (1 − ρ)/(1 + v) + ρτ²/(τ² + v) = share, quadratic in v = s².
        own = self.slack**2
        middle = 1 + own - ((1 - self.recall) + self.recall * own) / share
        last = own * (1 - 1 / share)
        return math.sqrt((-middle + math.sqrt(middle**2 - 4 * last)) / 2)


NETWORK = Shrinkage()
"""The paper's: nothing is remembered."""


def kept(sigma: float, slack: float) -> float:
    """The factor for data of deviation `slack`: τ²/(τ² + s²)."""
    return 0.0 if math.isinf(sigma) else slack**2 / (slack**2 + sigma**2)
