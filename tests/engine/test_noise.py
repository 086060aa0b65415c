"""Noise belongs to (seed, step) and leaves the global generator alone."""

import torch

from eutectic.engine.noise import Noise

CPU = torch.device("cpu")


def test_a_draw_depends_on_seed_and_step_only() -> None:
    noise = Noise(7, 4, 100, CPU)
    assert torch.equal(noise.step(3), Noise(7, 4, 100, CPU).step(3))
    draws = [noise.initial(), noise.step(0), noise.step(1), Noise(8, 4, 100, CPU).step(0)]
    for number, one in enumerate(draws):
        for other in draws[number + 1 :]:
            correlation = torch.corrcoef(torch.stack([one.flatten(), other.flatten()]))[0, 1]
            assert abs(correlation) < 0.2  # measured at most 0.06; identical draws give 1


def test_draws_are_standard_normal() -> None:
    draw = Noise(0, 64, 1000, CPU).step(5)
    assert abs(float(draw.mean())) < 0.02 and abs(float(draw.std()) - 1) < 0.02


def test_the_global_generator_is_not_used() -> None:
    torch.manual_seed(1)
    expected = torch.rand(4)
    torch.manual_seed(1)
    Noise(3, 2, 10, CPU).step(0)
    assert torch.equal(torch.rand(4), expected)
