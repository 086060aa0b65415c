"""Notes: their pitch, envelope, ends and number, as the player mixes them."""

from __future__ import annotations

import weakref
from collections.abc import Generator
from unittest.mock import ANY

import numpy as np
import pytest
from numpy.typing import NDArray

from daemons import until
from eutectic.audio import smoothstep
from eutectic.experiments.live.clicks import LIMIT_DB, click_db, clicks, holes
from eutectic.playback.cursor import Section
from eutectic.playback.events import Started
from eutectic.playback.notes import MAX_FADING, MAX_NOTES, Envelope, Press
from eutectic.playback.pitch import Pitches, ratio_of
from eutectic.playback.player import Player
from eutectic.playback.sounds import Fan, Sound
from eutectic.playback.timeline import Beat
from mixes import BLOCK, RATE_HZ, play, settled, stray_db, tone

LATENCY = Player.latency_frames
TONES_HZ = (55, 110, 220, 440)
ORGAN = Envelope(0.002, 0.0, 1.0, 0.02)


@pytest.fixture(scope="module")
def pitches() -> Generator[Pitches]:
    pitches = Pitches(RATE_HZ, 1 << 28)
    yield pitches
    pitches.close()


def steady(level: float = 0.25, seconds: float = 1.0) -> Sound:
    """A sound that is its envelope."""
    return Sound.of(np.full((2, round(seconds * RATE_HZ) + 2400), level, np.float32), 2400)


def press(
    sound: Sound, key: float = 60, envelope: Envelope = ORGAN, *, loop: bool = True,
    gain: float = 1.0, section: Section | None = None,
) -> Press:  # fmt: skip
    return Press(key, sound, section or Section(), gain, envelope, loop)


def made(pitches: Pitches, sound: Sound, ratio: float) -> tuple[Sound, Section]:
    """A sound at another pitch, made to its end: here is played faster than it may be made."""
    pitched, section = pitches.of(sound, Section(), ratio)
    until(lambda: pitched.complete)
    return pitched, section


def mono(player: Player, seconds: float, **commands: object) -> NDArray[np.float32]:
    """One side of what is played, without the limiter's delay."""
    return play(player, seconds, **commands)[LATENCY:, 0]  # type: ignore[arg-type]


@pytest.mark.parametrize("semitones", [-31, -12, -5, 0.5, 7, 12, 24])
def test_a_note_is_at_its_pitch_and_nothing_else_is_heard(
    pitches: Pitches, semitones: float
) -> None:
    sound, section = made(pitches, tone(1100, 3.0), ratio_of(60 + semitones, 60))
    player = Player(RATE_HZ)
    player.press(1, press(sound, section=section))
    heard = settled(play(player, 0.5))
    assert stray_db(heard, 1100 * 2 ** (semitones / 12)) < -110  # measured: -122 at most


def test_an_octave_up_what_was_high_is_not_mirrored(pitches: Pitches) -> None:
    sound, _ = made(pitches, tone(15_000, level=0.5), 2.0)
    player = Player(RATE_HZ)
    player.press(1, press(sound))
    assert 20 * np.log10(np.abs(settled(play(player, 0.5))).max() / 0.5) < -120


def test_a_note_starts_at_once_though_its_sound_is_still_being_made(pitches: Pitches) -> None:
    sound, _ = pitches.of(tone(220, 30.0), Section(), ratio_of(67, 60))
    assert 0.1 * RATE_HZ <= sound.ready < sound.samples.shape[1]
    player = Player(RATE_HZ)
    player.press(1, press(sound))
    assert np.abs(mono(player, 0.02)[200:400]).max() > 0.1


def test_a_pitched_sound_is_made_once_for_each_section_and_kept_within_bounds() -> None:
    sound = tone(220, 1.0)
    size = round(1.05 * RATE_HZ / 1.5) * 8
    pitches = Pitches(RATE_HZ, kept_bytes=round(2.5 * size))
    first, _ = pitches.of(sound, Section(), 1.5)
    assert pitches.of(sound, Section(), 1.5)[0] is first
    half, _ = pitches.of(sound, Section(0.5, 1.0), 1.5)
    assert half.frames == round(first.frames / 2)
    pitches.of(sound, Section(), 1.51)
    pitches.of(sound, Section(), 1.52)
    assert pitches.of(sound, Section(), 1.5)[0] is not first
    pitches.close()


def test_a_pitched_sound_follows_the_decoder_to_the_end(pitches: Pitches) -> None:
    whole = tone(330, 0.5)
    sound = Sound(whole.frames, whole.tail)
    sound.write(0, whole.samples[:, :9000])
    pitched, _ = pitches.of(sound, Section(), 1.5)
    assert 0 < pitched.ready <= 6000
    sound.write(9000, whole.samples[:, 9000:])
    until(lambda: pitched.complete)
    assert pitched.frames == 16_000
    body = pitched.samples[:, 2000:14_000].T
    assert stray_db(body, 495) < -110


def test_a_sound_that_will_never_be_decoded_is_forgotten(pitches: Pitches) -> None:
    sound = Sound(RATE_HZ, 0)
    sound.write(0, tone(330, 0.2, tail=0).samples)
    pitched, _ = pitches.of(sound, Section(), 1.5)
    samples = weakref.ref(sound.samples)
    del sound
    other = tone(440, 5.0)
    made(pitches, other, 1.5)  # the thread comes past the first meanwhile
    assert samples() is None
    assert not pitched.complete


def test_a_decoded_sound_is_pitched_to_its_end_though_nobody_else_has_it(pitches: Pitches) -> None:
    pitched, _ = made(pitches, tone(330, 5.0), 1.5)
    assert pitched.frames == round(5 * RATE_HZ / 1.5)


def test_an_envelope_has_its_shape() -> None:
    player = Player(RATE_HZ)
    player.press(1, press(steady(), envelope=Envelope(0.1, 0.2, 0.4, 0.3)))
    heard = mono(player, 0.9, at_500=lambda: player.let_go(1, 60)) / 0.25
    at = lambda ms: heard[round(ms / 1000 * RATE_HZ)]  # noqa: E731
    rising = smoothstep(np.array([0.25, 0.5, 0.75]))
    assert [at(25), at(50), at(75)] == pytest.approx(rising, abs=2e-3)
    assert at(100) == pytest.approx(1.0, abs=1e-3)
    assert at(200) == pytest.approx(0.4 + 0.6 * 0.34375, abs=2e-3)
    assert [at(300), at(450)] == pytest.approx([0.4, 0.4], abs=1e-3)
    released = 1 - np.searchsorted(-heard[RATE_HZ // 2 :], -0.4 + 1e-4) / RATE_HZ
    assert released > 0.9
    assert (np.diff(heard[RATE_HZ // 2 :]) <= 1e-7).all()
    assert heard[round(0.82 * RATE_HZ)] == 0
    assert player.notes(1) == 0


@pytest.mark.parametrize("hz", TONES_HZ)
@pytest.mark.parametrize("how", ["let_go", "stop", "panic", "again", "choke", "end"])
def test_notes_end_without_a_click(hz: float, how: str) -> None:
    player = Player(RATE_HZ)
    for voice in (1, 2):
        player.set_choke(voice, 3)
    player.press(1, press(tone(hz, 0.31), loop=how != "end"))
    other = Envelope(0.05, 0.0, 1.0, 0.05)
    commands = {
        "let_go": lambda: player.let_go(1, 60),
        "stop": lambda: player.stop(1),
        "panic": player.panic,
        "again": lambda: player.press(1, press(tone(hz, phase=2.0), envelope=other)),
        "choke": lambda: player.press(2, press(tone(hz, phase=2.0), 62, other)),
        "end": lambda: None,
    }
    recording = settled(play(player, 0.6, at_200=commands[how]))
    assert click_db(recording, RATE_HZ) < LIMIT_DB
    ended = how not in ("again", "choke")
    assert (not recording[-BLOCK:].any()) == ended
    assert [player.notes(1), player.notes(2)] == [how == "again", how == "choke"]


@pytest.mark.parametrize("block", [16, 128])
def test_the_end_of_a_note_is_heard_at_any_speed(block: int) -> None:
    """At an eighth of the speed, what is read at once is heard over several milliseconds."""
    player = Player(RATE_HZ)
    player.set_speed(1, 0.125)
    player.press(1, press(tone(800, 4.0)))
    recording = settled(play(player, 0.4, block, at_200=player.panic))
    assert click_db(recording, RATE_HZ) < LIMIT_DB
    assert not recording[-BLOCK:].any()
    assert player.voices[0].is_silent


def test_panic_silences_notes_within_5_ms() -> None:
    player = Player(RATE_HZ)
    player.press(1, press(steady(), envelope=Envelope(0.0, 0.0, 1.0, 10.0)))
    play(player, 0.1)
    player.let_go(1, 60)
    play(player, 0.1)
    player.panic()
    recording = play(player, 0.1)
    assert recording[LATENCY].any()
    assert not recording[LATENCY + 240 :].any()


@pytest.mark.parametrize("block", [128, 4800])
def test_a_gate_ends_at_its_frame_whatever_the_block(block: int) -> None:
    player = Player(RATE_HZ)
    player.press(1, press(steady(), envelope=Envelope(0.0, 0.0, 1.0, 0.005)), 0.1)
    player.clear_schedule()
    recording = play(player, 0.3, block)[LATENCY:, 0]
    end = 4800 + 240
    assert np.array_equal(recording[100:4800], np.full(4700, 0.25, np.float32))
    assert recording[4800:end].any()
    assert not recording[end:].any()


def test_a_gate_ends_its_own_note_alone() -> None:
    player = Player(RATE_HZ)
    player.press(1, press(steady()), 0.1)
    again = lambda: player.press(1, press(steady()), 0.5)  # noqa: E731
    recording = mono(player, 0.4, at_50=again)
    assert recording[-1] == pytest.approx(0.25)


def test_notes_start_and_end_at_a_time() -> None:
    player = Player(RATE_HZ)
    play(player, 0.1)
    player._follow_clock = lambda: None  # type: ignore[method-assign]
    begin = player.time_of(player.frames + 1000)
    player.press(1, press(steady(), envelope=Envelope(0.0, 0.0, 1.0, 0.005)), at=begin)
    player.let_go(1, 60, at=begin + 0.05)
    recording = play(player, 0.2)[LATENCY:, 0]
    assert int(np.flatnonzero(recording)[0]) == 1000
    assert int(np.flatnonzero(recording)[-1]) in range(1000 + 2400, 1000 + 2400 + 240)


def test_a_note_that_is_let_go_before_its_beat_is_heard_for_its_gate_or_never() -> None:
    player = Player(RATE_HZ)
    player.set_tempo(bpm=120, beat=0)
    for key, gate, at in ((60, None, None), (61, 0.1, None), (62, None, Beat(0.5))):
        player.press(1, press(steady(), key), gate, at=Beat(1))
        player.let_go(1, key, at)
    recording = mono(player, 1.0)
    heard = np.flatnonzero(recording)
    assert recording.max() == pytest.approx(0.25)
    assert heard[0] == 24_000 and heard[-1] in range(24_000 + 4800, 24_000 + 4800 + 960)
    assert player.notes(1) == 0


def test_the_end_of_a_note_leaves_the_next_of_its_key_which_is_struck_again() -> None:
    player = Player(RATE_HZ)
    player.set_tempo(bpm=120, beat=0)
    for beat in (0.5, 1.0):
        player.press(1, press(steady()), at=Beat(beat))
    for beat in (0.75, 1.25):
        player.let_go(1, 60, at=Beat(beat))
    player.press(1, press(steady(), 61), at=Beat(1.5))
    player.let_go(1, 61)
    player.press(1, press(steady(), 61), at=Beat(1.5))
    loud = mono(player, 1.0) > 0.2
    edges = np.flatnonzero(np.diff(loud))
    assert [round(each / 6000) for each in edges] == [2, 3, 4, 5, 6]
    assert player.notes(1) == 1


def test_clearing_the_schedule_drops_notes_to_come_and_keeps_those_that_sound() -> None:
    player = Player(RATE_HZ)
    player.press(1, press(steady()))
    play(player, 0.1)
    player.press(1, press(steady(), 70), at=player.time_of(player.frames + 9600))
    play(player, 0.01)
    player.clear_schedule()
    recording = mono(player, 0.5)
    assert recording.max() == pytest.approx(0.25)
    assert player.notes(1) == 1


def test_a_note_whose_sound_loops_is_held_without_a_click_or_a_hole(pitches: Pitches) -> None:
    sound, section = pitches.of(tone(223.7, 0.2), Section(0.1, 0.9, True), ratio_of(63, 60))
    until(lambda: sound.complete)
    player = Player(RATE_HZ)
    player.press(1, press(sound, section=section))
    recording = settled(play(player, 1.5))
    assert click_db(recording, RATE_HZ) < LIMIT_DB
    assert not holes(recording, RATE_HZ)


def test_a_note_without_a_loop_ends_with_its_section() -> None:
    player = Player(RATE_HZ)
    player.press(1, press(steady(), loop=False, section=Section(0.5, 0.75)))
    play(player, 0.2)
    assert player.notes(1) == 1
    play(player, 0.2)
    assert player.notes(1) == 0


@pytest.mark.parametrize("ratio", [1.0, 1.5])
def test_a_note_that_overtakes_the_decoder_fades_out_and_in_again(
    pitches: Pitches, ratio: float
) -> None:
    whole = tone(220, 2.0)
    sound = Sound(whole.frames, whole.tail)
    sound.write(0, whole.samples[:, :12_000])
    pitched, section = pitches.of(sound, Section(), ratio)
    player = Player(RATE_HZ)
    player.press(1, press(pitched, section=section))
    rest = lambda: sound.write(12_000, whole.samples[:, 12_000:])  # noqa: E731
    recording = play(player, 0.4)
    assert not recording[-BLOCK:].any()
    rest()
    until(lambda: pitched.complete)
    recording = settled(np.concatenate([recording, play(player, 0.4)]))
    assert click_db(recording, RATE_HZ) < LIMIT_DB
    assert np.abs(recording[-BLOCK:]).max() > 0.1


def test_a_note_waits_for_the_decoder_within_the_last_fade_of_its_sound() -> None:
    whole = tone(220, 0.2)
    sound = Sound(whole.frames, whole.tail)
    sound.write(0, whole.samples[:, :11_000])  # it is made but for a part of its tail
    player = Player(RATE_HZ)
    player.press(1, press(sound, loop=False))
    recording = play(player, 0.4)
    assert not recording[-BLOCK:].any()
    sound.write(11_000, whole.samples[:, 11_000:])
    recording = settled(np.concatenate([recording, play(player, 0.1)]))
    assert click_db(recording, RATE_HZ) < LIMIT_DB
    assert player.notes(1) == 0


def test_choke_groups_end_the_notes_of_their_voices_alone() -> None:
    player = Player(RATE_HZ)
    for voice, group in ((1, 1), (2, 1), (3, 2), (4, 0)):
        player.set_choke(voice, group)
        player.press(voice, press(steady(0.1), voice))
    play(player, 0.1)
    assert [player.notes(voice) for voice in (1, 2, 3, 4)] == [0, 1, 1, 1]
    player.press(4, press(steady(0.1), 9))
    player.press(1, press(steady(0.1), 9))
    play(player, 0.1)
    assert [player.notes(voice) for voice in (1, 2, 3, 4)] == [1, 0, 1, 2]


def test_64_notes_all_sound_and_one_more_takes_the_oldest_released_then_the_oldest() -> None:
    player = Player(RATE_HZ)
    for key in range(MAX_NOTES):
        player.press(1 + key % 4, press(steady(0.01), key, Envelope(0.002, 0.0, 1.0, 30.0)))
    level = mono(player, 0.1, at_0=lambda: None)[2400]
    assert level == pytest.approx(0.01 * MAX_NOTES, rel=1e-3)
    player.let_go(2, 5)
    player.let_go(2, 1)
    for key in (100, 101, 102):
        player.press(1, press(steady(0.01), key))
    play(player, 0.1)
    keys = {note.key for voice in player.voices for note in voice.notes.all}
    assert len(keys) == MAX_NOTES
    assert {0, 1, 5}.isdisjoint(keys)


def test_a_flood_of_notes_stays_bounded_and_finite() -> None:
    player = Player(RATE_HZ)
    for key in range(1000):
        player.press(1 + key % 3, press(steady(0.01), key % 50, gain=0.5))
    recording = play(player, 0.05)
    assert np.isfinite(recording).all()
    assert sum(player.notes(voice) for voice in (1, 2, 3)) <= MAX_NOTES + MAX_FADING


def test_bend_and_speed_glide_without_a_click_and_envelopes_keep_their_time() -> None:
    player = Player(RATE_HZ)
    player.press(1, press(tone(330, 4.0), envelope=Envelope(0.002, 0.0, 1.0, 0.1)))
    commands = {
        "at_150": lambda: player.set_bend(1, 2 ** (2 / 12)),
        "at_250": lambda: player.set_speed(1, 0.25),
        "at_400": lambda: player.set_speed(1, 2.0),
        "at_600": lambda: player.set_bend(1, 1.0),
        "at_1200": lambda: player.let_go(1, 60),
    }
    recording = play(player, 1.5, **commands)
    assert not clicks(settled(recording), RATE_HZ)
    held = recording[round(0.9 * RATE_HZ) : round(1.15 * RATE_HZ)]
    assert stray_db(held, 660) < -90  # measured: -103
    assert recording[round(1.25 * RATE_HZ)].any()
    assert not recording[round(1.32 * RATE_HZ) :].any()


def test_notes_go_through_their_voices_strip_and_on_beside_its_fusions() -> None:
    player = Player(RATE_HZ)
    player.set_gain(1, -20)
    player.set_pan(1, 1.0)
    player.press(1, press(steady()))
    recording = play(player, 0.1)
    assert recording[-1] == pytest.approx([0, 0.025], abs=1e-6)
    player.play(1, Fan.of(steady(seconds=0.1)), 1, blend=0.5)
    recording = play(player, 0.3)
    assert recording[-1] == pytest.approx([0, 0.025], abs=1e-6)
    assert player.take_events()[0] == Started(1, 1, ANY, ANY)
