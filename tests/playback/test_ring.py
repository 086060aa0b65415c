"""The ring to the process that plays: nothing is lost, and what is missing hardly clicks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from eutectic.experiments.live.clicks import clicks, holes
from eutectic.playback.ring import FRAMES, SOFT_FRAMES, Ring

RATE_HZ, BLOCK = 48_000, 256


def tone(frames: int) -> NDArray[np.float32]:
    """(frame, 2)."""
    wave = 0.3 * np.sin(2 * np.pi * 110 / RATE_HZ * np.arange(frames))
    return np.stack([wave, 0.5 * wave], axis=1).astype(np.float32)


def played(ring: Ring, sound: NDArray[np.float32], late: dict[int, int]) -> NDArray[np.float32]:
    """What is read while a sound is written a block at a time, some of them so many blocks late."""
    other_end = Ring(ring.path, 2)
    out: list[NDArray[np.float32]] = []
    for number in range(len(sound) // BLOCK):
        for _ in range(1 + late.get(number, 0)):
            out.append(np.full((BLOCK, 2), np.nan, np.float32))
            if len(out) == number + 1 + sum(late.get(each, 0) for each in range(number + 1)):
                ring.write(sound[number * BLOCK :][:BLOCK])
            other_end.read(out[-1], xrun=False)
    return np.concatenate(out)


@pytest.fixture
def ring(tmp_path: Path) -> Ring:
    return Ring(tmp_path / "ring", 2, create=True)


def test_what_was_written_is_read_over_the_rings_end(ring: Ring) -> None:
    sound = tone(FRAMES + 40 * BLOCK)
    assert np.array_equal(played(ring, sound, {}), sound)
    assert ring.underruns == 0


def test_before_the_first_frames_nothing_is_missed(ring: Ring) -> None:
    out = np.ones((BLOCK, 2), np.float32)
    ring.read(out, xrun=False)
    assert not out.any() and ring.underruns == 0


def loudest_db(sound: NDArray[np.float32]) -> float:
    return max(each.level_db for each in clicks(sound, RATE_HZ))


@pytest.mark.parametrize("blocks", [1, 2, 3, 12])
def test_missing_frames_are_a_hole_and_little_of_a_click(ring: Ring, blocks: int) -> None:
    sound = tone(200 * BLOCK)
    out = played(ring, sound, {60: blocks, 62: 1, 130: blocks})
    assert ring.underruns == 2 * blocks + 1
    assert len(out) == len(sound) + (2 * blocks + 1) * BLOCK
    cut = np.insert(sound, 60 * BLOCK, np.zeros((blocks * BLOCK, 2), np.float32), axis=0)
    assert loudest_db(out) < loudest_db(cut) - 25
    assert np.abs(out).max() <= np.abs(sound).max()
    assert len(holes(out, RATE_HZ)) == (2 if blocks > 1 else 0)
    after = len(out) - 10 * BLOCK
    assert np.array_equal(out[after:], sound[-10 * BLOCK :])  # as it was, and as loud


def test_a_hole_begins_within_a_block_and_ends_in_the_next(ring: Ring) -> None:
    sound, other_end = tone(100 * BLOCK), Ring(ring.path, 2)
    out, at = np.zeros((99 * BLOCK, 2), np.float32), 0
    for start in range(0, len(out), BLOCK):
        count = BLOCK - 100 if start == 50 * BLOCK else BLOCK
        ring.write(sound[at : at + count])
        at += count
        other_end.read(out[start : start + BLOCK], xrun=False)
    assert ring.underruns == 1
    cut = np.insert(sound, 51 * BLOCK - 100, np.zeros((100, 2), np.float32), axis=0)
    assert loudest_db(out) < loudest_db(cut) - 25
    assert np.array_equal(
        out[51 * BLOCK + SOFT_FRAMES :], sound[51 * BLOCK + SOFT_FRAMES - 100 : at]
    )


def test_hiss_falls_silent_without_a_bang(ring: Ring) -> None:
    hiss = 0.3 * np.random.default_rng(0).uniform(-1, 1, (100 * BLOCK, 2)).astype(np.float32)
    out = played(ring, hiss, dict.fromkeys(range(10, 100, 5), 2))
    assert np.abs(out).max() < 0.5
