"""What the player needs for a block, by how many sounds it mixes; nothing else is measured."""

from __future__ import annotations

import time
from typing import Literal, get_args

import numpy as np

from eutectic.experiments.report import Row, Table
from eutectic.playback.cursor import Section
from eutectic.playback.notes import MAX_NOTES, Envelope, Press
from eutectic.playback.player import Player
from eutectic.playback.sounds import Fan, Sound

RATE_HZ, BLOCK, BLOCKS = 48_000, 128, 4000
SECONDS = 2.0
How = Literal["held", "bent", "let go"]
HOWS: tuple[How, ...] = get_args(How)

BETWEEN = 0.4
"""Where the hand is, on both axes: between places."""


def measure() -> Table:
    """Microseconds of `Player.fill`: a voice of one, two and four sounds, and 64 notes."""
    sounds = _noises(4)
    two, four = Fan([0.0, 1.0]), Fan([0.0, 1.0, 0.0, 1.0], [0.0, 0.0, 1.0, 1.0])
    for fan in (two, four):
        for index in range(len(fan.blends)):
            fan.put(index, sounds[index])
        fan.measure_correlations()
    cases = {"one sound": (Fan.of(sounds[0]), False), "two sounds": (two, False),
             "four sounds": (four, False), "two sounds, scrubbed": (two, True),
             "four sounds, scrubbed": (four, True)}  # fmt: skip
    times = {name: _times(*case) for name, case in cases.items()}
    times |= {f"{MAX_NOTES} notes on 4 voices, {how}": _notes(how) for how in HOWS}
    medians = {name: float(np.median(each)) for name, each in times.items()}
    rows: list[Row] = [
        (name, round(medians[name], 1), round(float(np.percentile(each, 99)), 1),
         round(100 * medians[name] * 1e-6 * RATE_HZ / BLOCK, 1))
        for name, each in times.items()
    ]  # fmt: skip
    ratios = (f"{medians[f'four sounds{how}'] / medians[f'two sounds{how}']:.2f} times{how}"
              for how in ("", ", scrubbed"))  # fmt: skip
    return Table(
        f"live: mixing blocks of {BLOCK} at {RATE_HZ} Hz", ("", "p50 µs", "p99 µs", "% of a core"),
        tuple(rows), (f"four sounds take what two do {' and '.join(ratios)}",),
    )  # fmt: skip


def _times(fan: Fan, is_scrubbed: bool) -> list[float]:
    """Microseconds of each block of a loop."""
    player = Player(RATE_HZ)
    player.play(1, fan, 1, blend=BETWEEN, y=BETWEEN, loop=True)
    out = np.zeros((BLOCK, 2), np.float32)
    times: list[float] = []
    for number in range(BLOCKS):
        if is_scrubbed and number % 8 == 0:
            at = BETWEEN + 0.2 * (number // 8 % 2)
            player.scrub(1, at, at)
        began = time.perf_counter()
        player.fill(out)
        times.append(1e6 * (time.perf_counter() - began))
    return times


def _notes(how: How) -> list[float]:
    """Microseconds of each block of as many notes as there may be, all of another sound."""
    player, out = Player(RATE_HZ), np.zeros((BLOCK, 2), np.float32)
    envelope = Envelope(0.005, 0.0, 1.0, 2 * BLOCKS * BLOCK / RATE_HZ)
    for number, sound in enumerate(_noises(MAX_NOTES)):
        press = Press(number, sound, Section(), 0.1, envelope, True)
        player.press(1 + number % 4, press)
    for _ in range(100):
        player.fill(out)
    for number in range(MAX_NOTES):
        if how == "let go":
            player.let_go(1 + number % 4, number)
        elif how == "bent":
            player.set_bend(1 + number % 4, 2 ** (1 / 12))
    times: list[float] = []
    for _ in range(BLOCKS):
        began = time.perf_counter()
        player.fill(out)
        times.append(1e6 * (time.perf_counter() - began))
    assert sum(player.notes(voice) for voice in range(1, 5)) == MAX_NOTES
    return times


def _noises(count: int) -> list[Sound]:
    generator = np.random.default_rng(0)
    frames = round(SECONDS * RATE_HZ)
    return [
        Sound.of(0.1 * generator.standard_normal((2, frames + 2400), np.float32), 2400)
        for _ in range(count)
    ]
