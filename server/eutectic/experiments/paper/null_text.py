"""Null-text optimisation on top of DDIM inversion (2.1; Mokady et al. 2022).

The DDIM trajectory of a clip under its own prompt, at guidance 1, is the pivot. Guided sampling
departs from it, so at every step the tokens of the null condition are optimised until the guided
step (order 1 of the ODE) ends on the pivot's next state. The network's weights don't change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from eutectic.engine.conditioning import Conditioning
from eutectic.engine.denoiser import guide
from eutectic.engine.inversion import OnGrid
from eutectic.engine.model import Model, NetworkDenoiser
from eutectic.engine.sample import Row, Sampler, advance
from eutectic.engine.watch import UNWATCHED, Watch
from eutectic.errors import BadModel

ITERATIONS = 10
"""Maximum iterations of Adam per step."""

LEARNING_RATE = 1e-2
ENOUGH = 1e-5
"""Mean squared error, relative to the pivot's mean square, at which a step is done."""


@dataclass(frozen=True)
class NullTextDenoiser:
    """D(y; s) guided away from each level's own null condition; all rows are at one level.

    At an infinite level, where nothing was inverted, the model's own null condition is used.
    """

    guided: NetworkDenoiser
    nulls: Mapping[float, Conditioning]

    def __call__(
        self, state: Float[Tensor, "batch channel frame"], sigma: Float[Tensor, " batch"]
    ) -> Float[Tensor, "batch channel frame"]:
        against = self.nulls.get(float(sigma[0]), self.guided.against)
        return replace(self.guided, against=against)(state, sigma)


def has_tokens(model: Model) -> bool:
    """Whether a model is conditioned on tokens, which can be optimised."""
    return model.condition("", 1.0).tokens is not None


def optimise(
    model: Model,
    conditioning: Conditioning,
    pivot: OnGrid,
    sampler: Sampler,
    cfg: float,
    watch: Watch = UNWATCHED,
) -> dict[float, Conditioning]:
    """The null condition for every level that keeps guided sampling on the pivot.

    Args:
        conditioning: the prompt of the pivot.
        pivot: the clip's DDIM trajectory, on the sampler's grid.
        sampler: order 1, η 0.

    Raises:
        BadModel: the model isn't conditioned on tokens.
        Cancelled: the watch was asked to stop.
    """
    if not has_tokens(model):
        raise BadModel(f"{model.name}: has no prompt tokens to optimise")
    null = conditioning.unprompted()
    grid = sampler.grid
    row = Row(pivot.at(grid.s_max), grid.first_finite, grid.s_max)
    nulls: dict[float, Conditioning] = {}
    while row.index < grid.steps:
        below = grid.sigmas[row.index + 1]
        target = pivot.at(below) if below else pivot.x0
        watch.checkpoint()
        with torch.no_grad():
            prompted = model.denoiser(conditioning)(row.state, _level(row))
        null, after = _towards(target, row, prompted, null, model, sampler, cfg)
        nulls[row.sigma], row = null, after
        watch.progress(row.index, grid.steps)
    return nulls


def _towards(
    target: Tensor,
    row: Row[Tensor],
    prompted: Tensor,
    null: Conditioning,
    model: Model,
    sampler: Sampler,
    cfg: float,
) -> tuple[Conditioning, Row[Tensor]]:
    """The best null condition found for one step, starting from the last, and the resulting row."""
    assert null.tokens is not None
    tokens = null.tokens.clone().requires_grad_(True)
    optimiser = torch.optim.Adam([tokens], lr=LEARNING_RATE)
    still, scale = torch.zeros_like(target), target.square().mean()
    best: tuple[float, Tensor, Row[Tensor]] | None = None
    for _ in range(ITERATIONS):
        unprompted = model.denoiser(replace(null, tokens=tokens))(row.state, _level(row))
        after = advance(row, guide(prompted, unprompted, cfg), still, sampler)
        loss = (after.state - target).square().mean() / scale
        missed = float(loss.detach())
        if best is None or missed < best[0]:
            best = missed, tokens.detach().clone(), after
        if missed < ENOUGH:
            break
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert best is not None
    _, kept, after = best
    return replace(null, tokens=kept), replace(after, state=after.state.detach(), denoised=())


def _level(row: Row[Tensor]) -> Tensor:
    return torch.tensor([row.sigma], dtype=torch.float64)
