"""The whole job on the toy: what is computed once, how loud, how long, on every residual."""

from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch

from eutectic import audio
from eutectic.audio import Waveform, load_clip
from eutectic.config import LearnSettings, Place, Residual, SamplingSettings
from eutectic.engine.clips import Clip
from eutectic.engine.engine import Engine
from eutectic.engine.fuser import Reference
from eutectic.engine.loading import load
from eutectic.engine.store import Store
from eutectic.engine.watch import Watch
from eutectic.errors import BadOutput, BadSetting, Cancelled

CLIPS = Path(__file__).parents[2] / "presets" / "clips"
SETTINGS = SamplingSettings(cfg=2.0)


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return Engine(load("toy", torch.device("cpu")), Store(tmp_path))


def encode(engine: Engine, name: str, seconds: float) -> Clip:
    return engine.encode(load_clip(CLIPS / f"{name}.flac", 44100, duration_seconds=seconds))


@pytest.fixture
def original(engine: Engine) -> Clip:
    return encode(engine, "loop_weirdo", 1.3)


@pytest.fixture
def reference(engine: Engine) -> Reference:
    clip = encode(engine, "ambi_glass_rub", 1.0)
    learned = engine.learn(clip, "glass", LearnSettings(steps=3))
    return Reference("glass", clip, learned.adapter)


@pytest.fixture
def calls(engine: Engine) -> list[int]:
    """Batch sizes of the network's evaluations, as they happen."""
    seen: list[int] = []
    engine.model.network.register_forward_pre_hook(lambda _, inputs: seen.append(len(inputs[0])))
    return seen


def test_a_second_fusion_costs_only_what_remains(
    engine: Engine, original: Clip, reference: Reference, calls: list[int]
) -> None:
    calls.clear()
    (first,) = engine.fuse(original, reference, [Place(remaining=10)], SETTINGS)
    assert calls == [2] * 25  # 15 of the prefix, 10 after; guidance doubles the batch
    calls.clear()
    (second,) = engine.fuse(original, reference, [Place(remaining=12)], SETTINGS)
    assert calls == [2] * 12
    assert (first.remaining, second.remaining) == (10, 12)
    calls.clear()
    engine.fuse(original, reference, [Place(blend=1.0)], SETTINGS)
    assert calls == []


def test_a_fan_sounds_like_its_single_fusions(
    engine: Engine, original: Clip, reference: Reference
) -> None:
    places = [Place(blend=k / 8) for k in range(9)]
    fan = engine.fuse(original, reference, places, SETTINGS)
    for place, together in zip(places, fan, strict=True):
        (alone,) = engine.fuse(original, reference, [place], SETTINGS)
        difference = np.abs(together.waveform.samples - alone.waveform.samples).max()
        assert difference < 1e-5  # measured 0 with micro-batches of 2
        assert together.remaining == alone.remaining


def test_a_fusion_has_the_originals_length_and_the_blend_of_the_loudnesses(
    engine: Engine, original: Clip, reference: Reference
) -> None:
    for fusion in engine.fuse(
        original, reference, [Place(blend=b) for b in (0.0, 0.3, 0.7, 1.0)], SETTINGS
    ):
        assert fusion.waveform.samples.shape == original.waveform.samples.shape
        blend = fusion.blend
        target = blend * original.loudness_lufs + (1 - blend) * reference.clip.loudness_lufs
        peak_db = audio.gain_to_db(float(np.abs(fusion.waveform.samples).max()))
        assert peak_db <= audio.PEAK_CEILING_DB + 1e-3
        reached = audio.loudness_lufs(fusion.waveform)
        assert reached == pytest.approx(target, abs=0.1) or peak_db > audio.PEAK_CEILING_DB - 0.01


def test_raw_blend_1_is_the_codecs_round_trip_exactly(
    engine: Engine, original: Clip, reference: Reference
) -> None:
    (fusion,) = engine.fuse(original, reference, [Place(blend=1.0)], SETTINGS, level="raw")
    trip = engine.model.codec.decode(original.latent, original.waveform.frames)
    assert np.array_equal(fusion.waveform.samples, trip)
    assert (fusion.remaining, fusion.gain_db) == (0, 0.0)


@pytest.mark.parametrize("residual", get_args(Residual))
def test_every_residual_fuses(
    engine: Engine, original: Clip, reference: Reference, residual: Residual
) -> None:
    settings = SamplingSettings(residual=residual, residual_amount=0.5)
    places = [Place(blend=0.3), Place(blend=0.8)]
    low, high = engine.fuse(original, reference, places, settings)
    for fusion in (low, high):
        assert np.isfinite(fusion.waveform.samples).all()
    assert low.remaining >= high.remaining


def test_the_base_inverts_and_the_reference_samples(
    engine: Engine, original: Clip, reference: Reference
) -> None:
    """DDIM inversion uses the base network, whatever reference was sampled before."""
    settings = SamplingSettings(residual="ddim")
    sampler = engine.model.sampler(settings)
    fresh = engine.fuser.invert(original, settings, sampler)
    engine.fuse(original, reference, [Place(blend=0.5)], settings)
    later = engine.fuser.invert(original, settings, sampler)
    assert torch.equal(fresh.at(sampler.grid.s_max), later.at(sampler.grid.s_max))


def test_places_off_the_grid_are_refused_before_anything_is_computed(
    engine: Engine, original: Clip, reference: Reference, calls: list[int]
) -> None:
    calls.clear()
    with pytest.raises(BadSetting, match="remaining must be 0 to 25"):
        engine.fuse(original, reference, [Place(remaining=26)], SETTINGS)
    assert calls == []


def test_cancelling_leaves_the_engine_usable(
    engine: Engine, original: Clip, reference: Reference, calls: list[int]
) -> None:
    calls.clear()
    with pytest.raises(Cancelled):
        engine.fuse(
            original, reference, [Place(blend=0.5)], SETTINGS, watch=Watch(lambda: len(calls) >= 6)
        )
    assert len(calls) == 6
    engine.fuse(original, reference, [Place(blend=0.5)], SETTINGS)


@pytest.mark.parametrize("residual", ["clean", "ddim"])
def test_a_fusion_is_the_same_when_others_run_at_its_checkpoints(
    engine: Engine, original: Clip, reference: Reference, residual: Residual
) -> None:
    """Their references' weights are in the network meanwhile."""
    place, settings = Place(blend=0.5), SamplingSettings(cfg=2.0, residual=residual)
    (undisturbed,) = engine.fuse(original, reference, [place], settings)
    engine.cache.clear()
    base = Reference("glass", reference.clip, None)

    def interrupt() -> bool:
        engine.fuse(original, base, [place], SETTINGS)
        return False

    (fusion,) = engine.fuse(original, reference, [place], settings, watch=Watch(interrupt))
    assert torch.equal(fusion.latent, undisturbed.latent)


def test_clips_of_similar_length_share_a_prefix(
    engine: Engine, reference: Reference, calls: list[int]
) -> None:
    short, long = (encode(engine, "loop_weirdo", seconds) for seconds in (0.9, 1.0))
    assert short.latent.shape[-1] == long.latent.shape[-1] == 48
    engine.fuse(short, reference, [Place(remaining=10)], SETTINGS)
    calls.clear()
    engine.fuse(long, reference, [Place(remaining=10)], SETTINGS)
    assert len(calls) == 10


def test_a_clip_is_never_longer_than_the_model(engine: Engine) -> None:
    """Resampling may round up by a frame, and the bucket must not pass the end either."""
    longest = engine.model.max_frames
    clip = engine.encode(Waveform(np.full((2, longest + 1), 0.1, np.float32), 44100))
    assert clip.waveform.frames == longest
    assert clip.latent.shape[-1] == longest // engine.model.codec.ratio


@pytest.mark.parametrize("residual", ["ddim", "edit-friendly"])
def test_an_inversion_that_needs_the_network_runs_once(
    engine: Engine, original: Clip, reference: Reference, calls: list[int], residual: Residual
) -> None:
    settings = SamplingSettings(residual=residual)
    engine.fuse(original, reference, [Place(remaining=5)], settings)
    calls.clear()
    engine.fuse(original, reference, [Place(remaining=6)], settings)
    assert len(calls) == 6


def test_remaining_reports_a_blend_in_range(
    engine: Engine, original: Clip, reference: Reference
) -> None:
    """Low levels overshoot at order 2; loudness must not be extrapolated."""
    for fusion in engine.fuse(
        original, reference, [Place(remaining=n) for n in (0, 1, 3, 25)], SETTINGS
    ):
        assert 0 <= fusion.blend <= 1


def test_a_negative_prompt_without_guidance_is_refused(
    engine: Engine, original: Clip, reference: Reference
) -> None:
    with pytest.raises(BadSetting, match="negative prompt needs guidance"):
        engine.fuser.plan([Place(blend=0.5)], SamplingSettings(negative="", cfg=1.0))


def test_a_store_that_cannot_be_written_stops_before_learning(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    engine = Engine(load("toy", torch.device("cpu")), Store(tmp_path / "file"))
    done: list[int] = []
    with pytest.raises(BadOutput, match="can't be created"):
        engine.learn(
            encode(engine, "ambi_glass_rub", 1.0), "glass", LearnSettings(steps=3),
            Watch(progress=lambda step, _: done.append(step)),
        )  # fmt: skip
    assert done == []


def test_what_was_learned_on_a_full_disk_is_used_all_the_same(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    engine = Engine(load("toy", torch.device("cpu")), Store(tmp_path / "file"))
    clip, settings = encode(engine, "ambi_glass_rub", 1.0), LearnSettings(steps=3)
    with caplog.at_level("WARNING"):
        learned = engine.learn(clip, "glass", settings, must_store=False)
    assert "kept in memory alone" in caplog.text
    places, plainly = [Place(blend=0.0)], SamplingSettings(steps=4, recall=0.0)
    before = engine.fuse(clip, Reference("glass", clip, None), places, plainly)
    after = engine.fuse(clip, Reference("glass", clip, learned.adapter), places, plainly)
    assert not torch.equal(before[0].latent, after[0].latent)
