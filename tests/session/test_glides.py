"""Recall as a knob, turned while a real daemon plays."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Generator

import numpy as np
import pytest
from numpy.typing import NDArray

from daemons import daemon, fails, prepare, silenced, until, wait_for
from eutectic.client.daemon_process import Daemon, status, until_ready
from eutectic.client.sync import Client
from eutectic.experiments.live.clicks import LIMIT_DB, click_db, longest_silence
from eutectic.osc.answers import Ended, Started
from eutectic.session import kept
from loops import RATE_HZ, a_turn, heard, is_heard, likeness, rendered
from planted import plant

pytestmark = pytest.mark.process

SECONDS = 0.6
"""Of the loops."""

TONE_HZ = 220
GRID = (0.0, 0.25, 0.5, 0.75, 1.0)
PLANTED = {0.0: 1.0, 0.5: 0.6, 1.0: 0.3}
"""The level of the tones, by recall."""
PLANTED_SEED = 220


@pytest.fixture(scope="module")
def playing(tmp_path_factory: pytest.TempPathFactory) -> Generator[Daemon]:
    """A prepared daemon at the model's rate, some of whose fusions are tones."""
    folder = tmp_path_factory.mktemp("glides")
    session = ("--session", str(folder / "night.toml"))
    with daemon(folder, "--rate", str(RATE_HZ), *session, seconds=SECONDS) as process:
        with process.client() as client:
            prepare(client)
            client.request("/reference/remember", "m", "b", "hiss")
            client.request("/session/save", "keys")
            client.request("/preset/save", "before")
            until_ready(client)
        there = kept.read(process.data / "sessions" / "keys.toml")
        for recall, level in PLANTED.items():
            asyncio.run(plant(process.data, there.clips[0], there.references[0], TONE_HZ, GRID,
                              (RATE_HZ,), PLANTED_SEED, recall, level))  # fmt: skip
        yield process
        assert "Traceback" not in process.log


@pytest.fixture
def client(playing: Daemon) -> Generator[Client]:
    with silenced(playing) as client:
        yield client
        client.request("/preset/load", "before")


def peak(samples: NDArray[np.float32]) -> float:
    return float(np.abs(samples).max())


def fuse_tone(client: Client, *options: int | float | str) -> int:
    number = client.begin("/fuse", 1, "a", "r", "@seed", PLANTED_SEED, "@loop", 1, *options)
    wait_for(client, Started, lambda started: started.id == number)
    client.end("/fuse", number)
    return number


def turn(client: Client, recall: float) -> None:
    client.send("/voice/set", 1, "recall", recall)


def test_what_plays_follows_the_strength_of_its_voice(client: Client) -> None:
    """From what was learned to the model's own weights; at full recall there is nothing to turn."""
    client.request("/reference/learn", "grown", "b", "hiss", "@steps", 30)
    place = ("a", "grown", "@recall", 0, "@blend", 0.3)
    whole, none = rendered(client, *place), rendered(client, *place, "@strength", 0)
    client.request("/fuse", 1, *place, "@loop", 1)
    until(lambda: is_heard(client, whole))
    assert likeness(whole, none) < 0.99
    client.set_voice(1, "strength", 0)
    until(lambda: is_heard(client, none))
    client.set_voice(1, "strength", 0.5)
    until(lambda: is_heard(client, rendered(client, *place, "@strength", 0.5)))
    number = client.begin("/fuse", 1, *place, "@loop", 1)  # at the voice's own
    client.end("/fuse", number)
    until(lambda: is_heard(client, rendered(client, *place, "@strength", 0.5)))
    client.set_voice(1, "recall", 1)
    full = rendered(client, "a", "grown", "@recall", 1, "@blend", 0.3)
    until(lambda: is_heard(client, full))
    client.set_voice(1, "strength", 2)
    time.sleep(0.5)
    assert is_heard(client, full)
    assert fails(client, "/fuse", 1, "a", "grown", "@strength", 2.1) == "bad_option"


def test_a_turned_knob_leaves_the_other_where_the_fusion_has_it(client: Client) -> None:
    client.request("/reference/learn", "grown", "b", "hiss", "@steps", 30)
    client.set_voice(1, "strength", 0)
    place = ("a", "grown", "@blend", 0.1, "@strength", 1)
    client.request("/fuse", 1, *place, "@recall", 0, "@loop", 1)
    client.set_voice(1, "recall", 0.2)
    expected = rendered(client, *place, "@recall", 0.2)
    assert likeness(expected, rendered(client, *place[:-1], 0, "@recall", 0.2)) < 0.99
    until(lambda: is_heard(client, expected))
    client.request("/fuse", 1, *place[:-2], "@recall", 0, "@loop", 1)
    client.set_voice(1, "strength", 0.5)
    until(lambda: is_heard(client, rendered(client, *place[:-1], 0.5, "@recall", 0)))


def test_strength_is_kept_with_a_voice(client: Client) -> None:
    client.set_voice(1, "strength", 0.5)
    client.request("/preset/save", "half")
    client.set_voice(1, "strength", 2)
    client.request("/preset/load", "half")
    client.request("/session/save", "half")
    client.request("/reference/learn", "grown", "b", "hiss", "@steps", 30)
    place = ("a", "grown", "@recall", 0, "@blend", 0.3)
    client.request("/fuse", 1, *place, "@loop", 1)
    until(lambda: is_heard(client, rendered(client, *place, "@strength", 0.5)))


def test_a_turn_changes_what_plays_without_a_click_or_a_new_start(client: Client) -> None:
    fuse_tone(client, "@blend", 0.5)
    time.sleep(0.1)

    def turns() -> None:
        for recall in (1.0, 0.5, 0.0, 1.0, 0.5):
            turn(client, recall)
            time.sleep(0.15)
        for recall in (0.0, 1.0, 0.5, 1.0):
            turn(client, recall)
            time.sleep(0.01)
        time.sleep(0.6)

    samples = heard(client, turns)
    assert click_db(samples, RATE_HZ) < LIMIT_DB
    assert longest_silence(samples) < 100
    assert peak(samples) == pytest.approx(0.3, rel=0.05)  # of recall 0
    assert peak(samples[-RATE_HZ // 4 :]) == pytest.approx(0.3 * PLANTED[1.0], rel=0.05)
    assert not [each for each in client.events(0.1) if isinstance(each, Started | Ended)]


def test_a_turn_keeps_the_position_in_the_loop(client: Client) -> None:
    """The tone of each recall has the same phase, so that what is heard is one tone throughout."""
    fuse_tone(client, "@blend", 0.5)
    time.sleep(0.1)

    def turns() -> None:
        for recall in (1.0, 0.5, 1.0, 0.0):
            time.sleep(0.1)
            turn(client, recall)

    samples = heard(client, turns)[:, 0]
    at = np.arange(len(samples)) / RATE_HZ
    mixed = samples * np.exp(-2j * np.pi * TONE_HZ * at)
    phases = np.angle(np.convolve(mixed, np.ones(2205) / 2205, "valid"))
    assert np.ptp(np.unwrap(phases)) < 0.05


def test_scrubbing_goes_on_across_the_fan_of_the_new_recall(client: Client) -> None:
    fuse_tone(client, "@blend", 0.5)
    turn(client, 1.0)
    for blend in (1.0, 0.0, 0.75):
        client.send("/scrub", 1, blend)
        expected = (0.4 - 0.2 * blend) * PLANTED[1.0]
        until(lambda expected=expected: is_peak(client, expected))
    turn(client, 0.5)  # at the blend where it is now
    until(lambda: is_peak(client, 0.25 * PLANTED[0.5]))


def is_peak(client: Client, expected: float) -> bool:
    return peak(a_turn(client, SECONDS)) == pytest.approx(expected, rel=0.05)


def test_fast_turns_leave_no_jobs_behind_and_the_newest_is_heard(
    playing: Daemon, client: Client
) -> None:
    """None of these is ready; more come in a second than can be made."""
    client.request("/fuse", 1, "a", "r", "@blend", 0.5, "@loop", 1, "@steps", 50)
    generator, waiting = np.random.default_rng(0), [0]

    def turns() -> None:
        for count, recall in enumerate(generator.uniform(0, 0.99, 300)):
            turn(client, round(float(recall), 3))
            time.sleep(0.005)
            if count % 30 == 0:
                waiting.append(int(status(client)["requests"].split()[2]))
        turn(client, 0.125)

    samples = heard(client, turns)
    assert max(waiting) <= 3  # one that is made, those just cancelled
    assert longest_silence(samples) < 500
    options = ("@blend", 0.5, "@steps", 50)
    newest = rendered(client, "a", "r", *options, "@recall", 0.125)
    until(lambda: is_heard(client, newest))
    other = rendered(client, "a", "r", *options, "@recall", 0.5)
    assert likeness(other, newest) < 0.999
    client.request("/session/save", "turned")
    voice = kept.read(playing.data / "sessions" / "turned.toml").voices[0]
    assert (voice.recall, voice.request["recall"]) == (0.125, 0.125)


def changes(client: Client) -> int:
    """How often what a voice plays has been changed."""
    return int(status(client).get("recall", "of 0").split()[-1])


def test_what_is_made_for_an_older_position_is_cancelled_once_the_knob_rests(
    client: Client,
) -> None:
    options = ("@blend", 0.2, "@steps", 1000)
    client.request("/fuse", 1, "a", "r", "@loop", 1, *options)
    before = changes(client)
    for recall in (0.75, 0.5):
        turn(client, recall)
        time.sleep(0.05)
    until(lambda: changes(client) > before)
    assert is_heard(client, rendered(client, "a", "r", *options, "@recall", 0.5))
    assert changes(client) == before + 1


def test_a_knob_that_keeps_turning_is_heard(client: Client) -> None:
    """Each value comes before the last one is made, and yet the sound changes meanwhile."""
    client.request("/fuse", 1, "a", "m", "@blend", 0.5, "@loop", 1, "@recall", 1)
    first = rendered(client, "a", "m", "@blend", 0.5, "@recall", 1)
    client.send("/voice/set", 1, "recall", 0.9)

    def turns() -> None:
        for count in range(100):
            turn(client, 0.9 - 0.008 * count)
            time.sleep(0.02)

    samples = heard(client, turns)
    middle = samples[RATE_HZ // 2 : RATE_HZ // 2 + len(first)]
    assert likeness(middle, first) < 0.99


def test_the_voice_s_recall_is_that_of_fusions_that_give_none(client: Client) -> None:
    turn(client, 0.25)
    options = ("@blend", 0.3, "@loop", 1)
    for given, recall in (((), 0.25), (("@recall", 0.75), 0.75)):
        client.request("/fuse", 1, "a", "m", *options, *given)
        assert is_heard(client, rendered(client, "a", "m", "@blend", 0.3, "@recall", recall))
    assert fails(client, "/fuse", 1, "a", "m", "@recall", 2) == "bad_option"


def test_a_turn_while_a_fusion_is_made_is_heard_once_it_plays(client: Client) -> None:
    number = client.begin("/fuse", 1, "a", "r", "@steps", 300, "@blend", 0.2, "@loop", 1)
    turn(client, 0.6)
    client.end("/fuse", number)
    newest = rendered(client, "a", "r", "@steps", 300, "@blend", 0.2, "@recall", 0.6)
    until(lambda: is_heard(client, newest))


def test_a_fusion_placed_by_its_steps_keeps_them(client: Client) -> None:
    client.request("/fuse", 1, "a", "r", "@remaining", 6, "@loop", 1)
    turn(client, 0.5)
    newest = rendered(client, "a", "r", "@remaining", 6, "@recall", 0.5)
    until(lambda: is_heard(client, newest))


def test_what_plays_goes_on_with_what_is_learned(client: Client) -> None:
    """As far as the network is heard in it."""
    options = ("@blend", 0.1, "@recall", 0.25)
    client.request("/reference/remember", "new", "b", "brand new")
    client.request("/fuse", 1, "a", "new", "@loop", 1, *options)
    before = rendered(client, "a", "new", *options)
    client.request("/reference/learn", "new", "b", "brand new", "@steps", 30)
    after = rendered(client, "a", "new", *options)
    assert likeness(before, after) < 0.99
    until(lambda: is_heard(client, after))


def test_what_plays_from_memory_stays_when_its_reference_is_learned(client: Client) -> None:
    client.request("/reference/remember", "newer", "b", "newer")
    client.request("/fuse", 1, "a", "newer", "@loop", 1, "@blend", 0.1)
    remembered = rendered(client, "a", "newer", "@blend", 0.1)
    client.request("/reference/learn", "newer", "b", "newer", "@steps", 30)
    assert likeness(remembered, rendered(client, "a", "newer", "@blend", 0.1)) < 0.99
    time.sleep(0.3)
    assert is_heard(client, remembered)


def test_a_stopped_voice_is_left_alone(playing: Daemon, client: Client) -> None:
    fuse_tone(client, "@blend", 0.5)
    client.send("/stop", 1, 5.0)
    wait_for(client, Ended)
    turn(client, 1.0)
    assert peak(heard(client, lambda: time.sleep(0.3))) == 0
