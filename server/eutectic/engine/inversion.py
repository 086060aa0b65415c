"""From a clip's latent x0 to latents ŷ(s) at every noise level, for injection while sampling.

Ours (paper 3.3, Eq. 6 and 8): with the model output held at x0, both the SDE's and the ODE's
step away from x0 is one affine map, y_t − x0 = (s_t/s_{t−1})^(1+η)·(y_{t−1} − x0), so the whole
trajectory has a closed form and needs no network:

    ŷ(s) = x0 + (s/s_min)^(1+η)·(y_1 − x0)          η = 1 SDE (Eq. 6), η = 0 ODE (Eq. 8)

The paper leaves y_1 open, so it is a choice, `Residual`. The paper's own recursion would only
amplify rounding in float32; it is the oracle in the tests. The two inversions that the paper builds
on have the same interface, DDIM (2.1) and edit-friendly DDPM (2.2), and so has RF-inversion.

Noise map (Eq. 9): ε(s) = (ŷ(s) − x0)/s, constant for the ODE, proportional to s for the SDE.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from eutectic.engine.denoiser import Denoiser
from eutectic.engine.noise import Noise, StepNoise
from eutectic.engine.sample import Row, Sampler, advance
from eutectic.engine.schedule import Grid
from eutectic.engine.watch import UNWATCHED, Watch
from eutectic.errors import BadSetting

Kind = Literal["clean", "gaussian", "stochastic", "scaled"]


@runtime_checkable
class Trajectory(Protocol):
    """An inverted clip: its latent at any level, or at the levels of one grid."""

    @property
    def x0(self) -> Float[Tensor, "1 channel frame"]:
        """The clip's own latent."""
        ...

    @property
    def noise(self) -> StepNoise | None:
        """The noise that sampling must use from here; None: any."""
        ...

    def at(self, sigma: float) -> Float[Tensor, "1 channel frame"]:
        """The latent ŷ at a finite level."""
        ...


@dataclass(frozen=True)
class Residual:
    """The difference between x0 and the first inverted latent y_1, and how it grows.

    - `clean` (the paper's (a)): y_1 = x0, so every ŷ is x0 itself in these coordinates.
    - `gaussian` (b): y_1 = x0 + amount·s_min·n and η 0, so ŷ = x0 + amount·s·n; amount 1 is
      forward diffusion (SDEdit).
    - `stochastic` (c): the SDE's noise terms accumulated, ŷ = x0 + n·s·√((s/s_min)² − 1).
    - `scaled`: the variance-preserving reading, x_1 = x0 unscaled, so y_1 = x0/α_min and
      ŷ = c(s)·x0.
    """

    kind: Kind = "clean"
    amount: float = 1.0
    eta: float = 1.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.amount <= 1.0:
            raise BadSetting(f"residual amount must be 0 to 1, not {self.amount:g}")


@dataclass(frozen=True)
class ClosedForm:
    """Inversion with the model output held at x0: any level, without network evaluations.

    `unit_noise` is n of the noisy residuals; with `flow`, α = 1 − t instead of the cosine.
    """

    x0: Float[Tensor, "1 channel frame"]
    s_min: float
    residual: Residual
    unit_noise: Float[Tensor, "1 channel frame"]
    flow: bool = False
    noise: None = None

    def at(self, sigma: float) -> Float[Tensor, "1 channel frame"]:
        if not 0 < sigma < math.inf:
            raise ValueError(f"no latent at sigma {sigma}")
        ratio = sigma / self.s_min
        match self.residual.kind:
            case "clean":
                return self.x0
            case "gaussian":
                return self.x0 + self.residual.amount * sigma * self.unit_noise
            case "stochastic":
                return self.x0 + sigma * math.sqrt(max(0.0, ratio**2 - 1)) * self.unit_noise
            case "scaled":
                alpha_inverse = 1 + self.s_min if self.flow else math.hypot(1, self.s_min)
                return self.x0 * (1 + (alpha_inverse - 1) * ratio ** (1 + self.residual.eta))


def invert(
    x0: Float[Tensor, "1 channel frame"],
    s_min: float,
    residual: Residual,
    noise: Noise,
    flow: bool = False,
) -> ClosedForm:
    """Invert a clip's latent in closed form (Eq. 6 at η 1, Eq. 8 at η 0)."""
    noisy = residual.kind in ("gaussian", "stochastic")  # a draw is most of what others cost
    unit_noise = noise.initial() if noisy else torch.zeros_like(x0)
    return ClosedForm(x0, s_min, residual, unit_noise, flow)


def noise_map(
    state: Float[Tensor, "1 channel frame"], x0: Float[Tensor, "1 channel frame"], sigma: float
) -> Float[Tensor, "1 channel frame"]:
    """Eq. 9: the noise prediction at `state` that makes the model output x0."""
    return (state - x0) / sigma


@dataclass(frozen=True)
class OnGrid:
    """An inversion by the network: a state for each finite level of one grid."""

    x0: Float[Tensor, "1 channel frame"]
    states: dict[float, Tensor]
    noise: OwnNoise | None = None
    denoised: dict[int, Tensor] = field(default_factory=dict)
    """The estimates that its noise was derived from, by grid index, if steps look back on them."""

    def at(self, sigma: float) -> Float[Tensor, "1 channel frame"]:
        return self.states[sigma]

    @property
    def nbytes(self) -> int:
        """Memory of its latents."""
        maps = self.noise.maps if self.noise else {}
        latents = (self.x0, *self.states.values(), *maps.values(), *self.denoised.values())
        return sum(latent.nbytes for latent in latents)


@torch.no_grad()
def invert_ddim(
    denoiser: Denoiser,
    x0: Float[Tensor, "1 channel frame"],
    grid: Grid,
    watch: Watch = UNWATCHED,
) -> OnGrid:
    """DDIM inversion (2.1; Mokady et al. 2022): the ODE run upwards, one evaluation per step.

    The estimate at the lower level is used for the higher: y(s′) = d + (s′/s)(y − d).
    """

    def step(state: Tensor, denoised: Tensor, low: float, high: float) -> Tensor:
        return denoised + (high / low) * (state - denoised)

    return _upwards(denoiser, x0, grid, step, watch)


@torch.no_grad()
def invert_rf(
    denoiser: Denoiser,
    x0: Float[Tensor, "1 channel frame"],
    grid: Grid,
    target: Float[Tensor, "1 channel frame"],
    gamma: float,
    watch: Watch = UNWATCHED,
) -> OnGrid:
    """RF-inversion (Rout et al., arXiv 2410.10792, Algorithm 1): DDIM drawn towards a noise.

    With Y = y/(1 + s) at the time t = s/(1 + s), it follows (1 − γ)·u(Y) + γ·(target − Y)/(1 − t):
    at γ 0 the model's velocity u alone, which is DDIM, and at γ 1 the straight line to the noise.
    """

    def step(state: Tensor, denoised: Tensor, low: float, high: float) -> Tensor:
        position = state / (1 + low)
        drawn = (target - position) * (1 + low)  # 1 − t is 1/(1 + s)
        free = noise_map(state, denoised, low) - denoised
        velocity = (1 - gamma) * free + gamma * drawn
        return (position + (high / (1 + high) - low / (1 + low)) * velocity) * (1 + high)

    return _upwards(denoiser, x0, grid, step, watch)


Step = Callable[[Tensor, Tensor, float, float], Tensor]
"""From a state and its estimate at a level to the state at the next higher one."""


def _upwards(denoiser: Denoiser, x0: Tensor, grid: Grid, step: Step, watch: Watch) -> OnGrid:
    """Follow steps from a clip through every finite level, with one evaluation each."""
    levels = [sigma for sigma in reversed(grid.sigmas) if 0 < sigma < math.inf]
    states = {levels[0]: x0}
    for done, (low, high) in enumerate(itertools.pairwise(levels), start=1):
        denoised = _evaluate(denoiser, states[low], low, watch)
        states[high] = step(states[low], denoised, low, high)
        watch.progress(done, len(levels) - 1)
    return OnGrid(x0, states)


@dataclass(frozen=True)
class OwnNoise:
    """Noise recovered from a clip, by grid index."""

    maps: dict[int, Tensor]

    def step(self, index: int) -> Float[Tensor, "1 channel frame"]:
        return self.maps[index]


@torch.no_grad()
def invert_edit_friendly(
    denoiser: Denoiser,
    x0: Float[Tensor, "1 channel frame"],
    sampler: Sampler,
    noise: Noise,
    watch: Watch = UNWATCHED,
) -> OnGrid:
    """Edit-friendly DDPM inversion (2.2; Huberman-Spiegelglas et al. 2024), at any order.

    Each latent is x0 under its own noise (Eq. 4); the noise of each step is then whatever leads
    from one latent to the next, given the model's estimate. Sampling with that noise under the same
    prompt reconstructs the clip; under another prompt it edits it. At order 2 the step looks back
    on the previous estimate, as in LEDITS++ (Brack et al. 2023).

    Raises:
        BadSetting: the sampler adds no noise (η 0).
    """
    if sampler.eta == 0 and sampler.solver != "pingpong":
        raise BadSetting("edit-friendly inversion needs a sampler that adds noise: eta above 0")
    grid, none = sampler.grid, torch.zeros_like(x0)
    first, last = grid.first_finite, grid.steps - 1
    states = {
        sigma: x0 + sigma * noise.step(index)
        for index, sigma in enumerate(grid.sigmas)
        if 0 < sigma < math.inf
    }
    maps: dict[int, Tensor] = {last: none}
    estimates: dict[int, Tensor] = {}
    row = Row(states[grid.s_max], first, grid.s_max)
    for index in range(first, last):
        estimates[index] = _evaluate(denoiser, row.state, row.sigma, watch)
        weight = sampler.step(index, row.sigma, row.widths).noise
        row = advance(row, estimates[index], none, sampler)
        target = states[row.sigma]
        maps[index] = (target - row.state) / weight
        row = replace(row, state=target)
        watch.progress(index - first + 1, last - first)
    return OnGrid(x0, states, OwnNoise(maps), estimates if sampler.history else {})


def _evaluate(denoiser: Denoiser, state: Tensor, sigma: float, watch: Watch) -> Tensor:
    watch.checkpoint()
    return denoiser(state, torch.tensor([sigma], dtype=torch.float64))
