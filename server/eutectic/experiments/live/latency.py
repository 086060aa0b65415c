"""Latency from a datagram, or a sound, to its answer and to the first recorded sample.

Everything is real: the daemon and its engine as processes, UDP, JACK with the dummy driver, another
JACK client that plays into the input, and a recording by a third on the same clock. Each row is a
function of a `Stand`; what is played, rather than triggered, is in `played`.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from eutectic.client.daemon_process import Daemon, status
from eutectic.experiments.live import played
from eutectic.experiments.live.jack_server import PERIOD, RATE_HZ, Jack
from eutectic.experiments.live.stand import Part, Stand, make_clips, prepared
from eutectic.experiments.report import Cell, Row, Table

STARTS, PINGS, TRIGGERS, FUSIONS, SCRUBS = 10, 2000, 40, 12, 20
SILENCE_SECONDS = 0.35
"""Pause between triggers, so that each starts from silence."""

STAGES = ("queue", "denoise", "first chunk", "decode")


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
        parts = [_ping, _ready, _scrubbed, *_made(), *played.PARTS]
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


def _alone(
    data: Path, clips: Path, model: str, part: Part
) -> tuple[str, list[float], dict[str, str]]:
    """Measure one part on its own daemon, so that the status covers nothing else."""
    with prepared(data, clips, model) as stand:
        name, values = part(stand)
        there = status(stand.client)
        return name, values, {stage: there[stage] for stage in STAGES if stage in there}


def _start(data: Path, model: str) -> float:
    """Milliseconds from `eutectic serve` to its first answer."""
    data.mkdir()
    began = time.monotonic()
    with Daemon(data, "--model", model, "--device", "system") as daemon, daemon.client() as client:
        client.request("/ping")
        return 1000 * (time.monotonic() - began)


def _ping(stand: Stand) -> tuple[str, list[float]]:
    """Ping while the engine learns."""
    client = stand.client
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


def _onsets(stand: Stand, trigger: Callable[[int], None], times: int) -> list[float]:
    """Milliseconds from each trigger to its first sample in a recording."""
    sent: list[float] = []
    with stand.recorded() as recorded:
        for number in range(times):
            sent.append(time.monotonic())
            trigger(number)
            time.sleep(0.1)
            stand.client.send("/stop", 1, 20.0)
            time.sleep(SILENCE_SECONDS)
    return recorded.onsets(sent)


def _ready(stand: Stand) -> tuple[str, list[float]]:
    client = stand.client
    client.request("/fuse", 1, "o", "r", "@blend", 0.8)
    client.send("/stop", 1)
    time.sleep(1.0)
    values = _onsets(
        stand, lambda number: client.send("/fuse", number, 1, "o", "r", "@blend", 0.8), TRIGGERS
    )
    return "a ready fusion's first sample", values


def _made() -> list[Part]:
    def part(blend: float, cold: bool) -> Part:
        def run(stand: Stand) -> tuple[str, list[float]]:
            client = stand.client
            client.request("/fuse", 1, "o", "r", "@blend", blend)
            client.send("/stop", 1)
            time.sleep(1.0)

            def trigger(number: int) -> None:  # close enough for the same steps, but not ready
                where = ("@blend", blend, "@seed", number + 1) if cold else (
                    "@blend", blend + 1e-4 * (number + 1))  # fmt: skip
                client.request("/fuse", 1, "o", "r", *where)

            values = _onsets(stand, trigger, FUSIONS)
            prefix = "cold" if cold else "known"
            return f"first sample, blend {blend}, prefix {prefix}", values

        return run

    return [part(blend, cold) for cold in (False, True) for blend in (0.5, 0.8)]


def _scrubbed(stand: Stand) -> tuple[str, list[float]]:
    """Scrub from the reference's tone to the original's noise and back; time half of the way."""
    client = stand.client
    client.request("/fan", "o", "r", 2)
    client.request("/fuse", 1, "o", "r", "@blend", 0, "@loop", 1)
    time.sleep(0.5)
    sent: list[float] = []
    with stand.recorded() as recorded:
        time.sleep(0.5)
        for number in range(SCRUBS):
            sent.append(time.monotonic())
            client.send("/scrub", 1, float(1 - number % 2))
            time.sleep(0.5)
    return "half of a scrub's way", recorded.half_ways(sent)
