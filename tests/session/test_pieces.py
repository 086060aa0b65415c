"""Where the pieces of live fusions are, and the gate."""

from __future__ import annotations

import numpy as np
import pytest

from eutectic.playback.heard import Heard
from eutectic.session.pieces import Clocks, Gate, Window, likeness

RATE_HZ, HOP = 48_000, 1024 * 48_000 / 44_100
LENGTH = 96_000.0


def heard(samples: np.ndarray) -> Heard:
    memory = Heard(RATE_HZ, 1)
    memory.write(samples.astype(np.float32)[:, None])
    return memory


def test_windows_are_as_long_as_one_another_and_begin_on_a_frame_of_latents() -> None:
    stops = np.random.default_rng(0).integers(100_000, 2_000_000, 200).tolist()
    windows = [Window.ending(stop, LENGTH, RATE_HZ, HOP) for stop in stops]
    assert len({window.frames for window in windows}) == 1
    for window in windows:
        assert window.start == round(window.latents * HOP)
        assert LENGTH <= window.stop - window.start <= LENGTH + HOP + 1
        assert window.frames >= window.stop - window.start + 0.05 * RATE_HZ - 1


def test_a_window_goes_on_mirrored_and_what_was_before_the_input_is_silent() -> None:
    memory = heard(np.arange(1, 50_001) / 50_000)
    window = Window.ending(50_000, LENGTH, RATE_HZ, HOP)
    (samples,) = window.read(memory)
    assert len(samples) == window.frames
    assert not samples[: -window.start].any()
    end = 50_000 - window.start
    assert np.array_equal(samples[-window.start : end], memory.read(0, 50_000)[0])
    assert np.array_equal(samples[end : end + 100], samples[end - 100 : end][::-1])


def test_a_window_has_no_sample_that_is_not_finite() -> None:
    memory = heard(np.array([0.5, np.nan, np.inf, -np.inf] * 12_500))
    samples = Window.ending(50_000, 1000, RATE_HZ, HOP).read(memory)
    assert np.isfinite(samples).all()
    assert np.abs(samples).max() == 0.5


def edges(gate: Gate, samples: np.ndarray, chunk: int) -> list[tuple[int, bool]]:
    return [
        edge for at in range(0, len(samples), chunk)
        for edge in gate.take(samples[None, at : at + chunk].astype(np.float32), at)
    ]  # fmt: skip


@pytest.mark.parametrize("chunk", [4800, 12_000, 48_000])
def test_the_gate_opens_before_a_sound_and_closes_after_it(chunk: int) -> None:
    samples = np.zeros(4 * RATE_HZ)
    samples[RATE_HZ : 2 * RATE_HZ] = 0.1
    (opened, is_open), (closed, is_closed) = edges(Gate(-40.0, RATE_HZ), samples, chunk)
    assert (is_open, is_closed) == (True, False)
    assert RATE_HZ - 960 <= opened < RATE_HZ
    assert 2 * RATE_HZ + 0.3 * RATE_HZ <= closed < 2 * RATE_HZ + 0.35 * RATE_HZ


def test_the_gate_stays_as_it_is_a_little_under_its_threshold_and_in_short_silences() -> None:
    level = np.full(4 * RATE_HZ, 10 ** (-43 / 20))
    assert not edges(Gate(-40.0, RATE_HZ), level, 4800)
    level[:480] = 0.1
    level[RATE_HZ : RATE_HZ + RATE_HZ // 5] = 0
    assert [is_open for _, is_open in edges(Gate(-40.0, RATE_HZ), level, 4800)] == [True]


def test_a_gate_that_is_closed_from_outside_opens_again() -> None:
    gate = Gate(-40.0, RATE_HZ)
    loud = np.full((1, 4800), 0.1, np.float32)
    gate.take(loud, 0)
    assert gate.close(4800) == [(4800, False)]
    assert gate.close(4800) == []
    assert gate.take(loud, 96_000) == [(95_520, True)]


def test_the_lag_is_constant_though_clocks_are_seen_with_jitter() -> None:
    clocks, generator = Clocks(44_100, 48_000), np.random.default_rng(0)
    places: list[float] = []
    for second in range(600):
        for _ in range(20):
            clocks.see(44_100 * second, second, 48_000 * second + 960 + generator.normal(0, 30))
        clocks.settle()
        places.append(clocks.to_player(44_100 * second) - 48_000 * second)
    assert max(places) - min(places) < 1e-6
    assert places[0] == pytest.approx(960, abs=30)
    assert clocks.to_heard(clocks.to_player(1234.5)) == pytest.approx(1234.5)


def test_the_lag_follows_clocks_that_drift_to_a_few_milliseconds() -> None:
    clocks, drift = Clocks(48_000, 48_000), 1 + 50e-6
    for second in range(600):
        for part in range(20):
            at = second + part / 20
            clocks.see(48_000 * at, second, 48_000 * drift * at)
        clocks.settle()
        off = clocks.to_player(48_000 * second) - 48_000 * drift * second
        assert abs(off) < 0.0035 * 48_000


def test_likeness_is_one_of_the_same_and_none_of_others() -> None:
    noise = np.random.default_rng(0).standard_normal((2, 2, 20_000)).astype(np.float32)
    assert likeness(noise[0], 3 * noise[0]) == pytest.approx(1)
    assert likeness(noise[0], noise[1]) < 0.05
    assert likeness(noise[0], -noise[0]) == 0
    assert likeness(noise[0], 0 * noise[0]) == 0
