"""Every step is k-diffusion's on the same noise, and converges with its order."""

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from stable_audio_tools.inference.k_diffusion import sampling as kd
from torch import Tensor

from eutectic.engine.noise import Noise
from eutectic.engine.sample import Row, Sampler, sample
from eutectic.engine.schedule import Grid, karras, polyexponential
from eutectic.engine.steps import make_step
from oracle import Gaussian, Quiet, Wavy, grid_tensor, relative_rms

GRIDS = [polyexponential(20, 0.03, 100.0), karras(13, 0.3, 500.0)]


class Float64Noise(Noise):
    def step(self, index: int) -> Tensor:
        return super().step(index).double()


def shared_noise(noise: Noise, grid: Grid) -> Callable[[Any, Any], Tensor]:
    """k-diffusion's noise sampler over the same draws, addressed by level."""
    sigmas = list(grid.sigmas)
    return lambda sigma, _: noise.step(sigmas.index(float(sigma)))


def euler(model: Any, x: Tensor, sigmas: Tensor, disable: bool) -> Tensor:
    """k-diffusion's sample_euler (Karras et al. 2022, Algorithm 2, first order, no churn)."""
    for high, low in itertools.pairwise(sigmas):
        derivative = (x - model(x, high * x.new_ones([len(x)]))) / high
        x = x + derivative * (low - high)
    return x


def ours(sampler: Sampler, noise: Noise) -> Tensor:
    first = noise.initial().double() * sampler.grid.sigmas[0]
    (row,) = sample(Wavy(), [Row(first, 0, sampler.grid.sigmas[0])], sampler, noise)
    return row.state


@pytest.mark.parametrize("grid", GRIDS, ids=["polyexponential", "karras"])
@pytest.mark.parametrize(
    ("order", "eta", "solver", "reference"),
    [
        (1, 0.0, "midpoint", (euler, {})),
        (2, 0.0, "midpoint", (kd.sample_dpmpp_2m, {})),
        (2, 1.0, "midpoint", (kd.sample_dpmpp_2m_sde, {"eta": 1.0})),
        (2, 0.4, "midpoint", (kd.sample_dpmpp_2m_sde, {"eta": 0.4})),
        (2, 1.0, "heun", (kd.sample_dpmpp_2m_sde, {"eta": 1.0, "solver_type": "heun"})),
        (2, 0.0, "heun", (kd.sample_dpmpp_2m_sde, {"eta": 0.0, "solver_type": "heun"})),
        (3, 1.0, "midpoint", (kd.sample_dpmpp_3m_sde, {"eta": 1.0})),
        (3, 0.0, "midpoint", (kd.sample_dpmpp_3m_sde, {"eta": 0.0})),
    ],
)
def test_steps_equal_k_diffusions_on_the_same_noise(
    grid: Grid, order: int, eta: float, solver: Any, reference: tuple[Any, dict[str, Any]]
) -> None:
    noise = Float64Noise(5, 3, 40, torch.device("cpu"))
    function, options = reference
    if function not in (euler, kd.sample_dpmpp_2m):
        options = options | {"noise_sampler": shared_noise(noise, grid)}
    first = noise.initial().double() * grid.sigmas[0]
    expected = function(Wavy(), first, grid_tensor(grid), disable=True, **options)
    result = ours(Sampler(grid, order, solver, eta), noise)
    # Measured at most 2e-13: the sums are ordered differently, and the denoiser amplifies it.
    assert relative_rms(result, expected) < 1e-12


@pytest.mark.parametrize(("order", "slope"), [(1, 1.0), (2, 2.0), (3, 2.06)])
def test_order_of_convergence_on_an_exact_denoiser(order: int, slope: float) -> None:
    """ODE solution known in closed form; order 3 starts with lower orders, which limits it."""
    oracle, high, low = Gaussian(0.5), 20.0, 0.02
    first = torch.ones(1, 1, 1, dtype=torch.float64)
    counts, errors = [40, 80, 160, 320], []
    for steps in counts:
        levels = polyexponential(steps + 1, low, high).sigmas
        sampler = Sampler(Grid(levels), order, eta=0.0)
        (row,) = sample(oracle, [Row(first, 0, high)], sampler, Quiet(), until=steps)
        errors.append(abs(float(row.state - oracle.ode(first, high, low))))
    fitted = -float(np.polyfit(np.log(counts), np.log(errors), 1)[0])
    assert fitted == pytest.approx(slope, abs=0.12)  # measured 0.98, 1.99, 2.06


def test_order_3_errs_less_than_order_2() -> None:
    oracle, first = Gaussian(0.5), torch.ones(1, 1, 1, dtype=torch.float64)
    error = {}
    for order in (2, 3):
        sampler = Sampler(polyexponential(81, 0.02, 20.0), order, eta=0.0)
        (row,) = sample(oracle, [Row(first, 0, 20.0)], sampler, Quiet(), until=80)
        error[order] = abs(float(row.state - oracle.ode(first, 20.0, 0.02)))
    assert error[3] < 0.4 * error[2]


def test_pingpong_adds_fresh_noise_to_the_estimate() -> None:
    step = make_step(2.0, 0.5, (), solver="pingpong")
    state, denoised, z = (torch.tensor([value]) for value in (9.0, 3.0, 2.0))
    assert step.apply(state, (denoised,), z) == 4.0


def test_the_last_step_gives_the_estimate() -> None:
    step = make_step(0.3, 0.0, (0.5, 0.5), order=3)
    assert (step.state, step.denoised, step.noise) == (0.0, (1.0,), 0.0)


@pytest.mark.parametrize("eta", [0.0, 1.0])
def test_a_step_from_infinity_is_the_limit_of_high_levels(eta: float) -> None:
    """The state at s = ∞ is the unit noise z itself: y/s → z."""
    z, denoised, fresh = torch.tensor([0.7]), torch.tensor([0.2]), torch.tensor([-1.1])
    limit = make_step(math.inf, 2.0, (), 1, eta).apply(z, (denoised,), fresh)
    high = make_step(1e9, 2.0, (), 1, eta).apply(z * 1e9, (denoised,), fresh)
    torch.testing.assert_close(limit, high, atol=1e-6, rtol=0)
