"""Models in stable-audio-tools' format compute what stable-audio-tools computes.

Checkpoints of Stable Audio Open 1.0's and Small's configuration (see `checkpoints`), loaded from
folders.
"""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from stable_audio_tools.inference import k_diffusion
from stable_audio_tools.inference.sampling import (
    LogSNRShift,
    build_schedule,
    sample_flow_pingpong,
)
from torch import Tensor

from eutectic.audio import load_clip
from eutectic.config import LearnSettings, Method, Place, SamplingSettings
from eutectic.engine.conditioning import Conditioning
from eutectic.engine.engine import Engine
from eutectic.engine.fuser import Reference
from eutectic.engine.loading import load
from eutectic.engine.model import Model
from eutectic.engine.sample import Row, sample
from eutectic.engine.store import Store
from oracle import Quiet, relative_rms

CLIPS = Path(__file__).parents[2] / "presets" / "clips"
CPU = torch.device("cpu")
FORMATS = ["1.0", "small"]
SECONDS = 3.0


def opened(folder: Path) -> Model:
    return load(str(folder), CPU)


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


# What stable-audio-tools computes itself


@torch.no_grad()
def arguments_of(
    model: Model, prompt: str, rows: int = 1, negative: bool = False
) -> dict[str, Any]:
    """The arguments that its own generation passes to the network."""
    metadata = {"prompt": prompt, "seconds_start": 0.0, "seconds_total": SECONDS}
    tensors = model.wrapper.conditioner([metadata] * rows, "cpu")
    return model.wrapper.get_conditioning_inputs(tensors, negative=negative)


@torch.no_grad()
def denoised(model: Model, state: Tensor, sigma: Tensor, **arguments: Any) -> Tensor:
    """k-diffusion's wrapper of a v model; x − t·v for a flow model."""
    if model.objective == "v":
        return k_diffusion.external.VDenoiser(model.network)(state, sigma, **arguments)
    t = torch.where(sigma.isinf(), 1.0, sigma / (1 + sigma))
    x = torch.where(sigma.isinf(), 1.0, 1 - t)[:, None, None] * state
    return x - t[:, None, None] * model.network(x, t, **arguments)


# The whole job


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("method", ["lora", "full"])
def test_the_whole_job_runs(
    folders: dict[str, Path], tmp_path: Path, name: str, method: Method
) -> None:
    engine = Engine(opened(folders[name]), Store(tmp_path))
    original, clip = (
        engine.encode(load_clip(CLIPS / file, 44100, 2, 0.3, seconds))
        for file, seconds in [("loop_drone_g_97.flac", 1.5), ("perc_bell.flac", 1.1)]
    )
    learned = engine.learn(clip, "a bell", LearnSettings(method, steps=2))
    assert learned.steps == 2 and all(map(math.isfinite, learned.losses))
    reference = Reference("a bell", clip, learned.adapter)
    places = [Place(blend) for blend in (0.0, 0.5, 1.0)]
    results = {}
    for negative in (None, "", "hiss"):
        settings = SamplingSettings(steps=6, cfg=3.0, negative=negative)
        own, between, copy = engine.fuse(original, reference, places, settings)
        for fusion in (own, between, copy):
            assert fusion.waveform.samples.shape == original.waveform.samples.shape
            assert torch.isfinite(torch.from_numpy(fusion.waveform.samples)).all()
        assert own.remaining is None
        assert copy.remaining == 0 < (between.remaining or 0)
        assert torch.equal(copy.latent, original.latent)
        results[negative] = between.latent
    # Measured at least 2e-2.
    assert relative_rms(results[""], results[None]) > 1e-3
    assert relative_rms(results["hiss"], results[""]) > 1e-3


# Against stable-audio-tools


@pytest.mark.parametrize(
    ("name", "sigma"),
    [(name, sigma) for name in FORMATS for sigma in (0.03, 0.3, 1.0, 7.0, 60.0, 500.0)]
    + [("small", math.inf)],  # a flow model's time 1
)
@pytest.mark.parametrize(
    ("cfg", "negative"), [(1.0, None), (7.0, None), (7.0, ""), (7.0, "hiss"), (0.0, None)]
)
def test_the_denoiser_is_the_librarys_own(
    folders: dict[str, Path], name: str, sigma: float, cfg: float, negative: str | None
) -> None:
    """Guidance, too: the transformer's own, with the null condition or negative tokens."""
    model = opened(folders[name])
    state = noise(2, 8, 24) * (1.0 if math.isinf(sigma) else math.hypot(1.0, sigma))
    levels = torch.tensor([sigma, sigma / 2])
    arguments = arguments_of(model, "a bell", rows=2) | {"cfg_scale": cfg, "apg_scale": 0.0}
    if negative is not None:
        arguments |= arguments_of(model, negative, rows=2, negative=True)
    expected = denoised(model, state, levels, **arguments)
    against = None if negative is None else model.condition(negative, SECONDS)
    ours = model.denoiser(model.condition("a bell", SECONDS), cfg, against)
    with torch.no_grad():
        result = ours(state, levels.double())
    # Measured at most 9.4e-6: towards time 1 the network responds to the time's last bits.
    assert relative_rms(result, expected) < 3e-5


@pytest.mark.parametrize("name", FORMATS)
def test_no_prompt_is_zero_tokens_and_the_empty_prompt_is_not(
    folders: dict[str, Path], name: str
) -> None:
    model = opened(folders[name])
    prompted, empty = model.condition("a bell", SECONDS), model.condition("", SECONDS)
    null = prompted.unprompted()
    assert null.tokens is not None and prompted.tokens is not None and empty.tokens is not None
    assert null.tokens.shape == prompted.tokens.shape and not null.tokens.any()
    assert torch.equal(null.global_embedding, prompted.global_embedding)  # type: ignore[arg-type]
    assert empty.tokens[:, 0].any()  # the end of the prompt is a token itself
    state, level = noise(1, 8, 24) * 7, torch.tensor([7.0], dtype=torch.float64)

    def guided(negative: Conditioning | None) -> Tensor:
        with torch.no_grad():
            return model.denoiser(prompted, 7.0, negative)(state, level)

    assert torch.equal(guided(null), guided(None))
    assert relative_rms(guided(empty), guided(None)) > 1e-3  # measured 0.03 and 0.18


@pytest.mark.parametrize("name", FORMATS)
def test_the_requested_length_reaches_the_network(folders: dict[str, Path], name: str) -> None:
    model = opened(folders[name])
    short, long = model.condition("a bell", 1.0), model.condition("a bell", 10.0)
    assert not torch.equal(short.global_embedding, long.global_embedding)  # type: ignore[arg-type]
    assert not torch.equal(short.tokens, long.tokens)  # type: ignore[arg-type]


@pytest.mark.parametrize("cfg", [1.0, 3.0])
def test_pingpong_is_the_librarys_own_run(folders: dict[str, Path], cfg: float) -> None:
    """Small's eight steps, over the log-SNR that its card's release of the library samples."""
    model, first = opened(folders["small"]), noise(1, 8, 48)
    torch.manual_seed(3)
    draws = [torch.randn_like(first) for _ in range(8)]
    sampler = model.sampler(SamplingSettings())
    denoiser = model.denoiser(model.condition("a bell", SECONDS), cfg)
    (row,) = sample(denoiser, [Row(first, 0, math.inf)], sampler, Quiet(draws))
    torch.manual_seed(3)
    times = build_schedule(8, 1.0, LogSNRShift(rate=0, anchor_logsnr=-6.0), 48)
    expected = sample_flow_pingpong(
        model.network, first, times, disable_tqdm=True, cfg_scale=cfg, apg_scale=0.0,
        **arguments_of(model, "a bell"),
    )  # fmt: skip
    assert relative_rms(row.state, expected) < 2e-6  # measured 2.8e-7 and 7.9e-7


@pytest.mark.parametrize("order", [2, 3])
def test_a_guided_run_is_the_librarys_own(folders: dict[str, Path], order: int) -> None:
    """Open 1.0's card: 100 steps from 500 to 0.3, CFG 7, over the same noise."""
    model, first = opened(folders["1.0"]), noise(1, 8, 48) * 500
    draws = [noise(1, 8, 48, seed=1 + index) for index in range(100)]
    sampler = model.sampler(SamplingSettings(order=order))
    denoiser = model.denoiser(model.condition("a bell", SECONDS), model.defaults.cfg)
    (row,) = sample(denoiser, [Row(first, 0, 500.0)], sampler, Quiet(draws))
    sampling, shared = k_diffusion.sampling, iter(draws)
    run = {2: sampling.sample_dpmpp_2m_sde, 3: sampling.sample_dpmpp_3m_sde}[order]
    expected = run(
        k_diffusion.external.VDenoiser(model.network),
        first,
        sampling.get_sigmas_polyexponential(100, 0.3, 500.0, 1.0),
        noise_sampler=lambda *_: next(shared),
        extra_args=arguments_of(model, "a bell") | {"cfg_scale": 7.0, "apg_scale": 0.0},
        disable=True,
    )
    assert relative_rms(row.state, expected) < 1e-5  # measured 1.5e-6 and 1.4e-6
