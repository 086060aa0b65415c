"""Stable Audio 3: its models are loaded, and sampled as stable-audio-tools samples them.

Checkpoints of the published configurations with less width and depth (see `stable_audio_3`).
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from stable_audio_tools.inference.generation import generate_diffusion_cond_inpaint
from stable_audio_tools.inference.sampling import build_schedule
from torch import Tensor

import stable_audio_3
from eutectic.audio import load_clip
from eutectic.config import LearnSettings, Method, Place, SamplingSettings
from eutectic.engine.engine import Engine
from eutectic.engine.fuser import Reference
from eutectic.engine.loading import load
from eutectic.engine.model import Model
from eutectic.engine.sample import Row, sample
from eutectic.engine.store import Store
from oracle import Quiet, relative_rms

CLIPS = Path(__file__).parents[2] / "presets" / "clips"
CPU = torch.device("cpu")
FORMATS = {
    "small": stable_audio_3.SMALL,
    "small-base": stable_audio_3.SMALL_BASE,
    "medium": stable_audio_3.MEDIUM,
}
FRAMES = 24
SECONDS = FRAMES * stable_audio_3.RATIO / 44100


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("models")
    return {
        name: stable_audio_3.write_checkpoint(root / name, config, seed)
        for seed, (name, config) in enumerate(FORMATS.items())
    }


@pytest.fixture(scope="module")
def models(folders: dict[str, Path]) -> dict[str, Model]:
    return {name: load(str(folder), CPU) for name, folder in folders.items()}


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


# Against stable-audio-tools


@pytest.fixture(scope="module")
def libraries(folders: dict[str, Path], models: dict[str, Model]) -> dict[str, Any]:
    """stable-audio-tools' own model of each folder."""
    built = {}
    for name, config in FORMATS.items():
        built[name] = stable_audio_3.build(config, folders[name])
        built[name].load_state_dict(models[name].wrapper.state_dict())
    return built


@pytest.mark.parametrize(
    ("name", "cfg", "apg", "solver", "steps"),
    [
        ("small", 1.0, None, "pingpong", 8),
        ("small", 7.0, 0.0, "pingpong", 8),
        ("medium", 1.0, None, "pingpong", 8),
        ("small-base", 1.0, None, "euler", 20),
        ("small-base", 7.0, None, "euler", 20),
        ("small-base", 7.0, 0.0, "euler", 20),
        ("small-base", 7.0, 0.5, "euler", 20),
        ("small-base", 7.0, 0.0, "dpmpp", 20),
    ],
)
def test_a_run_is_the_librarys_own(
    models: dict[str, Model], libraries: dict[str, Any],
    name: str, cfg: float, apg: float | None, solver: str, steps: int,
) -> None:  # fmt: skip
    """The library's generate and ours, on the same noise, at the model's own defaults."""
    model = models[name]
    torch.manual_seed(3)
    first = torch.randn(1, stable_audio_3.LATENT_CHANNELS, FRAMES)
    draws = [torch.randn_like(first) for _ in range(steps)]
    settings = SamplingSettings(steps=steps, order=2 if solver == "dpmpp" else None)
    condition = model.condition("a bell", SECONDS)
    apg = model.defaults.apg if apg is None else apg
    denoiser = model.denoiser(condition, cfg, apg=apg)
    (row,) = sample(denoiser, [Row(first, 0, math.inf)], model.sampler(settings), Quiet(draws))
    expected = generate_diffusion_cond_inpaint(
        libraries[name], steps=steps, cfg_scale=cfg, apg_scale=apg, seed=3, device="cpu",
        conditioning=[{"prompt": "a bell", "seconds_total": SECONDS}],
        sample_size=FRAMES * stable_audio_3.RATIO, sampler_type=solver, return_latents=True,
    )  # fmt: skip
    # Measured at most 7e-5: features of the time reach 10 kHz, and so magnify its last bits.
    assert relative_rms(row.state, expected) < 2e-4


@pytest.mark.parametrize("steps", [4, 8, 50])
def test_the_grid_is_the_librarys_to_the_last_bits(
    models: dict[str, Model], libraries: dict[str, Any], steps: int
) -> None:
    for name in FORMATS:
        shift = libraries[name].sampling_dist_shift
        times = build_schedule(steps, 1.0, shift, torch.tensor([70.0]), FRAMES).flatten().double()
        ours = models[name].sampler(SamplingSettings(steps=steps)).grid.sigmas
        mapped = torch.tensor([1.0 if math.isinf(s) else s / (1 + s) for s in ours])
        torch.testing.assert_close(mapped.double(), times, rtol=3e-7, atol=0)


def test_levels_are_even_in_log_snr_from_a_fifth_below_the_older_models(
    models: dict[str, Model],
) -> None:
    sigmas = models["small"].sampler(SamplingSettings()).grid.sigmas
    expected = (176.80, 63.43, 22.76, 8.166, 2.930, 1.0513, 0.3772)
    assert sigmas[1:-1] == pytest.approx(expected, rel=3e-4)


@pytest.mark.parametrize(
    ("name", "defaults", "max_seconds"),
    [
        ("small", (8, 1, "pingpong", 1.0, 0.0, True), 29.91),
        ("small-base", (50, 1, "midpoint", 7.0, 1.0, False), 30.09),
        ("medium", (8, 1, "pingpong", 1.0, 0.0, True), 59.44),
    ],
)
def test_a_models_defaults_are_its_documents(
    models: dict[str, Model], name: str, defaults: tuple[object, ...], max_seconds: float
) -> None:
    model = models[name]
    made, own = model.sampler(SamplingSettings()), model.defaults
    found = (made.steps, made.order, made.solver, own.cfg, own.apg, own.learn.on_base)
    assert found == defaults
    assert model.max_seconds == pytest.approx(max_seconds, abs=0.01)


# The network's arguments


@pytest.fixture
def inpainting(models: dict[str, Model]) -> Iterator[list[Any]]:
    """What the network gets as its condition for every frame."""
    seen: list[Any] = []

    def note(_module: object, _args: object, arguments: dict[str, Any]) -> None:
        seen.append(arguments)

    prompted = models["small"]._prompted
    assert prompted is not None
    hook = prompted.network.register_forward_pre_hook(note, with_kwargs=True)
    yield seen
    hook.remove()


@pytest.mark.parametrize("frames", [10, 24])
def test_nothing_to_inpaint_is_zeros_of_exactly_the_latents_length(
    models: dict[str, Model], inpainting: list[Any], frames: int
) -> None:
    model = models["small"]
    denoiser = model.denoiser(model.condition("a bell", SECONDS), 3.0)
    with torch.no_grad():
        denoiser(noise(2, stable_audio_3.LATENT_CHANNELS, frames), torch.ones(2))
    (arguments,) = inpainting
    local = arguments["local_add_cond"]
    assert local.shape == (4, stable_audio_3.LATENT_CHANNELS + 1, frames) and not local.any()
    assert "padding_mask" not in arguments


def test_zeros_are_not_nothing(models: dict[str, Model]) -> None:
    model = models["small"]
    condition = model.condition("a bell", SECONDS)
    x, t = noise(1, stable_audio_3.LATENT_CHANNELS, FRAMES), torch.tensor([0.7])
    arguments = {"cross_attn_cond": condition.tokens, "global_cond": condition.global_embedding}
    with torch.no_grad():
        without = model.network(x, t, use_checkpointing=False, **arguments)
        assert relative_rms(without, model.predict(x, t, condition)) > 1e-3


# The whole job


@pytest.mark.parametrize("name", FORMATS)
def test_the_whole_job_runs(models: dict[str, Model], tmp_path: Path, name: str) -> None:
    engine = Engine(models[name], Store(tmp_path))
    original, clip = (
        engine.encode(load_clip(CLIPS / file, 44100, 2, 0.3, seconds))
        for file, seconds in [("loop_drone_g_97.flac", 1.5), ("perc_bell.flac", 1.1)]
    )
    reference = Reference("a bell", clip, None)
    places = [Place(blend) for blend in (0.0, 0.5, 1.0)]
    for recall in (0.0, 0.5, 1.0):
        settings = SamplingSettings(steps=4, recall=recall, seed=5)
        fusions = engine.fuse(original, reference, places, settings)
        again = engine.fuse(original, reference, places, settings)
        for fusion, same in zip(fusions, again, strict=True):
            assert fusion.waveform.samples.shape == original.waveform.samples.shape
            assert torch.isfinite(torch.from_numpy(fusion.waveform.samples)).all()
            assert fusion.waveform.digest == same.waveform.digest
        assert torch.equal(fusions[2].latent, original.latent)


@pytest.mark.parametrize("residual", ["gaussian", "scaled", "stochastic", "ddim", "edit-friendly"])
def test_every_inversion_is_in_its_coordinates(
    models: dict[str, Model], tmp_path: Path, residual: Any
) -> None:
    engine = Engine(models["small"], Store(tmp_path))
    clip = engine.encode(load_clip(CLIPS / "perc_bell.flac", 44100, 2, 0.3, 1.1))
    settings = SamplingSettings(residual=residual, recall=0.0)
    (fused,) = engine.fuse(clip, Reference("a bell", clip, None), [Place(0.7)], settings)
    assert torch.isfinite(fused.latent).all()


# Learning


@pytest.mark.parametrize("method", ["lora", "full"])
def test_a_post_trained_model_learns_with_its_base(
    folders: dict[str, Path], models: dict[str, Model], tmp_path: Path, method: Method
) -> None:
    """The same weights are learned as by the base itself, and are added to its own."""
    learned = {}
    for name in ("small-base", "small"):
        engine = Engine(models[name], Store(tmp_path / name))
        clip = engine.encode(load_clip(CLIPS / "perc_bell.flac", 44100, 2, 0.3, 1.1))
        adapter = engine.learn(clip, "a bell", LearnSettings(method, steps=2)).adapter
        learned[name] = adapter
        assert adapter.about["model"] == models[name].digest
    base, own = learned["small-base"], learned["small"]
    assert own.about["base"] == models["small-base"].digest and "base" not in base.about
    if method == "lora":
        assert own.digest == base.digest
        return
    weights = [dict(models[name].network.named_parameters()) for name in ("small-base", "small")]
    for name in base.tensors:
        change = base.tensors[name] - weights[0][name]
        torch.testing.assert_close(own.tensors[name] - weights[1][name], change, atol=1e-6, rtol=0)
