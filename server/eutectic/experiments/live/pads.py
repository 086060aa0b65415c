"""Many pads at once: whether new fusions start in the order received, and after what time."""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from eutectic.client.daemon_process import Daemon, until_ready
from eutectic.client.sync import Client
from eutectic.experiments.live.stand import LEARN_STEPS, make_clips
from eutectic.experiments.report import Row, Table
from eutectic.osc.answers import Started

VOICES = (8, 16)
RECALLS = (1.0, 0.0)
"""What is remembered alone, which costs no network evaluation; and the network alone."""

APART = (0.0, 0.15)
"""Seconds between triggers: sent together, and as a player presses pads."""

SILENCE_SECONDS = 0.5
LONGEST_SECONDS = 120.0

COLUMNS = ("pads", "recall", "ms apart", "out of order", "first", "p50", "last")


def measure(model: str, progress: Callable[[int, int], None]) -> Table:
    """Trigger a new fusion on each voice in turn, with a model on this machine."""
    rows: list[Row] = []
    cases = [(n, recall, apart) for n in VOICES for recall in RECALLS for apart in APART]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        make_clips(folder)
        options = ("--model", model, "--device", "null", "--clips", str(folder), "--voices",
                   str(max(VOICES)), "--log-level", "warning")  # fmt: skip
        with Daemon(folder, *options) as daemon, daemon.client() as client:
            until_ready(client)
            client.request("/clip/load", "o", "original.wav")
            client.request("/clip/load", "c", "reference.wav")
            client.request("/reference/learn", "r", "c", "low drone", "@steps", LEARN_STEPS)
            for number, (pads, recall, apart) in enumerate(cases):
                client.request("/fuse", 1, "o", "r", "@recall", recall)
                started = _press(client, pads, recall, apart, seed=number + 1)
                times = [milliseconds for _, milliseconds in started]
                order = [voice for voice, _ in started]
                wrong = sum(a > b for a, b in itertools.pairwise(order))
                figures = (min(times), float(np.median(times)), max(times))
                rows.append((str(pads), recall, 1000 * apart, wrong, *figures))
                progress(number + 1, len(cases))
    return Table("live: new fusions on many voices, milliseconds to their first sample", COLUMNS,
                 tuple(rows),
                 ("out of order: starts that come before an earlier trigger's",))  # fmt: skip


def _press(
    client: Client, pads: int, recall: float, apart: float, seed: int
) -> list[tuple[int, float]]:
    """The voices in the order in which they start, and how long each took."""
    client.send("/panic")
    time.sleep(SILENCE_SECONDS)
    client.events()
    until = time.monotonic() + LONGEST_SECONDS
    for pad in range(pads):
        where = ("@blend", 0.3 + 0.4 * pad / pads, "@recall", recall, "@seed", seed)
        client.begin("/fuse", pad + 1, "o", "r", *where)
        time.sleep(apart)
    started: list[tuple[int, float]] = []
    while len(started) < pads:
        answer = client.receive(until - time.monotonic())
        if isinstance(answer, Started):
            started.append((answer.voice, answer.latency_ms))
    return started
