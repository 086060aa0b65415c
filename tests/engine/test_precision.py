"""In bfloat16 a network's twin computes what autocast does, also after weights change."""

from pathlib import Path
from typing import Any

import pytest
import torch
from stable_audio_tools.models.diffusion import DiTWrapper
from torch import Tensor, nn

from checkpoints import LATENT_CHANNELS, OPEN_1_0, OPEN_SMALL, randomise
from eutectic.audio import load_clip
from eutectic.config import LearnSettings, Place, SamplingSettings
from eutectic.engine.engine import Engine
from eutectic.engine.fuser import Reference
from eutectic.engine.loading import load
from eutectic.engine.precision import Rounded
from eutectic.engine.store import Store
from oracle import relative_rms

CPU = torch.device("cpu")
CLIP = Path(__file__).parents[2] / "presets" / "clips" / "perc_bell.flac"


def transformer(config: dict[str, Any]) -> tuple[nn.Module, dict[str, Tensor]]:
    """A published model's network, made small, and arguments to call it with."""
    diffusion = config["model"]["diffusion"]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = DiTWrapper(
            diffusion_objective=diffusion.get("diffusion_objective", "v"), **diffusion["config"]
        )
        randomise(network)
        widths = diffusion["config"]
        arguments = {
            "x": torch.randn(2, LATENT_CHANNELS, 24),
            "t": torch.tensor([0.3, 0.8]),
            "cross_attn_cond": torch.randn(2, 5, widths["cond_token_dim"]),
            "global_cond": torch.randn(2, widths["global_cond_dim"]),
        }
    return network.eval().requires_grad_(False), arguments


@torch.no_grad()
def under_autocast(network: nn.Module, arguments: dict[str, Tensor]) -> Tensor:
    with torch.autocast("cpu", torch.bfloat16):
        return network(use_checkpointing=False, **arguments).float()


@pytest.mark.parametrize("config", [OPEN_1_0, OPEN_SMALL], ids=["1.0", "small"])
def test_rounding_weights_once_equals_rounding_them_each_time(
    config: dict[str, Any],
) -> None:
    network, arguments = transformer(config)
    twin = Rounded(network).network
    expected = under_autocast(network, arguments)
    assert torch.equal(under_autocast(twin, arguments), expected)
    assert 0 < relative_rms(expected, network(**arguments)) < 0.05


def test_only_rounded_weights_take_more_memory() -> None:
    network, _ = transformer(OPEN_1_0)
    own = {weight.data_ptr() for weight in network.parameters()}
    twins = dict(Rounded(network).network.named_parameters())
    rounded = {name for name, weight in twins.items() if weight.data_ptr() not in own}
    assert {twins[name].dtype for name in rounded} == {torch.bfloat16}
    assert all(twins[name].dtype == torch.float32 for name in twins.keys() - rounded)
    size = sum(twins[name].numel() for name in rounded)
    assert size > 0.95 * sum(weight.numel() for weight in network.parameters())


def test_the_twin_follows_its_network_in_place() -> None:
    network, arguments = transformer(OPEN_SMALL)
    rounded = Rounded(network)
    before = {name: weight.data_ptr() for name, weight in rounded.network.named_parameters()}
    randomise(network)
    assert not torch.equal(
        under_autocast(rounded.network, arguments), under_autocast(network, arguments)
    )
    rounded.refresh([name for name, _ in network.named_parameters()])
    assert torch.equal(
        under_autocast(rounded.network, arguments), under_autocast(network, arguments)
    )
    after = {name: weight.data_ptr() for name, weight in rounded.network.named_parameters()}
    assert after == before


def test_references_come_and_go_in_bfloat16_as_in_float32(tmp_path: Path) -> None:
    engine = Engine(load("embedded", CPU), Store(tmp_path))
    codec = engine.model.codec
    clip = engine.encode(load_clip(CLIP, codec.rate_hz, codec.channels, duration_seconds=0.3))
    learned = engine.learn(clip, "a bell", LearnSettings("full", steps=3, learning_rate=1e-3))
    settings = SamplingSettings(steps=2, residual="clean", recall=0.0)

    def fused(known: bool) -> Tensor:
        engine.cache.clear()
        reference = Reference("a bell", clip, learned.adapter if known else None)
        (fused,) = engine.fuser.latents(clip, reference, [Place(blend=0.3)], settings)
        return codec.seen(fused.latent)

    exact = {known: fused(known) for known in (False, True)}
    engine.model.bfloat16 = True
    half = [fused(known) for known in (False, True, False, True)]
    assert torch.equal(half[0], half[2]) and torch.equal(half[1], half[3])
    for known in (False, True):
        assert 0 < relative_rms(half[known], exact[known]) < 0.1
    assert relative_rms(half[0], exact[True]) > 0.2
    engine.model.bfloat16 = False
    assert torch.equal(fused(known=True), exact[True])
