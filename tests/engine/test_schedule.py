"""Grids equal k-diffusion's and stable-audio-tools'; invalid ones are refused."""

import math

import pytest
import torch
from stable_audio_tools.inference.k_diffusion import sampling as kd

from eutectic.engine.schedule import Grid, karras, log_snr, polyexponential
from eutectic.errors import BadSetting


@pytest.mark.parametrize("steps", [1, 2, 8, 100])
@pytest.mark.parametrize("rho", [1.0, 2.0])
def test_polyexponential_is_k_diffusions(steps: int, rho: float) -> None:
    expected = kd.get_sigmas_polyexponential(steps, 0.3, 500.0, rho)
    ours = torch.tensor(polyexponential(steps, 0.3, 500.0, rho).sigmas)
    torch.testing.assert_close(ours, expected, rtol=2e-6, atol=0)  # k-diffusion's is float32


@pytest.mark.parametrize("steps", [2, 8, 100])
def test_karras_is_k_diffusions(steps: int) -> None:
    low, high = 0.03 ** (1 / 7), 100.0 ** (1 / 7)
    ramp = torch.linspace(0, 1, steps)
    expected = kd.append_zero((high + ramp * (low - high)) ** 7)  # its get_sigmas_karras
    ours = torch.tensor(karras(steps, 0.03, 100.0).sigmas)
    torch.testing.assert_close(ours, expected, rtol=5e-6, atol=0)


def test_log_snr_is_stable_audio_tools_flow_grid() -> None:
    times = torch.sigmoid(-torch.linspace(-6, 2, 9, dtype=torch.float64))
    times[0], times[-1] = 1, 0
    ours = torch.tensor(log_snr(8).sigmas, dtype=torch.float64)
    torch.testing.assert_close(ours, times / (1 - times), rtol=1e-12, atol=0)


def test_a_flow_grid_needs_a_finite_level() -> None:
    with pytest.raises(BadSetting, match="steps must be 2 to 1000"):
        log_snr(1)


def test_grid_sizes_are_derived() -> None:
    grid = log_snr(8)
    assert (grid.steps, grid.first_finite) == (8, 1)
    assert grid.s_max == grid.sigmas[1] and grid.s_min == grid.sigmas[7]
    assert math.isinf(grid.spacing(0)) and math.isinf(grid.spacing(7))
    assert grid.spacing(3) == pytest.approx(1.0)


@pytest.mark.parametrize("sigmas", [(), (1.0,), (1.0, 2.0, 0.0), (1.0, 1.0, 0.0), (2.0, 1.0)])
def test_a_grid_that_does_not_decrease_to_zero_is_refused(sigmas: tuple[float, ...]) -> None:
    with pytest.raises(BadSetting):
        Grid(sigmas)


@pytest.mark.parametrize(
    ("steps", "low", "high"), [(0, 0.1, 1.0), (5, 0.0, 1.0), (5, 2.0, 1.0), (2000, 0.1, 1.0)]
)
def test_grid_limits_are_checked(steps: int, low: float, high: float) -> None:
    with pytest.raises(BadSetting):
        polyexponential(steps, low, high)
