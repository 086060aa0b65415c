"""Part ear compares fusions with plain morphs, keeps what it measured and refuses in one line."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from eutectic import cli
from eutectic.audio import Waveform
from eutectic.config import SamplingSettings, sdedit
from eutectic.engine.clips import Clip
from eutectic.engine.engine import Engine
from eutectic.engine.fuser import Reference
from eutectic.engine.loading import load
from eutectic.engine.store import Store
from eutectic.experiments.ear import coding, comparison, distinct
from eutectic.experiments.ear.contenders import Fusions, Interpolation, plain
from eutectic.experiments.ear.judging import COLUMNS
from eutectic.experiments.quality.classes import CLASSES, synthesise
from eutectic.experiments.quality.codec import round_trip
from eutectic.experiments.quality.setup import Setup

pytestmark = pytest.mark.training

CLIPS = Path(__file__).parents[2] / "presets" / "clips"
PAIR = ("loop_3d_printer", "ambi_haunted_hum")
SECONDS = 1.5


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two held-out recordings and a dozen of synthetic sounds."""
    folder = tmp_path_factory.mktemp("samples")
    for name in PAIR:
        shutil.copy(CLIPS / f"{name}.flac", folder)
    for name in CLASSES:
        for seed in range(2):
            sound = synthesise(name, seed, 1.0)
            samples = 0.1 * sound.samples / np.abs(sound.samples).max()
            soundfile.write(folder / f"{name}{seed}.wav", samples.T, sound.rate_hz)
    return folder


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return Engine(load("toy", torch.device("cpu")), Store(tmp_path_factory.mktemp("store")))


@pytest.fixture
def setup(engine: Engine, samples: Path, tmp_path: Path) -> Setup:
    """The toy on two recordings, with settings that take no time."""
    return Setup(engine, samples, Store(tmp_path), SECONDS, 4, 0.1, out=tmp_path)


@pytest.fixture(scope="module")
def pair(engine: Engine) -> tuple[Waveform, Waveform]:
    """Two sounds as the codec gives them back."""
    shape, codec = (engine.model.codec.channels, 30_000), engine.model.codec
    generator = np.random.default_rng(0)
    original, reference = (
        round_trip(
            codec, Waveform(0.1 * generator.standard_normal(shape, np.float32), codec.rate_hz)
        )
        for _ in range(2)
    )
    return original, reference


def unlearned(clip: Clip) -> Reference:
    return Reference("a sound", clip, None)


def apart(one: Waveform, other: Waveform) -> float:
    """RMS of the difference over that of the second."""
    error = np.square(one.samples - other.samples).mean() / np.square(other.samples).mean()
    return float(np.sqrt(error))


def test_fusions_end_at_the_round_trip_and_are_as_loud_as_they_come(
    engine: Engine, pair: tuple[Waveform, Waveform]
) -> None:
    fuse = Fusions(engine, unlearned, SamplingSettings(steps=4))
    *_, last = fuse(*pair, (0.0, 0.5, 1.0))
    trip = round_trip(engine.model.codec, pair[0])
    assert last.frames == pair[0].frames
    assert apart(last, trip) < 1e-3
    louder = Waveform(4 * pair[0].samples, pair[0].rate_hz)
    assert apart(fuse(louder, pair[1], (1.0,))[0], trip) > 0.5


def test_audio_to_audio_is_another_way_to_the_same_end(
    engine: Engine, pair: tuple[Waveform, Waveform]
) -> None:
    plainly = SamplingSettings(steps=4, recall=0.0)
    ours, noised = (
        Fusions(engine, unlearned, settings)(*pair, (0.0, 0.6, 1.0))
        for settings in (plainly, sdedit(plainly))
    )
    differences = [apart(a, b) for a, b in zip(ours, noised, strict=True)]
    assert differences[0] == differences[2] == 0
    assert differences[1] > 0.01


def test_latents_are_interpolated_between_both_round_trips(
    engine: Engine, pair: tuple[Waveform, Waveform]
) -> None:
    blends: Sequence[float] = (0.0, 0.5, 1.0)
    first, middle, last = Interpolation(engine)(*pair, blends)
    for end, source in ((last, pair[0]), (first, pair[1])):
        assert apart(end, round_trip(engine.model.codec, source)) < 1e-3
    assert 0.3 < apart(middle, last) < 1.5
    short = Waveform(pair[1].samples[:, :10_000], pair[1].rate_hz)
    assert Interpolation(engine)(pair[0], short, (0.0,))[0].frames == pair[0].frames


def test_plain_morphs_end_at_their_sources(pair: tuple[Waveform, Waveform]) -> None:
    contenders = plain()
    assert "mix" in contenders
    first, last = contenders["mix"](*pair, (0.0, 1.0))
    assert apart(first, pair[1]) < 0.01
    assert apart(last, pair[0]) < 0.01


def test_part_ear_shows_every_pair_and_resumes(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup = replace(setup, variants=("order=1,budget=0",))
    tables = comparison.measure(setup)
    titles = [table.title for table in tables]
    contenders = ["fusion", "fusion order=1,budget=0", "sdedit", "latent", *plain()]
    assert titles[: len(contenders)] == [f"ear: {name}" for name in contenders]
    names = {" → ".join(PAIR), " → ".join(reversed(PAIR))}
    assert {row[0] for row in tables[0].rows} == {*names, "median"}
    medians, *won = tables[len(contenders) : len(contenders) + 3]
    assert medians.column("contender") == tuple(contenders)
    assert [len(table.rows) for table in won] == [len(contenders) - 1] * 2
    mixed = tables[contenders.index("mix")]
    assert mixed.column("own sample")[0] == pytest.approx(1, abs=0.02)
    assert mixed.column("round trip")[0] == pytest.approx(1, abs=0.02)
    coded = tables[-len(coding.MEASURES) :]
    assert [table.title.split()[1] for table in coded] == list(coding.MEASURES)
    likeness = dict(zip(coded[0].columns, coded[0].rows[-1], strict=True))
    assert likeness["opus 96"] > likeness["codec"]  # type: ignore[operator]
    assert setup.out is not None
    assert len(list(setup.out.glob("ear-*.wav"))) == 2 * len(contenders)
    monkeypatch.setattr(Fusions, "__call__", lambda *_: pytest.fail("fused again"))
    again = comparison.measure(replace(setup))
    assert [table.values() for table in again] == [table.values() for table in tables]


def test_the_command_compares_listed_pairs(
    samples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [samples / f"{name}{seed}.wav" for name in ("drone", "beat") for seed in range(2)]
    listed = tmp_path / "pairs.csv"
    listed.write_text("original,reference\n{},{}\n{},{}\n".format(*names))
    arguments = [
        "bench", "--part", "ear", "--model", "toy", "--compute", "cpu", "--samples", str(samples),
        "--seconds", "1", "--steps", "3", "--budget", "1", "--json", str(tmp_path / "ear.json"),
    ]  # fmt: skip
    assert cli.run([*arguments, "--pairs", str(listed)]) == 2
    assert "12 or more recordings besides those that are compared; there are 10" in (
        capsys.readouterr().err
    )
    assert cli.run([*arguments, "--variant", "order=9"]) == 2
    assert cli.run([*arguments, "--pairs", "/nowhere"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 2
    for name in ("drone0", "beat0"):
        shutil.copy(samples / f"{name}.wav", tmp_path / f"{name}a.wav")
    listed.write_text("original,reference\ndrone0a.wav,beat0a.wav\n")
    assert cli.run([*arguments, "--pairs", str(listed)]) == 0
    assert "drone0a → beat0a" in capsys.readouterr().out
    tables = json.loads((tmp_path / "ear.json").read_text())["ear"]
    assert set(COLUMNS) < set(tables[0]["rows"][0])


def test_presets_are_compared_with_each_other(setup: Setup) -> None:
    setup = replace(setup, budget_seconds=0.0)
    every, nearest = distinct.measure(setup)
    names = list(distinct.shipped())
    assert every.columns == ("preset", *names) and every.column("preset") == tuple(names)
    distances = np.array([row[1:] for row in every.rows], float)
    assert np.abs(np.diag(distances)).max() <= 0.01
    assert np.array_equal(distances, distances.T) and distances.max() > 0.1
    alone = distances + 9 * np.eye(len(names))
    assert nearest.column("distance") == tuple(alone.min(axis=1))
    assert nearest.column("nearest")[0] == names[int(alone[0].argmin())]
