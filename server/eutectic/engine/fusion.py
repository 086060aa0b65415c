"""Algorithm 1: sample the reference, inject the original's inverted latent, sample to the end.

The injection overwrites the state, so earlier steps reach the result only through the multistep
history. The reference's own sampling, with every estimate kept (`Prefix`), is therefore run once;
each injection then costs only `remaining` network evaluations, with the full run's result to the
bit (same device, same batch shape).

A place to inject is given as `remaining`, the paper's i (steps still to run), or as `blend` in
0..1, which is linear in the original's survival (see `survival`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from jaxtyping import Float
from torch import Tensor

from eutectic.config import Place, check_remaining
from eutectic.engine.denoiser import Denoiser
from eutectic.engine.inversion import Trajectory
from eutectic.engine.noise import SamplingNoise
from eutectic.engine.sample import Row, Sampler, advance, sample, start
from eutectic.engine.shrinkage import NETWORK, Shrinkage
from eutectic.engine.steps import Value
from eutectic.engine.watch import UNWATCHED, Watch
from eutectic.errors import BadSetting


@dataclass(frozen=True)
class Injection:
    """Where the original enters: at `sigma`, below grid level `index` by `offset` (log share).

    At index `steps` nothing is left to sample: the result is the original's own latent.
    """

    index: int
    sigma: float
    offset: float = 0.0

    def remaining(self, sampler: Sampler) -> int:
        """Network evaluations still to run, the paper's i."""
        return sampler.steps - self.index


@dataclass(frozen=True)
class Prefix:
    """The reference's own sampling so far, every estimate kept.

    `denoised[i]` is the estimate at grid level i, float32 (1, channel, frame), for all levels
    above the row's. At the end of the grid the row's state is the reference's own sample.
    """

    sampler: Sampler
    noise: SamplingNoise
    row: Row[Tensor]
    denoised: tuple[Tensor, ...] = ()

    @classmethod
    def begin(cls, sampler: Sampler, noise: SamplingNoise) -> Prefix:
        """Nothing sampled yet."""
        return cls(sampler, noise, start(noise, sampler))

    @property
    def nbytes(self) -> int:
        """Memory of its latents."""
        return sum(latent.nbytes for latent in (self.row.state, *self.denoised))

    def extend(
        self,
        denoiser: Denoiser,
        until: int,
        watch: Watch = UNWATCHED,
    ) -> Prefix:
        """The same run, continued to grid level `until` if it hasn't reached it."""
        if until <= self.row.index:
            return self
        kept = list(self.denoised)
        (row,) = sample(
            denoiser,
            [self.row],
            self.sampler,
            self.noise,
            until=until,
            watch=watch,
            on_estimate=lambda _, denoised: kept.append(denoised),
        )
        return replace(self, row=row, denoised=tuple(kept))


def needed(injections: Sequence[Injection | None], sampler: Sampler) -> int:
    """Grid level that a prefix must reach for these injections; None is no injection."""
    return max(
        sampler.steps
        if injection is None
        else 0
        if _reach(injection.index, sampler) == 0
        else injection.index + (injection.offset > 0)
        for injection in injections
    )


def at_place(
    place: Place, sampler: Sampler, on_grid: bool = False, shrinkage: Shrinkage = NETWORK
) -> Injection | None:
    """The injection at a user's place, by `at_blend` or `at_remaining`; None at blend 0.

    Raises:
        BadSetting: the place is off the grid.
    """
    if place.remaining is not None:
        return at_remaining(place.remaining, sampler)
    assert place.blend is not None
    return at_blend(place.blend, sampler, on_grid, shrinkage)


def blend_at(
    place: Place, injection: Injection | None, sampler: Sampler, shrinkage: Shrinkage = NETWORK
) -> float:
    """The requested blend, or the one that an injection with `remaining` steps amounts to."""
    if place.blend is not None:
        return place.blend
    return 0.0 if injection is None else min(1.0, survival(injection, sampler, shrinkage))


def at_remaining(remaining: int, sampler: Sampler) -> Injection:
    """The injection with this many steps left; with all of them it replaces the initial latent.

    Raises:
        BadSetting: out of 0..steps, or at a level that is infinite (a flow model's first).
    """
    highest = sampler.steps - sampler.grid.first_finite
    check_remaining(remaining, highest)
    index = sampler.steps - remaining
    return Injection(index, sampler.grid.sigmas[index])


def at_blend(
    blend: float, sampler: Sampler, on_grid: bool = False, shrinkage: Shrinkage = NETWORK
) -> Injection | None:
    """The injection after which the share `blend` of the original survives; None at 0.

    `on_grid` picks the nearest grid level, for trajectories that exist only there.

    Raises:
        BadSetting: blend is not in 0..1.
    """
    if not 0.0 <= blend <= 1.0:
        raise BadSetting(f"blend must be 0 to 1, not {blend:g}")
    if blend == 0.0:
        return None
    if blend == 1.0:
        return at_remaining(0, sampler)
    if on_grid:
        table = _survival_on_grid(sampler, shrinkage)
        rising = range(sampler.grid.first_finite, max(table, key=lambda level: table[level]) + 1)
        index = min(rising, key=lambda level: abs(table[level] - blend))
        return Injection(index, sampler.grid.sigmas[index])
    return _solve(blend, sampler, shrinkage)


def survival(injection: Injection, sampler: Sampler, shrinkage: Shrinkage = NETWORK) -> float:
    """The share of the original in the result: the coefficient of x0.

    It exceeds 1 at low levels at orders 2 and 3: the history, which lacks the original, makes the
    steps overshoot.

    This is the scalar recursion of the estimate of a state around zero (`Shrinkage`; for a network
    alone y/(1 + s²)) over the actual grid and steps, with no x0 in the history.
    """
    row = _row_at(injection, sampler, 1.0, lambda _: 0.0)
    while row.index < sampler.steps:
        denoised = row.state * shrinkage.at(row.sigma)
        row = advance(row, denoised, 0.0, sampler)
    return row.state


@lru_cache(maxsize=64)
def _survival_on_grid(sampler: Sampler, shrinkage: Shrinkage) -> dict[int, float]:
    grid = sampler.grid
    return {
        index: survival(Injection(index, grid.sigmas[index]), sampler, shrinkage)
        for index in range(grid.first_finite, grid.steps)
    }


@lru_cache(maxsize=1024)
def _solve(blend: float, sampler: Sampler, shrinkage: Shrinkage) -> Injection:
    """The highest level at which `blend` survives, bisected in log sigma.

    If no grid level leaves that much, it is below all of them, where the single last step is y = D.
    """
    table = _survival_on_grid(sampler, shrinkage)
    reached = [index for index, value in table.items() if value >= blend]
    if not reached:
        return Injection(sampler.steps - 1, shrinkage.level_at(blend))
    below = min(reached)
    if below == sampler.grid.first_finite:
        return Injection(below, sampler.grid.sigmas[below])
    above = below - 1
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = 0.5 * (low + high)
        if survival(_between(above, middle, sampler), sampler, shrinkage) < blend:
            low = middle
        else:
            high = middle
    if high == 1.0:
        return Injection(below, sampler.grid.sigmas[below])
    return _between(above, high, sampler)


def _between(index: int, offset: float, sampler: Sampler) -> Injection:
    sigma = sampler.grid.sigmas[index] * math.exp(-offset * sampler.grid.spacing(index))
    return Injection(index, sigma, offset)


def _reach(index: int, sampler: Sampler) -> int:
    """Estimates that a row injected here looks back on; none if no multistep step is left."""
    return 0 if index >= sampler.steps - 1 else sampler.history


def inject(prefix: Prefix, trajectory: Trajectory, injection: Injection) -> Row[Tensor]:
    """The row that continues from the original's inverted latent with the reference's history.

    Between two grid levels the history is interpolated in log s, one grid spacing above the
    state, with the grid's own spacings; on a grid level it is exactly that of the full run.
    """
    sampler = prefix.sampler
    sigma = injection.sigma
    state = trajectory.x0 if sigma == 0 else trajectory.at(sigma)
    return _row_at(injection, sampler, state, lambda level: prefix.denoised[level])


def _row_at(
    injection: Injection, sampler: Sampler, state: Value, estimate: Callable[[int], Value]
) -> Row[Value]:
    index, offset, grid = injection.index, injection.offset, sampler.grid
    if index == sampler.steps:
        return Row(state, index, 0.0)
    reach = min(_reach(index, sampler), index)
    denoised: list[Value] = []
    widths: list[float] = []
    for level in range(index - 1, index - 1 - reach, -1):
        value, width = estimate(level), grid.spacing(level)
        if offset:
            value = (1.0 - offset) * value + offset * estimate(level + 1)
            width = (1.0 - offset) * width + offset * grid.spacing(level + 1)
        denoised.append(value)
        widths.append(width)
    after: tuple[Value, ...] = ()
    if offset and sampler.history:
        after = tuple(
            estimate(level) for level in range(index, index - sampler.history, -1) if level >= 0
        )
    return Row(state, index, injection.sigma, tuple(denoised), tuple(widths), offset, after)


def fuse(
    denoiser: Denoiser,
    prefix: Prefix,
    trajectory: Trajectory,
    injections: Sequence[Injection | None],
    max_batch: int | None = None,
    watch: Watch = UNWATCHED,
) -> list[Float[Tensor, "1 channel frame"]]:
    """Fused latents, one for each injection (None: the reference's own sample), as one fan.

    The prefix must reach `needed(injections, sampler)`. Rows join one batch on the way down; each
    costs its own `remaining` evaluations.
    """
    every = [(trajectory, injection) for injection in injections]
    return fuse_all(denoiser, prefix, every, max_batch, watch)


def fuse_all(
    denoiser: Denoiser,
    prefix: Prefix,
    every: Sequence[tuple[Trajectory, Injection | None]],
    max_batch: int | None = None,
    watch: Watch = UNWATCHED,
) -> list[Float[Tensor, "1 channel frame"]]:
    """The same for several originals: all rows share evaluations, but for noise of their own."""
    noises = {id(trajectory.noise): trajectory.noise for trajectory, _ in every}
    latents: dict[int, Tensor] = {}
    for noise in noises.values():
        places = [place for place, (each, _) in enumerate(every) if each.noise is noise]
        rows = [_row(prefix, *every[place]) for place in places]
        done = sample(
            denoiser, rows, prefix.sampler, noise or prefix.noise, max_batch=max_batch, watch=watch
        )
        latents |= {place: row.state for place, row in zip(places, done, strict=True)}
    return [latents[place] for place in range(len(every))]


def _row(prefix: Prefix, trajectory: Trajectory, injection: Injection | None) -> Row[Tensor]:
    return prefix.row if injection is None else inject(prefix, trajectory, injection)
