"""Devices as they are found on stages: odd periods, rates, channels and names, on real JACK."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import jack as jack_client
import numpy as np
import pytest
from numpy.typing import NDArray

from eutectic.experiments.live.clicks import LIMIT_DB, click_db
from eutectic.experiments.live.jack_server import Jack, Recording
from eutectic.playback.output import Output
from eutectic.playback.portaudio import Bursts, unnumbered
from eutectic.playback.streams import DeviceSettings, list_devices

HZ, TAKES = 220.0, 6


class Sine:
    """A `fill` that plays an endless sine at a rate."""

    def __init__(self, rate_hz: int) -> None:
        self.rate_hz, self.frames = rate_hz, 0

    def __call__(self, out: NDArray[np.float32]) -> None:
        time = (self.frames + np.arange(len(out))) / self.rate_hz
        out[:] = 0.4 * np.sin(2 * np.pi * HZ * time)[:, None]
        self.frames += len(out)


def heard(folder: Path, jack: Jack, period: int, channels: int = 2) -> NDArray[np.float32]:
    """A second of what is played, from a moment at which the machine wasn't held up."""
    for failed in range(TAKES):
        time.sleep(failed)
        recording = Recording("PortAudio", folder, channels)
        recording.start()
        time.sleep(1.5)
        samples = recording.stop()
        if not recording.xruns and recording.longest_period < 1.5 * period / jack.rate_hz:
            return samples[-jack.rate_hz :]
    raise AssertionError("this machine was held up all the time")


def check_sine(samples: NDArray[np.float32], rate_hz: int) -> None:
    spectrum = np.abs(np.fft.rfft(samples[:, 0] * np.hanning(len(samples))))
    assert np.argmax(spectrum) * rate_hz / len(samples) == pytest.approx(HZ, abs=1.5)
    assert np.abs(samples[:, 0]).max() == pytest.approx(0.4, abs=0.01)
    assert click_db(samples[:, :1], rate_hz) < LIMIT_DB


@contextlib.contextmanager
def playing(rate_hz: int | None = None) -> Generator[tuple[Output, list[str]]]:
    states: list[str] = []
    output = Output(DeviceSettings("system", rate_hz))
    with contextlib.closing(output):
        output.start(Sine(output.rate_hz), states.append)
        yield output, states


@pytest.mark.realtime
@pytest.mark.parametrize(
    ("period", "rate_hz"), [(441, 44_100), (2048, 48_000), (4096, 48_000), (256, 16_000)]
)
def test_periods_longer_than_the_ring_and_odd_rates_play_without_a_gap(
    tmp_path: Path, period: int, rate_hz: int
) -> None:
    with Jack(period, rate_hz) as jack, playing() as (output, _):
        assert output.rate_hz == rate_hz
        time.sleep(1.0)
        before = output.underruns
        samples = heard(tmp_path, jack, period)
        underruns = output.underruns - before
    check_sine(samples, rate_hz)
    assert underruns == 0


@pytest.mark.realtime
def test_a_device_that_comes_back_at_another_rate_sounds_the_same(tmp_path: Path) -> None:
    jack = Jack(1024)
    with jack, playing() as (output, states):
        time.sleep(0.5)
        jack.stop()
        while "lost" not in states:
            time.sleep(0.02)
        jack.rate_hz = 44_100
        jack.start()
        while "back" not in states:
            time.sleep(0.02)
        samples = heard(tmp_path, jack, 1024)
        assert output.rate_hz == 48_000
    check_sine(samples, 44_100)


@pytest.mark.realtime
def test_a_device_of_one_channel_plays_both_sides(tmp_path: Path) -> None:
    with Jack(1024, outputs=1) as jack, playing():
        time.sleep(0.5)
        samples = heard(tmp_path, jack, 1024, channels=1)
    check_sine(samples, jack.rate_hz)


@pytest.mark.realtime
@pytest.mark.parametrize("name", [b"caf\xe9 \xff", "Süd, Bühne 2 (hw:0)".encode()])
def test_other_programs_may_have_any_name(name: bytes) -> None:
    library: Any = jack_client._lib  # its own Client takes text alone
    with Jack(1024):
        client = library.jack_client_open(name, library.JackNullOption, jack_client._ffi.NULL)
        port = library.jack_port_register(
            client, b"out", b"32 bit float mono audio", library.JackPortIsOutput, 0
        )
        assert port != jack_client._ffi.NULL
        try:
            assert "system" in [each.name for each in list_devices()]
            with playing():
                pass
        finally:
            library.jack_client_close(client)


@pytest.mark.parametrize(
    ("name", "other"),
    [("USB Audio: - (hw:1,0)", "USB Audio: - (hw:3,0)"), ("Codec (plughw:0)", "codec")],
)
def test_cards_are_the_same_under_other_numbers(name: str, other: str) -> None:
    assert unnumbered(name) == unnumbered(other)
    assert unnumbered(name) != unnumbered("HDMI (hw:1,3)")


def test_a_burst_is_what_a_device_takes_at_once_time_and_again() -> None:
    bursts = Bursts(48_000)
    for _ in range(8):
        bursts.add(256, 256 / 48_000)
    assert bursts.usual == 256
    bursts.add(256, 0.0001)  # catching up, once
    bursts.add(256, 0.0001)
    assert bursts.usual == 256
    for _ in range(4):
        bursts.add(256, 0.04)
        for _ in range(7):
            bursts.add(256, 0.0001)
    assert bursts.usual == 2048
