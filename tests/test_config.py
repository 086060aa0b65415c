"""Settings are checked when made, each refusal one line that names the setting."""

import math
from pathlib import Path
from typing import Any

import pytest

from eutectic.config import LearnSettings, Place, SamplingSettings, data_folder
from eutectic.errors import BadSetting


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"seed": -1}, "seed must be"),
        ({"seed": 2**32}, "seed must be"),
        ({"cfg": -1.0}, "cfg must be 0 to 30"),
        ({"cfg": math.nan}, "cfg must be"),
        ({"steps": 0}, "steps must be 1 to 1000, not 0"),
        ({"order": 4}, "order must be 1 to 3"),
        ({"eta": 1.5}, "eta must be 0 to 1"),
        ({"solver": "rk4"}, "solver must be one of midpoint, heun, pingpong"),
        ({"residual": "noisy"}, "residual must be one of clean"),
        ({"residual_amount": 2.0}, "residual-amount must be"),
        ({"residual": "edit-friendly", "order": 2}, "order 1 and eta 1 only"),
        ({"residual": "edit-friendly", "eta": 0.0}, "order 1 and eta 1 only"),
    ],
)
def test_sampling_settings_out_of_range_cannot_be_made(bad: dict[str, Any], words: str) -> None:
    with pytest.raises(BadSetting, match=words):
        SamplingSettings(**bad)


@pytest.mark.parametrize(
    "bad",
    [{}, {"blend": 0.5, "remaining": 3}, {"blend": 1.5}, {"blend": -0.1}, {"blend": math.nan},
     {"remaining": -1}],
)  # fmt: skip
def test_a_place_is_one_blend_or_one_remaining(bad: dict[str, Any]) -> None:
    with pytest.raises(BadSetting):
        Place(**bad)


@pytest.mark.parametrize(
    "bad",
    [{"method": "dreambooth"}, {"steps": 0}, {"rank": 0}, {"learning_rate": 0.0},
     {"budget_seconds": 0.0}, {"seed": -1}],
)  # fmt: skip
def test_learning_settings_out_of_range_cannot_be_made(bad: dict[str, Any]) -> None:
    with pytest.raises(BadSetting):
        LearnSettings(**bad)


def test_the_data_folder_can_be_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EUTECTIC_DATA", str(tmp_path))
    assert data_folder() == tmp_path
    monkeypatch.delenv("EUTECTIC_DATA")
    assert data_folder().name == "eutectic"
