"""Pieces of a live fusion, as the player joins them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from eutectic.experiments.live.clicks import LIMIT_DB, click_db, longest_silence
from eutectic.playback.events import Ended, Started
from eutectic.playback.player import STOP_SECONDS, Player
from eutectic.playback.rolling import Piece, Rolling
from eutectic.playback.sounds import Fan, Sound

RATE_HZ, BLOCK = 48_000, 256
LATENCY = Player.latency_frames
STEP, LENGTH, CROSSFADE = 12_000, 24_000, 1440
"""Frames from one piece to the next, of a piece, and of the crossfade between."""

PIECES = 6
FIRST = 4_000
"""The frame at which the first piece is heard."""


def tone(frames: NDArray[np.int64], hz: float = 220.0, level: float = 0.4) -> NDArray[np.float32]:
    """A tone whose phase goes by the frames' numbers."""
    wave = level * np.sin(2 * np.pi * hz * frames / RATE_HZ)
    return np.stack([wave, wave]).astype(np.float32)


def piece(number: int, *, hz: float = 220.0, likeness: float = 1.0) -> Piece:
    """One that holds the tone as it is at its place."""
    enter = FIRST + number * STEP
    start = enter - (LENGTH - STEP - CROSSFADE)
    frames = np.arange(start, start + LENGTH + STEP // 4)
    return Piece(
        tone(frames, hz), start, enter, enter + STEP // 2, STEP, likeness, repeated=likeness
    )


def rolling(*pieces: Piece) -> tuple[Player, Rolling]:
    """A player that plays these from FIRST on."""
    player, made = Player(RATE_HZ), Rolling(-1, CROSSFADE, RATE_HZ)
    made.gate(0, True)
    for each in pieces:
        made.put(each)
    player.roll(1, made, FIRST)
    return player, made


def play(player: Player, frames: int, block: int = BLOCK) -> NDArray[np.float32]:
    out = np.zeros((-(-frames // block) * block, player.channels), np.float32)
    for at in range(0, len(out), block):
        player.fill(out[at : at + block])
    return out


def heard(recording: NDArray[np.float32], start: int, stop: int) -> NDArray[np.float32]:
    """What was mixed as frames start to stop."""
    return recording[start + LATENCY : stop + LATENCY]


@pytest.mark.parametrize("block", [64, 256, 1000, 8192])
def test_pieces_of_one_sound_in_their_places_give_that_sound(block: int) -> None:
    player, made = rolling(*map(piece, range(PIECES)))
    start, stop = FIRST + CROSSFADE, FIRST + (PIECES - 1) * STEP
    recording = heard(play(player, stop + block + LATENCY, block), start, stop)
    expected = tone(np.arange(start, stop)).T
    assert np.abs(recording - expected).max() < 1e-5  # measured 1e-7
    assert made.dropped == 0


def test_unlike_pieces_keep_their_level_where_they_meet() -> None:
    generator = np.random.default_rng(0)
    noises = [
        replace(each, samples=0.1 * generator.standard_normal(each.samples.shape), likeness=0.0)
        for each in map(piece, range(PIECES))
    ]
    player, _ = rolling(*noises)
    recording = heard(play(player, FIRST + PIECES * STEP), FIRST + 2400, FIRST + 5 * STEP)
    levels = np.sqrt((recording.reshape(-1, 480, 2) ** 2).mean(axis=(1, 2)))
    assert levels.min() > 0.07  # measured 0.09
    assert levels.max() < 0.13  # measured 0.11


def test_a_piece_that_does_not_come_leaves_no_hole_and_no_click() -> None:
    player, made = rolling(piece(0))
    recording = heard(play(player, FIRST + 5 * STEP), FIRST + CROSSFADE, FIRST + 5 * STEP)
    assert longest_silence(recording) < 4
    assert click_db(recording, RATE_HZ) < LIMIT_DB
    assert made.dropped == 0


def test_a_late_piece_is_heard_while_most_of_it_is_to_come_and_else_dropped() -> None:
    player, made = rolling(piece(0))
    recording = [play(player, FIRST + STEP + STEP // 4)]
    late = piece(1, hz=330.0, likeness=0.0)
    made.put(late)
    recording.append(play(player, STEP - BLOCK))
    assert made.dropped == 0
    made.put(piece(2, hz=550.0))
    recording.append(play(player, STEP))
    assert made.dropped == 0
    recording.append(play(player, 2 * STEP))
    made.put(piece(3, hz=440.0))
    recording.append(play(player, STEP))
    assert made.dropped == 1
    whole = np.concatenate(recording)
    at = late.enter + STEP // 4 + 2 * CROSSFADE + 2 * BLOCK
    expected = tone(np.arange(at, at + 2000), 330.0).T
    assert np.abs(heard(whole, at, at + 2000) - expected).max() < 1e-5
    assert click_db(whole[FIRST + 2 * LATENCY :], RATE_HZ) < LIMIT_DB


def test_of_two_pieces_that_are_due_the_newest_is_heard() -> None:
    player, made = rolling(piece(0))
    play(player, FIRST + 2 * STEP + 1000)
    made.put(piece(1, hz=330.0))
    made.put(piece(2, hz=440.0))
    recording = play(player, 6000)
    assert made.dropped == 1
    at = 5 * BLOCK + CROSSFADE
    spectrum = np.abs(np.fft.rfft(recording[at : at + 2400, 0] * np.hanning(2400)))
    assert np.argmax(spectrum) * RATE_HZ / 2400 == pytest.approx(440, abs=20)


def test_the_gate_closes_and_opens_in_place_without_a_click() -> None:
    player, made = rolling(*map(piece, range(PIECES)))
    closed, opened = FIRST + STEP + 100, FIRST + 3 * STEP + 77
    made.gate(closed, False)
    made.gate(opened, True)
    recording = play(player, FIRST + 5 * STEP)
    silence = heard(recording, closed + RATE_HZ // 10, opened - BLOCK)
    assert not silence.any()
    start, stop = opened + CROSSFADE + BLOCK, opened + STEP
    assert np.abs(heard(recording, start, stop) - tone(np.arange(start, stop)).T).max() < 1e-5
    assert np.abs(heard(recording, closed - 1000, closed - BLOCK)).max() > 0.3
    assert click_db(recording[FIRST + 2 * LATENCY :], RATE_HZ) < LIMIT_DB


def test_what_was_before_the_gate_closed_is_not_heard_when_it_opens() -> None:
    player, made = rolling(piece(0))
    made.gate(FIRST + STEP, False)
    made.gate(FIRST + 3 * STEP, True)
    recording = play(player, FIRST + 5 * STEP)
    assert not heard(recording, FIRST + 2 * STEP, FIRST + 4 * STEP).any()


def test_it_takes_over_from_a_fusion_and_is_taken_over_from() -> None:
    player, made = rolling(*map(piece, range(PIECES)))
    frames = np.arange(20 * RATE_HZ)
    fusion = Fan.of(Sound.of(tone(frames)))
    player.play(1, fusion, 7, blend=0.5)
    recording = [play(player, 3 * STEP)]
    assert player.playing(1) == made.token
    player.play(1, fusion, 8, blend=0.5)
    recording.append(play(player, 2 * STEP))
    whole = np.concatenate(recording)[2 * LATENCY :]
    assert longest_silence(whole) < 4
    assert click_db(whole, RATE_HZ) < LIMIT_DB
    events = player.take_events()
    assert [each.token for each in events if isinstance(each, Started)] == [7, -1, 8]
    assert [each.token for each in events if isinstance(each, Ended)] == [7, -1]


@pytest.mark.parametrize("how", ["stop", "panic"])
def test_stop_and_panic_end_it_without_a_click(how: str) -> None:
    player, _ = rolling(*map(piece, range(PIECES)))
    recording = [play(player, FIRST + STEP)]
    if how == "stop":
        player.stop(1)
    else:
        player.panic()
    recording.append(play(player, STEP))
    whole = np.concatenate(recording)
    assert not heard(whole, FIRST + STEP + round(2 * STOP_SECONDS * RATE_HZ), len(whole)).any()
    assert click_db(whole[FIRST + 2 * LATENCY :], RATE_HZ) < LIMIT_DB
    assert player.playing(1) is None


def test_what_concerns_fusions_alone_leaves_it_as_it_is() -> None:
    player, _ = rolling(*map(piece, range(PIECES)))
    recording = [play(player, FIRST + STEP)]
    player.scrub(1, 0.1)
    player.set_loop(1, False)
    player.change(1, -1, Fan.of(Sound.of(tone(np.arange(RATE_HZ), 330.0))))
    player.set_tempo(bpm=90.0, beat=3.0)
    player.set_speed(1, 0.5)
    player.set_bend(1, 1.2)
    assert player.position_seconds(1) == 0
    player.meters()
    recording.append(play(player, 3 * STEP + LATENCY))
    start, stop = FIRST + CROSSFADE, FIRST + 4 * STEP
    difference = heard(np.concatenate(recording), start, stop) - tone(np.arange(start, stop)).T
    assert np.abs(difference).max() < 1e-5


@pytest.mark.parametrize("steps", [0.25, 0.75, 0.95, 1.5, 3.2])
def test_the_start_is_heard_at_its_frame_though_no_piece_was_meant_for_that(steps: float) -> None:
    player, made = Player(RATE_HZ), Rolling(-1, CROSSFADE, RATE_HZ)
    made.gate(0, True)
    made.put(piece(0))
    begin = FIRST + round(steps * STEP)
    player.roll(1, made, begin)
    recording = play(player, begin + 2 * STEP)
    assert not heard(recording, 0, begin).any()
    assert longest_silence(heard(recording, begin, begin + STEP)) < 16
