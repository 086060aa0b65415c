"""What players play, block by block, and sustained tones to play."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from eutectic.playback.player import Player
from eutectic.playback.sounds import Sound

RATE_HZ, BLOCK = 48_000, 256


def tone(
    hz: float, seconds: float = 2.0, level: float = 0.4, phase: float = 0.3, tail: int = 2400
) -> Sound:
    """A sustained tone, through its tail."""
    t = np.arange(round(seconds * RATE_HZ) + tail) / RATE_HZ
    wave = level * np.sin(2 * np.pi * hz * t + phase)
    return Sound.of(np.stack([wave, wave]).astype(np.float32), tail)


def play(
    player: Player, seconds: float, block: int = BLOCK, **commands: Callable[[], None]
) -> NDArray[np.float32]:
    """What the player plays, (frame, channel); commands `at_<ms>` are called at their time."""
    waiting = sorted((int(name.removeprefix("at_")), each) for name, each in commands.items())
    blocks: list[NDArray[np.float32]] = []
    for number in range(-(-round(seconds * RATE_HZ) // block)):
        while waiting and waiting[0][0] * RATE_HZ <= 1000 * number * block:
            waiting.pop(0)[1]()
        blocks.append(np.full((block, player.channels), np.nan, np.float32))
        player.fill(blocks[-1])
    return np.concatenate(blocks)


def settled(recording: NDArray[np.float32], seconds: float = 0.1) -> NDArray[np.float32]:
    """The recording without its start, which may be an attack."""
    return recording[round(seconds * RATE_HZ) :]


def stray_db(recording: NDArray[np.float32], hz: float) -> float:
    """How loud all that isn't a tone of this frequency is, dB of that tone; (frame, channel)."""
    wave = recording[:, 0].astype(np.float64)
    angle = 2 * np.pi * hz / RATE_HZ * np.arange(len(wave))
    parts = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    found = parts @ np.linalg.lstsq(parts, wave, rcond=None)[0]
    return float(20 * np.log10(np.linalg.norm(wave - found) / np.linalg.norm(found)))
