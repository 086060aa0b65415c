"""What is heard, recorded through JACK: no clicks; and a short soak."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Generator
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
BLENDS = (0.5, 0.75, 1.0)
FRAMES = 44_850
"""Of the clip, at 44.1 kHz, so that no tone fits its loop."""


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Generator[Client]:
    folder = tmp_path_factory.mktemp("live")
    with (
        Jack(PERIOD),
        daemon(folder, "--rate", str(RATE_HZ), "--ring-ms", "100", device="system") as process,
        process.client() as client,
    ):
        soundfile.write(folder / "clips" / "t.wav", 0.1 * np.ones(FRAMES), 44_100)
        client.request("/clip/load", "t", "t.wav")
        client.request("/reference/learn", "r", "t", "tone", "@steps", 1)
        client.request("/session/save", "keys")
        there = kept.read(process.data / "sessions" / "keys.toml")
        for hz in TONES_HZ:
            asyncio.run(plant(process.data, there.clips[0], there.references[0], hz, BLENDS,
                              seed=hz))  # fmt: skip
        yield client
        assert "waits for the decoder" not in process.log


def again(client: Client, hz: int) -> None:
    reply = client.request("/fuse", 1, "t", "r", "@seed", hz, "@blend", 1, "@loop", 1)
    assert not reply.of(Queued)


def retrigger(client: Client, hz: int) -> None:
    for _ in range(6):
        time.sleep(0.137)
        again(client, hz)


def loop(client: Client, hz: int) -> None:
    time.sleep(3.2)


def stop(client: Client, hz: int) -> None:
    for fade_ms in (30.0, 5.0):
        client.send("/stop", 1, fade_ms)
        time.sleep(0.2)
        again(client, hz)
        time.sleep(0.3)


def panic(client: Client, hz: int) -> None:
    client.send("/panic")
    time.sleep(0.3)


def scrub(client: Client, hz: int) -> None:
    for blend in (0.5, 1.0, 0.6, 0.75, 0.9, 0.5):
        client.send("/scrub", 1, blend)
        time.sleep(0.06)


def recorded(
    client: Client, folder: Path, hz: int, what: Callable[[Client, int], None]
) -> NDArray[np.float32]:
    """A looped tone to which something is done."""

    def play() -> None:
        again(client, hz)
        time.sleep(0.3)
        what(client, hz)
        client.send("/stop", 1)
        time.sleep(0.2)

    return take(folder, play)


@pytest.mark.parametrize("hz", TONES_HZ)
@pytest.mark.parametrize("what", [retrigger, loop, stop, panic, scrub])
def test_nothing_done_to_a_voice_clicks(
    client: Client, tmp_path: Path, hz: int, what: Callable[[Client, int], None]
) -> None:
    samples = recorded(client, tmp_path, hz, what)
    assert np.abs(samples).max() > 0.05
    assert click_db(samples, RATE_HZ) < LIMIT_DB


def test_switching_devices_does_not_click(client: Client, tmp_path: Path) -> None:
    def leave() -> None:
        again(client, 440)
        time.sleep(0.3)
        client.request("/device/set", "null")
        assert status(client)["device"].startswith("null")

    left = take(tmp_path, leave, before=lambda: client.request("/device/set", "system"))
    client.request("/device/set", "system")
    found = take(tmp_path, lambda: time.sleep(0.5))
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
    client: Client, tmp_path: Path, click: Callable[[NDArray[np.float32]], None]
) -> None:
    samples = recorded(client, tmp_path, 440, loop)
    assert click_db(samples, RATE_HZ) < LIMIT_DB
    click(samples)
    assert click_db(samples, RATE_HZ) > LIMIT_DB


def test_a_short_soak_loses_nothing() -> None:
    """Half a minute of what `eutectic bench --soak` does for as long as one likes."""
    for _ in range(3):  # a machine that is held up for 30 ms loses sound whatever runs on it
        soaked = soak("toy", 0.5, lambda done, whole: None, control_seconds=5.0)
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
        killed = kills("toy", 3, lambda done, whole: None)
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
