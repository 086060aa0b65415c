"""Latency from a datagram to its answer and to the first recorded sample.

Everything is real: the daemon and its engine as processes, UDP, JACK with the dummy driver, and a
recording by another JACK client on the same clock.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from eutectic.client.daemon_process import Daemon, status, until_ready
from eutectic.client.sync import Client
from eutectic.experiments.live.jack_server import PERIOD, RATE_HZ, Jack, Recording
from eutectic.experiments.report import Cell, Row, Table

STARTS, PINGS, TRIGGERS, FUSIONS, SCRUBS = 10, 2000, 40, 12, 20
SILENCE_SECONDS = 0.35
"""Pause between triggers, so that each starts from silence."""

ONSET = 0.02
"""Share of the recording's peak that counts as its first sample."""

LEARN_STEPS = 30
SECONDS = 6.0


def measure(
    model: str, progress: Callable[[int, int], None]
) -> tuple[list[Table], dict[str, dict[str, Cell]]]:
    """Latencies with a model on this machine, as tables and as figures."""
    with tempfile.TemporaryDirectory() as temporary, Jack():
        folder = Path(temporary)
        make_clips(folder)
        starts = [_start(folder / f"start-{number}", model) for number in range(STARTS)]
        percentiles = np.percentile(starts, (50, 95, 99)).round(1)
        rows: list[Row] = [("start to the first /done of a ping", STARTS, *percentiles)]
        stages: list[Row] = []
        parts = [_ping, _ready, _scrubbed, *_made()]
        for number, part in enumerate(parts):
            name, values, split = _alone(folder / f"data-{number}", folder, model, part)
            rows.append((name, len(values), *np.percentile(values, (50, 95, 99)).round(1)))
            stages += [(name, stage, text) for stage, text in split.items()]
            progress(number + 1, len(parts))
        ring = f"ring 30 ms, JACK's period {1000 * PERIOD / RATE_HZ:.1f} ms"
        tables = [
            Table("live: milliseconds", ("from a datagram to", "times", "p50", "p95", "p99"),
                  tuple(rows), (f"{RATE_HZ} Hz, blocks of {PERIOD}, {ring}",)),
            Table("live: stages", ("", "stage", "percentiles"), tuple(stages), ()),
        ]  # fmt: skip
        names = ["times", "p50", "p95", "p99"]
        figures = {str(row[0]): dict(zip(names, row[1:], strict=True)) for row in rows}
        return tables, figures


Part = Callable[[Client, Path], tuple[str, list[float]]]


def _alone(
    data: Path, folder: Path, model: str, part: Part
) -> tuple[str, list[float], dict[str, str]]:
    """Measure one part on its own daemon, so that the status covers nothing else."""
    data.mkdir()
    options = ("--model", model, "--device", "system", "--clips", str(folder), "--rate",
               str(RATE_HZ), "--block", str(PERIOD), "--log-level", "warning")  # fmt: skip
    with Daemon(data, *options) as daemon, daemon.client() as client:
        until_ready(client)
        client.request("/clip/load", "o", "original.wav")
        client.request("/clip/load", "c", "reference.wav")
        client.request("/reference/learn", "r", "c", "low drone", "@steps", LEARN_STEPS)
        name, values = part(client, data)
        there = status(client)
        stages = ("queue", "denoise", "first chunk", "decode")
        return name, values, {stage: there[stage] for stage in stages if stage in there}


def _start(data: Path, model: str) -> float:
    """Milliseconds from `eutectic serve` to its first answer."""
    data.mkdir()
    began = time.monotonic()
    with Daemon(data, "--model", model, "--device", "system") as daemon, daemon.client() as client:
        client.request("/ping")
        return 1000 * (time.monotonic() - began)


def make_clips(folder: Path) -> None:
    """Write two clips: a noise with an immediate onset, and a low tone."""
    generator = np.random.default_rng(0)
    frames = round(SECONDS * 44_100)
    noise = 0.1 * generator.standard_normal((frames, 2))
    tone = 0.3 * np.sin(2 * np.pi * 110 * np.arange(frames) / 44_100)
    soundfile.write(folder / "original.wav", noise, 44_100)
    soundfile.write(folder / "reference.wav", tone, 44_100)


def _ping(client: Client, _data: Path) -> tuple[str, list[float]]:
    """Ping while the engine learns."""
    busy = client.begin("/reference/learn", "long", "c", "for ever", "@steps", 100_000)
    time.sleep(1.0)
    values: list[float] = []
    for _ in range(PINGS):
        began = time.perf_counter()
        client.request("/ping")
        values.append(1000 * (time.perf_counter() - began))
        time.sleep(0.002)
    client.request("/cancel", busy)
    return "/done of a ping, the engine busy", values


def _onsets(client: Client, data: Path, trigger: Callable[[int], None], times: int) -> list[float]:
    """Milliseconds from each trigger to its first sample in a recording."""
    recording = Recording("PortAudio", data)
    recording.start()
    sent: list[float] = []
    for number in range(times):
        sent.append(time.monotonic())
        trigger(number)
        time.sleep(0.1)
        client.send("/stop", 1, 20.0)
        time.sleep(SILENCE_SECONDS)
    loud = np.abs(recording.stop()).max(axis=1)
    heard = np.flatnonzero(loud > ONSET * loud.max())
    values: list[float] = []
    for at in sent:
        start = recording.frame(at)
        first = heard[np.searchsorted(heard, start)]
        values.append(1000 * (int(first) - start) / RATE_HZ)
    return values


def _ready(client: Client, data: Path) -> tuple[str, list[float]]:
    client.request("/fuse", 1, "o", "r", "@blend", 0.8)
    client.send("/stop", 1)
    time.sleep(1.0)
    values = _onsets(
        client, data, lambda number: client.send("/fuse", number, 1, "o", "r", "@blend", 0.8),
        TRIGGERS,
    )  # fmt: skip
    return "a ready fusion's first sample", values


def _made() -> list[Part]:
    def part(blend: float, cold: bool) -> Part:
        def run(client: Client, data: Path) -> tuple[str, list[float]]:
            client.request("/fuse", 1, "o", "r", "@blend", blend)
            client.send("/stop", 1)
            time.sleep(1.0)

            def trigger(number: int) -> None:  # close enough for the same steps, but not ready
                where = ("@blend", blend, "@seed", number + 1) if cold else (
                    "@blend", blend + 1e-4 * (number + 1))  # fmt: skip
                client.request("/fuse", 1, "o", "r", *where)

            values = _onsets(client, data, trigger, FUSIONS)
            prefix = "cold" if cold else "known"
            return f"first sample, blend {blend}, prefix {prefix}", values

        return run

    return [part(blend, cold) for cold in (False, True) for blend in (0.5, 0.8)]


def _scrubbed(client: Client, data: Path) -> tuple[str, list[float]]:
    """Scrub from the reference's tone to the original's noise and back; time half of the way."""
    client.request("/fan", "o", "r", 2)
    client.request("/fuse", 1, "o", "r", "@blend", 0, "@loop", 1)
    time.sleep(0.5)
    recording = Recording("PortAudio", data)
    recording.start()
    sent: list[float] = []
    time.sleep(0.5)
    for number in range(SCRUBS):
        sent.append(time.monotonic())
        client.send("/scrub", 1, float(1 - number % 2))
        time.sleep(0.5)
    bright = _brightness(recording.stop()[:, 0])
    values: list[float] = []
    for at in sent:
        start = recording.frame(at) // HOP
        course = bright[start : start + round(0.45 * RATE_HZ / HOP)]
        before, after = bright[start - 20 : start].mean(), course[-40:].mean()
        share = (course - before) / (after - before)
        values.append(1000 * float(np.argmax(share > 0.5)) * HOP / RATE_HZ)
    return "half of a scrub's way", values


HOP = 64


def _brightness(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """RMS level above 2 kHz over time, a value for each HOP frames."""
    import scipy.signal

    sections = scipy.signal.butter(4, 2000, "highpass", fs=RATE_HZ, output="sos")
    high = scipy.signal.sosfiltfilt(sections, samples)
    frames = len(high) // HOP
    power = (high[: frames * HOP].reshape(frames, HOP) ** 2).mean(axis=1)
    return np.sqrt(power)
