"""Recall: the closed form is what sampling gives, survival stays even, references are repeated."""

import itertools
import math
from pathlib import Path

import pytest
import torch
from torch import Tensor

from eutectic.audio import load_clip
from eutectic.config import LearnSettings, Place, SamplingSettings
from eutectic.engine import fusion, inversion, recall, schedule
from eutectic.engine.clips import Clip
from eutectic.engine.embedded.transform import TransformCodec
from eutectic.engine.engine import Engine
from eutectic.engine.fuser import Reference
from eutectic.engine.inversion import Residual
from eutectic.engine.loading import load
from eutectic.engine.noise import Noise
from eutectic.engine.recall import Memory, Recalling
from eutectic.engine.sample import Sampler
from eutectic.engine.shrinkage import NETWORK, Shrinkage
from eutectic.engine.store import Store
from eutectic.experiments.live.clicks import clicks

CLIPS = Path(__file__).parents[2] / "presets" / "clips"
GRID = schedule.polyexponential(12, 0.03, 100.0)
FLOW = schedule.log_snr(12)
SAMPLERS = {
    **{
        f"order {order} eta {eta:g}": Sampler(GRID, order, eta=eta)
        for order in (1, 2, 3)
        for eta in (0.0, 0.5, 1.0)
    },
    "heun": Sampler(GRID, 2, "heun"),
    "pingpong": Sampler(FLOW, 1, "pingpong"),
    "flow": Sampler(FLOW, 2, eta=0.0),
}
by_sampler = pytest.mark.parametrize("sampler", SAMPLERS.values(), ids=SAMPLERS)
CHANNELS, FRAMES = 3, 1000
CPU = torch.device("cpu")


def latent(seed: int, frames: int = FRAMES) -> Tensor:
    return torch.randn(1, CHANNELS, frames, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return Engine(load("toy", CPU), Store(tmp_path))


def encode(engine: Engine, name: str, seconds: float) -> Clip:
    return engine.encode(load_clip(CLIPS / f"{name}.flac", 44100, duration_seconds=seconds))


@by_sampler
@pytest.mark.parametrize("place", [Place(blend=0.5), Place(remaining=7)])
@pytest.mark.parametrize("kind", ["clean", "scaled"])
def test_the_closed_form_is_what_sampling_with_the_memory_gives(
    sampler: Sampler, place: Place, kind: inversion.Kind
) -> None:
    """Its weights of reference and original exactly, the noise's in distribution."""
    memory = Memory(latent(1), 0.4)
    injection = fusion.at_place(place, sampler, shrinkage=Shrinkage(1.0, memory.slack))
    assert injection is not None
    noise = Noise(0, CHANNELS, FRAMES, CPU)
    residual = Residual(kind, eta=sampler.eta)
    inverted = inversion.invert(latent(2), sampler.grid.s_min, residual, noise, flow=True)
    weight = recall.weights(injection, sampler, memory.slack)
    mean = weight.reference * memory.latent + weight.original * inverted.at(injection.sigma)
    (closed,) = recall.remember(memory, inverted, [injection], sampler, noise)
    torch.testing.assert_close(closed, mean + weight.noise * noise.initial())
    prefix = fusion.Prefix.begin(sampler, noise)
    prefix = prefix.extend(memory, fusion.needed([injection], sampler))
    (sampled,) = fusion.fuse(memory, prefix, inverted, [injection])
    added = sampled - mean
    assert float(added.std()) == pytest.approx(weight.noise, rel=0.05, abs=1e-5)
    assert abs(float(added.mean())) <= 4 * weight.noise / math.sqrt(added.numel()) + 1e-6
    for source in (memory.latent, inverted.x0):  # nothing of them is in what was added
        product = float((added * source).mean())
        assert abs(product) <= 4 * weight.noise / math.sqrt(added.numel()) + 1e-5


@pytest.mark.parametrize("slack", [0.1, 0.5, 2.0])
def test_without_an_injection_memory_gives_the_reference_within_its_slack(slack: float) -> None:
    weight = recall.weights(None, Sampler(GRID, 2), slack)
    assert weight.original == 0
    assert weight.reference == pytest.approx(1, abs=0.05)
    assert weight.noise == pytest.approx(slack, rel=0.2)


def test_the_deterministic_closed_form_is_a_weighted_mean() -> None:
    """At eta 0 and order 1 the blend is the original's weight, the rest the reference's."""
    sampler = Sampler(GRID, 1, eta=0.0)
    for blend in (0.05, 0.3, 0.5, 0.95):
        injection = fusion.at_blend(blend, sampler, shrinkage=Shrinkage(1.0, 0.3))
        weight = recall.weights(injection, sampler, 0.3)
        assert weight.original == pytest.approx(blend, abs=1e-6)
        assert weight.reference == pytest.approx(1 - blend, abs=1e-6)
        assert weight.noise == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(("amount", "slack"), [(0.0, 1.0), (0.4, 0.1), (0.7, 1.5), (1.0, 0.3)])
@by_sampler
def test_the_knob_is_even_at_every_recall(sampler: Sampler, amount: float, slack: float) -> None:
    """Survival is the blend asked for, as far as this grid can reach it."""
    shrinkage = Shrinkage(amount, slack)
    blends = [0.1, 0.35, 0.6, 0.9]
    reached: list[float] = []
    for blend in blends:
        injection = fusion.at_blend(blend, sampler, shrinkage=shrinkage)
        assert injection is not None
        reached.append(fusion.survival(injection, sampler, shrinkage))
    assert all(high >= low for low, high in itertools.pairwise(reached))
    if sampler.solver != "pingpong":
        assert reached == pytest.approx(blends, abs=0.02)


@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
@pytest.mark.parametrize("shrinkage", [NETWORK, Shrinkage(0.4, 0.2), Shrinkage(1.0, 0.5)])
def test_the_level_at_which_a_share_is_kept(shrinkage: Shrinkage, share: float) -> None:
    assert shrinkage.at(shrinkage.level_at(share)) == pytest.approx(share)


def test_survival_is_what_the_mixture_lets_through() -> None:
    """The network of data of deviation 1 is a memory of zero with slack 1."""
    sampler, mixture = Sampler(GRID, 2, eta=1.0), Shrinkage(0.6, 0.3)
    denoiser = Recalling(Memory(torch.zeros_like(latent(0)), 1.0), Memory(latent(1), 0.3), 0.6)
    injection = fusion.at_blend(0.5, sampler, shrinkage=mixture)
    noise = Noise(0, CHANNELS, FRAMES, CPU)
    prefix = fusion.Prefix.begin(sampler, noise)
    prefix = prefix.extend(denoiser, fusion.needed([injection], sampler))
    x0, other = latent(2), latent(3)
    first, second = (
        fusion.fuse(denoiser, prefix, inversion.invert(x, 0.03, Residual(), noise), [injection])[0]
        for x in (x0, other)
    )
    torch.testing.assert_close(first - second, 0.5 * (x0 - other), rtol=0, atol=1e-4)


def test_recall_0_is_the_network_alone_to_the_bit(engine: Engine) -> None:
    original = encode(engine, "loop_weirdo", 1.0)
    clip = encode(engine, "perc_bell", 1.0)
    adapter = engine.learn(clip, "bell", LearnSettings(steps=2)).adapter
    settings = SamplingSettings(recall=0.0)
    sampler = engine.model.sampler(settings)
    injection = fusion.at_blend(0.6, sampler)
    reference = Reference("bell", clip, adapter)
    denoiser = engine.fuser.denoiser(original, reference, settings)
    prefix_noise = engine.fuser.noise(0, original.latent.shape[-1])
    prefix = fusion.Prefix.begin(sampler, prefix_noise)
    prefix = prefix.extend(denoiser, fusion.needed([injection], sampler))
    trajectory = inversion.invert(original.latent, sampler.grid.s_min, Residual(), prefix_noise)
    (expected,) = fusion.fuse(denoiser, prefix, trajectory, [injection])
    for settings in (SamplingSettings(recall=0.0), SamplingSettings()):  # the toy's own default
        (fused,) = engine.fuser.latents(original, reference, [Place(blend=0.6)], settings)
        assert torch.equal(fused.latent, expected)


def test_recall_1_evaluates_no_network_and_needs_no_learning(engine: Engine) -> None:
    original, clip = encode(engine, "loop_weirdo", 1.0), encode(engine, "perc_bell", 1.0)
    before = engine.model.evaluations
    places = [Place(blend=blend) for blend in (0.0, 0.4, 1.0)]
    fusions = engine.fuse(original, Reference("", clip, None), places, SamplingSettings(eta=0.0))
    assert engine.model.evaluations == before
    assert [round(each.blend, 2) for each in fusions] == [0.0, 0.4, 1.0]
    torch.testing.assert_close(fusions[-1].latent, original.latent)


def test_recall_between_takes_part_of_both(engine: Engine) -> None:
    original, clip = encode(engine, "loop_weirdo", 1.0), encode(engine, "perc_bell", 1.0)
    reference = Reference("bell", clip, engine.learn(clip, "bell", LearnSettings(steps=2)).adapter)

    def own_sample(amount: float) -> Tensor:
        settings = SamplingSettings(recall=amount, slack=0.05)
        return engine.fuser.latents(original, reference, [Place(blend=0.0)], settings)[0].latent

    wanted = recall.fit(clip.latent, engine.model.codec.latent_frames(44100), clip.latent.shape[-1])
    errors = [float((own_sample(a) - wanted).square().mean()) for a in (0.0, 0.5, 0.9, 1.0)]
    assert errors == sorted(errors, reverse=True) and errors[-1] < 0.05 * errors[0]


def test_what_is_remembered_starts_where_the_settings_say(engine: Engine) -> None:
    original, clip = encode(engine, "loop_weirdo", 0.5), encode(engine, "perc_bell", 3.0)
    settings = SamplingSettings(recall=1.0, slack=0.01, eta=0.0, start=1.0)
    (fused,) = engine.fuser.latents(
        original, Reference("", clip, None), [Place(blend=0.001)], settings
    )
    start, frames = round(44100 / 1024), original.latent.shape[-1]
    wanted = clip.latent[..., start : start + frames]
    assert float((fused.latent - wanted).square().mean()) < 1e-3 * float(wanted.square().mean())


@pytest.mark.parametrize(
    ("own", "frames", "start"), [(8, 5, 0), (8, 5, 3), (5, 23, 0), (5, 23, 9), (1, 4, 0), (2, 7, 1)]
)
def test_a_reference_is_cut_or_repeated_to_the_originals_length(
    own: int, frames: int, start: int
) -> None:
    """One that is constant stays so: the crossfades add up to 1, and the padding isn't used."""
    padded = torch.cat([torch.ones(1, 2, own), torch.full((1, 2, 6), 9.0)], dim=-1)
    torch.testing.assert_close(recall.fit(padded, own, frames, start), torch.ones(1, 2, frames))


def test_a_longer_reference_is_cut_at_its_start() -> None:
    ramp = torch.arange(20.0).expand(1, 1, 20)
    assert recall.fit(ramp, 16, 4, 3).flatten().tolist() == [3, 4, 5, 6]


@pytest.mark.parametrize("seconds", [0.06, 0.4, 1.0])
def test_a_repeated_reference_has_no_click_though_it_begins_at_once(seconds: float) -> None:
    codec = TransformCodec()
    frames = round(seconds * codec.sample_rate)
    hum = 0.3 * torch.cos(2 * math.pi * 110 * torch.arange(frames) / codec.sample_rate)
    hum[-882:] *= torch.linspace(1, 0, 882)
    own, rest = -(-frames // codec.downsampling_ratio), 8 * codec.downsampling_ratio
    padded = torch.nn.functional.pad(hum.expand(1, 2, -1), (0, rest))
    heard = codec.decode(recall.fit(codec.encode(padded), own, 86))[0].numpy().T
    loudest = max((each.level_db for each in clicks(heard, codec.sample_rate)), default=-100.0)
    assert loudest < -70
