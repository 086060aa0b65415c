"""Algorithm 1, the prefix that saves its first part, the fan, and the blend knob."""

import itertools
import math

import numpy as np
import pytest
import torch
from torch import Tensor

from eutectic.engine.fusion import Injection, Prefix, at_blend, at_remaining, fuse, needed, survival
from eutectic.engine.inversion import Residual, invert, invert_edit_friendly
from eutectic.engine.noise import Noise
from eutectic.engine.sample import Row, Sampler, sample
from eutectic.engine.schedule import karras, log_snr, polyexponential
from eutectic.engine.watch import Watch
from eutectic.errors import BadSetting, Cancelled
from oracle import Gaussian, Wavy, relative_rms

NOISE = Noise(1, 4, 60, torch.device("cpu"))
X0 = Noise(2, 4, 60, torch.device("cpu")).initial()
GRID = polyexponential(25, 0.03, 100.0)
SAMPLERS = [
    Sampler(GRID, order, solver, eta)  # type: ignore[arg-type]
    for order, solver, eta in [
        (1, "midpoint", 1.0),
        (2, "midpoint", 1.0),
        (2, "heun", 0.5),
        (3, "midpoint", 1.0),
        (2, "midpoint", 0.0),
        (1, "pingpong", 1.0),
    ]
]
CLEAN = invert(X0, GRID.s_min, Residual(), NOISE)


def algorithm_1(denoiser: Wavy, sampler: Sampler, remaining: int) -> Tensor:
    """The paper's loop in full: sample, assign x ← x̂_i at i, continue."""
    index = sampler.steps - remaining
    row = Prefix.begin(sampler, NOISE).row
    (row,) = sample(denoiser, [row], sampler, NOISE, until=index)
    injected = Row(CLEAN.at(row.sigma), index, row.sigma, row.denoised, row.widths)
    (row,) = sample(denoiser, [injected], sampler, NOISE)
    return row.state


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("remaining", [25, 24, 12, 1])
def test_resuming_from_the_prefix_is_the_whole_run_to_the_bit(
    sampler: Sampler, remaining: int
) -> None:
    whole = Wavy()
    expected = algorithm_1(whole, sampler, remaining)
    assert whole.rows == sampler.steps
    prefix = Prefix.begin(sampler, NOISE).extend(Wavy(), sampler.steps)
    resumed = Wavy()
    (result,) = fuse(resumed, prefix, CLEAN, [at_remaining(remaining, sampler)])
    assert resumed.rows == remaining
    assert torch.equal(result, expected)


def test_only_the_prefixs_history_is_used() -> None:
    sampler = SAMPLERS[1]
    prefix = Prefix.begin(sampler, NOISE).extend(Wavy(), 15)
    (expected,) = fuse(Wavy(), prefix, CLEAN, [at_remaining(10, sampler)])
    poisoned = tuple(
        d if level == 14 else torch.full_like(d, math.nan)
        for level, d in enumerate(prefix.denoised)
    )
    broken = Prefix(sampler, NOISE, prefix.row, poisoned)
    (result,) = fuse(Wavy(), broken, CLEAN, [at_remaining(10, sampler)])
    assert torch.equal(result, expected)


def test_a_prefix_extends_as_far_as_requested_and_never_twice() -> None:
    sampler, denoiser = SAMPLERS[1], Wavy()
    prefix = Prefix.begin(sampler, NOISE).extend(denoiser, 10)
    assert (denoiser.rows, len(prefix.denoised)) == (10, 10)
    assert prefix.extend(denoiser, 8) is prefix
    longer = prefix.extend(denoiser, 25)
    assert denoiser.rows == 25
    whole = Prefix.begin(sampler, NOISE).extend(Wavy(), 25)
    assert torch.equal(longer.row.state, whole.row.state)
    assert all(torch.equal(a, b) for a, b in zip(longer.denoised, whole.denoised, strict=True))


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("max_batch", [None, 2])
def test_a_fan_equals_its_single_fusions(sampler: Sampler, max_batch: int | None) -> None:
    prefix = Prefix.begin(sampler, NOISE).extend(Wavy(), sampler.steps)
    points = [at_blend(float(blend), sampler) for blend in np.linspace(0, 1, 9)]
    counted = Wavy()
    fan = fuse(counted, prefix, CLEAN, points, max_batch=max_batch)
    single = Wavy()
    for point, together in zip(points, fan, strict=True):
        (alone,) = fuse(single, prefix, CLEAN, [point])
        assert relative_rms(together, alone) < 1e-6  # measured 0: rows don't mix here
    assert counted.rows == single.rows


def test_blend_0_is_the_references_own_sample_and_blend_1_the_original() -> None:
    sampler = SAMPLERS[1]
    prefix = Prefix.begin(sampler, NOISE).extend(Wavy(), sampler.steps)
    counted = Wavy()
    own, original = fuse(counted, prefix, CLEAN, [at_blend(0.0, sampler), at_blend(1.0, sampler)])
    assert counted.rows == 0
    assert own is prefix.row.state and original is X0


@pytest.mark.parametrize("sampler", SAMPLERS[:5])
@pytest.mark.parametrize("blend", [0.02, 0.1, 0.37, 0.5, 0.8, 0.97, 0.9999])
def test_blend_is_the_share_of_the_original_that_survives(sampler: Sampler, blend: float) -> None:
    point = at_blend(blend, sampler)
    assert point is not None
    assert survival(point, sampler) == pytest.approx(blend, abs=1e-6)


@pytest.mark.parametrize("blend", [0.9, 0.97, 0.995])
@pytest.mark.parametrize(
    "sampler",
    [Sampler(polyexponential(100, 0.3, 500.0)), Sampler(log_snr(8), 1, "pingpong")],
    ids=["Stable Audio Open 1.0", "Stable Audio Open Small"],
)
def test_the_knob_reaches_the_original_on_grids_that_end_high(
    sampler: Sampler, blend: float
) -> None:
    """If no grid level leaves that much, the injection is below them all."""
    point = at_blend(blend, sampler)
    assert point is not None
    assert survival(point, sampler) == pytest.approx(blend, abs=1e-6)
    (result,) = fuse(Gaussian(1.0), Prefix.begin(sampler, NOISE).extend(
        Gaussian(1.0), needed([point], sampler)), CLEAN, [point])  # fmt: skip
    assert torch.isfinite(result).all()


def test_survival_is_what_the_sampler_does_to_x0() -> None:
    """On the denoiser of the definition, two originals differ in the result by survival·Δx0."""
    sampler = SAMPLERS[1]
    point = at_blend(0.4, sampler)
    prefix = Prefix.begin(sampler, NOISE).extend(Gaussian(1.0), sampler.steps)
    other = invert(2 * X0, GRID.s_min, Residual(), NOISE)
    (one,) = fuse(Gaussian(1.0), prefix, CLEAN, [point])
    (two,) = fuse(Gaussian(1.0), prefix, other, [point])
    torch.testing.assert_close(two - one, 0.4 * X0, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    "grid", [GRID, polyexponential(8, 0.1, 50.0), karras(30, 0.03, 100.0), log_snr(8)]
)
@pytest.mark.parametrize("order", [1, 2, 3])
def test_the_knob_is_monotonic_and_continuous(grid: object, order: int) -> None:
    sampler = Sampler(grid, order)  # type: ignore[arg-type]
    sigmas = [p.sigma for b in np.linspace(0.01, 0.99, 25) if (p := at_blend(b, sampler))]
    assert all(high >= low for high, low in itertools.pairwise(sigmas))
    inside = [s for s in sigmas if sampler.grid.s_min < s < sampler.grid.s_max]
    jumps = [math.log(a / b) for a, b in itertools.pairwise(inside)]
    assert max(jumps) < 1.0  # measured at most 0.83, the closed form from blend 0.01 to 0.05


def test_the_window_is_where_the_paper_finds_it() -> None:
    """200 steps from 500 to 0.3, injected at 120 to 180 of 200 (the paper: middle to late)."""
    sampler = Sampler(polyexponential(200, 0.3, 500.0), order=1)
    shares = [survival(at_remaining(200 - at, sampler), sampler) for at in (120, 140, 160, 180)]
    assert shares == pytest.approx([0.03, 0.12, 0.38, 0.73], abs=0.03)


def test_between_levels_the_result_moves_continuously() -> None:
    """Just above or below a grid level sounds the same, also at orders 2 and 3."""
    for sampler in SAMPLERS[:5]:
        prefix = Prefix.begin(sampler, NOISE).extend(Gaussian(0.7), sampler.steps)
        level, spacing = 15, GRID.spacing(14)
        at = Injection(level, GRID.sigmas[level])
        near = 1 - 1e-6  # the noise of so short a step grows with its root
        above = Injection(14, GRID.sigmas[14] * math.exp(-near * spacing), near)
        below = Injection(15, GRID.sigmas[15] * math.exp(-1e-6 * spacing), 1e-6)
        exact, high, low = fuse(Gaussian(0.7), prefix, CLEAN, [at, above, below])
        assert relative_rms(high, exact) < 2e-3 and relative_rms(low, exact) < 2e-3


def test_first_order_needs_no_prefix() -> None:
    first, second, third = SAMPLERS[0], SAMPLERS[1], SAMPLERS[3]
    point = Injection(10, 1.0, 0.5)
    assert needed([point], first) == 0
    assert needed([point], second) == needed([point], third) == 11
    assert needed([point, None], first) == 25
    assert needed([at_remaining(0, second)], second) == 0


def test_warm_up_and_cool_down_lower_the_order() -> None:
    sampler = Sampler(GRID, 3, warm_up=20, cool_down=5)
    orders = [sampler.order_at(index) for index in range(25)]
    assert orders == [1] * 5 + [3] * 16 + [1] * 4
    plain = Sampler(GRID, 3)
    results = [Prefix.begin(s, NOISE).extend(Wavy(), 25).row.state for s in (sampler, plain)]
    assert not torch.equal(*results)


def test_flow_grids_inject_at_finite_levels_only() -> None:
    sampler = Sampler(log_snr(8), order=1, solver="pingpong")
    prefix = Prefix.begin(sampler, NOISE).extend(Gaussian(0.7), 8)
    assert torch.isfinite(prefix.row.state).all()
    with pytest.raises(BadSetting, match="remaining must be 0 to 7"):
        at_remaining(8, sampler)
    (result,) = fuse(Gaussian(0.7), prefix, CLEAN, [at_remaining(7, sampler)])
    assert torch.isfinite(result).all()


def test_edit_friendly_trajectories_fuse_on_grid_levels_with_their_own_noise() -> None:
    sampler = Sampler(GRID, 1)
    trajectory = invert_edit_friendly(Gaussian(0.7), X0, sampler, NOISE)
    prefix = Prefix.begin(sampler, NOISE).extend(Gaussian(0.7), 25)
    point = at_blend(0.5, sampler, on_grid=True)
    assert point is not None and point.sigma in GRID.sigmas
    (result,) = fuse(Gaussian(0.7), prefix, trajectory, [point])
    (last,) = [Gaussian(0.7)(trajectory.at(GRID.s_min), torch.tensor([GRID.s_min]))]
    assert relative_rms(result, last) < 1e-5


@pytest.mark.parametrize("blend", [-0.1, 1.5, math.nan])
def test_a_blend_out_of_range_is_refused(blend: float) -> None:
    with pytest.raises(BadSetting, match="blend must be 0 to 1"):
        at_blend(blend, SAMPLERS[1])


@pytest.mark.parametrize("remaining", [-1, 26])
def test_a_remaining_out_of_range_is_refused(remaining: int) -> None:
    with pytest.raises(BadSetting, match="remaining must be 0 to 25"):
        at_remaining(remaining, SAMPLERS[1])


def test_cancelling_stops_before_the_next_evaluation_and_progress_counts() -> None:
    sampler, denoiser, seen = SAMPLERS[1], Wavy(), []
    prefix = Prefix.begin(sampler, NOISE)

    def progress(done: int, whole: int) -> None:
        seen.append((done, whole))

    with pytest.raises(Cancelled):
        prefix.extend(denoiser, 25, Watch(lambda: denoiser.rows >= 4, progress))
    assert denoiser.rows == 4
    assert seen == [(1, 25), (2, 25), (3, 25), (4, 25)]


@pytest.mark.parametrize("bad", [{"order": 4}, {"eta": 1.5}, {"eta": -0.1}])
def test_an_invalid_sampler_cannot_be_constructed(bad: dict[str, object]) -> None:
    with pytest.raises(BadSetting):
        Sampler(GRID, **bad)  # type: ignore[arg-type]
