"""Seeded noise: one z per (seed, step), the same whichever step sampling starts at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from eutectic.engine.graphs import to_device


@runtime_checkable
class StepNoise(Protocol):
    """Noise for each step: seeded, or an inversion's own."""

    def step(self, index: int) -> Float[Tensor, "1 channel frame"]:
        """The z of the step that leaves grid level `index`."""
        ...


class SamplingNoise(StepNoise, Protocol):
    """Noise for a whole run."""

    def initial(self) -> Float[Tensor, "1 channel frame"]:
        """The unit noise that sampling starts from."""
        ...


@dataclass(frozen=True)
class Noise:
    """Standard normal noise of one shape, addressed by step.

    Drawn on the CPU and then moved, so that a seed sounds the same on every device. The global
    generator is neither used nor changed.
    """

    seed: int
    channels: int
    frames: int
    device: torch.device

    def initial(self) -> Float[Tensor, "1 channel frame"]:
        """The unit noise that sampling starts from."""
        return self._draw(0)

    def step(self, index: int) -> Float[Tensor, "1 channel frame"]:
        """The z of the step that leaves grid level `index`."""
        return self._draw(1 + index)

    def _draw(self, stream: int) -> Float[Tensor, "1 channel frame"]:
        return to_device(normal((1, self.channels, self.frames), self.seed, stream), self.device)


def normal(shape: tuple[int, ...], *key: int) -> Tensor:
    """Standard normal noise of a shape, the same for a key of whole numbers on every machine."""
    words = np.random.SeedSequence(key).generate_state(2, np.uint32)
    generator = torch.Generator().manual_seed(int(words[0]) << 32 | int(words[1]))
    return torch.randn(shape, generator=generator)
