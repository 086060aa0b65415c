"""The closed form against the paper's recursion, its invariants, and retracing (Appendix C)."""

import itertools
import math

import pytest
import torch
from torch import Tensor

from eutectic.engine.inversion import (
    ClosedForm,
    Residual,
    invert,
    invert_ddim,
    invert_edit_friendly,
    invert_rf,
    noise_map,
)
from eutectic.engine.noise import Noise
from eutectic.engine.sample import Row, Sampler, sample
from eutectic.engine.schedule import Grid, karras, polyexponential
from eutectic.errors import BadSetting
from oracle import Constant, Gaussian, Quiet, relative_rms, spread

NOISE = Noise(3, 4, 50, torch.device("cpu"))
GRID = polyexponential(40, 0.3, 500.0)
X0 = Noise(9, 4, 50, torch.device("cpu")).initial().double()


def alpha(sigma: float) -> float:
    """Of the variance-preserving models: s = σ/α, α² + σ² = 1."""
    return 1 / math.hypot(1, sigma)


def recursion_vp(x0: Tensor, x1: Tensor, sigmas: list[float], eta: float) -> Tensor:
    """Eq. 6 (η 1) and Eq. 8 (η 0) as printed, in the paper's own coordinates.

    Eq. 8's printed σ_{t−1}(e^{λ_{t−1}} − e^{λ_t})x0 is Eq. 7's integral.
    """
    x = x1
    for low, high in itertools.pairwise(sigmas):
        a0, a1 = alpha(low), alpha(high)
        s0, s1 = low * a0, high * a1
        lam0, lam1 = -math.log(low), -math.log(high)
        if eta:
            drift = a0 * (1 - math.exp(-2 * (lam0 - lam1)))
            x = (s1 / s0) * math.exp(lam0 - lam1) * (x - drift * x0)
        else:
            x = (s1 / s0) * (x - s0 * (math.exp(lam0) - math.exp(lam1)) * x0)
    return x


@pytest.mark.parametrize("eta", [0.0, 1.0])
@pytest.mark.parametrize("grid", [GRID, karras(17, 0.03, 80.0)], ids=["polyexponential", "karras"])
def test_closed_form_equals_the_papers_recursion(grid: Grid, eta: float) -> None:
    """VP result = α·VE result, and any number of steps gives the same."""
    levels = [sigma for sigma in reversed(grid.sigmas) if sigma]
    y1 = X0 + 0.1 * levels[0] * NOISE.initial().double()
    for sigmas in (levels, [levels[0], levels[-1]], levels[:1] + levels[-3:]):
        expected = recursion_vp(X0, alpha(levels[0]) * y1, sigmas, eta)
        closed = X0 + (sigmas[-1] / levels[0]) ** (1 + eta) * (y1 - X0)
        # Measured at most 8e-13 (Eq. 6 over 39 steps); the difference form itself is exact.
        assert relative_rms(alpha(sigmas[-1]) * closed, expected) < 1e-11


@pytest.mark.parametrize(
    ("residual", "eta"),
    [
        (Residual("clean"), 1.0),
        (Residual("clean"), 0.0),
        (Residual("scaled", eta=1.0), 1.0),
        (Residual("scaled", eta=0.0), 0.0),
        (Residual("gaussian", amount=0.7), 0.0),
    ],
)
def test_every_level_of_an_inverted_clip_is_the_recursions(residual: Residual, eta: float) -> None:
    """Float64, from the trajectory's own y_1; stochastic is exempt, since it accumulates noise."""
    trajectory = ClosedForm(X0, GRID.s_min, residual, NOISE.initial().double())
    y1 = trajectory.at(GRID.s_min)
    for index in (0, 13, 38):
        sigmas = [sigma for sigma in reversed(GRID.sigmas[index:]) if sigma]
        expected = recursion_vp(X0, alpha(sigmas[0]) * y1, sigmas, eta)
        # Measured at most 5e-10 (clean, η 1): the printed recursion amplifies its own rounding
        # by (s/s_min)^2, up to 3e6 here.
        assert relative_rms(alpha(sigmas[-1]) * trajectory.at(sigmas[-1]), expected) < 2e-9


@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
def test_difference_recursion_composes(eta: float) -> None:
    """a→b→c = a→c, and the step-by-step difference form is the closed form."""
    levels = [sigma for sigma in reversed(GRID.sigmas) if sigma]
    y1 = X0 + 0.3 * NOISE.initial().double()
    y = y1
    for low, high in itertools.pairwise(levels):
        y = X0 + (high / low) ** (1 + eta) * (y - X0)
    assert relative_rms(y, X0 + (levels[-1] / levels[0]) ** (1 + eta) * (y1 - X0)) < 1e-12


def test_the_residuals_are_what_they_are_named() -> None:
    s_min, sigma, n = 0.3, 7.0, NOISE.initial()
    x0 = X0.float()

    def at(residual: Residual, flow: bool = False) -> Tensor:
        return invert(x0, s_min, residual, NOISE, flow).at(sigma)

    assert torch.equal(at(Residual("clean")), x0)
    torch.testing.assert_close(at(Residual("gaussian", amount=0.5)), x0 + 0.5 * sigma * n)
    torch.testing.assert_close(
        at(Residual("stochastic")), x0 + n * sigma * math.sqrt((sigma / s_min) ** 2 - 1)
    )
    vp_start = X0 / alpha(s_min)  # y_1 = x0/α_min
    for eta in (0.0, 1.0):
        expected = X0 + (sigma / s_min) ** (1 + eta) * (vp_start - X0)
        torch.testing.assert_close(at(Residual("scaled", eta=eta)), expected.float())
        flow_start = X0 * (1 + s_min)  # α = 1/(1+s)
        expected = X0 + (sigma / s_min) ** (1 + eta) * (flow_start - X0)
        torch.testing.assert_close(at(Residual("scaled", eta=eta), True), expected.float())


@pytest.mark.parametrize("kind", ["clean", "gaussian", "scaled", "stochastic"])
def test_inversion_is_affine(kind: str) -> None:
    """Equivariance in (x0, y_1): scaling both scales the trajectory."""
    residual, n = Residual(kind, amount=0.5), NOISE.initial()  # type: ignore[arg-type]
    one = ClosedForm(X0, 0.3, residual, n.double())
    two = ClosedForm(3 * X0, 0.3, residual, 3 * n.double())
    torch.testing.assert_close(two.at(11.0), 3 * one.at(11.0), rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("amount", [-0.1, 1.1])
def test_a_residual_amount_out_of_range_is_refused(amount: float) -> None:
    with pytest.raises(BadSetting):
        Residual("gaussian", amount)


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("eta", [0.0, 1.0])
def test_sampling_with_constant_output_retraces_the_inversion(order: int, eta: float) -> None:
    """Noiseless sampling with x_θ = x0 goes back down the trajectory, ending on x0, in float32."""
    x0, n = X0.float(), NOISE.initial()

    def y(sigma: float) -> Tensor:
        return (X0 + (sigma / GRID.s_min) ** (1 + eta) * (0.1 * GRID.s_min * n.double())).float()

    row = Row(y(GRID.s_max), 0, GRID.s_max)
    sampler = Sampler(GRID, order, eta=eta)
    worst = 0.0
    for index in range(1, GRID.steps):
        (row,) = sample(Constant(x0), [row], sampler, Quiet(), until=index)
        worst = max(worst, relative_rms(row.state, y(row.sigma)))
    assert worst < 2e-6  # measured at most 3.5e-7
    (row,) = sample(Constant(x0), [row], sampler, Quiet())
    assert torch.equal(row.state, x0)


@pytest.mark.parametrize("eta", [0.0, 1.0])
def test_sampling_with_stored_noise_maps_retraces_the_trajectory(eta: float) -> None:
    """Appendix C: the network predicts ε(s) of Eq. 9, so that x_θ is x0 at every step."""
    y1 = X0 + 0.1 * GRID.s_min * NOISE.initial().double()

    def y(sigma: float) -> Tensor:
        return X0 + (sigma / GRID.s_min) ** (1 + eta) * (y1 - X0)

    maps = {sigma: noise_map(y(sigma), X0, sigma) for sigma in GRID.sigmas if sigma}

    def predicted(state: Tensor, sigma: Tensor) -> Tensor:
        return state - spread(sigma, state) * maps[float(sigma)]

    sampler = Sampler(GRID, 2, eta=eta)
    row = Row(y(GRID.s_max), 0, GRID.s_max)
    for index in range(1, GRID.steps + 1):
        (row,) = sample(predicted, [row], sampler, Quiet(), until=index)
        target = y(row.sigma) if row.sigma else X0
        assert relative_rms(row.state, target) < 1e-9  # measured 8e-12


def test_noise_maps_are_constant_for_the_ode_and_proportional_to_sigma_for_the_sde() -> None:
    y1 = X0 + 0.3 * NOISE.initial().double()
    for eta, growth in ((0.0, 1.0), (1.0, 10.0)):
        low = noise_map(X0 + (1.0 / 0.3) ** (1 + eta) * (y1 - X0), X0, 1.0)
        high = noise_map(X0 + (10.0 / 0.3) ** (1 + eta) * (y1 - X0), X0, 10.0)
        torch.testing.assert_close(high, growth * low, rtol=1e-10, atol=1e-10)


def test_ddim_inversion_costs_one_evaluation_per_step_and_reconstructs_the_clip() -> None:
    """On an exact denoiser, sampling the ODE from the inverted latent reconstructs the clip."""
    oracle, grid = Gaussian(0.8), polyexponential(400, 0.02, 50.0)
    trajectory = invert_ddim(oracle, X0, grid)
    assert oracle.rows == grid.steps - 1
    top = Row(trajectory.at(grid.s_max), 0, grid.s_max)
    (row,) = sample(Gaussian(0.8), [top], Sampler(grid, 1, eta=0.0), Quiet())
    assert relative_rms(row.state, X0) < 0.02  # measured 0.012, first order in the step


@pytest.mark.parametrize("order", [1, 2, 3])
def test_edit_friendly_inversion_reconstructs_the_clip_from_any_level(order: int) -> None:
    """With its own noise and, above order 1, the estimates that its noise was derived from."""
    oracle, grid = Gaussian(0.8), polyexponential(30, 0.03, 50.0)
    sampler, noise = Sampler(grid, order), Noise(3, 4, 50, torch.device("cpu"))
    trajectory = invert_edit_friendly(oracle, X0, sampler, noise)
    assert oracle.rows == grid.steps - 1
    assert set(trajectory.denoised) == (set(range(29)) if order > 1 else set())
    for index in (0, 10, 25):
        sigma = grid.sigmas[index]
        before = range(index - 1, max(-1, index - order), -1)
        row = Row(
            trajectory.at(sigma), index, sigma,
            tuple(trajectory.denoised[level] for level in before),
            tuple(grid.spacing(level) for level in before),
        )  # fmt: skip
        assert trajectory.noise is not None
        (row,) = sample(
            Gaussian(0.8), [row], sampler, trajectory.noise, until=grid.steps - 1
        )  # fmt: skip
        assert relative_rms(row.state, trajectory.at(grid.s_min)) < 1e-9  # measured 4e-14


def test_edit_friendly_inversion_needs_a_sampler_that_adds_noise() -> None:
    with pytest.raises(BadSetting, match="eta above 0"):
        invert_edit_friendly(Gaussian(0.8), X0, Sampler(GRID, 2, eta=0.0), NOISE)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0])
def test_rf_inversion_leads_from_ddim_to_the_straight_line_to_its_noise(gamma: float) -> None:
    grid, target = GRID, Noise(3, 4, 50, torch.device("cpu")).initial().double()
    calls = 0

    def denoiser(state: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
        nonlocal calls
        calls += 1
        return torch.tanh(state / (1 + sigma.to(state)))

    found = invert_rf(denoiser, X0, grid, target, gamma)
    levels = sorted(found.states)
    assert calls == len(levels) - 1
    ddim = invert_ddim(denoiser, X0, grid)
    for sigma in levels:
        ours = found.at(sigma) / (1 + sigma)
        line = target + (X0 / (1 + levels[0]) - target) * (1 + levels[0]) / (1 + sigma)
        if gamma == 0:
            torch.testing.assert_close(ours, ddim.at(sigma) / (1 + sigma))
        elif gamma == 1:
            torch.testing.assert_close(ours, line)
    if gamma == 0.5:
        far = found.at(levels[-1]) / (1 + levels[-1])
        assert (far - target).norm() < 0.2 * (X0 - target).norm()
