"""MIDI clock: read through jitter, changes and gaps; and sent as beats run."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import pytest

from eutectic.midi.clock import CONTINUE, POSITION, START, STOP, TICK, TICKS, ClockReader
from eutectic.midi.ticks import LOOK_SECONDS, TickSender


def ticks(bpm: float | np.ndarray, count: int, start: float = 10.0) -> np.ndarray:
    """Times of ticks, at a tempo or at one for each."""
    periods = 60 / TICKS / np.broadcast_to(bpm, count)
    return start + np.concatenate([[0.0], np.cumsum(periods)[:-1]])


class Song:
    """A reader, and how far it is off the song that is sent to it, as it arrives with jitter."""

    def __init__(self, jitter_ms: float = 0.0, *, starts: bool = True) -> None:
        self.reader, self.off_ms = ClockReader(), list[float]()
        self._generator, self._jitter = np.random.default_rng(0), jitter_ms / 1000
        if starts:
            self.reader.take([START], 9.9)

    def send(self, times: np.ndarray, first: int = 0) -> None:
        """Send ticks that are numbers `first` and up in the song."""
        for number, at in enumerate(times, first):
            late = self._generator.uniform(0, self._jitter)
            self.reader.take([TICK], at + late)
            reading = self.reader.reading
            if reading is not None:
                beats = reading.beat_at(at + self._jitter / 2) - number / TICKS
                self.off_ms.append(60_000 * beats / reading.bpm)

    def worst_ms(self, first: int, last: int | None = None) -> float:
        return float(np.abs(self.off_ms[first:last]).max())


@pytest.mark.parametrize("bpm", [40.0, 120.0, 133.7, 300.0])
def test_the_beat_and_the_tempo_are_those_of_a_steady_clock(bpm: float) -> None:
    song = Song()
    song.send(ticks(bpm, 480))
    assert song.worst_ms(0) < 1e-6
    assert song.reader.reading is not None
    assert song.reader.reading.bpm == pytest.approx(bpm)


def test_jitter_is_smoothed() -> None:
    """Single ticks are off by 2 ms either way; what is read by a fifth of that."""
    song = Song(4.0)
    song.send(ticks(120.0, 2400))
    assert song.worst_ms(96) < 1.2  # measured: 1.0
    assert np.std(song.off_ms[96:]) < 0.4  # measured: 0.27; of ticks: 1.15
    assert song.reader.reading is not None
    assert song.reader.reading.bpm == pytest.approx(120.0, rel=0.001)


@pytest.mark.parametrize("bpm", [60.0, 110.0, 126.0, 180.0])
def test_another_tempo_is_found_within_half_a_beat(bpm: float) -> None:
    song, first = Song(2.0), ticks(120.0, 480)
    song.send(first)
    song.send(ticks(bpm, 480, first[-1] + 60 / TICKS / bpm), 480)
    assert song.worst_ms(480 + TICKS // 2) < 3.0  # measured: 2.3
    assert song.worst_ms(700) < 1.0
    assert song.reader.reading is not None
    assert song.reader.reading.bpm == pytest.approx(bpm, rel=0.002)


def test_a_tempo_that_glides_is_followed() -> None:
    song = Song(2.0)
    song.send(ticks(np.linspace(100, 160, 2000), 2000))
    assert song.worst_ms(48) < 6.0  # measured: 4.0


def test_lost_ticks_are_counted() -> None:
    song = Song(2.0)
    times = ticks(120.0, 960)
    kept = np.random.default_rng(1).uniform(size=960) > 0.05
    kept[:100], kept[500:540] = True, False  # one in twenty, and 0.8 s at once
    for number in np.flatnonzero(kept):
        song.send(times[number : number + 1], int(number))
    assert song.worst_ms(96) < 2.0


def test_ticks_that_were_held_up_and_come_at_once_aren_t_lost() -> None:
    song, times = Song(1.0), ticks(120.0, 960)
    arrivals = times.copy()
    for held in (200, 400, 600):
        arrivals[held : held + 6] = times[held + 6]  # an eighth of a second
    reader = song.reader
    for number, (meant, at) in enumerate(zip(times, arrivals, strict=True)):
        reader.take([TICK], at)
        if reader.reading is not None and number % 200 > 100:
            beat = reader.reading.beat_at(meant)
            assert beat == pytest.approx(number / TICKS, abs=0.01)  # measured: 0.005
            assert reader.reading.bpm == pytest.approx(120.0, rel=0.02)


def test_half_the_tempo_isn_t_taken_for_lost_ticks() -> None:
    song, first = Song(), ticks(120.0, 240)
    song.send(first)
    song.send(ticks(60.0, 240, first[-1] + 60 / TICKS / 60), 240)
    assert song.worst_ms(300) < 0.1


def test_start_stop_continue_and_a_position_say_where_the_song_is() -> None:
    reader, now = ClockReader(), 10.0

    def send(count: int) -> float:
        nonlocal now
        for _ in range(count):
            now += 1 / 48
            reader.take([TICK], now)
        assert reader.reading is not None
        return reader.reading.beat

    reader.take([STOP], now)
    send(48)
    assert reader.reading is not None and not reader.reading.running
    reader.take([START], now + 0.001)
    assert send(1) == 0.0 and reader.reading.running
    assert send(48) == 2.0
    reader.take([STOP], now + 0.001)
    assert not reader.reading.running
    assert send(24) == pytest.approx(2.0 + 1 / 24)  # where the next would have been
    reader.take([CONTINUE], now + 0.001)
    assert send(1) == pytest.approx(2.0 + 1 / 24)
    reader.take([STOP], now + 0.001)
    reader.take([POSITION, 0x12, 0x01], now + 0.001)  # 0x92 sixteenths
    assert reader.reading.beat == 0x92 / 4
    reader.take([CONTINUE], now + 0.002)
    assert send(25) == 0x92 / 4 + 1


def test_ticks_alone_are_beats_that_run() -> None:
    song = Song(starts=False)
    song.send(ticks(120.0, 49))
    assert song.reader.reading is not None
    assert song.reader.reading.running and song.reader.reading.beat == 2.0


def test_what_is_no_clock_is_passed_over() -> None:
    reader = ClockReader()
    for message in ([], [0x90, 60, 100], [0xF2], [0xFE], [0xF6]):
        reader.take(message, 1.0)
    assert reader.reading is None


@dataclass
class Beats:
    """Beats by true time."""

    bpm: float = 120.0
    beat: float = 0.0
    at: float = 0.0
    running: bool = True

    def heard_beat(self, at: float) -> float | None:
        return self.beat + (at - self.at) * self.bpm / 60 if self.running else None

    def heard_time(self, beat: float) -> float | None:
        return self.at + (beat - self.beat) * 60 / self.bpm if self.running else None


class Sent:
    """What a sender sends, stepped through time."""

    def __init__(self, beats: Beats) -> None:
        self.messages: list[tuple[float, list[int]]] = []
        self.now = 0.0
        self.sender = TickSender(beats, self._send, threaded=False)

    def _send(self, message: list[int]) -> None:
        self.messages.append((self.now, message))

    def run(self, until: float) -> None:
        while self.now < until:
            self.now += min(max(self.sender.step(self.now), 1e-6), LOOK_SECONDS)

    def kinds(self) -> list[int]:
        return [message[0] for _, message in self.messages]


def test_ticks_are_sent_on_their_beats() -> None:
    sent = Sent(Beats(133.7))
    sent.run(4.0)
    kinds, times = sent.kinds(), [at for at, _ in sent.messages]
    assert kinds[0] == START and set(kinds[1:]) == {TICK}
    expected = np.arange(len(times) - 1) * 60 / 133.7 / TICKS
    assert np.abs(np.array(times[1:]) - expected).max() < 1e-4


def test_what_is_sent_is_read_as_it_was_meant() -> None:
    beats, reader = Beats(120.0, 7.3), ClockReader()
    sent = Sent(beats)
    sent.run(3.0)
    for at, message in sent.messages:
        reader.take(message, at)
    assert sent.kinds()[:2] == [POSITION, CONTINUE]
    assert reader.reading is not None
    assert reader.reading.beat_at(3.0) == pytest.approx(13.3, abs=0.001)


def test_held_beats_stop_those_that_follow_and_new_ones_start_them() -> None:
    beats = Beats()
    sent = Sent(beats)
    sent.run(1.0)
    beats.running = False
    sent.run(2.0)
    beats.beat, beats.at, beats.running = 0.0, 2.1, True
    sent.run(3.0)
    assert [kind for kind in sent.kinds() if kind != TICK] == [START, STOP, START]
    stop = sent.kinds().index(STOP)
    assert sent.messages[stop][0] == pytest.approx(1.0, abs=LOOK_SECONDS)
    start, tick = sent.messages[stop + 1 : stop + 3]
    assert tick[0] == pytest.approx(2.1, abs=1e-4) and 0.001 < tick[0] - start[0] < 0.005


def test_beats_counted_anew_start_those_that_follow_again() -> None:
    beats = Beats()
    sent = Sent(beats)
    sent.run(1.0)
    beats.beat, beats.at = 64.0, 1.0
    sent.run(2.0)
    assert [kind for kind in sent.kinds() if kind != TICK] == [START, STOP, POSITION, CONTINUE]


@pytest.mark.realtime
def test_ticks_are_sent_within_a_millisecond() -> None:
    times: list[float] = []
    beats = Beats(at=time.monotonic() + 0.1)

    def send(message: list[int]) -> None:
        if message == [TICK]:
            times.append(time.monotonic())

    sender = TickSender(beats, send)
    time.sleep(3.0)
    sender.close()
    expected = beats.at + np.arange(len(times)) / 48
    assert len(times) > 130
    assert np.percentile(np.array(times) - expected, 99) < 0.001
