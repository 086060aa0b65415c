"""Options of requests as the engine's settings, and as a session keeps them."""

from __future__ import annotations

import pytest

from eutectic.config import LearnSettings, Place, SamplingSettings
from eutectic.errors import BadSetting
from eutectic.fusion_options import fuse_request, place, sampling
from eutectic.osc.table import Fuse, Learn
from eutectic.session.options import kept_options, learning

FUSE = Fuse(
    id=1, voice=2, original="a", reference="b", seed=3, eta=0.5, negative="hiss", remaining=4,
    loop=1, at_ms=10.0, velocity=100.0, preset="mine",
)  # fmt: skip


def test_options_become_settings() -> None:
    assert sampling(FUSE) == SamplingSettings(seed=3, eta=0.5, negative="hiss")
    assert place(FUSE) == Place(remaining=4)
    learn = Learn(id=1, reference="r", clip="c", prompt="p", budget_s=9.0, rank=4)
    assert learning(learn) == LearnSettings(rank=4, budget_seconds=9.0)


def test_a_place_has_a_default_and_only_one_of_blend_and_remaining() -> None:
    plain = Fuse(id=1, voice=1, original="a", reference="b")
    assert place(plain) == Place(blend=0.5)
    assert place(plain, 0.25) == Place(blend=0.25)
    with pytest.raises(BadSetting, match="either"):
        place(Fuse(id=1, voice=1, original="a", reference="b", blend=0.5, remaining=4))


def test_a_session_keeps_a_fusion_without_what_concerns_one_trigger() -> None:
    options = kept_options(FUSE)
    assert options == {
        "original": "a", "reference": "b", "seed": 3, "eta": 0.5, "negative": "hiss",
        "remaining": 4, "loop": 1,
    }  # fmt: skip
    again = fuse_request(options, voice=2)
    assert kept_options(again) == options
    assert (again.voice, again.at_ms, again.velocity, again.preset) == (2, None, None, None)
