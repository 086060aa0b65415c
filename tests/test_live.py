"""What is heard, recorded through JACK: no clicks; and a short soak."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from clicks import LIMIT_DB, click_db
from daemons import daemon
from eutectic.client import Client
from eutectic.experiments.live.jack_server import RATE_HZ, Jack, Recording
from eutectic.experiments.live.soak import soak

TONES_HZ = (55, 110, 220, 440)


def tone(folder: Path, hz: int) -> None:
    """A sustained tone that doesn't fit its loop, its own ends smooth."""
    at = np.arange(round(1.017 * 44_100)) / 44_100
    samples = 0.3 * np.sin(2 * np.pi * hz * at + 0.7)
    fade = np.sin(0.5 * np.pi * np.linspace(0, 1, 441)) ** 2
    samples[:441] *= fade
    soundfile.write(folder / f"{hz}.wav", samples, 44_100)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Generator[Client]:
    folder = tmp_path_factory.mktemp("live")
    with (
        Jack(),
        daemon(folder, "--rate", str(RATE_HZ), device="system") as process,
        process.client() as client,
    ):
        for hz in TONES_HZ:
            tone(folder / "clips", hz)
            client.request("/clip/load", hz, f"{hz}.wav")
            client.request("/reference/learn", hz, hz, "tone", "@steps", 1)
            for blend in (0.9, 0.95, 1.0):
                client.request("/fuse", 1, hz, hz, "@blend", blend)
        client.send("/stop", 1)
        time.sleep(0.2)
        yield client


def again(client: Client, hz: int) -> None:
    client.request("/fuse", 1, hz, hz, "@blend", 1, "@loop", 1)


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
    for blend in (0.9, 1.0, 0.93, 0.97, 0.9, 1.0):
        client.send("/scrub", 1, blend)
        time.sleep(0.06)


def recorded(
    client: Client, folder: Path, hz: int, what: Callable[[Client, int], None]
) -> NDArray[np.float32]:
    """A looped tone to which something is done; taken again where JACK itself lost a period."""
    for _ in range(4):
        recording = Recording("PortAudio", folder)
        recording.start()
        again(client, hz)
        time.sleep(0.3)
        what(client, hz)
        client.send("/stop", 1)
        time.sleep(0.2)
        samples = recording.stop()
        if not recording.xruns:
            break
    return samples


@pytest.mark.parametrize("hz", TONES_HZ)
@pytest.mark.parametrize("what", [retrigger, loop, stop, panic, scrub])
def test_nothing_that_is_done_to_a_voice_clicks(
    client: Client, tmp_path: Path, hz: int, what: Callable[[Client, int], None]
) -> None:
    samples = recorded(client, tmp_path, hz, what)
    assert np.abs(samples).max() > 0.05
    assert click_db(samples, RATE_HZ) < LIMIT_DB


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


@pytest.mark.parametrize("plant", [hard_cut, cut_at_zero, corners])
def test_the_same_measure_finds_planted_clicks(
    client: Client, tmp_path: Path, plant: Callable[[NDArray[np.float32]], None]
) -> None:
    samples = recorded(client, tmp_path, 440, loop)
    assert click_db(samples, RATE_HZ) < LIMIT_DB
    plant(samples)
    assert click_db(samples, RATE_HZ) > LIMIT_DB


def test_a_short_soak_loses_nothing() -> None:
    """Half a minute of what `eutectic bench --soak` does for as long as one likes."""
    for _ in range(3):  # a machine that is held up for 30 ms loses sound whatever runs on it
        soaked = soak("toy", 0.5, lambda done, whole: None, control_seconds=5.0)
        assert soaked.unanswered == 0 and soaked.answered_twice == 0
        assert sum(soaked.sent.values()) > 100 and soaked.ended["done"] > 30
        assert "0 deaths" in soaked.deaths
        if soaked.underruns == 0:
            break
    assert soaked.underruns == 0
