"""The toy is exact: its denoiser is that of a Gaussian, through the same path as any model."""

import pytest
import torch

from eutectic.engine.loading import load
from eutectic.engine.toy import DEVIATION, RATIO, ToyModel
from oracle import Gaussian, relative_rms


@pytest.mark.parametrize("sigma", [0.03, 0.5, 2.0, 100.0])
def test_the_denoiser_is_that_of_its_gaussian(sigma: float) -> None:
    model = load("toy", torch.device("cpu"))
    condition = model.condition("low drone", 1.0)
    assert condition.tokens is not None
    mean = model.network.mean(condition.tokens[:, 0])[:, :, None]
    state = sigma * torch.randn(3, 128, 10, generator=torch.Generator().manual_seed(0))
    level = torch.full((3,), sigma, dtype=torch.float64)
    exact = Gaussian(DEVIATION, mean)(state, level)
    # Measured at most 4e-6, at s = 100, where v carries the noise.
    assert relative_rms(model.denoiser(condition)(state, level), exact) < 2e-5


def test_guidance_moves_along_the_difference_of_the_means() -> None:
    model = load("toy", torch.device("cpu"))
    condition = model.condition("low drone", 1.0)
    state = torch.zeros(1, 128, 4)
    level = torch.tensor([1.0], dtype=torch.float64)
    with_prompt = model.denoiser(condition)(state, level)
    without = model.denoiser(condition.unprompted())(state, level)
    guided = model.denoiser(condition, cfg=3.0)(state, level)
    torch.testing.assert_close(guided, without + 3 * (with_prompt - without))


def test_the_codec_reconstructs_what_it_keeps() -> None:
    codec = ToyModel().pretransform
    latent = torch.randn(1, 128, 5, generator=torch.Generator().manual_seed(0))
    audio = codec.decode(latent)
    assert audio.shape == (1, 2, 5 * RATIO)
    torch.testing.assert_close(codec.encode(audio), latent, atol=1e-5, rtol=1e-5)
