from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Generator
from pathlib import Path

import numpy as np
import psutil
import pytest
import soundfile
from numpy.typing import NDArray

from eutectic.errors import BadDevice, BadOutput, BadSetting
from eutectic.experiments.live.clicks import LIMIT_DB, click_db
from eutectic.experiments.live.jack_server import Jack
from eutectic.playback.output import FADE_SECONDS, Output
from eutectic.playback.streams import DeviceSettings, list_devices
from eutectic.system.shared_memory import PREFIX, SHARED
from takes import PERIOD, take

pytestmark = pytest.mark.realtime

RATE_HZ = 48_000


class Sine:
    """A `fill` that plays an endless sine."""

    def __init__(self, hz: float = 220.0) -> None:
        self.hz, self.frames = hz, 0

    def __call__(self, out: NDArray[np.float32]) -> None:
        t = (self.frames + np.arange(len(out))) / RATE_HZ
        out[:] = 0.4 * np.sin(2 * np.pi * self.hz * t)[:, None]
        self.frames += len(out)


@pytest.fixture(scope="module")
def jack() -> Generator[Jack]:
    with Jack(PERIOD) as server:
        yield server


def until(condition: object, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.02)


def busy(leave: threading.Event) -> None:
    while not leave.is_set():
        sum(range(1000))


def test_null_keeps_the_clocks_pace() -> None:
    sine = Sine()
    output = Output(DeviceSettings("null"))
    output.start(sine, lambda state: None)
    time.sleep(0.5)
    began, frames = time.monotonic(), sine.frames
    time.sleep(2)
    rate = (sine.frames - frames) / (time.monotonic() - began)
    output.close()
    assert rate == pytest.approx(RATE_HZ, rel=0.02)


def test_a_file_holds_what_was_played_and_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "played.wav"
    output = Output(DeviceSettings(f"file:{path}"))
    sine = Sine()
    output.start(sine, lambda state: None)
    time.sleep(0.5)
    output.close()
    samples, rate_hz = soundfile.read(path, dtype="float32")
    again = np.zeros((sine.frames, 2), np.float32)
    Sine()(again)
    assert rate_hz == RATE_HZ
    edge = round(FADE_SECONDS * RATE_HZ)
    loud = np.flatnonzero(np.abs(samples).max(axis=1))
    assert np.array_equal(samples[edge : loud[-1] - edge], again[edge : loud[-1] - edge])
    assert click_db(np.pad(samples, ((4096, 4096), (0, 0))), RATE_HZ) < LIMIT_DB
    with pytest.raises(BadOutput, match="exists"):
        Output(DeviceSettings(f"file:{path}"))


def test_an_unknown_device_is_refused_with_a_list_of_those_available(jack: Jack) -> None:
    with pytest.raises(BadDevice, match="no output device matches 'nothing'; available: "):
        Output(DeviceSettings("nothing"))


@pytest.mark.parametrize(
    "values", [{"rate_hz": 100}, {"channels": 0}, {"block_frames": 3}, {"ring_seconds": 5.0}]
)
def test_settings_out_of_range_are_refused(values: dict[str, float]) -> None:
    with pytest.raises(BadSetting, match="must be"):
        DeviceSettings("null", **values)  # type: ignore[arg-type]


def test_what_is_played_arrives_without_a_gap_beside_a_busy_thread(
    jack: Jack, tmp_path: Path
) -> None:
    def play() -> None:
        before, leave = output.underruns, threading.Event()
        threading.Thread(target=busy, args=(leave,), daemon=True).start()
        time.sleep(2.0)
        leave.set()
        underruns.append(output.underruns - before)

    underruns: list[int] = []
    output = Output(DeviceSettings("system", ring_seconds=0.05))
    assert output.rate_hz == RATE_HZ
    with contextlib.closing(output):
        output.start(Sine(), lambda state: None)
        samples = take(tmp_path, play)
    heard = samples[np.flatnonzero(samples[:, 0])[0] :]
    assert len(heard) > RATE_HZ
    assert np.abs(heard).max() == pytest.approx(0.4, abs=0.01)
    assert click_db(heard[RATE_HZ // 4 :], RATE_HZ) < LIMIT_DB
    assert underruns[-1] == 0  # of the take that is judged


def test_a_lost_device_is_reopened_and_the_mix_goes_on_meanwhile(
    jack: Jack, tmp_path: Path
) -> None:
    states: list[str] = []
    sine = Sine()
    output = Output(DeviceSettings("system"))
    with contextlib.closing(output):
        output.start(sine, states.append)
        until(lambda: sine.frames > RATE_HZ // 4)
        jack.stop()
        until(lambda: "lost" in states)
        frames = sine.frames
        until(lambda: sine.frames > frames + RATE_HZ // 2)
        jack.start()
        until(lambda: "back" in states)
        samples = take(tmp_path, lambda: time.sleep(1))
    assert np.abs(samples).max() == pytest.approx(0.4, abs=0.01)
    assert states == ["lost", "back"]


def test_devices_are_listed(jack: Jack) -> None:
    names = [each.name for each in list_devices() if each.host_api.startswith("JACK")]
    assert "system" in names


def test_no_process_or_shared_memory_is_left_behind(jack: Jack) -> None:
    output = Output(DeviceSettings("system"))
    output.start(Sine(), lambda state: None)
    (process,) = [each for each in psutil.Process().children()
                  if "eutectic.playback.portaudio" in " ".join(each.cmdline())]  # fmt: skip
    assert not list(SHARED.glob(f"{PREFIX}{os.getpid()}-*"))
    output.close()
    until(lambda: not process.is_running())
