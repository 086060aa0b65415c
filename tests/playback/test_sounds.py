"""Fans of one and of two axes: what is heard of which sound, wherever the hand is."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from eutectic.audio import equal_power
from eutectic.experiments.live.clicks import LIMIT_DB, click_db
from eutectic.playback.player import Player
from eutectic.playback.sounds import UNHEARD, Fan, Nodes, Row, Sound

RATE_HZ, BLOCK = 48_000, 128
BLENDS, YS = (0.0, 0.25, 0.5, 0.75, 1.0), (0.0, 0.5, 1.0)
PLACES = list(itertools.product(YS, BLENDS))

shares = st.floats(0, 1)
subsets = st.sets(st.integers(0, len(PLACES) - 1), min_size=1).map(sorted)


def grid() -> Fan:
    """A fan of two axes without sounds."""
    return Fan([blend for _, blend in PLACES], [y for y, _ in PLACES])


def filled(sounds: list[Sound], of: list[int] | None = None) -> Fan:
    fan = grid()
    for index in range(len(PLACES)) if of is None else of:
        fan.put(index, sounds[index])
    fan.measure_correlations()
    return fan


def noises(frames: int = 20_000, shared: float = 0.0) -> list[Sound]:
    """A noise for each place; `shared` is the share of power that all have in common."""
    rng = np.random.default_rng(3)
    common, *own = 0.1 * rng.standard_normal((len(PLACES) + 1, 2, frames))
    a, b = math.sqrt(shared), math.sqrt(1 - shared)
    return [Sound.of((a * common + b * each).astype(np.float32)) for each in own]


def gains_at(fan: Fan, blend: float, y: float) -> dict[int, float]:
    nodes = fan.nodes(0, BLOCK)
    assert nodes is not None
    gains = nodes.gains(np.array([blend]), np.array([y]))
    return {index: float(gain[0]) for index, gain in gains.items()}


def play(player: Player, blocks: int) -> NDArray[np.float32]:
    out = np.zeros((blocks, BLOCK, 2), np.float32)
    for block in out:
        player.fill(block)
    return out.reshape(-1, 2)


def audible(gains: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.where(gains > UNHEARD, gains, 0)


def along_a_line(
    blends: tuple[float, ...], correlations: tuple[float, ...], course: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Gains of a fan of one axis, node by node (node, frame), straight from its formula."""
    nodes = np.asarray(blends)
    left = (np.searchsorted(nodes, course, "right") - 1).clip(0, len(nodes) - 2)
    b, a = equal_power(((course - nodes[left]) / np.diff(nodes)[left]).clip(0, 1))
    scale = 1 / np.sqrt(1 + 2 * a * b * np.asarray(correlations)[left])
    gains = np.zeros((len(nodes), len(course)), np.float32)
    at = np.arange(len(course))
    gains[left, at], gains[left + 1, at] = a * scale, b * scale
    return gains


@given(
    blends=st.sets(shares, min_size=2, max_size=9).map(sorted).filter(
        lambda found: min(np.diff(found)) > 1e-6
    ),
    correlations=st.lists(shares, min_size=8, max_size=8),
    course=st.lists(shares, min_size=1, max_size=30),
)  # fmt: skip
def test_a_fan_of_one_axis_is_mixed_bit_by_bit_as_its_formula_says(
    blends: list[float], correlations: list[float], course: list[float]
) -> None:
    pairs = itertools.pairwise(range(len(blends)))
    row = Row(0.0, tuple(range(len(blends))), tuple(blends))
    nodes = Nodes((row,), dict(zip(pairs, correlations, strict=False)))
    found = nodes.gains(np.asarray(course), np.full(len(course), 0.7))
    expected = along_a_line(tuple(blends), tuple(correlations[: len(blends) - 1]),
                            np.asarray(course))  # fmt: skip
    for index, gains in enumerate(expected):
        assert np.array_equal(audible(found.get(index, np.zeros(len(course)))), audible(gains))


@given(of=subsets, blend=shares, y=shares)
def test_uncorrelated_sounds_have_constant_power_wherever_the_hand_is(
    of: list[int], blend: float, y: float
) -> None:
    fan = grid()
    for index in of:
        fan.put(index, Sound.of(np.ones((2, BLOCK), np.float32)))  # not measured: 0
    assert sum(gain**2 for gain in gains_at(fan, blend, y).values()) == pytest.approx(1, abs=1e-6)


@given(of=subsets, blend=shares, y=shares)
def test_identical_sounds_have_a_constant_level_wherever_the_hand_is(
    of: list[int], blend: float, y: float
) -> None:
    sound = Sound.of(np.ones((2, BLOCK), np.float32))
    fan = filled([sound] * len(PLACES), of)
    assert sum(gains_at(fan, blend, y).values()) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("shared", [0.0, 0.4, 0.9])
def test_the_level_of_a_scrub_over_both_axes_stays(shared: float) -> None:
    """To 0.5 dB; the noises' own levels differ by up to 0.1 dB, and their parts by more."""
    player = Player(RATE_HZ)
    player.play(1, filled(noises(shared=shared)), 1, blend=0.1, y=0.1, loop=True)
    play(player, 40)
    levels: list[float] = []
    for blend, y in itertools.product((0.0, 0.1, 0.4, 0.62, 1.0), (0.0, 0.2, 0.3, 0.8)):
        player.scrub(1, blend, y)
        levels.append(float(np.square(play(player, 60)).mean()))
    assert np.ptp(10 * np.log10(levels)) < 0.5


@given(of=subsets, blend=shares, y=shares, angle=st.floats(0, 2 * math.pi))
def test_a_small_move_is_a_small_change(
    of: list[int], blend: float, y: float, angle: float
) -> None:
    """Steepest between neighbours: 0.75 π of gain a step, which is 0.25."""
    fan = filled(noises(64, shared=0.5), of)
    step = 1e-4
    one = gains_at(fan, blend, y)
    other = gains_at(fan, blend + step * math.cos(angle), y + step * math.sin(angle))
    change = max(abs(one.get(k, 0.0) - other.get(k, 0.0)) for k in {*one, *other})
    assert change < 2 * 0.75 * math.pi * step / 0.25 + 1e-6


def test_only_the_corners_around_the_hand_are_heard() -> None:
    fan = filled(noises(64))
    assert set(gains_at(fan, 0.3, 0.6)) == {PLACES.index((y, blend)) for y in (0.5, 1.0)
                                            for blend in (0.25, 0.5)}  # fmt: skip
    assert gains_at(fan, 0.5, 0.5) == {PLACES.index((0.5, 0.5)): 1.0}
    assert gains_at(fan, 1.0, 0.0) == {PLACES.index((0.0, 1.0)): 1.0}


@pytest.mark.parametrize(
    ("ready", "heard"),
    [
        ([(0.0, 0.25), (0.0, 0.5), (0.5, 0.25)], {(0.0, 0.25), (0.0, 0.5), (0.5, 0.25)}),
        ([(0.0, 0.25), (0.5, 0.5)], {(0.0, 0.25), (0.5, 0.5)}),
        ([(0.0, 0.5)], {(0.0, 0.5)}),
        ([(1.0, 0.0), (1.0, 1.0)], {(1.0, 0.0), (1.0, 1.0)}),
    ],
)
def test_what_is_not_ready_is_stood_in_for_by_what_is_near(
    ready: list[tuple[float, float]], heard: set[tuple[float, float]]
) -> None:
    fan = filled(noises(64), [PLACES.index(each) for each in ready])
    assert {PLACES[k] for k in gains_at(fan, 0.4, 0.3)} == heard


@pytest.mark.parametrize("hz", [55, 220])
def test_scrubs_along_both_axes_do_not_click_while_places_become_ready(hz: float) -> None:
    t = np.arange(RATE_HZ) / RATE_HZ
    waves = [(0.4 - 0.02 * k) * np.sin(2 * np.pi * hz * t + 0.7 * k) for k in range(len(PLACES))]
    sounds = [Sound.of(np.stack([wave, wave]).astype(np.float32), 2400) for wave in waves]
    fan = filled(sounds, [7])
    player = Player(RATE_HZ)
    player.play(1, fan, 1, blend=0.5, y=0.5, loop=True)
    rng = np.random.default_rng(1)
    heard = [play(player, 60)]
    for index in rng.permutation(len(PLACES)):
        player.scrub(1, *rng.random(2))
        heard.append(play(player, int(rng.integers(3, 15))))
        fan.put(index, sounds[index])
        heard.append(play(player, int(rng.integers(3, 15))))
        fan.measure_correlations()
    heard.append(play(player, 60))
    assert click_db(np.concatenate(heard)[RATE_HZ // 10 :], RATE_HZ) < LIMIT_DB
    assert all(fan.sounds)


def test_the_nearest_sound_is_found_on_both_axes() -> None:
    fan = filled(noises(64), [PLACES.index((0.0, 0.5)), PLACES.index((1.0, 1.0))])
    assert fan.nearest(0.6, 0.2) == PLACES.index((0.0, 0.5))
    assert fan.nearest(0.6, 0.9) == PLACES.index((1.0, 1.0))
    assert grid().nearest(0.5, 0.5) is None
