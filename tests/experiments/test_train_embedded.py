"""Training the model that ships: a run, however short, leaves a folder that loads; it goes on."""

import shutil
from pathlib import Path

import pytest
import torch

from eutectic.engine.model import load
from eutectic.experiments.scenes import is_held_out
from eutectic.experiments.train_embedded import HELD_OUT_CLIPS, Training, train

CLIPS = Path(__file__).parents[2] / "presets" / "clips"


def test_the_clips_that_ship_are_held_out() -> None:
    assert sorted(path.stem for path in CLIPS.glob("*.flac")) == sorted(HELD_OUT_CLIPS)
    assert all(is_held_out(name, HELD_OUT_CLIPS) for name in HELD_OUT_CLIPS)


def test_a_short_run_leaves_a_model_and_a_second_goes_on_from_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    samples, out = tmp_path / "samples", tmp_path / "out"
    samples.mkdir()
    for number, path in enumerate(sorted(CLIPS.glob("*.flac"))[:3]):
        shutil.copy(path, samples / f"recording_{number}.flac")
    train(samples, out, Training(minutes=0.01, scenes=2))
    first = load(str(out), torch.device("cpu"))
    staged = (out / "training" / "scenes-0-2.npz").stat().st_mtime_ns
    train(samples, out, Training(minutes=0.05, scenes=2))
    second = load(str(out), torch.device("cpu"))
    assert (out / "training" / "scenes-0-2.npz").stat().st_mtime_ns == staged
    assert first.digest != second.digest
    steps = [int(line.split()[3]) for line in capsys.readouterr().out.splitlines()
             if line.startswith("exported at step")]  # fmt: skip
    assert 0 < steps[0] < steps[-1]
