from __future__ import annotations

import contextvars
import threading
from collections import Counter
from unittest.mock import ANY

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from eutectic.audio import PEAK_CEILING_DB, db_to_gain
from eutectic.experiments.live.clicks import LIMIT_DB, click_db
from eutectic.playback.events import Dropped, Ended, Sounding, Started, Underrun
from eutectic.playback.player import DUE_FRAME, Player
from eutectic.playback.sounds import Fan, Sound
from eutectic.playback.voice import MAX_LAYERS
from mixes import BLOCK, RATE_HZ, play, settled, tone

TONES_HZ = (55, 110, 220, 440)
LATENCY = Player.latency_frames


def started(fan: Fan, loop: bool = False, **settings: float) -> Player:
    player = Player(RATE_HZ)
    player.play(1, fan, 1, blend=settings.get("blend", 0.5), loop=loop)
    return player


@pytest.mark.parametrize("hz", TONES_HZ)
def test_retrigger_does_not_click(hz: float) -> None:
    player = started(Fan.of(tone(hz)))
    other = Fan.of(tone(hz, phase=2.5))
    commands = {
        f"at_{ms}": lambda: player.play(1, other, 2, blend=0.5) for ms in (150, 260, 265, 270, 400)
    }
    assert click_db(settled(play(player, 0.6, **commands)), RATE_HZ) < LIMIT_DB


@pytest.mark.parametrize("hz", TONES_HZ)
def test_a_loop_whose_period_does_not_fit_the_tone_does_not_click(hz: float) -> None:
    player = started(Fan.of(tone(hz * 1.013, seconds=0.2)), loop=True)
    assert click_db(settled(play(player, 1.0)), RATE_HZ) < LIMIT_DB


@pytest.mark.parametrize("hz", TONES_HZ)
@pytest.mark.parametrize("how", ["stop", "panic", "end"])
def test_stop_panic_and_the_end_do_not_click(hz: float, how: str) -> None:
    player = started(Fan.of(tone(hz, seconds=0.31, tail=0 if how == "end" else 2400)))
    commands = {
        "stop": {"at_200": lambda: player.stop(1)},
        "panic": {"at_200": player.panic},
        "end": {},
    }[how]
    recording = play(player, 0.5, **commands)
    assert click_db(settled(recording), RATE_HZ) < LIMIT_DB
    assert not recording[-BLOCK:].any()
    assert player.take_events()[-1] == Ended(1, 1)


@pytest.mark.parametrize("hz", TONES_HZ)
def test_scrub_does_not_click_however_far_it_goes(hz: float) -> None:
    fan = Fan([0.0, 0.25, 0.5, 0.75, 1.0])
    for index in range(5):
        fan.put(index, tone(hz, level=0.4 - 0.06 * index, phase=0.9 * index))
    fan.measure_correlations()
    player = started(fan)
    commands = {
        f"at_{150 + 37 * count}": lambda blend=blend: player.scrub(1, blend)
        for count, blend in enumerate((0.0, 1.0, 0.1, 0.3, 0.9, 0.6, 0.5))
    }
    assert click_db(settled(play(player, 0.8, **commands)), RATE_HZ) < LIMIT_DB


@pytest.mark.parametrize("hz", TONES_HZ)
def test_changing_fans_does_not_click_however_fast(hz: float) -> None:
    fans = [Fan.of(tone(hz, level=0.4 - 0.05 * count, phase=0.9 * count)) for count in range(5)]
    player = started(fans[0])
    commands = {
        f"at_{ms}": lambda fan=fan: player.change(1, 1, fan)
        for ms, fan in zip((150, 155, 230, 240, 300), (*fans[1:], fans[0]), strict=True)
    }
    assert click_db(settled(play(player, 0.6, **commands)), RATE_HZ) < LIMIT_DB


def test_another_fan_goes_on_at_the_same_position() -> None:
    rng = np.random.default_rng(4)
    one, other = (0.1 * rng.standard_normal((2, 2, 20_000 + 2400))).astype(np.float32)
    sounds = [Sound.of(samples, 2400) for samples in (one, other)]
    player = started(Fan.of(sounds[0]), loop=True)
    heard = [play(player, 0.2)]
    player.change(1, 1, Fan.of(sounds[1]))
    heard.append(play(player, 0.4))
    player = started(Fan.of(sounds[1]), loop=True)
    alone = play(player, 0.6)
    after = slice(round(0.25 * RATE_HZ), round(0.59 * RATE_HZ))  # the fade over, a seam within
    assert np.array_equal(np.concatenate(heard)[after], alone[after])
    assert not np.allclose(heard[0], alone[: len(heard[0])])


def test_a_fan_takes_over_once_it_has_a_sound_and_only_from_its_own_request() -> None:
    whole, other = tone(220), tone(330)
    part = Sound(other.frames, other.tail)
    player = started(Fan.of(whole))
    play(player, 0.1)
    player.change(1, 7, Fan.of(tone(440)))  # of a request that ended long ago
    player.change(1, 1, Fan.of(part))
    assert _next(player, 0.1, whole)
    part.write(0, other.samples)
    play(player, 0.1)
    assert _next(player, 0.1, other)
    assert [type(event) for event in player.take_events()] == [Started]


def _next(player: Player, seconds: float, sound: Sound) -> bool:
    """Whether this is what is heard next, as if it had been played from the beginning."""
    start = player.frames - LATENCY
    heard = play(player, seconds)
    return np.array_equal(heard, sound.samples[:, start : start + len(heard)].T)


@pytest.mark.parametrize("hz", TONES_HZ)
def test_gain_pan_outputs_and_master_do_not_click(hz: float) -> None:
    player = started(Fan.of(tone(hz)))
    commands = {
        "at_150": lambda: player.set_gain(1, -20),
        "at_200": lambda: player.set_gain(1, 0),
        "at_250": lambda: player.set_pan(1, -0.8),
        "at_300": lambda: player.set_master(-12),
        "at_350": lambda: player.set_master(0),
        "at_400": lambda: player.set_outputs(1, 2),
    }
    recording = settled(play(player, 0.6, **commands))
    for channel in (0, 1):
        assert click_db(recording[:, channel], RATE_HZ) < LIMIT_DB


@pytest.mark.parametrize("hz", TONES_HZ)
def test_an_underrun_fades_out_and_back_in_without_a_click(hz: float) -> None:
    whole = tone(hz)
    sound = Sound(whole.frames, whole.tail)
    sound.write(0, whole.samples[:, :12_000])
    player = started(Fan.of(sound))
    rest = lambda: sound.write(12_000, whole.samples[:, 12_000:])  # noqa: E731
    recording = play(player, 0.8, at_400=rest)
    assert click_db(settled(recording), RATE_HZ) < LIMIT_DB
    quiet = round(0.35 * RATE_HZ)
    assert not recording[quiet : quiet + BLOCK].any()
    assert np.abs(recording[-BLOCK:]).max() > 0.1
    assert [e for e in player.take_events() if isinstance(e, Underrun)] == [Underrun(1, 1)]


def test_a_sound_plays_unchanged_delayed_by_the_limiter() -> None:
    sound = tone(220, level=0.5)
    recording = play(started(Fan.of(sound)), 1.0)
    attack = round(0.002 * RATE_HZ)
    expected = sound.samples[:, attack : RATE_HZ - LATENCY].T
    assert np.array_equal(recording[LATENCY + attack : RATE_HZ], expected)


def test_a_loop_has_exactly_the_period_of_its_sound() -> None:
    frames = 10_007
    rng = np.random.default_rng(1)
    noise = (0.1 * rng.standard_normal((2, frames + 2400))).astype(np.float32)
    recording = play(started(Fan.of(Sound.of(noise, 2400)), loop=True), 1.0)[LATENCY:]
    middle = slice(5000, 9000)
    for turn in range(1, 4):
        again = recording[middle.start + turn * frames : middle.stop + turn * frames]
        assert np.array_equal(again, recording[middle])


def test_loudness_stays_between_neighbours_alike_and_not() -> None:
    rng = np.random.default_rng(2)
    one, other = (0.1 * rng.standard_normal((2, 2, 3 * RATE_HZ))).astype(np.float32)
    for second in (one, other):
        fan = Fan([0.0, 1.0])
        fan.put(0, Sound.of(one))
        fan.put(1, Sound.of(second))
        fan.measure_correlations()
        player = started(fan, blend=0.0)
        recording = settled(play(player, 0.5))
        for count in range(150):
            player.scrub(1, count / 150)
            recording = np.concatenate([recording, play(player, 0.01)])
        whole = recording[: len(recording) // 2400 * 2400]
        power = np.square(whole).reshape(-1, 2400, 2).mean(axis=(1, 2))
        assert 10 * np.log10(power.max() / power.min()) < 1.0


def test_a_scheduled_request_starts_at_its_frame() -> None:
    player = Player(RATE_HZ)
    click = np.zeros((2, 4800), np.float32)
    click[:, 100:] = 0.5
    play(player, 0.1)
    at = player.time_of(player.frames + 1000)
    player.play(1, Fan.of(Sound.of(click)), 1, blend=0.5, at=at)
    player._follow_clock = lambda: None  # type: ignore[method-assign]
    recording = play(player, 0.1)
    assert int(np.flatnonzero(recording[:, 0])[0]) == 1000 + 100 + LATENCY


def test_commands_within_one_block_run_in_order() -> None:
    player = started(Fan.of(tone(220)), loop=True)
    player.stop(1)
    recording = play(player, 0.1)
    assert player.take_events() == [Started(1, 1, ANY, ANY), Ended(1, 1)]
    assert np.abs(recording).max() > 0.1
    assert not settled(recording, 0.05).any()


def test_clearing_the_schedule_drops_what_is_scheduled_and_leaves_what_plays() -> None:
    player = started(Fan.of(tone(110)))
    play(player, 0.1)
    later = player.time_of(player.frames + 9000)
    player.play(2, Fan.of(tone(220)), 7, blend=0.5, at=later)
    play(player, 0.01)
    player.clear_schedule()
    recording = play(player, 0.3)
    assert Dropped(2, 7) in player.take_events()
    assert np.abs(recording[-BLOCK:]).max() > 0.1


def test_the_limiter_keeps_peaks_under_its_ceiling_without_a_click() -> None:
    loud = Fan.of(tone(110, level=0.9))
    player = Player(RATE_HZ)
    for voice in (1, 2, 3, 4):
        player.play(voice, loud, voice, blend=0.5)
    recording = play(player, 1.0)
    assert np.abs(recording).max() <= db_to_gain(PEAK_CEILING_DB) + 1e-6
    assert click_db(settled(recording), RATE_HZ) < LIMIT_DB


def test_blocks_of_any_size_make_the_same_sound() -> None:
    recordings: list[NDArray[np.float32]] = []
    for block in (64, 480, 4800):
        player = started(Fan.of(tone(220, seconds=0.31)), loop=True)
        play(player, 0.1, block)
        player.set_gain(1, -12)
        player.scrub(1, 1.0)
        play(player, 0.1, block)
        player.play(1, Fan.of(tone(110)), 2, blend=0.5)
        recordings.append(play(player, 0.3, block))
    for other in recordings[1:]:
        assert np.allclose(recordings[0], other, atol=1e-6)  # measured: 6e-8


def test_starts_in_quick_succession_do_not_click_however_long_the_crossfade() -> None:
    player, parts = Player(RATE_HZ), list[NDArray[np.float32]]()
    player.set_crossfade(1, 1.0)
    for number in range(10):
        fan = Fan.of(tone(110 * (1 + number % 3), level=0.1))
        player.play(1, fan, number, blend=0.5, loop=True)
        parts.append(play(player, 0.1))
    assert click_db(settled(np.concatenate(parts)), RATE_HZ) < LIMIT_DB
    assert len(player.voices[0].layers) <= MAX_LAYERS


class Taken:
    """A recording in memory."""

    def __init__(self, stems: bool = False) -> None:
        self.stems, self.began, self.sounding = stems, -1, list[Sounding]()
        self.blocks: list[NDArray[np.float32]] = []
        self.parts: list[NDArray[np.float32]] = []

    def begin(self, frame: int, sounding: list[Sounding]) -> None:
        self.began, self.sounding = frame, sounding

    def put(self, block: NDArray[np.float32], stems: NDArray[np.float32] | None) -> None:
        self.blocks.append(block)
        self.parts += [] if stems is None else [stems]


def test_what_is_recorded_is_what_was_filled() -> None:
    player, taken = started(Fan.of(tone(220))), Taken()
    play(player, 0.1)
    player.record(taken)
    at = player.frames
    recording = play(player, 0.2)
    assert (taken.began, taken.sounding) == (at, [Sounding(1, 1, at)])
    assert np.array_equal(np.concatenate(taken.blocks), recording)
    player.record(None)
    count = len(taken.blocks)
    play(player, 0.1)
    assert len(taken.blocks) == count


def test_stems_add_up_to_what_is_played() -> None:
    player, taken = Player(RATE_HZ, voices=8), Taken(stems=True)
    for number in range(8):
        player.set_gain(number + 1, -18 - number)
        player.set_pan(number + 1, number / 4 - 1)
        player.play(number + 1, Fan.of(tone(110 * (number + 1))), number + 1, blend=0.5, loop=True)
    player.record(taken)
    turns = {
        "at_100": lambda: player.set_pan(2, 0.9), "at_150": lambda: player.set_gain(5, -40),
        "at_200": lambda: player.stop(3), "at_250": lambda: player.set_mute(4, True),
    }  # fmt: skip
    recording = play(player, 0.5, 128, **turns)
    stems = np.concatenate(taken.parts, axis=1)
    assert stems.shape == (8, len(recording), 2)
    error = recording[LATENCY:] - stems.sum(axis=0)[:-LATENCY]
    assert np.abs(error).max() <= 1e-6  # measured: 2e-7
    assert all(stem.any() for stem in stems)


def test_the_stem_of_a_voice_on_other_outputs_is_stereo_and_as_loud() -> None:
    stems: list[NDArray[np.float32]] = []
    for first in (1, 3):
        player, taken = Player(RATE_HZ, channels=4, voices=1), Taken(stems=True)
        player.set_outputs(1, first)
        player.play(1, Fan.of(tone(220)), 1, blend=0.5)
        player.record(taken)
        play(player, 0.2)
        stems.append(np.concatenate(taken.parts, axis=1))
    assert np.array_equal(*stems)


def test_what_is_gathered_takes_effect_with_one_block_though_it_is_mixed_meanwhile() -> None:
    player, block = Player(RATE_HZ), np.zeros((BLOCK, 2), np.float32)
    own: list[int] = []
    others: list[int] = []
    player.gather()
    player.mark(own.append)
    thread = threading.Thread(target=player.mark, args=(others.append,))
    thread.start()
    thread.join()
    player.fill(block)
    player.gather()
    player.mark(own.append)
    player.hand_over()
    player.hand_over()
    player.fill(block)
    player.mark(own.append)
    player.fill(block)
    assert (others, own) == ([0], [BLOCK, BLOCK, 2 * BLOCK])


@pytest.mark.parametrize("block", [128, 480])
def test_commands_with_a_frame_take_effect_there_whatever_the_blocks(block: int) -> None:
    def commanded(at: int) -> NDArray[np.float32]:
        player, marked = Player(RATE_HZ), list[int]()
        DUE_FRAME.set(at)
        player.play(1, Fan.of(tone(220)), 1, blend=0.5, loop=True)
        DUE_FRAME.set(at + 3001)
        player.set_gain(1, -20)
        player.set_master(-3)
        DUE_FRAME.set(at + 7003)
        player.stop(1)
        player.mark(marked.append)
        recording = play(player, 0.4, block)
        assert marked == [at + 7003]
        return recording[at + LATENCY :]

    early, late = (contextvars.copy_context().run(commanded, at) for at in (100, 1234))
    assert np.allclose(early[: len(late)], late, atol=1e-6)  # measured: 6e-8
    assert late[:3000].any() and not late[12_000:].any()


def test_a_cleared_schedule_drops_starts_but_no_setting() -> None:
    player, marked = started(Fan.of(tone(220)), loop=True), list[int]()

    def later() -> None:
        DUE_FRAME.set(RATE_HZ)
        player.play(1, Fan.of(tone(440)), 2, blend=0.5)
        player.set_mute(1, True)
        player.mark(marked.append)

    contextvars.copy_context().run(later)
    play(player, 0.1)
    player.clear_schedule()
    assert not settled(play(player, 0.3)).any()
    assert marked and marked[0] < RATE_HZ
    assert [each.token for each in player.take_events() if isinstance(each, Dropped)] == [2]


@pytest.mark.parametrize("hz", TONES_HZ)
def test_a_sound_begins_in_the_middle_without_a_click(hz: float) -> None:
    player = Player(RATE_HZ)
    player.play(1, Fan.of(tone(hz)), 1, blend=0.5, position=12_345)
    recording = play(player, 0.3)
    assert click_db(recording, RATE_HZ) < LIMIT_DB
    whole = play(started(Fan.of(tone(hz))), 0.7)[LATENCY + 12_345 :]
    assert np.allclose(recording[LATENCY + 600 :], whole[600 : len(recording) - LATENCY], atol=1e-6)


def test_voices_play_on_outputs_beyond_the_second() -> None:
    player = Player(RATE_HZ, channels=5)
    player.set_outputs(2, 3)
    player.play(2, Fan.of(tone(220)), 1, blend=0.5)
    recording = play(player, 0.3)
    assert [bool(recording[:, channel].any()) for channel in range(5)] == [
        False, False, True, True, False,
    ]  # fmt: skip
    player.set_outputs(2, 5)
    recording = settled(play(player, 0.3))
    assert [bool(recording[:, channel].any()) for channel in range(5)] == [False] * 4 + [True]


command = st.one_of(
    st.tuples(st.just("play"), st.integers(1, 2), st.integers(0, 2), st.booleans()),
    st.tuples(st.just("scrub"), st.integers(1, 2), st.floats(0, 1)),
    st.tuples(st.just("change"), st.integers(1, 2), st.integers(0, 2)),
    st.tuples(st.just("stop"), st.integers(1, 2)),
    st.tuples(st.just("panic")),
    st.tuples(st.just("clear")),
    st.tuples(st.just("loop"), st.integers(1, 2), st.booleans()),
    st.tuples(st.just("fill"), st.integers(1, 9000)),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(command, max_size=40))
def test_under_any_commands_all_that_starts_ends_once_and_nothing_is_too_loud(
    commands: list[tuple[object, ...]],
) -> None:
    player = Player(RATE_HZ, voices=2)
    fans = [Fan.of(tone(110, 0.2)), Fan([0.0, 1.0]), Fan.of(Sound(4000, 100))]
    fans[1].put(0, tone(220, 0.1))
    fans[1].put(1, tone(330, 0.1))
    tokens = 0

    def fill(frames: int) -> None:
        out = np.full((frames, 2), np.nan, np.float32)
        player.fill(out)
        assert np.abs(out).max() <= db_to_gain(PEAK_CEILING_DB) + 1e-6

    for name, *values in commands:
        if name == "play":
            tokens += 1
            voice, fan, loop = values
            player.play(voice, fans[fan], tokens, blend=0.3, loop=loop)  # type: ignore
        elif name == "change":
            voice, fan = values
            player.change(voice, tokens, fans[fan])  # type: ignore
        elif name == "fill":
            fill(values[0])  # type: ignore
        elif name == "clear":
            player.clear_schedule()
        elif name == "loop":
            player.set_loop(*values)  # type: ignore
        else:
            getattr(player, str(name))(*values)
    fill(10)
    player.panic()
    fill(RATE_HZ // 10)
    events = player.take_events()
    begun = Counter(event.token for event in events if isinstance(event, Started))
    ended = Counter(event.token for event in events if isinstance(event, Ended))
    dropped = {event.token for event in events if isinstance(event, Dropped)}
    assert begun == ended
    assert set(begun.values()) <= {1}
    assert set(begun) | dropped == set(range(1, tokens + 1))
    assert not set(begun) & dropped
