"""What is heard, recorded through JACK: no clicks; and a short soak."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from functools import cache
from pathlib import Path

import numpy as np
import psutil
import pytest
import soundfile
from numpy.typing import NDArray

from daemons import daemon
from eutectic.client.daemon_process import status
from eutectic.client.sync import Client
from eutectic.experiments.live.clicks import LIMIT_DB, click_db
from eutectic.experiments.live.jack_server import RATE_HZ, Jack
from eutectic.experiments.live.restarts import kills
from eutectic.experiments.live.soak import soak
from eutectic.osc.answers import Queued
from eutectic.session import kept
from planted import plant
from takes import GAP_FRAMES, PERIOD, take

pytestmark = pytest.mark.realtime

TONES_HZ = (55, 110, 220, 440)
"""Each is a voice's, which has a pair of outputs of its own: so one take shows all of them."""

CHANNELS = 2 * len(TONES_HZ)
BLENDS = (0.5, 0.75, 1.0)
FRAMES = 44_850
"""Of the clip, at 44.1 kHz, so that no tone fits its loop."""


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Generator[Client]:
    folder = tmp_path_factory.mktemp("live")
    with (
        Jack(PERIOD, outputs=CHANNELS),
        daemon(
            folder,
            "--rate",
            str(RATE_HZ),
            "--ring-ms",
            "100",
            "--channels",
            str(CHANNELS),
            device="system",
        ) as process,
        process.client() as client,
    ):
        soundfile.write(folder / "clips" / "t.wav", 0.1 * np.ones(FRAMES), 44_100)
        client.request("/clip/load", "t", "t.wav")
        client.request("/reference/learn", "r", "t", "tone", "@steps", 1)
        client.request("/session/save", "keys")
        there = kept.read(process.data / "sessions" / "keys.toml")
        for hz in TONES_HZ:
            client.set_voice(voice(hz), "out", 2 * voice(hz) - 1)
            asyncio.run(plant(process.data, there.clips[0], there.references[0], hz, BLENDS,
                              seed=hz))  # fmt: skip
        yield client
        assert "waits for the decoder" not in process.log


def voice(hz: int) -> int:
    return 1 + TONES_HZ.index(hz)


def of_tone(samples: NDArray[np.float32], hz: int) -> NDArray[np.float32]:
    """What its voice plays (frame, 2), of all outputs."""
    return samples[:, 2 * voice(hz) - 2 : 2 * voice(hz)]


def again(client: Client) -> None:
    for hz in TONES_HZ:
        reply = client.request("/fuse", voice(hz), "t", "r", "@seed", hz, "@blend", 1, "@loop", 1)
        assert not reply.of(Queued)


def retrigger(client: Client) -> None:
    for _ in range(6):
        time.sleep(0.137)
        again(client)


def loop(client: Client) -> None:
    time.sleep(3.2)


def stop(client: Client) -> None:
    for fade_ms in (30.0, 5.0):
        for hz in TONES_HZ:
            client.send("/stop", voice(hz), fade_ms)
        time.sleep(0.2)
        again(client)
        time.sleep(0.3)


def panic(client: Client) -> None:
    client.send("/panic")
    time.sleep(0.3)


def scrub(client: Client) -> None:
    for blend in (0.5, 1.0, 0.6, 0.75, 0.9, 0.5):
        for hz in TONES_HZ:
            client.send("/scrub", voice(hz), blend)
        time.sleep(0.06)


Recorded = Callable[[Callable[[Client], None], int], NDArray[np.float32]]


@pytest.fixture(scope="module")
def recorded(client: Client, tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """A looped tone to which something is done, all tones in one take."""

    @cache
    def all_tones(what: Callable[[Client], None]) -> NDArray[np.float32]:
        def play() -> None:
            again(client)
            time.sleep(0.3)
            what(client)
            client.send("/stop")
            time.sleep(0.2)

        return take(tmp_path_factory.mktemp("take"), play, channels=CHANNELS)

    return lambda what, hz: of_tone(all_tones(what), hz).copy()


@pytest.mark.parametrize("hz", TONES_HZ)
@pytest.mark.parametrize("what", [retrigger, loop, stop, panic, scrub])
def test_nothing_done_to_a_voice_clicks(
    recorded: Recorded, hz: int, what: Callable[[Client], None]
) -> None:
    samples = recorded(what, hz)
    assert np.abs(samples).max() > 0.05
    assert click_db(samples, RATE_HZ) < LIMIT_DB


def test_switching_devices_does_not_click(client: Client, tmp_path: Path) -> None:
    def leave() -> None:
        again(client)
        time.sleep(0.3)
        client.request("/device/set", "null")
        assert status(client)["device"].startswith("null")

    left = take(tmp_path, leave, before=lambda: client.request("/device/set", "system"),
                channels=CHANNELS)  # fmt: skip
    client.request("/device/set", "system")
    found = take(tmp_path, lambda: time.sleep(0.5), channels=CHANNELS)
    left, found = (of_tone(each, 440) for each in (left, found))
    for samples in (left, found):
        assert np.abs(samples).max() > 0.05
    assert click_db(left, RATE_HZ) < LIMIT_DB
    assert click_db(found[RATE_HZ // 10 : -RATE_HZ // 10], RATE_HZ) < LIMIT_DB


def hard_cut(samples: NDArray[np.float32]) -> None:
    samples[len(samples) // 2 :] = 0


def cut_at_zero(samples: NDArray[np.float32]) -> None:
    """Where the tone goes through zero, so that there is a corner and no jump."""
    middle = len(samples) // 2
    crossing = middle + int(np.argmax(samples[middle:-1, 0] * samples[middle + 1 :, 0] <= 0))
    samples[crossing + 1 :] = 0


def corners(samples: NDArray[np.float32]) -> None:
    """A linear fade of 5 ms."""
    middle, length = len(samples) // 2, RATE_HZ // 200
    samples[middle : middle + length] *= np.linspace(1, 0, length, dtype=np.float32)[:, None]
    samples[middle + length :] = 0


@pytest.mark.parametrize("click", [hard_cut, cut_at_zero, corners])
def test_the_same_measure_finds_planted_clicks(
    recorded: Recorded, click: Callable[[NDArray[np.float32]], None]
) -> None:
    samples = recorded(loop, 440)
    assert click_db(samples, RATE_HZ) < LIMIT_DB
    click(samples)
    assert click_db(samples, RATE_HZ) > LIMIT_DB


def test_a_short_soak_loses_nothing() -> None:
    """Twenty seconds of what `eutectic bench --soak` does for as long as one likes."""
    for _ in range(3):  # a machine that is held up for 30 ms loses sound whatever runs on it
        soaked = soak("toy", 1 / 3, lambda done, whole: None, control_seconds=2.0)
        counts = soaked.counts
        assert counts.unanswered == 0 and counts.answered_twice == 0
        assert sum(counts.sent.values()) > 100 and counts.ended["done"] > 30
        assert "0 deaths" in soaked.deaths
        if soaked.underruns == 0:
            break
    assert soaked.underruns == 0


def test_what_is_ready_is_played_while_the_engine_is_killed_again_and_again() -> None:
    """A short form of what `eutectic bench --kills` does."""
    for _ in range(3):  # a machine that is held up for 30 ms loses sound whatever runs on it
        killed = kills("toy", 3, lambda done, whole: None, pauses_seconds=(1.0, 4.0))
        ((count, requests, never, twice, silence_ms, _, _, _, left),) = killed.rows
        assert (count, never, twice, left) == ("3", 0, 0, 0) and int(requests) > 20
        assert "3 deaths" in killed.notes[1]
        if "lost: 0 underruns" in killed.notes[2]:
            break
    assert float(silence_ms) < 1000 * GAP_FRAMES / RATE_HZ


def test_a_measurement_that_is_interrupted_leaves_no_process_running() -> None:
    command = [sys.executable, "-m", "eutectic", "bench", "--live"]
    measurement = subprocess.Popen(command)
    until = time.monotonic() + 60
    started: list[psutil.Process] = []
    while not {"jackd", "serve"} <= {word for each in started for word in each.info["cmdline"]}:
        assert time.monotonic() < until
        time.sleep(0.05)
        there = psutil.process_iter(["ppid", "cmdline"], ad_value=())  # some come and go
        started = [each for each in there if each.info["ppid"] == measurement.pid]
    measurement.terminate()
    assert measurement.wait(60) == 130
    assert not psutil.wait_procs(started, timeout=20)[1]
