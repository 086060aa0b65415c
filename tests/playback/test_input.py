"""The input through a real JACK server: another client's tone is what a performer plays."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Generator
from pathlib import Path

import numpy as np
import psutil
import pytest
import soundfile
from numpy.typing import NDArray

from daemons import daemon, fails, prepare, until
from eutectic.client.daemon_process import Daemon
from eutectic.client.replies import RequestFailed
from eutectic.errors import BadDevice
from eutectic.experiments.live.jack_server import Jack
from eutectic.osc.answers import Clip
from eutectic.playback.input import Input
from eutectic.playback.output import Output
from eutectic.playback.streams import DeviceSettings
from eutectic.system.shared_memory import PREFIX, SHARED
from takes import PERIOD

pytestmark = pytest.mark.realtime

RATE_HZ, HZ, LEVEL = 48_000, 330.0, 0.4


@pytest.fixture(scope="module")
def jack() -> Generator[Jack]:
    with Jack(PERIOD) as server:
        yield server


@pytest.fixture
def playing(jack: Jack) -> Generator[Output]:
    """A JACK client that plays a tone; it is the first, so that its name is PortAudio."""
    frames = 0

    def fill(out: NDArray[np.float32]) -> None:
        nonlocal frames
        at = (frames + np.arange(len(out))) / RATE_HZ
        out[:] = LEVEL * np.sin(2 * np.pi * HZ * at)[:, None]
        frames += len(out)

    output = Output(DeviceSettings("system", ring_seconds=0.1))
    with contextlib.closing(output):
        output.start(fill, lambda state: None)
        yield output


def assert_is_tone(samples: NDArray[np.float32]) -> None:
    """A file's samples (frame, channel)."""
    spectrum = np.abs(np.fft.rfft(samples[:, 0] * np.hanning(len(samples))))
    assert np.argmax(spectrum) * RATE_HZ / len(samples) == pytest.approx(HZ, abs=2)
    assert np.abs(samples).max() == pytest.approx(LEVEL, abs=0.01)


def test_what_is_heard_is_remembered_through_a_loss_with_silence_between(
    playing: Output, jack: Jack
) -> None:
    device = Input("PortAudio")
    with contextlib.closing(device):
        device.open()
        heard = device.heard
        assert heard is not None
        assert (heard.rate_hz, heard.channels, device.state) == (RATE_HZ, 2, "listening")
        device.start()
        until(lambda: heard.frames > RATE_HZ)
        assert_is_tone(heard.read(RATE_HZ // 2, RATE_HZ).T)
        jack.stop()
        until(lambda: device.state == "lost")
        lost = heard.frames
        jack.start()
        until(lambda: playing.state == "playing" and device.state == "listening")
        assert device.heard is heard
        until(lambda: heard.frames > lost + RATE_HZ)
        assert not heard.read(lost, lost + RATE_HZ // 2).any()
    assert not list(SHARED.glob(f"{PREFIX}{os.getpid()}-*"))
    assert not [each for each in psutil.Process().children() if "listen" in each.cmdline()]


def test_the_systems_default_is_looked_for_again_where_there_is_none(
    jack: Jack, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("eutectic.playback.input.DEFAULT_RETRY_SECONDS", (0.2, 0.2))
    caplog.set_level("INFO", "eutectic.playback")
    device = Input(None)
    jack.stop()
    with contextlib.closing(device):
        device.start()
        until(lambda: device.text != "")
        assert (device.state, device.heard) == ("off", None)
        jack.start()
        until(lambda: device.state == "listening")
        assert device.text == ""
    assert [each[:8] for each in caplog.messages] == ["no input", "system: "]


def test_an_unknown_input_is_refused_with_a_list_of_those_available(jack: Jack) -> None:
    device = Input("nothing")
    with contextlib.closing(device), pytest.raises(BadDevice, match="no input device matches"):
        device.open()


@pytest.fixture
def running(playing: Output, tmp_path: Path) -> Generator[Daemon]:
    renders = tmp_path / "renders"
    renders.mkdir()
    with daemon(tmp_path, "--input", "PortAudio", "--renders", str(renders)) as process:
        yield process


def test_the_past_of_an_input_is_a_clip_that_can_be_fused_at_once(
    running: Daemon, jack: Jack, tmp_path: Path
) -> None:
    with running.client() as client:
        prepare(client)
        client.grab_clip("heard", 1.0, ago=0.2)
        client.request("/fuse", 1, "heard", "r", "@blend", 0.5)
        (clip,) = [each for each in client.request("/clip/list").of(Clip) if each.clip == "heard"]
        assert clip.seconds == pytest.approx(1.0, abs=1e-3)
        samples, rate_hz = soundfile.read(tmp_path / "renders" / clip.path)
        assert (rate_hz, len(samples)) == (RATE_HZ, RATE_HZ)
        assert_is_tone(samples)
        number = client.begin("/clip/record", "lost")
        until(lambda: "recording lost" in client.status()["input"])
        time.sleep(0.5)  # that much at least is kept
        jack.stop()
        with pytest.raises(RequestFailed, match="s are kept, and loaded") as failed:
            client.end("/clip/record", number)
        assert failed.value.code == "gaps"
        assert "lost" in [each.clip for each in client.clips()]
        assert fails(client, "/clip/record", "more") == "no_input"
        jack.start()
