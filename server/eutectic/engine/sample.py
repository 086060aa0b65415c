"""The one sampling loop: rows that share grid and noise, each joining at its own level.

A full run, a run resumed from a prefix, a single injection and a fan of them are the same loop over
different rows. Rows share network batches and are otherwise independent. The multistep history is
part of the row, so there is no hidden state between steps.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Generic

import torch
from torch import Tensor

from eutectic.engine.denoiser import Denoiser
from eutectic.engine.noise import SamplingNoise, StepNoise
from eutectic.engine.schedule import Grid
from eutectic.engine.steps import Solver, Step, Value, make_step
from eutectic.engine.watch import UNWATCHED, Watch
from eutectic.errors import BadSetting


@dataclass(frozen=True)
class Sampler:
    """How to sample: grid, order, solver, and how much noise each step adds back (eta).

    Algorithm 1 lowers the order to 1 while `remaining` is above `warm_up` (n_s; None: never)
    and while it is below `cool_down` (n_f).
    """

    grid: Grid
    order: int = 2
    solver: Solver = "midpoint"
    eta: float = 1.0
    warm_up: int | None = None
    cool_down: int = 0

    def __post_init__(self) -> None:
        if self.order not in (1, 2, 3):
            raise BadSetting(f"order must be 1, 2 or 3, not {self.order}")
        if not 0.0 <= self.eta <= 1.0:
            raise BadSetting(f"eta must be 0 to 1, not {self.eta:g}")

    @property
    def steps(self) -> int:
        return self.grid.steps

    @property
    def history(self) -> int:
        """Earlier estimates that a step looks back on, at most."""
        return 0 if self.solver == "pingpong" else self.order - 1

    def order_at(self, index: int) -> int:
        """Order of the step that leaves grid level `index`."""
        remaining = self.steps - index
        warming = self.warm_up is not None and remaining > self.warm_up
        return 1 if warming or remaining < self.cool_down else self.order

    def step(self, index: int, sigma: float, widths: tuple[float, ...]) -> Step:
        """The step from `sigma`, at or under grid level `index`, to the next level."""
        target = self.grid.sigmas[index + 1]
        return make_step(sigma, target, widths, self.order_at(index), self.eta, self.solver)


@dataclass(frozen=True)
class Row(Generic[Value]):
    """A sample in progress, about to leave grid level `index`, or a level between it and the next.

    `offset` is how far below level `index` the state is, as a share of the log distance to the
    next level. `denoised` are the estimates d₋₁, d₋₂ and `widths` their log spacings, newest
    first. `after` is for a row that starts between two levels: the history to use after its short
    first step (see `fusion.inject`), with weight `offset` in d₋₁.

    States and estimates are latents (1, channel, frame) in float32, or plain numbers where only
    the coefficients matter (`fusion.survival`).
    """

    state: Value
    index: int
    sigma: float
    denoised: tuple[Value, ...] = ()
    widths: tuple[float, ...] = ()
    offset: float = 0.0
    after: tuple[Value, ...] = ()


def start(noise: SamplingNoise, sampler: Sampler) -> Row[Tensor]:
    """A row at the top of the grid: noise at s_max, or unit noise where that is infinite."""
    sigma = sampler.grid.sigmas[0]
    unit = noise.initial()
    return Row(unit if math.isinf(sigma) else unit * sigma, index=0, sigma=sigma)


@torch.no_grad()
def sample(
    denoiser: Denoiser,
    rows: Sequence[Row[Tensor]],
    sampler: Sampler,
    noise: StepNoise,
    until: int | None = None,
    max_batch: int | None = None,
    watch: Watch = UNWATCHED,
    on_estimate: Callable[[int, Tensor], None] | None = None,
) -> list[Row[Tensor]]:
    """Take every row down to grid level `until` (default: the end, where state is the sample).

    Args:
        denoiser: called once per step with all rows in progress, `max_batch` at a time.
        rows: each joins the batch when the sampler reaches its `index`.
        noise: shared by all rows.
        watch: a checkpoint before every network evaluation, progress after it.
        on_estimate: called with (index, d) after each step's evaluation, d of all rows (n, c, f).

    Raises:
        Cancelled: by the watch.
    """
    until = sampler.steps if until is None else until
    rows = list(rows)
    total = sum(max(0, until - row.index) for row in rows)
    done = 0
    for index in range(min(row.index for row in rows), until):
        active = [number for number, row in enumerate(rows) if row.index == index]
        estimates: list[Tensor] = []
        for batch in _batches(active, max_batch):
            watch.checkpoint()
            estimates.append(_denoise(denoiser, [rows[number] for number in batch]))
            done += len(batch)
            watch.progress(done, total)
        denoised = torch.cat(estimates)
        if on_estimate is not None:
            on_estimate(index, denoised)
        z = noise.step(index)
        for place, number in enumerate(active):
            rows[number] = advance(rows[number], denoised[place : place + 1], z, sampler)
    return rows


def _batches(active: list[int], max_batch: int | None) -> list[list[int]]:
    size = max_batch or len(active)
    return [active[at : at + size] for at in range(0, len(active), size)]


def _denoise(denoiser: Denoiser, rows: list[Row[Tensor]]) -> Tensor:
    state = torch.cat([row.state for row in rows])
    sigma = torch.tensor([row.sigma for row in rows], dtype=torch.float64, device="cpu")
    return denoiser(state, sigma)


def advance(row: Row[Value], denoised: Value, z: Value, sampler: Sampler) -> Row[Value]:
    """The row one grid level lower, by the denoiser's estimate and the step's noise."""
    step = sampler.step(row.index, row.sigma, row.widths)
    state = step.apply(row.state, (denoised, *row.denoised), z)
    widths = (sampler.grid.spacing(row.index), *row.widths)
    earlier = row.denoised
    if row.after:
        denoised = (1.0 - row.offset) * denoised + row.offset * row.after[0]
        earlier = row.after[1:]
        widths = (widths[0], *(sampler.grid.spacing(row.index - 1) for _ in earlier))
    kept = sampler.history
    return replace(
        row,
        state=state,
        index=row.index + 1,
        sigma=sampler.grid.sigmas[row.index + 1],
        denoised=(denoised, *earlier)[:kept],
        widths=widths[:kept],
        offset=0.0,
        after=(),
    )
