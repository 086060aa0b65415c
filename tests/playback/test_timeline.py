"""Beats and frames: what waits for a beat, what loops so many, and what is recorded between two."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from eutectic.experiments.live.clicks import LIMIT_DB, click_db, longest_silence
from eutectic.playback.events import Dropped, Ended, Reached, Started
from eutectic.playback.player import DUE_FRAME, Player
from eutectic.playback.sounds import Fan, Sound
from eutectic.playback.timeline import Beat, BeatLoop, Timeline
from mixes import BLOCK, RATE_HZ, play, settled, tone

LATENCY = Player.latency_frames
HOUR = 3600 * RATE_HZ


def pulse(frames: int = 2400) -> Fan:
    """A click at the first frame, at a level that no limiter touches, then near silence."""
    samples = np.zeros((2, frames), np.float32)
    samples[:, 1:40] = 0.3
    return Fan.of(Sound.of(samples))


def onsets(recording: NDArray[np.float32], gap: int = 1000) -> list[int]:
    """Frames at which sound begins after silence, in the mix that was recorded."""
    loud = np.flatnonzero(recording[:, 0])
    first = loud[np.diff(loud, prepend=-gap - 1) > gap]
    return [int(frame) - LATENCY - 1 for frame in first]  # a pulse begins with its second frame


def at(player: Player, bpm: float, beat: float = 0.0) -> Player:
    player.set_tempo(bpm=bpm, beat=beat)
    return player


def frames_of(events: Sequence[object]) -> list[int | None]:
    return [each.frame for each in events if isinstance(each, Reached)]


@given(
    bpm=st.floats(20, 400), beat=st.floats(-1e6, 1e6), frame=st.floats(0, 1e10),
    other=st.floats(-1e6, 1e6),
)  # fmt: skip
def test_a_beat_s_frame_has_that_beat(bpm: float, beat: float, frame: float, other: float) -> None:
    timeline = Timeline(RATE_HZ, bpm, beat, frame)
    assert timeline.beat_of(timeline.frame_of(other)) == pytest.approx(other, abs=1e-6)


def test_no_frame_is_lost_in_a_day() -> None:
    timeline = Timeline(RATE_HZ, 117.3)
    day = 24 * HOUR
    beats = day / timeline.frames_per_beat
    assert timeline.frame_of(beats) == pytest.approx(day, abs=1e-3)


def test_the_beat_goes_on_through_changes_of_tempo_an_hour_long() -> None:
    """A change every second moves no beat; the error of 3600 of them is far below a frame."""
    timeline, beats = Timeline(RATE_HZ), 0.0
    for second in range(3600):
        bpm = 120.0 + 0.1 * (second % 7)
        timeline = timeline.set(second * RATE_HZ, bpm=bpm)
        beats += bpm / 60
    frames = (timeline.beat_of(HOUR) - beats) * timeline.frames_per_beat
    assert abs(frames) < 0.001  # measured: 4e-7


def test_held_beats_have_no_frames() -> None:
    timeline = Timeline(RATE_HZ).set(48_000, running=False)
    assert timeline.beat_of(10**9) == 2.0
    assert timeline.whole_frame_of(3.0) == math.inf
    assert timeline.set(96_000, running=True).frame_of(3.0) == 96_000 + 24_000


@pytest.mark.parametrize(
    ("now", "first", "every", "number"),
    [(5.2, None, 4, 8), (8.0, None, 4, 8), (5.2, 10, 4, 12), (5.2, 3, 4, 8), (5.2, 12, 4, 12),
     (5.2, 6.5, 0, 6.5), (5.2, 3, 0, 3), (0.1, None, 0.25, 0.25), (2.1, 2.2, 0.1, 2.2)],
)  # fmt: skip
def test_when_something_is_due(
    now: float, first: float | None, every: float, number: float
) -> None:
    assert Beat.after(now, first, every).number == pytest.approx(number)


def test_beats_counted_anew_bring_a_multiple_nearer_and_leave_a_beat_where_it_is() -> None:
    assert Beat.after(45.3, None, 4).again(0.0).number == 0
    assert Beat.after(45.3, 60, 4).again(0.0).number == 60
    assert Beat.after(45.3, 48.5, 0).again(0.0).number == 48.5


def test_what_waits_for_a_beat_starts_on_its_frame() -> None:
    player = at(Player(RATE_HZ), 131.0)
    player.play(1, pulse(), 1, blend=0.5, at=Beat(1.5))
    recording = play(player, 1.0)
    assert onsets(recording) == [round(1.5 * 60 / 131 * RATE_HZ)]
    assert [each.frame for each in player.take_events() if isinstance(each, Started)] == [
        round(1.5 * 60 / 131 * RATE_HZ)
    ]


def test_it_follows_a_change_of_tempo() -> None:
    player = at(Player(RATE_HZ), 120.0)
    player.play(1, pulse(), 1, blend=0.5, at=Beat(2))
    recording = play(player, 2.0, at_500=lambda: player.set_tempo(bpm=60.0))
    changed = -(-24_000 // 256) * 256  # the block after half a second, on about beat 1
    assert onsets(recording) == [changed + round((2 - changed / 24_000) * 48_000)]


def test_what_waits_for_a_beat_waits_while_beats_are_held() -> None:
    player = at(Player(RATE_HZ), 120.0)
    player.play(1, pulse(), 1, blend=0.5, at=Beat(1))
    recording = play(
        player, 2.0,
        at_250=lambda: player.set_tempo(running=False),
        at_1250=lambda: player.set_tempo(running=True),
    )  # fmt: skip
    held, on = (-(-frames // 256) * 256 for frames in (12_000, 60_000))
    assert onsets(recording) == [on + 24_000 - held]


def test_what_is_asked_for_at_a_frame_waits_for_its_beat() -> None:
    player = at(Player(RATE_HZ), 120.0)
    context = DUE_FRAME.set(1000)
    player.play(1, pulse(), 1, blend=0.5, at=Beat(1))
    player.play(2, pulse(), 2, blend=0.5)
    DUE_FRAME.reset(context)
    assert onsets(play(player, 1.0)) == [1000, 24_000]


def test_a_beat_and_a_frame_keep_their_order() -> None:
    """Of two for one moment, the one asked for first comes first."""
    player = at(Player(RATE_HZ), 120.0)
    order: list[str] = []
    player.call(Beat(1), lambda _: order.append("beat"))
    player.call(Beat(0.5), lambda _: order.append("earlier"))
    player.call(Beat(1), lambda _: order.append("again"))
    play(player, 1.0)
    events = player.take_events()
    for each in events:
        if isinstance(each, Reached):
            each.then(each.frame)
    assert order == ["earlier", "beat", "again"]
    assert frames_of(events) == [12_000, 24_000, 24_000]


def test_a_multiple_that_was_waited_for_comes_at_once_where_beats_begin_anew() -> None:
    player = at(Player(RATE_HZ), 120.0, 45.3)
    player.play(1, pulse(), 1, blend=0.5, at=Beat.after(45.3, None, 4))
    recording = play(player, 0.5, at_100=lambda: player.set_tempo(beat=0.0))
    assert onsets(recording) == [-(-4800 // 256) * 256]


def test_a_stop_at_a_beat_fades_from_its_frame_on() -> None:
    player = at(Player(RATE_HZ), 120.0)
    player.play(1, Fan.of(tone(220)), 1, blend=0.5)
    player.stop(1, 0.05, Beat(1))
    recording = play(player, 1.0, 240)
    level = np.abs(recording[LATENCY:, 0])
    assert level[23_800:24_000].max() > 0.39 and 0 < level[26_200:26_400].max() < 0.1
    assert not level[26_400:].any()
    assert click_db(recording[19_200:33_600], RATE_HZ) < LIMIT_DB


def test_clearing_the_schedule_says_so_to_all_that_wait() -> None:
    player = at(Player(RATE_HZ), 120.0)
    player.play(1, pulse(), 7, blend=0.5, at=Beat(1))
    player.call(Beat(1), lambda _: None)
    recording = play(player, 1.0, at_100=player.clear_schedule)
    events = player.take_events()
    assert not recording.any()
    assert Dropped(1, 7) in events and frames_of(events) == [None]


@pytest.mark.parametrize(
    ("bpm", "beats"), [(120.0, 1.0), (131.0, 0.5), (97.3, 1 / 3), (400.0, 0.2)]
)
@pytest.mark.parametrize("block", [128, 331])
def test_a_loop_of_beats_begins_on_each_to_the_frame(bpm: float, beats: float, block: int) -> None:
    """Lengths that are no whole frames don't add up."""
    player = at(Player(RATE_HZ), bpm)
    player.play(1, pulse(1500), 1, blend=0.5, loop=True, beats=beats, at=Beat(0.25))
    recording = play(player, 4.0, block)
    turn = beats * 60 / bpm * RATE_HZ
    first = 0.25 * 60 / bpm * RATE_HZ
    expected = [round(first + k * turn) for k in range(int((len(recording) - first) / turn) + 1)]
    found = onsets(recording)
    assert found == expected[: len(found)] and len(expected) - len(found) <= 1
    assert player.playing(1) == 1 and not [
        each for each in player.take_events() if isinstance(each, Ended)
    ]


def test_a_loop_s_seam_stays_on_its_beat_when_the_tempo_changes() -> None:
    player = at(Player(RATE_HZ), 120.0)
    player.play(1, pulse(), 1, blend=0.5, loop=True, beats=1.0)
    recording = play(player, 3.0, at_1250=lambda: player.set_tempo(bpm=90.0))
    changed = -(-60_000 // 256) * 256
    beat = changed / 24_000
    after = [changed + round((k - beat) * 32_000) for k in range(3, 6)]
    assert onsets(recording)[:6] == [0, 24_000, 48_000, *after]


def test_held_beats_hold_a_loop_and_a_start_from_elsewhere_begins_it() -> None:
    player = at(Player(RATE_HZ), 120.0, 64.0)
    player.play(1, pulse(), 1, blend=0.5, loop=True, beats=4.0)
    recording = play(
        player, 3.5,
        at_500=lambda: player.set_tempo(running=False),
        at_1000=lambda: player.set_tempo(beat=0.0, running=True),
    )  # fmt: skip
    anew = -(-48_000 // 256) * 256
    assert onsets(recording) == [0, anew, anew + 96_000]


def test_a_loop_of_beats_can_be_let_end_and_looped_again() -> None:
    player = at(Player(RATE_HZ), 120.0)
    player.play(1, pulse(36_000), 1, blend=0.5, loop=True, beats=1.0)
    recording = play(
        player, 3.0,
        at_600=lambda: player.set_loop(1, False),
        at_1100=lambda: player.set_loop(1, True),
        at_2100=lambda: player.set_loop(1, False),
    )  # fmt: skip
    assert onsets(recording) == [0, 24_000, 72_000, 96_000]
    assert player.playing(1) is None


@pytest.mark.parametrize("hz", [55, 110, 220, 440])
@pytest.mark.parametrize("seconds", [2.0, 0.4])
def test_the_seam_of_a_loop_of_beats_does_not_click(hz: float, seconds: float) -> None:
    """Whether the sound is longer than the beats, or ends before."""
    player = at(Player(RATE_HZ), 120.0)
    player.play(1, Fan.of(tone(1.013 * hz, seconds)), 1, blend=0.5, loop=True, beats=1.0)
    recording = play(player, 1.2)
    assert click_db(recording[14_400:], RATE_HZ) < LIMIT_DB


def test_a_longer_sound_is_never_silent_at_its_seams() -> None:
    player = at(Player(RATE_HZ), 120.0)
    player.play(1, Fan.of(tone(220, 2.0)), 1, blend=0.5, loop=True, beats=1.0)
    level = np.abs(settled(play(player, 3.0, 240))[:, 0]).reshape(-1, 240).max(axis=1)
    assert level.min() > 0.25


def test_position_and_length_are_those_of_the_loop() -> None:
    player = at(Player(RATE_HZ), 120.0)
    player.play(1, pulse(), 1, blend=0.5, loop=True, beats=3.0)
    play(player, 1.6)
    assert player.seconds(1) == pytest.approx(1.5)
    assert player.position_seconds(1) == pytest.approx(0.1, abs=0.01)


def test_a_turn_plays_the_fan_and_the_blend_as_they_are_by_then() -> None:
    fan = Fan([0.0, 1.0])
    fan.put(0, tone(220, 0.2, tail=0))
    fan.put(1, tone(660, 0.2, tail=0))
    player = at(Player(RATE_HZ), 120.0)
    player.play(1, fan, 1, blend=0.0, loop=True, beats=1.0)
    recording = play(player, 1.0, at_300=lambda: player.scrub(1, 1.0))
    turn = recording[24_000 + 1200 : 24_000 + 6000, 0]
    assert np.argmax(np.abs(np.fft.rfft(turn * np.hanning(len(turn))))) == 66


@pytest.mark.parametrize("bpm", [60.0, 240.0])
def test_a_tempo_that_is_set_at_a_frame_begins_what_is_overdue_by_it(bpm: float) -> None:
    player, ends = at(Player(RATE_HZ), 120.0), list[int | None]()
    player.play(1, Fan.of(tone(110)), 1, blend=0.5, loop=True, beats=1.0)
    player.call(Beat(50.0), ends.append)
    play(player, 0.1)
    due = player.frames + 100
    token = DUE_FRAME.set(due)
    player.set_tempo(bpm=bpm, beat=100.0)
    DUE_FRAME.reset(token)
    before = player.frames
    recording = play(player, 0.5)
    assert player.frames - before == len(recording)
    assert frames_of(player.take_events()) == [due]
    assert player.timeline.beat_of(due) == 100.0
    assert longest_silence(recording) == 0


class Blocks:
    """A recording that keeps what it is passed."""

    def __init__(self, stems: bool = False) -> None:
        self.stems, self.began = stems, -1
        self.blocks: list[NDArray[np.float32]] = []
        self.parts: list[NDArray[np.float32] | None] = []

    def begin(self, frame: int, sounding: object) -> None:
        self.began = frame

    def put(self, block: NDArray[np.float32], stems: NDArray[np.float32] | None) -> None:
        self.blocks.append(block)
        self.parts.append(stems)


@pytest.mark.parametrize("stems", [False, True])
def test_a_recording_from_beat_to_beat_has_the_frames_between(stems: bool) -> None:
    player, recording = at(Player(RATE_HZ), 131.0), Blocks(stems)
    player.play(1, pulse(), 1, blend=0.5, at=Beat(1))
    player.record(recording, Beat(1))
    ended: list[int | None] = []
    player.end_recording(recording, lambda: False, Beat(1.5), ended.append)  # was called off
    player.end_recording(recording, lambda: True, Beat(2), ended.append)
    play(player, 1.5)
    for each in player.take_events():
        if isinstance(each, Reached):
            each.then(each.frame)
    first, last = round(60 / 131 * RATE_HZ), round(120 / 131 * RATE_HZ)
    found = np.concatenate(recording.blocks)
    assert recording.began == first
    assert len(found) == last - first + LATENCY  # what was mixed by then has come through
    assert onsets(found) == [0]
    assert ended == [round(90 / 131 * RATE_HZ), last + LATENCY]
    if stems:
        parts = np.concatenate([each for each in recording.parts if each is not None], axis=1)
        assert np.flatnonzero(parts[0, :, 0])[0] == 1


def test_a_recording_that_was_called_off_never_begins() -> None:
    player, called_off, wanted = at(Player(RATE_HZ), 120.0), Blocks(), Blocks()
    player.record(called_off, Beat(1))
    play(player, 0.1)
    player.record(None)
    player.record(wanted)
    play(player, 1.0)
    assert not called_off.blocks
    assert len(np.concatenate(wanted.blocks)) == round(1.0 * RATE_HZ / BLOCK + 0.5) * BLOCK


def test_a_recording_that_is_ended_again_before_its_last_frames_are_through_is_told() -> None:
    player, recording, ended = at(Player(RATE_HZ), 120.0), Blocks(), list[int | None]()
    player.record(recording)
    for _ in range(2):  # a button that was pressed twice
        player.end_recording(recording, lambda: True, Beat(0.1), ended.append)
    play(player, 2640 / RATE_HZ, 240)
    player.record(None)
    play(player, 0.1)
    assert frames_of(player.take_events()) == [2640, 2640]


def test_stems_are_mixed_while_they_are_wanted_alone() -> None:
    player, with_stems, without = at(Player(RATE_HZ), 120.0), Blocks(True), Blocks()
    player.record(with_stems)
    play(player, 0.1)
    player.record(None)
    player.record(without)
    play(player, 0.1)
    assert all(each is not None for each in with_stems.parts)
    assert all(each is None for each in without.parts)


def test_a_loop_of_a_loop_s_length_is_that_loop() -> None:
    assert BeatLoop(3.0, 1.5).seam(3.0) == 4.5
    assert BeatLoop(3.0, 1.5).seam_from(3.0) == 3.0
    assert BeatLoop(64.0, 4.0).seam_from(0.0) == 0.0


def test_an_hour_of_a_loop_is_on_its_beats_to_the_frame() -> None:
    """At a low rate, so that an hour is soon over: more than 2000 turns of a length that is odd."""
    rate_hz, bpm, beats = 500, 97.3, 2.5
    player = Player(rate_hz, voices=1)
    player.set_tempo(bpm=bpm, beat=0.0)
    player.play(1, pulse(60), 1, blend=0.5, loop=True, beats=beats)
    recording = play(player, 3600 * rate_hz / RATE_HZ, 5000)  # of which a second has RATE_HZ frames
    turn = beats * 60 / bpm * rate_hz
    expected = [round(k * turn) for k in range(int((len(recording) - LATENCY) / turn) + 1)]
    assert onsets(recording, 100) == expected
    assert len(expected) > 2000
