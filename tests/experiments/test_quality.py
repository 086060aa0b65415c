"""Each measure of quality shows its fault, and every part runs on any model."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from eutectic import cli
from eutectic.audio import Waveform, db_to_gain, fade_end, load_clip
from eutectic.engine.engine import Engine
from eutectic.engine.loading import load
from eutectic.engine.store import Store
from eutectic.errors import BadInput
from eutectic.experiments.quality import codec, denoising, learning, opus, probes, prompts, windows
from eutectic.experiments.quality.classes import CLASSES, Classifier, features, synthesise
from eutectic.experiments.quality.measures import (
    audible_distance,
    si_sdr_db,
    spectral_flatness_db,
    unrest,
)
from eutectic.experiments.quality.recordings import held_out
from eutectic.experiments.quality.setup import Setup
from eutectic.experiments.report import Ledger, Table, median
from eutectic.training.recordings import is_held_out

pytestmark = pytest.mark.training

CLIPS = Path(__file__).parents[2] / "presets" / "clips"
PAIR = ("loop_3d_printer", "ambi_haunted_hum")
RATE = 44100
FRAME_RATE_HZ = RATE / 1024


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two held-out recordings, one long enough and trained on, one too short."""
    folder = tmp_path_factory.mktemp("samples")
    for name in PAIR:
        shutil.copy(CLIPS / f"{name}.flac", folder)
    shutil.copy(CLIPS / "perc_bell.flac", folder / "trained_on.flac")
    assert not is_held_out("trained_on")
    return folder


@pytest.fixture
def setup(samples: Path, tmp_path: Path) -> Setup:
    """The toy on two recordings, with settings that take no time."""
    store = Store(tmp_path)
    engine = Engine(load("toy", torch.device("cpu")), store)
    return Setup(engine, samples, store, 1.5, 4, budget_seconds=0.1, seeds=2, out=tmp_path)


def noise(seconds: float = 2.0, seed: int = 0) -> np.ndarray:
    shape = (2, round(RATE * seconds))
    return (0.1 * np.random.default_rng(seed).standard_normal(shape)).astype(np.float32)


def times(seconds: float) -> np.ndarray:
    return np.arange(round(RATE * seconds)) / RATE


# Measures


def test_signal_to_distortion_is_that_of_the_mix_at_any_level() -> None:
    signal, error = noise(seed=0), noise(seed=1)
    assert si_sdr_db(signal, signal + 0.1 * error) == pytest.approx(20, abs=0.2)  # measured 20.0
    assert si_sdr_db(signal, 3 * (signal + error)) == pytest.approx(0, abs=0.2)  # measured 0.0


def test_audible_distance_ignores_only_what_is_faint() -> None:
    loud = np.tile(np.sin(2 * np.pi * 300 * times(2.0)), (2, 1)).astype(np.float32)
    tone = Waveform(loud, RATE)
    inaudible, audible = (Waveform(loud + gain * noise(), RATE) for gain in (1e-4, 1e-1))
    assert audible_distance(tone, inaudible) < 0.01  # measured 2e-6
    assert audible_distance(tone, audible) > 0.2  # measured 0.46


def test_spectral_flatness_is_that_of_noise_or_of_a_tone_at_any_level() -> None:
    tone = np.tile(np.sin(2 * np.pi * 300 * times(2.0)), (2, 1)).astype(np.float32)
    white, quiet = (spectral_flatness_db(Waveform(gain * noise(), RATE)) for gain in (1.0, 1e-3))
    assert white == pytest.approx(-2.5, abs=0.2)  # Euler's constant in dB; measured -2.5
    assert quiet == pytest.approx(white, abs=1e-3)
    assert spectral_flatness_db(Waveform(tone, RATE)) < -50  # measured -59
    hissing = spectral_flatness_db(Waveform(tone + 0.1 * noise(), RATE))
    assert -50 < hissing < -15  # measured -29
    assert np.isnan(spectral_flatness_db(Waveform(0 * tone, RATE)))


def test_unrest_rises_with_blotches_and_not_with_level() -> None:
    steady = noise(6.0)
    gates = np.random.default_rng(5).uniform(-12, 12, 6 * RATE // 1024 + 1)
    blotchy = steady * np.repeat(10 ** (gates / 20), 1024)[: steady.shape[1]].astype(np.float32)
    calm = unrest(Waveform(steady, RATE))
    assert unrest(Waveform(0.01 * steady, RATE)) == pytest.approx(calm, rel=1e-3)
    assert unrest(Waveform(blotchy, RATE)) > 3 * calm  # measured 12
    assert np.isnan(unrest(Waveform(np.zeros_like(steady), RATE)))


# Probes


def test_partials_lose_clarity_to_noise_by_its_level() -> None:
    tones = probes.ten_partials(RATE, 2)
    assert probes.clarity_db(tones.waveform, tones.partials).min() == probes.CLARITY_CAP_DB
    # −29 dB of tone over −23 dB of mono noise, of which a Hann bin holds 8.1 of 22,050 Hz.
    masked = Waveform(tones.waveform.samples + noise(probes.SECONDS), RATE)
    assert probes.clarity_db(masked, tones.partials) == pytest.approx(28.4, abs=1.5)
    filled = Waveform(noise(), RATE)
    assert np.abs(probes.clarity_db(filled, tones.partials)).max() < 6  # measured 2.0


@pytest.mark.parametrize("top_hz", codec.DRONE_TOPS_HZ)
def test_a_sideband_at_the_frame_rate_is_measured_within_a_decibel(top_hz: float) -> None:
    tones = probes.drone(RATE, 2, top_hz)

    def measured(modulation_hz: float) -> float:
        gain = 1 + 2 * db_to_gain(-50) * np.cos(2 * np.pi * modulation_hz * times(probes.SECONDS))
        modulated = Waveform((tones.waveform.samples * gain).astype(np.float32), RATE)
        return probes.worst_sideband_db(modulated, tones.partials, FRAME_RATE_HZ)

    assert measured(FRAME_RATE_HZ) == pytest.approx(-50, abs=1)
    assert measured(30.0) < -100  # no multiple of the frame rate
    assert probes.worst_sideband_db(tones.waveform, tones.partials, FRAME_RATE_HZ) < -100


def test_sound_before_a_hit_is_measured_as_pre_echo() -> None:
    clean, onsets = probes.hits(RATE, 2)
    early = np.roll(clean.samples, -round(0.022 * RATE), axis=1)
    smeared = Waveform(clean.samples + np.float32(0.1) * early, RATE)
    assert probes.pre_echo_db(clean, onsets).max() < -70  # measured −76
    assert probes.pre_echo_db(smeared, onsets).mean() == pytest.approx(-20, abs=1.5)


def test_panning_is_measured_as_level_difference() -> None:
    assert probes.level_difference_db(probes.panned(noise()[0], 12.0)) == pytest.approx(12)
    assert probes.level_difference_db(probes.panned(noise()[0], None)) > 100


# Opus


def test_opus_is_aligned_and_better_at_a_higher_rate() -> None:
    original = load_clip(CLIPS / "loop_weirdo.flac", RATE)
    low, high = (opus.round_trip(original, rate) for rate in (24, 48))
    assert low.samples.shape == high.samples.shape == original.samples.shape
    worse, better = (si_sdr_db(original.samples, each.samples) for each in (low, high))
    late = np.roll(high.samples, 3, axis=1)
    assert worse + 3 < better  # measured 3.0 and 12.7
    assert si_sdr_db(original.samples, late) < better


def test_missing_ffmpeg_is_reported_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(BadInput, match="ffmpeg is missing"):
        opus.round_trip(Waveform(noise(), RATE), 24)


def test_the_rate_that_the_codec_matches_is_noted() -> None:
    rates = {"opus 24": 0.5, "opus 32": 0.3, "opus 48": 0.2}
    notes = [codec.equal_rate({"codec": own} | rates, "distance") for own in (0.1, 0.25, 0.9)]
    assert "closer than opus 48" in notes[0]
    assert "at least as close as opus 32, and farther than opus 48" in notes[1]
    assert "farther than opus 24" in notes[2]


# Parts


def test_codec_part_shows_what_the_toy_cuts_off(setup: Setup) -> None:
    *against_opus, kept, faults, partials = codec.measure(setup)
    assert all(table.column("recording") == (*sorted(PAIR), "median") for table in against_opus)
    assert ["opus" in table.notes[0] for table in against_opus] == [True, True, False]
    assert all(level < 0 for level in kept.column("level dB"))  # type: ignore[operator]
    assert median(partials.column("change")) < -30  # nothing above 1.4 kHz; measured −40
    figures = dict(zip(faults.column("fault"), faults.column("round trip"), strict=True))
    assert figures["peak of decoded silence, dBFS"] == -200
    assert figures["left over right, panned 12 dB to the left"] == pytest.approx(12, abs=0.1)
    assert figures["left over right, panned hard left"] > 100  # type: ignore[operator]
    assert setup.out is not None
    assert len(list(setup.out.glob("codec-*.wav"))) == 10


def test_denoising_errors_are_those_of_known_predictors() -> None:
    generator = torch.Generator().manual_seed(0)
    latent = 2 * torch.randn(1, 3, 20_000, generator=generator)
    hiss = torch.randn(latent.shape, generator=generator)

    def error(shrink: float) -> float:
        def predict(state: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
            return shrink * state

        return float(denoising.squared_error(predict, latent, 1.0, hiss).mean())

    assert error(0.0) == pytest.approx(4, rel=0.05)
    assert error(1.0) == pytest.approx(1, rel=0.05)
    best = denoising.wiener(torch.full((3,), 4.0), 1.0)
    assert error(4 / 5) == pytest.approx(best, rel=0.05)  # 0.8


def test_denoising_part_measures_the_channels_that_the_network_sees(setup: Setup) -> None:
    (table,) = denoising.measure(setup)
    assert table.column("sigma") == denoising.SIGMAS
    assert table.title.endswith(" 128 channels")


def test_classes_are_distinguished_better_than_by_chance() -> None:
    halves = (slice(None, 8), slice(8, None))
    known = {
        name: [features(synthesise(name, seed, 1.5)) for seed in range(16)] for name in CLASSES
    }
    examples, others = ({n: each[part] for n, each in known.items()} for part in halves)
    classifier = Classifier.of(examples)
    assert classifier.accuracy(others) > 0.4  # measured 0.56, by chance 0.17
    swapped = dict(zip(CLASSES, [*list(others.values())[1:], others["drone"]], strict=True))
    assert classifier.accuracy(swapped) < 0.3  # measured 0.04


def test_prompts_part_measures_levels_and_classes_and_draws(setup: Setup) -> None:
    levels, likeness = prompts.measure(setup, examples=2)
    assert len(levels.rows) == len(likeness.rows) == 2 * len(CLASSES)
    assert all(0 <= share <= 1 for share in likeness.column("right"))  # type: ignore[operator]
    assert setup.out is not None
    assert (setup.out / "prompts.png").read_bytes().startswith(b"\x89PNG")
    assert len(list(setup.out.glob("prompt-*.wav"))) == 4 * len(CLASSES)


def test_silence_is_measured_by_its_share() -> None:
    half = noise(2.0)
    half[:, RATE:] = 0
    assert prompts.silent_share(Waveform(half, RATE)) == pytest.approx(0.5, abs=0.03)


def test_learning_part_resumes_from_known_figures(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learning, "CURVE_BUDGETS", (1.0,))
    first = [table.values() for table in learning.measure(setup)]
    assert [table["title"].split(",")[0] for table in first] == [
        "learning: 1.5 s", "learning: 3 s", "learning: over time",
    ]  # fmt: skip
    kept = list((setup.references.folder).iterdir())
    assert len(kept) == len(PAIR)  # which the window part reuses
    monkeypatch.setattr(Setup, "learn", lambda *_: pytest.fail("learned again"))
    again = learning.measure(replace(setup))
    assert [table.values() for table in again] == first


def test_learning_is_measured_as_a_share_of_the_way_to_the_codec() -> None:
    assert learning.share(3.0, 2.0, 1.0) == 0.5
    assert learning.share(3.0, 4.0, 1.0) == -0.5
    assert np.isnan(learning.share(1.0, 1.0, 2.0))


def test_pairs_take_every_recording_once_as_either() -> None:
    originals, references = zip(*windows.PAIRS, strict=True)
    assert sorted(originals) == sorted(references)
    assert len(set(originals)) == 10
    assert all(is_held_out(name) for name in originals)


def test_window_part_measures_pairs_and_residuals(setup: Setup) -> None:
    pairs, residuals = windows.measure(replace(setup, out=None))
    assert pairs.column("original → reference") == (" → ".join(PAIR), "median")
    assert residuals.column("residual")[0] == "clean"
    assert len(residuals.rows) == 7
    assert pairs.column("to original")[0] == pytest.approx(1, abs=0.1)  # the toy's is monotonic
    assert windows.largest_step([0.0, 0.1, 0.9, 1.0]) == pytest.approx(0.8)


# Recordings, tables, the command


def test_recordings_are_held_out_and_looped_if_short(setup: Setup) -> None:
    assert [recording.name for recording in setup.recordings] == sorted(PAIR)
    recording = setup.recordings[0]
    section = recording.section(12.0)
    assert section.frames == 12 * RATE
    assert recording.is_looped(12.0) and not recording.is_looped(3.0)
    looped = np.concatenate([recording.whole.samples] * 2, axis=1)[:, : 12 * RATE]
    assert np.array_equal(section.samples, fade_end(Waveform(looped, RATE)).samples)
    with pytest.raises(BadInput, match="no held-out recording"):
        held_out(Path(__file__).parent, setup.engine.model.codec)


def test_figures_that_are_missing_are_none_in_json_and_a_dash_as_text() -> None:
    table = Table("title", ("name", "figure"), (("a", float("nan")), ("b", 0.12345)), ("note",))
    assert table.lines() == ["title", "name  figure", "a          –", "b      0.123", "note"]
    assert table.values()["rows"] == [
        {"name": "a", "figure": None}, {"name": "b", "figure": 0.12345},
    ]  # fmt: skip


def test_a_torn_line_costs_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "figures.jsonl"
    Ledger(path).get(lambda: {"value": 1}, name="a")
    with path.open("a") as file:
        file.write('{"key": "torn')
    Ledger(path).get(lambda: {"value": 2}, name="b")
    known = Ledger(path)
    assert known.get(dict, name="a") == {"value": 1}
    assert known.get(dict, name="b") == {"value": 2}


def test_the_command_measures_parts_in_order_and_refuses_in_one_line(
    samples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = tmp_path / "figures.json"
    arguments = ["bench", "--model", "toy", "--compute", "cpu", "--seconds", "0.5", "--steps", "3"]
    parts = ["--part", "speed", "--part", "denoising", "--runs", "1", "--learn-steps", "2"]
    written = ["--samples", str(samples), "--json", str(figures)]
    assert cli.run([*arguments, *parts, *written]) == 0
    assert "denoising: squared error" in capsys.readouterr().out
    assert list(json.loads(figures.read_text())) == ["model", "digest", "denoising", "speed"]
    assert cli.run([*arguments, "--part", "all", "--samples", "/nowhere"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
