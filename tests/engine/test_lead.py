"""A sound's decoding waits for another fusion only while its decoded part lasts."""

from eutectic.engine.lead import MARGIN, Lead


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_nothing_can_wait_before_a_sound_begins_or_a_fusions_duration_is_known() -> None:
    clock = Clock()
    lead = Lead(clock)
    assert not lead.is_enough()
    with lead.sound() as decoded:
        decoded(10.0)
        assert not lead.is_enough()
        lead.took(1.0)
        assert lead.is_enough()
    with lead.sound():
        assert not lead.is_enough()
    assert not lead.is_enough()


def test_a_sound_counts_as_playing_from_its_first_chunk() -> None:
    clock = Clock()
    lead = Lead(clock)
    lead.took(1.0)
    with lead.sound() as decoded:
        decoded(0.5)
        clock.now += 0.3
        decoded(MARGIN + 0.5)
        assert lead.is_enough()
        clock.now += 0.3
        assert not lead.is_enough()


def test_the_longest_recent_fusion_and_every_sound_in_progress_count() -> None:
    lead = Lead(Clock())
    for seconds in (0.1, 3.0, 0.1):
        lead.took(seconds)
    with lead.sound() as outer:
        outer(3.0 * MARGIN - 1.0)
        assert not lead.is_enough()
        outer(3.0 * MARGIN + 1.0)
        assert lead.is_enough()
        with lead.sound() as inner:
            assert not lead.is_enough()
            inner(100.0)
            assert lead.is_enough()
            outer(1.0)
            assert not lead.is_enough()
        outer(100.0)
        assert lead.is_enough()


def test_a_sound_that_nobody_awaits_can_always_wait() -> None:
    lead = Lead(Clock())
    lead.took(1.0)
    with lead.sound(awaited=False) as decoded:
        decoded(0.0)
        with lead.sound() as heard:
            heard(0.1)
            assert not lead.is_enough()
            heard(10.0)
            assert lead.is_enough()


def test_an_interrupted_jobs_clock_stops() -> None:
    clock = Clock()
    lead = Lead(clock)
    began = lead.now()
    clock.now += 1.0
    with lead.interruption():
        clock.now += 10.0
        inner = lead.now()
        with lead.interruption():
            clock.now += 100.0
        clock.now += 5.0
        assert lead.now() - inner == 5.0
    clock.now += 2.0
    assert lead.now() - began == 3.0
