"""The tempo: when requests are due in it, tapped, and followed from a clock elsewhere."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import numpy as np
import pytest

from eutectic.midi.clock import Reading
from eutectic.osc import answers
from eutectic.osc.table import Fuse, SetTempo, SetTransport, TapTempo
from eutectic.playback.player import Player
from eutectic.playback.timeline import Beat
from eutectic.session.tempo import Tempo
from eutectic.session.tickets import Refused, Ticket

RATE_HZ, BLOCK = 8000, 160

LATENCY_SECONDS = 0.05


@dataclass
class Asked:
    """What a handler needs of a ticket."""

    received: float = 0.0
    due: float | None = None
    client: int = 3
    late_ms: list[float | None] = field(default_factory=list)
    moment = Ticket.moment

    def late(self, ms: float | None) -> None:
        self.late_ms.append(ms)


class Elsewhere:
    """A clock whose beats go by true time."""

    name, problem = "elsewhere", ""

    def __init__(self, world: World, bpm: float, is_shared: bool = False) -> None:
        self._world, self.is_shared = world, is_shared
        self.at, self.beat, self.bpm, self.running = world.now, 0.0, bpm, True
        self.was_set: list[tuple[float | None, float | None, bool | None]] = []

    def turn(self, bpm: float) -> None:
        self.beat, self.at, self.bpm = self.reading().beat, self._world.now, bpm

    def reading(self) -> Reading:
        beat = Reading(self.at, self.beat, self.bpm, self.running).beat_at(self._world.now)
        return Reading(self._world.now, beat, self.bpm, self.running)

    def set(self, *values: object) -> None:
        self.was_set.append(values)  # type: ignore

    def close(self) -> None: ...


class World:
    """A player on a device whose clock is off by so many ppm, and the tempo of its session."""

    def __init__(self, ppm: float = 0.0) -> None:
        self.now, self._block_seconds = 100.0, BLOCK / RATE_HZ / (1 + ppm * 1e-6)
        self.player = Player(RATE_HZ, voices=1, clock=lambda: self.now)
        self.changes = 0
        self.tempo = Tempo(self.player, lambda: LATENCY_SECONDS, self._changed)
        self._out = np.zeros((BLOCK, 2), np.float32)
        self.play(0.5)

    def _changed(self) -> None:
        self.changes += 1

    def play(self, seconds: float) -> None:
        """Let time go by."""
        for _ in range(round(seconds / self._block_seconds)):
            self.player.fill(self._out)
            self.now += self._block_seconds
            self.tempo.update()

    def follow(self, clock: Elsewhere) -> None:
        self.tempo._clock = clock  # type: ignore

    @property
    def off_ms(self) -> float:
        """How late what is heard now is on the beat of the clock that is followed."""
        clock = self.tempo._clock
        assert isinstance(clock, Elsewhere)
        mixed = self.player.frames  # at this very moment, and heard after the latency
        heard = self.now + LATENCY_SECONDS
        beats = clock.reading().beat_at(heard) - self.player.timeline.beat_of(mixed)
        return 60_000 * beats / clock.bpm


def states(world: World) -> answers.Tempo:
    (row,) = world.tempo.states()
    assert isinstance(row, answers.Tempo)
    return row


def set_to(world: World, bpm: float, beat: float | None = None) -> None:
    asyncio.run(world.tempo.set(Asked(world.now), SetTempo(bpm=bpm, beat=beat)))  # type: ignore
    world.play(0.02)


def due(world: World, at_beat: float | None, quantise: float | None) -> tuple[Beat | None, Asked]:
    asked = Asked()
    request = Fuse(id=1, voice=1, original="a", reference="r", at_beat=at_beat, quantise=quantise)
    return world.tempo.due(asked, request), asked  # type: ignore


def test_a_tempo_set_with_a_beat_has_it_then() -> None:
    world = World()
    set_to(world, 90.0, 16.5)
    assert states(world).beat == pytest.approx(16.5 + 0.02 * 1.5, abs=1e-3)
    world.play(2.0)
    assert states(world).beat == pytest.approx(16.5 + 2.02 * 1.5, abs=1e-3)
    assert states(world).by == 3 and world.changes == 1 and world.tempo.kept == 90.0


def test_another_tempo_goes_on_from_the_beat_that_it_is() -> None:
    world = World()
    before = states(world).beat
    set_to(world, 60.0)
    assert states(world).beat == pytest.approx(before + 0.02, abs=1e-3)


def test_held_beats_stay_and_go_on() -> None:
    world = World()
    set_to(world, 120.0, 3.0)
    for on in (0, 1):
        held = states(world).beat
        asyncio.run(world.tempo.run(Asked(world.now), SetTransport(on=on)))  # type: ignore
        world.play(1.0)
    assert states(world).running == 1
    assert states(world).beat == pytest.approx(held + 2.0, abs=1e-3)


def test_requests_are_due_at_their_beat_or_the_next_multiple() -> None:
    world = World()
    set_to(world, 120.0, 5.2)
    for at_beat, quantise, number in ((8.0, None, 8.0), (None, 4.0, 8.0), (10.0, 4.0, 12.0)):
        beat, asked = due(world, at_beat, quantise)
        assert beat is not None and beat.number == number and not asked.late_ms
    assert due(world, None, None)[0] is None
    assert due(world, None, 0.0)[0] is None


def test_a_beat_that_is_past_is_at_once_and_late() -> None:
    world = World()
    set_to(world, 120.0, 5.0)
    beat, asked = due(world, 4.0, None)
    assert beat is None and asked.late_ms == [pytest.approx(520, abs=5)]


def test_a_multiple_of_a_past_beat_is_the_next_one() -> None:
    world = World()
    set_to(world, 120.0, 5.0)
    beat, asked = due(world, 1.0, 4.0)
    assert beat is not None and beat.number == 8.0 and not asked.late_ms


def test_what_is_made_too_late_for_its_multiple_waits_for_the_next() -> None:
    world = World()
    set_to(world, 120.0, 3.5)
    beat, _ = due(world, None, 4.0)
    assert beat is not None
    world.play(1.0)
    later, late_ms = world.tempo.again(beat)
    assert later is not None and later.number == 8.0 and late_ms is None


@pytest.mark.parametrize("jitter", [0.0, 0.02])
def test_taps_set_the_tempo_and_the_beat(jitter: float) -> None:
    world = World()
    generator = np.random.default_rng(1)
    start = world.now
    for tap in range(6):
        world.play(start + tap * 0.4 - world.now)
        at = start + tap * 0.4 + generator.uniform(-jitter, jitter)
        asyncio.run(world.tempo.tap(Asked(at), TapTempo()))  # type: ignore
    world.play(0.02)
    assert states(world).bpm == pytest.approx(150.0, rel=0.001 if not jitter else 0.05)
    beat = world.player.timeline.beat_of(world.player.frame_at(at))
    assert abs(beat - round(beat)) < 0.01


def test_taps_of_a_clock_that_is_wrong_are_those_that_were_received() -> None:
    world = World()
    beat = world.tempo.beat
    for _ in range(3):
        world.play(0.4)
        asyncio.run(world.tempo.tap(Asked(world.now, world.now - 7200.0), TapTempo()))  # type: ignore
    world.play(0.02)
    assert states(world).bpm == pytest.approx(150.0, rel=0.001)
    assert beat < world.tempo.beat < beat + 5


def test_taps_are_forgotten() -> None:
    world = World()
    for at in (1.0, 1.4, 10.0):
        asyncio.run(world.tempo.tap(Asked(at), TapTempo()))  # type: ignore
    world.play(0.02)
    before = states(world).bpm
    asyncio.run(world.tempo.tap(Asked(10.75), TapTempo()))  # type: ignore
    world.play(0.02)
    assert before == pytest.approx(150.0) and states(world).bpm == pytest.approx(80.0)


@pytest.mark.parametrize("ppm", [-100.0, 100.0])
def test_what_is_heard_is_on_the_beat_of_a_clock_elsewhere_whatever_the_device_does(
    ppm: float,
) -> None:
    """Alone, the device would be 20 ms off by the end."""
    world = World(ppm)
    world.follow(Elsewhere(world, 117.3))
    world.play(3.0)
    off = []
    for _ in range(100):
        world.play(2.0)
        off.append(abs(world.off_ms))
    assert max(off) < 0.2  # measured: 0.05


def test_the_beats_alone_are_the_device_s_to_the_frame() -> None:
    """Nothing but frames counts: a clock that is off by 100 ppm moves no beat."""
    world = World(100.0)
    world.play(60.0)
    timeline = world.player.timeline
    assert timeline.beat_of(world.player.frames) == world.player.frames / timeline.frames_per_beat


def test_a_change_of_tempo_elsewhere_is_followed_without_a_jump_back() -> None:
    world = World()
    clock = Elsewhere(world, 120.0)
    world.follow(clock)
    world.play(3.0)
    clock.turn(126.0)
    beats = [states(world).beat]
    for _ in range(250):
        world.play(0.02)
        beats.append(states(world).beat)
    assert np.diff(beats).min() > 0
    assert abs(world.off_ms) < 0.5
    assert states(world).bpm == pytest.approx(126.0, rel=0.003)


def test_a_stop_and_a_start_elsewhere_hold_the_beats_and_let_them_run() -> None:
    world = World()
    clock = Elsewhere(world, 120.0)
    world.follow(clock)
    world.play(1.0)
    clock.turn(120.0)
    clock.running = False
    world.play(1.0)
    assert states(world).running == 0
    assert states(world).beat == pytest.approx(clock.beat, abs=0.01)
    clock.beat, clock.at, clock.running = 0.0, world.now, True
    world.play(1.0)
    assert states(world).running == 1 and abs(world.off_ms) < 0.5


def test_clients_aren_t_told_of_every_change_of_a_clock_that_never_rests() -> None:
    world = World()
    clock = Elsewhere(world, 120.0)
    world.follow(clock)
    seen = set()
    for number in range(200):
        clock.turn(120.0 + 0.1 * (number % 3))
        world.play(0.04)
        seen.add(states(world).bpm)
    assert len(seen) == 1


def test_only_a_clock_that_is_shared_can_be_set() -> None:
    world = World()
    world.follow(Elsewhere(world, 120.0))
    with pytest.raises(Refused, match="follow elsewhere"):
        set_to(world, 90.0)
    shared = Elsewhere(world, 120.0, is_shared=True)
    world.follow(shared)
    set_to(world, 90.0, 4.0)
    assert shared.was_set == [(90.0, 4.0, None)]


def test_the_tempo_that_a_session_kept_is_the_one_it_starts_with() -> None:
    world = World()
    world.tempo.restore(97.0)
    asyncio.run(world.tempo.start("internal", None))  # before the player has it
    world.play(0.1)
    assert world.player.timeline.bpm == states(world).bpm == world.tempo.kept == 97


def test_a_clock_s_tempo_isn_t_kept() -> None:
    world = World()
    world.follow(Elsewhere(world, 98.0))
    world.play(2.0)
    assert states(world).bpm == pytest.approx(98.0, rel=0.003) and world.tempo.kept == 120.0
