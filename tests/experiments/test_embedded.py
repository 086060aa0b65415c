"""The model that ships, on real recordings: it learns a reference, and fusions are as documented.

Each clip is learned once a session. Distances are those of `engine.distances`.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

from eutectic.audio import load_clip
from eutectic.config import LearnSettings, Method, Place, SamplingSettings
from eutectic.engine import window
from eutectic.engine.clips import Clip
from eutectic.engine.distances import log_mel_distance
from eutectic.engine.engine import Engine
from eutectic.engine.fuser import Reference
from eutectic.engine.loading import load
from eutectic.engine.store import Store
from eutectic.experiments.ear.embedding import Ear
from eutectic.experiments.ear.judging import BLENDS, Judge, as_heard
from eutectic.experiments.report import rank_correlation
from eutectic.window import at_blends

pytestmark = pytest.mark.training

CLIPS = Path(__file__).parents[2] / "presets" / "clips"
REFERENCES = ("ambi_glass_rub", "loop_drone_g_97", "loop_3d_printer")
PAIRS = (
    ("ambi_dark_woosh", "loop_drone_g_97"),
    ("ambi_lunar_land", "loop_3d_printer"),
    ("perc_bell", "loop_3d_printer"),
)
SECONDS = 3.0
STEPS = {"full": 60, "lora": 40}


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    device = torch.device("cpu")
    return Engine(load("embedded", device), Store(tmp_path_factory.mktemp("data")))


def encode(engine: Engine, name: str) -> Clip:
    return engine.encode(load_clip(CLIPS / f"{name}.flac", 44100, duration_seconds=SECONDS))


def learned(engine: Engine, name: str, method: Method) -> Reference:
    clip, prompt = encode(engine, name), name.replace("_", " ")
    settings = LearnSettings(method, STEPS[method])
    known = engine.find_adapter(clip, prompt, settings)
    return Reference(prompt, clip, known or engine.learn(clip, prompt, settings).adapter)


@dataclass(frozen=True)
class Apart:
    """Distance of the prompt's own sample from the clip."""

    latent: float
    log_mel: float


def apart(engine: Engine, reference: Reference) -> Apart:
    """One seed, no guidance: what the network itself has learned of the clip."""
    clip, settings = reference.clip, SamplingSettings(cfg=1.0, recall=0.0)
    (own,) = engine.fuse(clip, reference, [Place(blend=0.0)], settings, level="raw")
    difference = engine.model.codec.seen(own.latent - clip.latent)
    latent = float(difference.square().mean().sqrt())
    return Apart(latent, log_mel_distance(own.waveform, clip.waveform))


@pytest.mark.parametrize("name", REFERENCES)
@pytest.mark.parametrize("method", ["full", "lora"])
def test_the_prompt_alone_is_closer_to_the_reference_after_learning(
    engine: Engine, name: str, method: Method
) -> None:
    reference = learned(engine, name, method)
    before = apart(engine, Reference(reference.prompt, reference.clip, None))
    after = apart(engine, reference)
    print(f"{name} {method}: {before} -> {after}")
    assert after.latent < before.latent
    assert after.log_mel < before.log_mel


@pytest.mark.parametrize(("original", "name"), PAIRS)
def test_likeness_moves_from_the_reference_to_the_original_across_the_window(
    engine: Engine, original: str, name: str
) -> None:
    measured = window.measure(
        engine, encode(engine, original), learned(engine, name, "full"),
        at_blends([k / 8 for k in range(9)]), SamplingSettings(),
    )  # fmt: skip
    to_original = rank_correlation(measured.blends, measured.like_original)
    to_reference = rank_correlation(measured.blends, measured.like_reference)
    print(f"{original} -> {name}: {to_original:.2f} {to_reference:.2f}")
    assert to_original >= 0.9
    assert to_reference <= -0.9


@pytest.mark.parametrize(("original", "name"), PAIRS)
def test_an_independent_ear_hears_both_ends_and_an_ordered_way_between(
    engine: Engine, original: str, name: str
) -> None:
    """At the model's defaults, which learn nothing; figures as `bench --part ear` gives them."""
    clips = {path.stem: encode(engine, path.stem) for path in sorted(CLIPS.glob("*.flac"))}
    ear = Ear.used_to(as_heard(clip.waveform) for clip in clips.values())
    source, reference = clips[original], Reference("", clips[name], None)
    places = [Place(blend=blend) for blend in BLENDS]
    fusions = engine.fuse(source, reference, places, SamplingSettings(), level="raw")
    sounds = {blend: fusion.waveform for blend, fusion in zip(BLENDS, fusions, strict=True)}
    figures = Judge(ear, source.waveform, reference.clip.waveform).figures(sounds)
    print(f"{original} -> {name}: {figures}")
    assert figures["round trip"] > 0.99
    assert figures["own sample"] > 0.85 and figures["late"] > 0.75
    assert figures["order"] > 0.95
    assert figures["LU"] < 3


def test_a_fan_equals_its_single_fusions_and_repeats(engine: Engine) -> None:
    source, reference = encode(engine, "loop_weirdo"), learned(engine, "ambi_glass_rub", "full")
    places = [Place(blend=blend) for blend in (0.3, 0.5, 0.7)]
    fan = engine.fuse(source, reference, places, SamplingSettings(), level="raw")
    again = engine.fuse(source, reference, places, SamplingSettings(), level="raw")
    for place, together, repeated in zip(places, fan, again, strict=True):
        (alone,) = engine.fuse(source, reference, [place], SamplingSettings(), level="raw")
        assert np.array_equal(together.waveform.samples, repeated.waveform.samples)
        difference = np.abs(together.waveform.samples - alone.waveform.samples).max()
        print(f"fan against single at {place.blend}: {difference:.1e}")
        assert difference < 1e-4
