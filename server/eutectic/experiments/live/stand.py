"""What latencies are measured on: a prepared daemon under JACK, and how its sound is read."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from eutectic.client.daemon_process import Daemon, until_ready
from eutectic.client.sync import Client
from eutectic.experiments.live.instrument import NAME, Instrument
from eutectic.experiments.live.jack_server import PERIOD, RATE_HZ, Recording

ONSET = 0.02
"""Share of the recording's peak that counts as a first sample."""

LEARN_STEPS = 30
SECONDS = 6.0
HOP = 64


@dataclass(frozen=True)
class Stand:
    """A daemon with clips o, a noise, and c, a low tone, which is reference r; and its input."""

    client: Client
    folder: Path
    instrument: Instrument

    @contextmanager
    def recorded(self) -> Generator[Recorded]:
        """What is heard meanwhile; there once the block has ended."""
        recorded = Recorded(Recording("PortAudio", self.folder))
        recorded.recording.start()
        try:
            yield recorded
        finally:
            recorded.samples = recorded.recording.stop()


class Recorded:
    """What was heard, (frame, 2)."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.samples: NDArray[np.float32] = np.zeros((0, 2), np.float32)

    def onsets(self, times: Sequence[float]) -> list[float]:
        """Milliseconds from each time (monotonic) to the first sample that is heard after it."""
        loud = np.abs(self.samples).max(axis=1)
        heard = np.flatnonzero(loud > ONSET * loud.max())
        starts = [self.recording.frame(at) for at in times]
        first = [int(heard[np.searchsorted(heard, start)]) for start in starts]
        return [1000 * (at - start) / RATE_HZ for at, start in zip(first, starts, strict=True)]

    def half_ways(self, times: Sequence[float]) -> list[float]:
        """Milliseconds from each time to where the sound is half as bright as 0.4 s later."""
        bright, values = brightness(self.samples[:, 0]), list[float]()
        for at in times:
            start = self.recording.frame(at) // HOP
            course = bright[start : start + round(0.45 * RATE_HZ / HOP)]
            before, after = bright[start - 20 : start].mean(), course[-40:].mean()
            share = (course - before) / (after - before)
            values.append(1000 * float(np.argmax(share > 0.5)) * HOP / RATE_HZ)
        return values


Part = Callable[[Stand], tuple[str, list[float]]]
"""Measures one row: what it is, and milliseconds, one for each time."""


@contextmanager
def prepared(data: Path, clips: Path, model: str) -> Generator[Stand]:
    """A daemon whose reference is learned, and an instrument at its input."""
    data.mkdir()
    options = ("--model", model, "--device", "system", "--input", NAME, "--clips", str(clips),
               "--rate", str(RATE_HZ), "--block", str(PERIOD),
               "--log-level", "warning")  # fmt: skip
    with (
        Instrument(data) as instrument,
        Daemon(data, *options) as daemon,
        daemon.client() as client,
    ):
        until_ready(client)
        client.request("/clip/load", "o", "original.wav")
        client.request("/clip/load", "c", "reference.wav")
        learning = ("@steps", LEARN_STEPS)
        client.request("/reference/learn", "r", "c", "low drone", *learning, timeout=600)
        yield Stand(client, data, instrument)


def make_clips(folder: Path) -> None:
    """Write two clips: a noise with an immediate onset, and a low tone."""
    frames = round(SECONDS * 44_100)
    tone = 0.3 * np.sin(2 * np.pi * 110 * np.arange(frames) / 44_100)
    soundfile.write(folder / "original.wav", noise(SECONDS, 44_100), 44_100)
    soundfile.write(folder / "reference.wav", tone, 44_100)


def noise(seconds: float, rate_hz: int = RATE_HZ) -> NDArray[np.float32]:
    """A noise with an immediate onset, (frame, 2)."""
    generator = np.random.default_rng(0)
    return (0.1 * generator.standard_normal((round(seconds * rate_hz), 2))).astype(np.float32)


def brightness(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """RMS level above 2 kHz over time, a value for each HOP frames."""
    import scipy.signal

    sections = scipy.signal.butter(4, 2000, "highpass", fs=RATE_HZ, output="sos")
    high = scipy.signal.sosfiltfilt(sections, samples)
    frames = len(high) // HOP
    power = (high[: frames * HOP].reshape(frames, HOP) ** 2).mean(axis=1)
    return np.sqrt(power)


def wait_until(at: float) -> None:
    """Until a monotonic time."""
    time.sleep(max(0.0, at - time.monotonic()))
