"""Blends that are equal steps apart to the ear."""

import itertools
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from eutectic.audio import load_clip
from eutectic.config import Place, SamplingSettings
from eutectic.engine.engine import Engine
from eutectic.engine.even import NEAR, decibel_mel, even_blends, proportion
from eutectic.engine.fuser import Reference
from eutectic.engine.loading import load
from eutectic.engine.store import Store

CLIPS = Path(__file__).parents[2] / "presets" / "clips"


@pytest.mark.parametrize("size", [2, 3, 5, 9])
@pytest.mark.parametrize("power", [0.5, 1.0, 4.0])
def test_blends_make_p_rise_evenly(size: int, power: float) -> None:
    measured = 0

    def measure(blends: Sequence[float]) -> list[float]:
        nonlocal measured
        measured += len(blends)
        return [blend**power for blend in blends]

    blends = even_blends(size, measure)
    assert blends[0] == 0 and blends[-1] == 1
    assert [blend**power for blend in blends] == pytest.approx(
        [k / (size - 1) for k in range(size)], abs=1.5 * NEAR
    )
    assert measured <= 5 * size


def test_a_jump_is_taken_as_it_is() -> None:
    """No blend is in the middle of it; the blends still rise from end to end."""
    blends = even_blends(5, lambda blends: [float(blend > 0.4) for blend in blends])
    assert blends[0] == 0 and blends[-1] == 1
    assert all(low < high for low, high in itertools.pairwise(blends))
    assert blends[2] == pytest.approx(0.4, abs=0.05)


def test_between_equal_sounds_every_blend_is_as_good() -> None:
    assert even_blends(3, lambda blends: [math.nan for _ in blends]) == [0.0, 0.5, 1.0]


def test_a_curve_that_goes_back_still_gives_rising_blends() -> None:
    blends = even_blends(7, lambda blends: [b + 0.2 * np.sin(9 * b) * (1 - b) for b in blends])
    assert all(low < high for low, high in itertools.pairwise(blends))


def test_an_even_fan_is_more_even_than_one_of_equal_blends(tmp_path: Path) -> None:
    engine = Engine(load("embedded", torch.device("cpu")), Store(tmp_path))
    original, clip = (
        engine.encode(load_clip(CLIPS / f"{name}.flac", 44100, duration_seconds=2.0))
        for name in ("loop_weirdo", "ambi_haunted_hum")
    )
    reference, settings = Reference("hum", clip, None), SamplingSettings(recall=1.0)

    def steps(blends: Sequence[float]) -> float:
        """The largest deviation of a step in p from an even one."""
        places = [Place(blend=blend) for blend in blends]
        fusions = engine.fuse(original, reference, places, settings, "raw")
        mels = [decibel_mel(fusion.waveform) for fusion in fusions]
        p = [proportion(mel, mels[-1], mels[0]) for mel in mels]
        return float(np.abs(np.diff(p) - 1 / (len(p) - 1)).max())

    blends = engine.even_blends(original, reference, 5, settings)
    assert steps(blends) < 0.06 < steps([0.0, 0.25, 0.5, 0.75, 1.0])
