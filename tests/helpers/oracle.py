"""Exact denoisers and noise for the tests of sampling, inversion and fusion."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from eutectic.engine.schedule import Grid


def spread(sigma: Tensor, like: Tensor) -> Tensor:
    return sigma.to(like)[:, None, None]


class Gaussian:
    """Exact denoiser of data N(mean, deviation²); counts the rows it has evaluated."""

    def __init__(self, deviation: float = 0.5, mean: float | Tensor = 0.0) -> None:
        self.deviation, self.mean, self.rows = deviation, mean, 0

    def __call__(self, state: Tensor, sigma: Tensor) -> Tensor:
        self.rows += state.shape[0]
        share = self.deviation**2 / (self.deviation**2 + spread(sigma, state) ** 2)
        return self.mean + (state - self.mean) * share

    def ode(self, state: Tensor, high: float, low: float) -> Tensor:
        """Exact solution of the probability-flow ODE from level `high` to `low`, mean 0."""
        c = self.deviation
        return state * math.sqrt((low**2 + c**2) / (high**2 + c**2))


class Wavy:
    """A denoiser that is neither linear nor smooth, which exposes a wrong history."""

    def __init__(self) -> None:
        self.rows = 0

    def __call__(self, state: Tensor, sigma: Tensor) -> Tensor:
        self.rows += state.shape[0]
        level = spread(sigma, state)
        return torch.tanh(state / (1 + level)) + 0.3 * torch.sin(3 * state + torch.log(level))


class Constant:
    """The model output held at one latent, as the inversion assumes."""

    def __init__(self, latent: Tensor) -> None:
        self.latent = latent

    def __call__(self, state: Tensor, sigma: Tensor) -> Tensor:
        return self.latent.expand_as(state)


class Quiet:
    """No noise (k-diffusion's s_noise 0), or one given draw per step."""

    def __init__(self, draws: list[Tensor] | None = None) -> None:
        self.draws = draws

    def step(self, index: int) -> Tensor:
        return self.draws[index] if self.draws else torch.zeros(1, 1, 1)


def relative_rms(a: Tensor, b: Tensor) -> float:
    """RMS of the difference relative to the RMS of `b`."""
    return float((a - b).double().pow(2).mean().sqrt() / b.double().pow(2).mean().sqrt())


def grid_tensor(grid: Grid) -> Tensor:
    return torch.tensor(grid.sigmas, dtype=torch.float64)
