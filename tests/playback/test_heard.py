"""The last minute of a source, in private memory and in shared memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from eutectic.playback.heard import SECONDS, Heard
from eutectic.playback.player import Player

RATE = 1000
"""So low that a minute is soon written."""


def counted(start: int, stop: int, channels: int = 2) -> np.ndarray:
    """Frames that hold their own numbers; the second channel's are negative."""
    numbers = np.arange(start, stop, dtype=np.float32)[:, None]
    return numbers * np.array([1, -1], np.float32)[:channels]


def test_frames_are_read_by_their_numbers_over_the_end_of_the_memory() -> None:
    heard = Heard(RATE, 2)
    for start in range(0, 150_000, 150):
        heard.write(counted(start, start + 150))
    assert heard.frames == 150_000
    assert heard.oldest == 150_000 - SECONDS * RATE
    read = heard.read(heard.oldest, heard.frames)
    np.testing.assert_array_equal(read, counted(90_000, 150_000).T)


@pytest.mark.parametrize(("start", "stop"), [(87_999, 90_100), (149_000, 150_001), (100, 50)])
def test_what_is_gone_or_to_come_is_refused(start: int, stop: int) -> None:
    heard = Heard(RATE, 1)
    for at in range(0, 150_000, 1000):
        heard.write(counted(at, at + 1000, 1))
    with pytest.raises(ValueError, match="frames"):
        heard.read(start, stop)


def test_times_are_frames_whatever_the_jitter_of_the_blocks() -> None:
    heard, rng = Heard(48_000, 1), np.random.default_rng(1)
    block = np.zeros((128, 1), np.float32)
    for count in range(1, 2000):
        heard.write(block, 100 + count * 128 / 48_000 + rng.uniform(-0.001, 0.001))
    assert heard.frame_at(101.0) == pytest.approx(48_000, abs=15)  # measured: 9
    assert heard.frame_at(110.0) == pytest.approx(480_000, abs=15)


def test_a_gap_is_silence_of_its_length(tmp_path: Path) -> None:
    heard = Heard(RATE, 2, tmp_path / "ring")
    heard.write(counted(0, 500), 10.0)
    again = Heard(RATE, 2, tmp_path / "ring")  # by the next process
    again.skip_to(12.5)
    again.write(counted(3000, 3100), 12.6)
    assert heard.frames == 3100
    np.testing.assert_array_equal(heard.read(0, 500), counted(0, 500).T)
    assert not heard.read(500, 3000).any()
    np.testing.assert_array_equal(heard.read(3000, 3100), counted(3000, 3100).T)
    assert heard.frame_at(11.0) == 1500


def test_a_gap_of_hours_leaves_silence_and_the_time(tmp_path: Path) -> None:
    heard = Heard(RATE, 1, tmp_path / "ring")
    heard.write(np.ones((64_000, 1), np.float32), 64.0)
    heard.skip_to(36_000.0)
    assert heard.frames == 36_000 * RATE
    assert not heard.read(heard.oldest, heard.frames).any()


def test_the_output_is_heard_in_the_players_frames() -> None:
    player = Player(48_000, 4, clock=lambda: 5.0 + player.frames / 48_000)
    out = np.empty((256, 4), np.float32)
    for _ in range(10):
        player.fill(out)
    assert player.heard.frames == player.frames == 2560
    assert player.heard.read(0, 2560).shape == (2, 2560)
    assert player.heard.frame_at(5.01) == 480
