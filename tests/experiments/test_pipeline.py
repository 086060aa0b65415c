"""diffusers computes the same with a model's weights, if it supports the model's shape."""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers.models.embeddings import get_1d_rotary_pos_embed

from checkpoints import randomise
from eutectic.config import SamplingSettings
from eutectic.engine.embedded import create_model
from eutectic.engine.engine import Engine
from eutectic.engine.loading import load
from eutectic.engine.model import Model
from eutectic.engine.store import Store
from eutectic.experiments.speed import Published, pipeline, ratios
from eutectic.experiments.speed.parts import Parts
from eutectic.experiments.speed.published import CONFIGURATIONS
from oracle import relative_rms

pytestmark = pytest.mark.training

CPU = torch.device("cpu")
FRAMES = 48


def made_small(published: Published) -> Model:
    """A published shape with less width and depth, and random weights."""
    config: dict[str, Any] = copy.deepcopy(CONFIGURATIONS[published])
    whole, diffusion = config["model"], config["model"]["diffusion"]["config"]
    diffusion |= {"embed_dim": 128, "depth": 2, "num_heads": 2, "cond_token_dim": 64}
    diffusion["global_cond_dim"] = 128 if published is Published.OPEN_1_0 else 64
    whole["conditioning"]["cond_dim"] = 64
    whole["conditioning"]["configs"][0]["config"]["dim"] = 64
    for coder in ("encoder", "decoder"):
        whole["pretransform"]["config"][coder]["config"]["channels"] = 4
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        wrapper = create_model(config)
        randomise(wrapper.model)
    return Model(str(published), wrapper, config, str(published), CPU)


@pytest.fixture(scope="module")
def model() -> Model:
    return made_small(Published.OPEN_1_0)


@torch.no_grad()
def test_the_transformer_is_the_models_own(model: Model) -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2, 64, FRAMES, generator=generator)
    tokens = torch.randn(2, 5, 64, generator=generator)
    everywhere = torch.randn(2, 128, generator=generator)
    t = torch.tensor([0.3, 0.8])
    expected = model.network(x, t, cross_attn_cond=tokens, global_cond=everywhere)
    rotary = get_1d_rotary_pos_embed(32, FRAMES + 1, use_real=True, repeat_interleave_real=False)
    theirs = pipeline.transformer(model, FRAMES)(
        x, t, encoder_hidden_states=tokens, global_hidden_states=everywhere[:, None],
        rotary_embedding=rotary, return_dict=False,
    )[0]  # fmt: skip
    assert relative_rms(theirs, expected) < 1e-5


def test_a_run_takes_as_many_evaluations(model: Model, tmp_path: Path) -> None:
    rows: list[int] = []
    parts = Parts(Engine(model, Store(tmp_path)), 2.0, SamplingSettings(steps=5))
    assert parts.pipeline is not None
    parts.pipeline.pipeline.transformer.register_forward_pre_hook(
        lambda _, inputs: rows.append(len(inputs[0]))
    )
    latent = parts.generate_latent()
    assert latent.shape == (1, 64, parts.frames) and bool(latent.isfinite().all())
    before = model.evaluations
    parts.sample_latent()
    assert rows == [2] * 5 and model.evaluations - before == 5  # guided, both


def test_it_is_compared_if_the_shape_is_known(model: Model, tmp_path: Path) -> None:
    parts = Parts(Engine(model, Store(tmp_path)), 1.0, SamplingSettings(steps=3))
    compared = [row[:2] for row in ratios.measure(parts, runs=1).rows]
    assert ("trigger at 0.5, latents", "StableAudioPipeline, latents") in compared
    for other in (load("embedded", CPU), load("toy", CPU), made_small(Published.SMALL)):
        assert not pipeline.is_known(other)
