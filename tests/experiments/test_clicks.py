"""The measure of clicks finds what breaks, and nothing in what only changes."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from eutectic.audio import db_to_gain, equal_power, load_clip
from eutectic.experiments.live.clicks import LIMIT_DB, click_db, clicks, holes, longest_silence

RATE_HZ = 48_000
CLIPS = sorted((Path(__file__).parents[2] / "presets" / "clips").glob("*.flac"))
QUIET_ENOUGH = ("ambi_glass_rub", "ambi_haunted_hum", "loop_weirdo", "perc_bell")
"""Clips whose own noise doesn't cover a click of -50 dB."""


def clip(path: Path, peak_db: float = -12.0) -> NDArray[np.float32]:
    """(frame, 2) at 48 kHz."""
    sound = load_clip(path, RATE_HZ).samples.T
    return (sound / np.abs(sound).max() * db_to_gain(peak_db)).astype(np.float32)


def looped(sound: NDArray[np.float32], seconds: float, fade: int = 480) -> NDArray[np.float32]:
    """A sound over and over, its end crossfaded into its beginning."""
    body = len(sound) - fade
    rising, falling = equal_power(np.arange(1, fade + 1)[:, None] / (fade + 1))
    turn = sound[:body].copy()
    turn[:fade] = rising * sound[:fade] + falling * sound[body:]
    return np.tile(turn, (-(-round(seconds * RATE_HZ) // body), 1))


def tones(seconds: float) -> NDArray[np.float32]:
    """Three slow tones that beat, and noise under 200 Hz, (frame,)."""
    at = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    swell = 0.5 + 0.5 * np.sin(2 * np.pi * 0.3 * at)
    return sum(
        (0.08 * swell * np.sin(2 * np.pi * hz * at + hz) for hz in (55.0, 331.0, 1201.0)),
        np.zeros_like(at),
    ).astype(np.float32)


@pytest.mark.parametrize("path", CLIPS, ids=lambda path: path.stem)
def test_music_that_loops_with_honest_crossfades_has_none(path: Path) -> None:
    assert clicks(looped(clip(path), 20.0), RATE_HZ) == []


@pytest.mark.parametrize("shape", ["sample", "step", "corner", "skip", "block"])
@pytest.mark.parametrize("level_db", [-50, -40])
def test_what_is_planted_in_tones_is_found(shape: str, level_db: int) -> None:
    sound, at, height = tones(2.0), RATE_HZ, db_to_gain(level_db)
    assert clicks(sound, RATE_HZ) == []
    if shape == "sample":
        sound[at] += height
    elif shape == "step":
        sound[at:] -= height
    elif shape == "corner":
        sound[at:] *= np.maximum(0, 1 - height * np.arange(len(sound) - at))
    elif shape == "skip":
        sound = np.delete(sound, slice(at, at + 100))
    else:
        sound[at : at + 128] = sound[at - 128 : at]
    found = clicks(sound, RATE_HZ)
    assert found and all(abs(each.at_seconds - 1.0) < 0.005 for each in found)


@pytest.mark.parametrize("hz", [55, 110, 220, 440])
@pytest.mark.parametrize("plant", ["hard cut", "cut at a zero crossing", "5 ms with corners"])
def test_both_measures_find_how_a_tone_can_be_cut_badly(hz: int, plant: str) -> None:
    at, cut = np.arange(2 * RATE_HZ), RATE_HZ
    tone = (0.4 * np.sin(2 * np.pi * hz * at / RATE_HZ)).astype(np.float32)
    if plant == "hard cut":
        tone[cut + round(RATE_HZ / hz / 4) :] = 0
    elif plant == "cut at a zero crossing":
        tone[cut:] = 0
    else:
        tone[cut:] *= np.clip(1 - np.arange(len(tone) - cut) / round(0.005 * RATE_HZ), 0, 1)
    assert click_db(tone, RATE_HZ) > LIMIT_DB
    assert clicks(tone, RATE_HZ)


@pytest.mark.parametrize("name", QUIET_ENOUGH)
def test_a_click_of_minus_50_db_is_found_in_music_of_minus_12(name: str) -> None:
    generator = np.random.default_rng(0)
    (path,) = (path for path in CLIPS if path.stem == name)
    sound = looped(clip(path), 10.0)
    places = np.sort(generator.choice(np.arange(2, 40), 12, replace=False)) * RATE_HZ // 5
    for at in places:
        sound[at, at % 2] += db_to_gain(-50)
    found = {round(each.at_seconds * 5) for each in clicks(sound, RATE_HZ)}
    assert found <= set(places * 5 // RATE_HZ)  # nothing else is taken for one
    assert len(found) >= 10  # measured: 10 in the rubbed glass, 12 in all others


def test_clicks_of_one_bad_block_do_not_hide_each_other() -> None:
    sound = tones(2.0)
    sound[RATE_HZ : RATE_HZ + 256] = 0
    assert len(clicks(sound, RATE_HZ)) == 2


def test_a_long_recording_is_as_one_of_its_pieces() -> None:
    sound = tones(50.0)
    at = [round(RATE_HZ * seconds) for seconds in (1.0, 21.845, 43.69, 49.0)]  # two at seams
    sound[at] += db_to_gain(-45)
    found = [round(each.at_seconds, 2) for each in clicks(sound, RATE_HZ)]
    assert found == pytest.approx([1.0, 21.84, 43.69, 49.0], abs=0.011)


@pytest.mark.parametrize("milliseconds", [2, 5, 30])
def test_attacks_of_a_few_milliseconds_and_ends_are_none(milliseconds: int) -> None:
    sound, length = tones(1.0), milliseconds * RATE_HZ // 1000
    rising, falling = equal_power(np.linspace(0, 1, length))
    sound[:length] *= rising
    sound[-length:] *= falling
    assert clicks(np.pad(np.tile(sound, 3), 10_000), RATE_HZ) == []


def test_silence_within_sound_is_a_hole_and_around_it_none() -> None:
    sound = np.pad(np.full((RATE_HZ, 2), 0.1, np.float32), ((500, 700), (0, 0)))
    assert holes(sound, RATE_HZ) == []
    sound[10_000:10_128, 0] = 0
    assert holes(sound, RATE_HZ) == []  # the other side sounds
    sound[10_000:10_128, 1] = 1e-5
    assert holes(sound, RATE_HZ) == [(10_000 / RATE_HZ, 128 / RATE_HZ)]
    assert holes(sound, RATE_HZ, 0.003) == []
    assert longest_silence(sound) == 700
    assert holes(np.zeros(500, np.float32), RATE_HZ) == []
