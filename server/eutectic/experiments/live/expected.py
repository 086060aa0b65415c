"""What `/pair` says that a new fusion will take, beside what it then takes."""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

from eutectic.client.daemon_process import Daemon, until_ready
from eutectic.client.sync import Client
from eutectic.experiments.live.pads import LONGEST_SECONDS
from eutectic.experiments.live.stand import LEARN_STEPS
from eutectic.experiments.report import Row, Table
from eutectic.osc.answers import PairReply, Started

SECONDS = (1.5, 3.0, 6.0)
RECALLS = (1.0, 0.5, 0.0)
TIMES = 6

COLUMNS = ("recall", "s", "times", "expected", "took", "median error")


def measure(model: str, progress: Callable[[int, int], None]) -> Table:
    """Fuse clips of several lengths in random order, each time at a new place or with a new seed.

    Of each, the pair is asked about just before.
    """
    cases = list(itertools.product(SECONDS, RECALLS))
    order = np.random.default_rng(0).permutation(np.repeat(np.arange(len(cases)), TIMES))
    found: dict[tuple[float, float], list[tuple[float, float]]] = {}
    unknown = 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        _make_clips(folder)
        options = ("--model", model, "--device", "null", "--clips", str(folder), "--page", "off",
                   "--log-level", "warning")  # fmt: skip
        with Daemon(folder, *options) as daemon, daemon.client() as client:
            until_ready(client)
            for seconds in SECONDS:
                client.request("/clip/load", f"o{seconds}", f"{seconds}.wav")
            learning = ("@steps", LEARN_STEPS)
            client.request("/reference/learn", "r", "o6.0", "noise", *learning, timeout=600)
            for number, index in enumerate(order):
                seconds, recall = cases[index]
                expected_ms, took_ms = _one(client, f"o{seconds}", recall, number)
                if expected_ms < 0:
                    unknown += 1
                else:
                    found.setdefault((recall, seconds), []).append((expected_ms, took_ms))
                progress(number + 1, len(order))
    rows = [_row(str(recall), seconds, found[recall, seconds]) for recall, seconds in sorted(found)]
    every = [each for times in found.values() for each in times]
    return Table("live: what /pair expects, milliseconds", COLUMNS,
                 (*rows, _row("all", 0.0, every)),
                 (f"{unknown} were fused before anything was known",))  # fmt: skip


def _row(recall: str, seconds: float, times: list[tuple[float, float]]) -> Row:
    expected, took = np.array(times).T
    error = float(np.median(np.abs(expected - took) / took))
    figures = (float(np.median(expected)), float(np.median(took)))
    return recall, seconds, len(times), *(round(each, 1) for each in figures), round(error, 3)


def _one(client: Client, original: str, recall: float, number: int) -> tuple[float, float]:
    """What one is expected to take, and what it takes, in milliseconds."""
    where = ("@recall", recall, "@seed", number // 2, "@blend", 0.4 + 0.001 * number)
    (pair,) = client.request("/pair", original, "r", *where).of(PairReply)
    client.begin("/fuse", 1, original, "r", *where)
    until, answer = time.monotonic() + LONGEST_SECONDS, None
    while not isinstance(answer, Started):
        answer = client.receive(until - time.monotonic())
    client.send("/stop", 1, 0)
    client.request("/sync")
    return pair.cost_ms, answer.latency_ms


def _make_clips(folder: Path) -> None:
    generator = np.random.default_rng(0)
    for seconds in SECONDS:
        noise = 0.1 * generator.standard_normal((round(seconds * 44_100), 2))
        soundfile.write(folder / f"{seconds}.wav", noise, 44_100)
