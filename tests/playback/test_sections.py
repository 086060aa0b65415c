"""Sections of sounds, reverse and speed, of what a voice plays."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from eutectic.experiments.live.clicks import LIMIT_DB, click_db, clicks, holes
from eutectic.playback.cursor import Section
from eutectic.playback.events import Ended, Started, Underrun
from eutectic.playback.player import Player
from eutectic.playback.sounds import Fan, Sound
from mixes import RATE_HZ, play, settled, stray_db, tone

LATENCY = Player.latency_frames
TONES_HZ = (55, 110, 220, 440)


def noise(seconds: float, tail: int = 2400) -> Sound:
    rng = np.random.default_rng(5)
    samples = 0.1 * rng.standard_normal((2, round(seconds * RATE_HZ) + tail))
    return Sound.of(samples.astype(np.float32), tail)


def started(sound: Sound, section: Section | None = None, *, loop: bool = True) -> Player:
    player = Player(RATE_HZ)
    if section is not None:
        player.cut(1, section)
    player.play(1, Fan.of(sound), 1, blend=0.5, loop=loop)
    return player


def heard(player: Player, seconds: float) -> NDArray[np.float32]:
    """What is played, (2, frame), without the limiter's delay."""
    return play(player, seconds)[LATENCY:].T


def test_a_section_is_what_is_heard_and_ends_where_it_ends() -> None:
    sound = noise(1.0)
    player = started(sound, Section(0.25, 0.5), loop=False)
    recording = heard(player, 0.5)
    attack = 100
    assert np.array_equal(recording[:, attack:12_000], sound.samples[:, 12_000 + attack : 24_000])
    assert not recording[:, 12_000 + 2400 :].any()
    assert [type(event) for event in player.take_events()] == [Started, Ended]


def test_a_section_loops_with_its_own_period() -> None:
    player = started(noise(1.0), Section(0.3, 0.5))
    recording = heard(player, 1.5)
    turn, middle = 9600, slice(2400, 9000)
    for start in (turn, 4 * turn):
        again = recording[:, middle.start + start : middle.stop + start]
        assert np.array_equal(again, recording[:, middle])


def test_reverse_plays_the_same_samples_backwards_through_the_tail() -> None:
    sound = noise(0.5)
    recording = heard(started(sound, Section(reverse=True), loop=False), 0.6)
    backwards = sound.samples[:, ::-1]
    assert np.array_equal(recording[:, 100:24_000], backwards[:, 100:24_000])


@pytest.mark.parametrize("hz", TONES_HZ)
@pytest.mark.parametrize("reverse", [False, True])
def test_the_seam_of_a_section_does_not_click(hz: float, reverse: bool) -> None:
    player = started(tone(hz * 1.013), Section(0.21, 0.37, reverse))
    assert click_db(settled(play(player, 1.2)), RATE_HZ) < LIMIT_DB


@pytest.mark.parametrize("hz", TONES_HZ)
def test_sections_change_without_a_click_however_fast(hz: float) -> None:
    player = started(tone(hz * 1.013))
    sections = (
        Section(0.2, 1.0), Section(0.2, 0.3), Section(0.5, 0.6), Section(0.5, 0.6, True),
        Section(0.1, 0.9, True), Section(),
    )  # fmt: skip
    commands = {
        f"at_{ms}": lambda section=section: player.cut(1, section)
        for ms, section in zip((150, 250, 255, 330, 340, 480), sections, strict=True)
    }
    recording = settled(play(player, 0.8, **commands))
    assert click_db(recording, RATE_HZ) < LIMIT_DB
    assert not holes(recording, RATE_HZ)


def test_another_end_is_not_heard_before_it_is_reached() -> None:
    player = started(noise(1.0))
    before = heard(player, 0.2)
    player.cut(1, Section(0.0, 0.6))
    after = play(player, 0.3).T
    both = np.concatenate([before, after], axis=1)
    expected = noise(1.0).samples[:, 100 : both.shape[1]]
    assert np.allclose(both[:, 100:], expected, atol=1e-6)


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_a_section_of_nothing_is_a_short_one(share: float) -> None:
    player = started(tone(440), Section(share, share))
    assert np.abs(play(player, 0.5)[-256:]).max() > 0.1


def test_a_section_in_reverse_waits_until_its_end_is_decoded() -> None:
    whole = tone(220, 0.5)
    sound = Sound(whole.frames, whole.tail)
    sound.write(0, whole.samples[:, :20_000])
    player = started(sound, Section(reverse=True))
    assert not play(player, 0.2).any()
    sound.write(20_000, whole.samples[:, 20_000:])
    assert np.abs(play(player, 0.2)).max() > 0.1
    assert not [event for event in player.take_events() if isinstance(event, Underrun)]


@pytest.mark.parametrize("speed", [0.125, 0.7491, 1.4983, 2.0, 8.0])
def test_speed_is_exact_and_adds_no_partials(speed: float) -> None:
    player = Player(RATE_HZ)
    player.set_speed(1, speed)
    hz = 1500 if speed == 8 else 3700
    player.play(1, Fan.of(tone(hz, 6.0)), 1, blend=0.5)
    assert stray_db(settled(play(player, 0.6)), speed * hz) < -90  # measured: -103 at most


def test_what_would_be_beyond_half_the_rate_is_not_heard() -> None:
    player = Player(RATE_HZ)
    player.set_speed(1, 2.0)
    player.play(1, Fan.of(tone(15_000, level=0.5)), 1, blend=0.5)
    residue = np.abs(settled(play(player, 0.6))).max()
    assert 20 * np.log10(residue / 0.5) < -80  # measured: -91


def test_a_gliding_speed_does_not_click_and_comes_back_to_pitch() -> None:
    player = started(tone(330))
    commands = {
        f"at_{ms}": lambda speed=speed: player.set_speed(1, speed)
        for ms, speed in ((150, 2.0), (200, 0.5), (210, 1.1), (400, 8.0), (450, 1.0))
    }
    recording = settled(play(player, 1.5, **commands))
    assert not clicks(recording, RATE_HZ)
    assert not holes(recording, RATE_HZ)
    assert stray_db(settled(recording, 1.0), 330) < -90


def test_stop_and_panic_take_as_long_at_any_speed() -> None:
    player = Player(RATE_HZ)
    player.set_speed(1, 0.125)
    player.play(1, Fan.of(tone(440)), 1, blend=0.5, loop=True)
    play(player, 0.3)
    player.panic()
    recording = play(player, 0.05)
    assert not recording[LATENCY + 256 + 240 :].any()
    assert player.take_events()[-1] == Ended(1, 1)


def test_at_speed_one_a_sound_is_played_as_it_is_though_another_speed_was_set() -> None:
    player = Player(RATE_HZ)
    player.set_speed(1, 2.0)
    player.set_speed(1, 1.0)
    sound = noise(0.5)
    player.play(1, Fan.of(sound), 1, blend=0.5)
    recording = heard(player, 0.4)
    assert np.array_equal(recording[:, 100:18_000], sound.samples[:, 100:18_000])
