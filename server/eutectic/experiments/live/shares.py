"""How much of a block's time the player takes, without a daemon around it.

The mixing thread has the time of one block for each; what it takes of that at the most, seldom,
matters more than what it takes as a rule.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from eutectic.experiments.report import Row, Table
from eutectic.playback import filters
from eutectic.playback.cursor import Section
from eutectic.playback.filters import Knobs
from eutectic.playback.notes import MAX_NOTES, Envelope, Press
from eutectic.playback.player import Player
from eutectic.playback.sounds import Fan, Sound
from eutectic.playback.strip import Send

RATE_HZ, BLOCK, CHANNELS = 48_000, 128, 4
VOICES, SECONDS = 8, 3.0
BLOCKS, WARM_UP = 2000, 100
TURN_BLOCKS = 12
"""Between values of a knob: 30 a second."""

Hand = Callable[[Player, int], None]
"""What is done before a block of this number."""


def measure() -> Table:
    """Percentiles of the time of a block, as shares of what there is, for more and more at once."""
    filters.load()
    rows = [_row(*case) for case in CASES]
    columns = ("player", "p50 %", "p95 %", "p99 %", "ns a frame")
    return Table(f"live: share of a block of {BLOCK} at {RATE_HZ} Hz", columns, tuple(rows))


def _row(name: str, voices: int, notes: int, prepare: Hand, hand: Hand) -> Row:
    player = Player(RATE_HZ, CHANNELS, VOICES)
    for number in range(1, voices + 1):
        player.play(number, _fan(number), number, blend=0.5, loop=True)
        prepare(player, number)
    for number in range(notes):
        envelope = Envelope(0.002, 0.5, 0.7, 0.1)
        press = Press(number, _sound(number), Section(), 0.1, envelope, True)
        player.press(1 + number % VOICES, press)
    out, took = np.zeros((BLOCK, CHANNELS), np.float32), np.zeros(BLOCKS)
    for block in range(-WARM_UP, BLOCKS):
        hand(player, block)
        began = time.perf_counter()
        player.fill(out)
        took[block] = time.perf_counter() - began
    whole = BLOCK / RATE_HZ
    percentiles = np.percentile(100 * took / whole, (50, 95, 99)).round(1)
    return name, *percentiles, round(float(np.median(took)) / BLOCK * 1e9)


def _sound(number: int) -> Sound:
    generator = np.random.default_rng(number)
    frames = round(SECONDS * RATE_HZ) + 2400
    return Sound.of((0.02 * generator.standard_normal((2, frames))).astype(np.float32), 2400)


def _fan(number: int) -> Fan:
    fan = Fan([0.0, 0.5, 1.0])
    for index in range(3):
        fan.put(index, _sound(10 * number + index))
    fan.measure_correlations()
    return fan


def _nothing(player: Player, number: int) -> None:
    pass


def _filter(player: Player, voice: int) -> None:
    player.set_filter(voice, Knobs("low", 1000.0, 0.5))


def _send(player: Player, voice: int) -> None:
    player.set_send(voice, 1, Send(3, -6.0))


def _turn(player: Player, block: int) -> None:
    if block % TURN_BLOCKS == 0:
        cutoff_hz = 200.0 * 2 ** (block // TURN_BLOCKS % 6)
        for voice in range(1, VOICES + 1):
            player.set_filter(voice, Knobs("low", cutoff_hz, 0.5))


def _scrub(player: Player, block: int) -> None:
    if block % TURN_BLOCKS == 0:
        for voice in range(1, VOICES + 1):
            player.scrub(voice, 0.1 + 0.13 * (block // TURN_BLOCKS % 7))


CASES: tuple[tuple[str, int, int, Hand, Hand], ...] = (
    ("silence", 0, 0, _nothing, _nothing),
    ("a voice", 1, 0, _nothing, _nothing),
    (f"{VOICES} voices", VOICES, 0, _nothing, _nothing),
    (f"{VOICES} voices, scrubbed", VOICES, 0, _nothing, _scrub),
    (f"{VOICES} voices, sent elsewhere, too", VOICES, 0, _send, _nothing),
    (f"{VOICES} voices, filtered", VOICES, 0, _filter, _nothing),
    (f"{VOICES} voices, filters turned", VOICES, 0, _filter, _turn),
    (f"{MAX_NOTES} notes", 0, MAX_NOTES, _nothing, _nothing),
    (f"{MAX_NOTES} notes, {VOICES} voices, filters turned", VOICES, MAX_NOTES, _filter, _turn),
)
