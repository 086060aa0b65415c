"""A voice's filter and sends: what they let through, and that nothing that turns them clicks."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from eutectic.audio import db_to_gain, load_clip
from eutectic.experiments.live.clicks import LIMIT_DB, click_db, clicks
from eutectic.playback import filters
from eutectic.playback.filters import DAMPING, KINDS, TAIL, Filter, Kind, Knobs
from eutectic.playback.player import Player
from eutectic.playback.sounds import Fan, Sound
from eutectic.playback.strip import Send

RATE_HZ, BLOCK = 48_000, 128
HUM = Path(__file__).parents[2] / "presets" / "clips" / "ambi_haunted_hum.flac"


@pytest.fixture(autouse=True, scope="module")
def loaded() -> None:
    filters.load()


def at_once(knobs: Knobs, rate_hz: int = RATE_HZ) -> Filter:
    made = Filter(rate_hz, 2)
    made.turn(knobs)
    made.settle()
    return made


def response_db(knobs: Knobs, rate_hz: int = RATE_HZ) -> Callable[[float], float]:
    """A filter's gain at a frequency, from a second of its impulse response."""
    impulse = np.zeros((2, rate_hz), np.float32)
    impulse[:, 0] = 1
    gains = np.abs(np.fft.rfft(at_once(knobs, rate_hz).mix(impulse)[0]))
    return lambda hz: float(20 * np.log10(gains[round(hz)] + 1e-12))


@pytest.mark.parametrize(("kind", "at_hz"), [("low", 50), ("high", 20_000), ("band", 1000)])
def test_without_resonance_what_passes_keeps_its_level(kind: Kind, at_hz: float) -> None:
    gain_db = response_db(Knobs(kind, 1000))
    assert gain_db(at_hz) == pytest.approx(0, abs=0.1)
    assert gain_db(1000) == pytest.approx(0 if kind == "band" else -3, abs=0.1)
    if kind != "high":
        assert gain_db(16_000) < (-45 if kind == "low" else -20)
    if kind != "low":
        assert gain_db(60) < (-45 if kind == "high" else -20)


@pytest.mark.parametrize("kind", KINDS)
def test_resonance_peaks_at_the_cutoff_and_leaves_the_rest_near_its_level(kind: Kind) -> None:
    plain, sharp = response_db(Knobs(kind, 1000)), response_db(Knobs(kind, 1000, 1))
    assert 10 < sharp(1000) - plain(1000) < 20
    if kind != "band":
        passes_hz = 50 if kind == "low" else 20_000
        assert -6.5 < sharp(passes_hz) < -5.5


@pytest.mark.parametrize("rate_hz", [8000, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("kind", KINDS)
def test_no_setting_at_any_rate_blows_up_or_rings_for_ever(kind: Kind, rate_hz: int) -> None:
    generator = np.random.default_rng(0)
    noise = generator.uniform(-1, 1, (2, 4000)).astype(np.float32)
    for cutoff_hz, resonance in itertools.product((20, 700, 20_000), (0, 1)):
        made = at_once(Knobs(kind, cutoff_hz, resonance), rate_hz)
        assert np.abs(made.mix(noise)).max() < 8
        silence = np.zeros((2, rate_hz), np.float32)
        rest = np.concatenate([made.mix(silence) for _ in range(4)], axis=1)
        assert not made.sounding and not rest[:, -1].any()  # 20 Hz at resonance 1: 2.4 s


def test_a_recursion_of_any_block_size_is_the_textbook_one() -> None:
    generator = np.random.default_rng(0)
    sound = generator.standard_normal((2, 1200)).astype(np.float32)
    g, state, low = np.tan(np.pi * 900 / RATE_HZ), np.zeros((2, 2)), np.zeros((2, 1200))
    for at in range(1200):
        band = (state[0] + g * (sound[:, at] - state[1])) / (1 + g * (g + DAMPING))
        low[:, at] = state[1] + g * band
        state = 2 * np.stack([band, low[:, at]]) - state
    for block in (1, 7, 128, 1200):
        made = at_once(Knobs("low", 900))
        pieces = [made.mix(sound[:, at : at + block]) for at in range(0, 1200, block)]
        assert np.allclose(np.concatenate(pieces, axis=1), low, atol=1e-6)  # measured: 1e-7


def test_turned_at_random_it_stays_in_bounds() -> None:
    """The least damped filter, its cutoff thrown about faster than a hand could."""
    generator = np.random.default_rng(1)
    made = at_once(Knobs("low", 1000, 1))
    for _ in range(2000):
        kind: Kind = (*KINDS, "off")[generator.integers(4)]
        made.turn(Knobs(kind, float(20 * 1000 ** generator.random()), float(generator.random())))
        block = generator.uniform(-1, 1, (2, 64)).astype(np.float32)
        assert np.abs(made.mix(block)).max() < 20  # measured: 6


def test_off_passes_every_sample_as_it_is() -> None:
    sound = np.random.default_rng(0).standard_normal((2, 500)).astype(np.float32)
    made = at_once(Knobs("low", 300))
    made.mix(sound)
    made.turn(Knobs())
    for _ in range(10):
        made.mix(sound)
    assert made.mix(sound) is sound


# Through the player


def sound_of(wave: NDArray[np.float64], tail: int = 2400) -> Fan:
    return Fan.of(Sound.of(np.stack([wave, wave]).astype(np.float32), tail))


def tone(hz: float, seconds: float = 2.0) -> Fan:
    return sound_of(0.2 * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE_HZ)) / RATE_HZ))


def music() -> Fan:
    return Fan.of(Sound.of(load_clip(HUM, RATE_HZ, duration_seconds=3.0).samples, 2400))


def played(
    player: Player, seconds: float, hand: Callable[[int], None] = lambda _block: None
) -> NDArray[np.float32]:
    """What the player plays, (frame, channel); `hand` is called before each block."""
    blocks: list[NDArray[np.float32]] = []
    for number in range(round(seconds * RATE_HZ / BLOCK)):
        hand(number)
        blocks.append(np.zeros((BLOCK, player.channels), np.float32))
        player.fill(blocks[-1])
    return np.concatenate(blocks)


def sweep(player: Player) -> Callable[[int], None]:
    """A knob at 30 values a second: jumps of decades, then a slow turn."""
    cutoffs = [30, 12_000, 100, 20_000, 20, 3000, *np.geomspace(60, 15_000, 40)]

    def hand(block: int) -> None:
        if block % 12 == 0 and block // 12 < len(cutoffs):
            player.set_filter(1, Knobs("low", cutoffs[block // 12], 0.8))

    return hand


def kinds(player: Player) -> Callable[[int], None]:
    order: list[Kind] = ["low", "high", "band", "off", "band", "low", "off", "high", "off"]

    def hand(block: int) -> None:
        if block % 20 == 0:
            player.set_filter(1, Knobs(order[block // 20 % len(order)], 500, 0.5))

    return hand


def sends(player: Player) -> Callable[[int], None]:
    turns = [Send(3, 0), Send(3, -30), Send(1, -6), Send(0), Send(4, 0), Send(3, -200), Send(1, 0)]

    def hand(block: int) -> None:
        if block % 25 == 0:
            player.set_send(1, 1 + block // 25 % 2, turns[block // 25 % len(turns)])

    return hand


@pytest.mark.parametrize("turned", [sweep, kinds, sends])
@pytest.mark.parametrize("hz", [55, 220, 440])
def test_nothing_that_turns_the_strip_clicks_in_tones(
    turned: Callable[[Player], Callable[[int], None]], hz: float
) -> None:
    player = Player(RATE_HZ, channels=4)
    player.play(1, tone(hz), 1, blend=0.5, loop=True)
    recording = played(player, 2.0, turned(player))[RATE_HZ // 10 :]
    heard = recording[:, np.abs(recording).max(axis=0) > 0]
    for channel in heard.T:
        assert click_db(channel, RATE_HZ) < LIMIT_DB  # measured: -105 sends, -132 the others


@pytest.mark.parametrize("turned", [sweep, kinds, sends])
def test_nothing_that_turns_the_strip_clicks_in_music(
    turned: Callable[[Player], Callable[[int], None]],
) -> None:
    player = Player(RATE_HZ, channels=4)
    player.play(1, music(), 1, blend=0.5, loop=True)
    assert clicks(played(player, 4.0, turned(player)), RATE_HZ) == []


def test_a_tail_rings_out_after_the_voice_has_ended() -> None:
    player = Player(RATE_HZ)
    player.set_filter(1, Knobs("band", 60, 1))
    player.play(1, tone(60), 1, blend=0.5)
    played(player, 1.0)
    player.stop(1)
    recording = played(player, 3.0)
    assert player.playing(1) is None
    loud = np.abs(recording).max(axis=1)
    assert loud[RATE_HZ // 10] > 0.01  # the voice has long ended
    assert click_db(recording[:, 0], RATE_HZ) < LIMIT_DB
    last = np.flatnonzero(loud)[-1]
    assert last < len(loud) - RATE_HZ and loud[last - RATE_HZ // 50 : last].max() < 20 * TAIL


def test_panic_ends_a_tail_and_it_does_not_come_back() -> None:
    player = Player(RATE_HZ)
    player.set_filter(1, Knobs("band", 60, 1))
    player.play(1, tone(60), 1, blend=0.5)
    played(player, 0.5)
    player.panic()
    recording = played(player, 0.5)
    assert np.abs(recording[RATE_HZ // 40 :]).max() < 1e-6
    assert not recording[-BLOCK:].any()
    assert click_db(recording[:, 0], RATE_HZ) < LIMIT_DB
    player.set_filter(1, Knobs())
    player.play(1, tone(440), 2, blend=0.5)
    assert np.abs(played(player, 0.1)[:, 0]).max() == pytest.approx(0.2, rel=0.01)


def test_a_voice_started_while_panic_fades_it_sounds_as_ever_without_a_click() -> None:
    player = Player(RATE_HZ)
    player.set_filter(1, Knobs("low", 800, 0.5))
    player.play(1, tone(110), 1, blend=0.5, loop=True)
    played(player, 0.3)
    player.panic()
    played(player, 0.003)
    player.play(1, tone(110), 2, blend=0.5, loop=True)
    recording = played(player, 0.5)
    assert click_db(recording[:, 0], RATE_HZ) < LIMIT_DB
    assert np.abs(recording[-RATE_HZ // 10 :]).max() > 0.1


def test_sends_are_after_gain_and_pan_and_mute() -> None:
    player = Player(RATE_HZ, channels=6)
    player.set_gain(1, -6)
    player.set_pan(1, -1)
    player.set_send(1, 1, Send(3, -6))
    player.set_send(1, 2, Send(6, 0))
    player.play(1, tone(220), 1, blend=0.5)
    loud = np.abs(played(player, 0.5)[RATE_HZ // 10 :]).max(axis=0)
    left = 0.2 * db_to_gain(-6)
    expected = [left, 0, left * db_to_gain(-6), 0, 0, 0.5 * left]
    assert loud == pytest.approx(expected, rel=1e-3, abs=1e-6)
    player.set_mute(1, True)
    played(player, 0.1)
    assert not played(player, 0.1).any()


def test_the_meter_shows_what_the_filter_lets_through() -> None:
    player = Player(RATE_HZ)
    player.set_filter(1, Knobs("low", 50))
    player.play(1, tone(1600), 1, blend=0.5)
    played(player, 0.2)
    player.meters()
    played(player, 0.2)
    assert player.meters()[1].level_db < -70


def test_a_filter_wanted_before_it_is_loaded_fades_in_once_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    player = Player(RATE_HZ)
    player.play(1, tone(440), 1, blend=0.5, loop=True)
    monkeypatch.setattr(Filter, "solve", None)
    monkeypatch.setattr("eutectic.playback.player.load_soon", lambda: None)
    player.set_filter(1, Knobs("low", 40))
    before = played(player, 0.3)
    filters.load()
    after = played(player, 0.3)
    assert np.abs(before).max() > 0.19 and np.abs(after[-4800:]).max() < 0.01
    whole = np.concatenate([before, after])[4800:, 0]
    assert click_db(whole, RATE_HZ) < LIMIT_DB


@pytest.mark.parametrize("block", [64, 480])
def test_blocks_of_any_size_filter_alike(block: int) -> None:
    recordings: list[NDArray[np.float32]] = []
    for size in (block, 4800):
        player = Player(RATE_HZ)
        player.set_filter(1, Knobs("band", 300, 0.9))
        player.play(1, tone(220), 1, blend=0.5)
        out = np.zeros((4 * 4800, 2), np.float32)
        for at in range(0, len(out), size):
            if at == 4800:
                player.set_filter(1, Knobs("low", 4000, 0.2))
            player.fill(out[at : at + size])
        recordings.append(out)
    assert np.allclose(*recordings, atol=1e-6)
