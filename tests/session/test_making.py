"""When the pieces of a live fusion begin."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from eutectic.playback.player import Player
from eutectic.playback.timeline import Beat
from eutectic.session.making import AHEAD_SECONDS, Making
from mixes import RATE_HZ, play


class Rolled(Player):
    """A player that only notes where it is to go over to the pieces."""

    at = 0

    def roll(self, voice: int, rolling: object, frame: int) -> None:
        self.at = frame


@pytest.mark.parametrize("late_ms", [-500, -100, -20, 0, 1, 30, 140])
def test_a_piece_that_comes_late_waits_for_the_next_multiple(late_ms: int) -> None:
    player = Rolled(RATE_HZ)
    player.set_tempo(bpm=400, beat=0.0, running=True)
    play(player, 1.0)
    making = Making.__new__(Making)
    making._player = player
    run = SimpleNamespace(
        is_rolling=False, due=Beat(0.0, 0.0, 2.0), voice=SimpleNamespace(number=1), rolling=None
    )
    wanted = player.frames - round(late_ms * RATE_HZ / 1000)
    making.roll(run, wanted)  # type: ignore[arg-type]
    assert player.timeline.beat_of(player.at) % 2 == pytest.approx(0, abs=1e-4)
    soonest = max(wanted, player.frames + AHEAD_SECONDS * RATE_HZ)
    assert soonest <= player.at < soonest + player.timeline.frames_per_beat * 2 + 1
