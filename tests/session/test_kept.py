"""What earlier versions kept on disk is still found and read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from eutectic.config import LearnSettings, Place, SamplingSettings
from eutectic.files import toml
from eutectic.files.toml import BadState
from eutectic.link.protocol import ReferenceSpec, Source
from eutectic.session import kept
from eutectic.session.kept import KeptClip, KeptReference, KeptSession, KeptVoice
from eutectic.session.pair import Clip, Knobs, Pair, Reference

SPEC = ReferenceSpec(
    "fedcba9876543210", "a 'warm' drone", LearnSettings(method="lora", steps=40, rank=8)
)
GLASS, DRONE = Source("/clips/glass.flac", 0.5, 2.0), Source("/clips/drone.flac")

SESSION = KeptSession(
    1, "toy", -3.0, {"seed": 5},
    [KeptClip("glass", GLASS, "0123456789abcdef", 88_200, 44_100, -23.5)],
    [KeptReference("drone", "low", DRONE, SPEC, "digest")],
    [KeptVoice(1, -6.0, 0.5, 1, True, 10.0, 0.25, 3.0,
               {"original": "glass", "reference": "drone", "blend": 0.25, "steps": 8})],
)  # fmt: skip

WRITTEN = """format = 1
model = "toy"
master_db = -3.0

[fusion]
seed = 5

[[clips]]
name = "glass"
key = "0123456789abcdef"
frames = 88200
rate_hz = 44100
loudness_lufs = -23.5

[clips.source]
path = "/clips/glass.flac"
start_seconds = 0.5
duration_seconds = 2.0

[[references]]
name = "drone"
clip = "low"
model = "digest"

[references.source]
path = "/clips/drone.flac"
start_seconds = 0.0

[references.known]
clip = "fedcba9876543210"
prompt = "a 'warm' drone"

[references.known.settings]
method = "lora"
steps = 40
rank = 8
seed = 0

[[voices]]
number = 1
gain_db = -6.0
pan = 0.5
output = 1
loop = true
crossfade_ms = 10.0
blend = 0.25
cfg = 3.0

[voices.request]
original = "glass"
reference = "drone"
blend = 0.25
steps = 8
"""
"""As the first version that kept sessions wrote it."""


def test_a_session_of_an_earlier_version_is_read_and_written_as_before(tmp_path: Path) -> None:
    path = tmp_path / "night.toml"
    path.write_text(WRITTEN)
    assert kept.read(path) == SESSION
    toml.write(path, SESSION)
    assert path.read_text() == WRITTEN


def test_a_fusion_has_the_key_that_earlier_versions_gave_it() -> None:
    """Else fusions on disk would no longer be found, and all be made again."""
    pair = Pair(
        Clip("glass", GLASS, "0123456789abcdef", 88_200, 44_100, -23.5),
        Reference("drone", "low", DRONE, SPEC, "digest"),
        SamplingSettings(seed=7, cfg=3.0, negative="hiss", solver="pingpong"), "match",
    )  # fmt: skip
    assert pair.key == "c917f358b968a8618217345a4cc05a94"
    assert pair.key_at(Place(0.25), 48_000) == "e7d2679ed2a3e9c87604d06b1fe0468f"
    assert pair.key_at(Place(remaining=4), 44_100) == "589a7c36428de8ba842c57503d5c73a4"


def test_a_fusion_s_key_depends_on_what_is_heard_and_not_on_names() -> None:
    clip = Clip("glass", GLASS, "0123456789abcdef", 88_200, 44_100, -23.5)
    reference = Reference("drone", "low", DRONE, SPEC, "digest")
    pair = Pair(clip, reference, SamplingSettings(seed=7), "match")
    renamed = Pair(
        Clip("other", DRONE, "0123456789abcdef", 88_200, 44_100, -23.5),
        Reference("another", "high", GLASS, SPEC, "digest"), SamplingSettings(seed=7), "match",
    )  # fmt: skip
    assert renamed.key == pair.key
    others = [
        Pair(clip, reference, SamplingSettings(seed=8), "match"),
        Pair(clip, reference, SamplingSettings(seed=7), "raw"),
        Pair(Clip("glass", GLASS, "another", 88_200, 44_100, -23.5), reference,
             SamplingSettings(seed=7), "match"),
    ]  # fmt: skip
    assert len({pair.key, *(other.key for other in others)}) == 4


def test_at_full_recall_a_fusion_s_key_depends_on_nothing_that_guides_the_network() -> None:
    clip = Clip("glass", GLASS, "0123456789abcdef", 88_200, 44_100, -23.5)
    learned = Reference("drone", "low", DRONE, SPEC, "digest")
    remembered = Reference("drone", "low", DRONE, ReferenceSpec(SPEC.clip, "drone"), "digest")

    def key(reference: Reference, **settings: Any) -> str:
        return Pair(clip, reference, SamplingSettings(**settings), "match").key

    full = key(remembered, recall=1.0)
    assert full == key(learned, recall=1.0) == key(learned, recall=1.0, cfg=3.0, negative="hiss")
    others = [{"seed": 1}, {"slack": 0.5}, {"start": 1.0}, {"steps": 9}, {"residual": "scaled"}]
    elsewhere = Reference("drone", "low", DRONE, ReferenceSpec("another", "drone"), "digest")
    keys = [key(learned, recall=1.0, **each) for each in others]
    assert len({full, *keys, key(elsewhere, recall=1.0)}) == len(others) + 2
    assert key(learned, recall=0.5) != key(remembered, recall=0.5)
    assert key(learned, recall=0.5) != key(learned, recall=0.5, cfg=3.0)


def test_no_recall_is_what_fusions_had_before_there_was_any() -> None:
    clip = Clip("glass", GLASS, "0123456789abcdef", 88_200, 44_100, -23.5)
    pair = Pair(
        clip, Reference("drone", "low", DRONE, SPEC, "digest"), SamplingSettings(seed=7), "match"
    )
    assert pair.at(Knobs(0.0)).key == pair.key
    assert pair.at(Knobs(0.1)).key != pair.key


def test_what_is_remembered_and_a_voice_s_recall_are_kept(tmp_path: Path) -> None:
    spec = ReferenceSpec("fedcba9876543210", "hiss")
    session = KeptSession(
        1, "toy", references=[KeptReference("m", "b", DRONE, spec, "digest")],
        voices=[KeptVoice(1, recall=0.25)], recall=0.5,
    )  # fmt: skip
    toml.write(tmp_path / "night.toml", session)
    assert kept.read(tmp_path / "night.toml") == session


@pytest.mark.parametrize(("low", "high"), [(0.5, 0.5), (0.0, 2.0), (float("nan"), 1.0)])
def test_an_axis_that_leads_nowhere_is_refused(tmp_path: Path, low: float, high: float) -> None:
    path = tmp_path / "night.toml"
    axes = f'\n[axes.key]\nacross = "recall"\nsize = 3\nlow = {low}\nhigh = {high}\n'
    path.write_text(WRITTEN + axes)
    with pytest.raises(BadState, match=r"night.toml: invalid \(recall must"):
        kept.read(path)
