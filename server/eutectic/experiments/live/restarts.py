"""Starts and deaths: how soon an engine is ready, and what a performance notices of its death."""

from __future__ import annotations

import random
import re
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
from numpy.typing import NDArray

from eutectic.client.daemon_process import Daemon, status
from eutectic.client.sync import Client
from eutectic.experiments.live.jack_server import RATE_HZ, Jack, Recording
from eutectic.experiments.live.stand import make_clips
from eutectic.experiments.report import Row, Table, median
from eutectic.osc.answers import Answer, Done, Fail, Started
from eutectic.osc.answers import Engine as EngineState
from eutectic.system.shared_memory import PREFIX, SHARED

WAIT_SECONDS = 60.0
PERIOD = 1024
"""JACK's, in frames: a machine that is held up for 20 ms still loses none."""

STABLE_SECONDS = 3.0
"""An engine that has run for so long is restarted without a wait."""

STEP_SECONDS = 0.25
"""Between triggers of ready fusions, which sound until the next."""

NEW_SECONDS = 0.5
"""From a new fusion's start to the next request; one is often under way at a kill."""

PAUSES_SECONDS = (2.0, 8.0)
"""Kills are so far apart, at random, unless asked otherwise: some come before there is a spare
again, or an engine."""

BLENDS = (0.2, 0.4, 0.6, 0.8)
SILENT = 1e-4


def times(model: str, runs: int, progress: Callable[[int, int], None]) -> Table:
    """Seconds from a start, and from a kill, until the engine is ready and a new fusion begins."""
    rows: list[Row] = []
    for number, option in enumerate(("--spare", "--no-spare")):
        starts, readies, fusions = list[float](), list[float](), list[float]()
        sizes: list[tuple[float, float]] = []
        for run in range(runs):
            with tempfile.TemporaryDirectory() as temporary:
                folder = Path(temporary)
                make_clips(folder)
                began = time.monotonic()
                options = ("--model", model, "--device", "null", "--clips", temporary, option)
                with Daemon(folder, *options) as daemon, daemon.client() as client:
                    client.notify()
                    _until_ready(client)
                    starts.append(time.monotonic() - began)
                    _load(client)
                    _wait_for_spare(client, option == "--spare")
                    sizes.append(_sizes(daemon))
                    ready, fusion = _kill(daemon, client, seed=run + 1)
                    readies.append(ready)
                    fusions.append(fusion)
            progress(number * runs + run + 1, 2 * runs)
        engine, spare = (median(size) for size in zip(*sizes, strict=True))
        rows.append((option, median(starts), median(readies), median(fusions), engine, spare))
    columns = ("", "start to ready", "kill to ready", "kill to a new fusion", "engine MiB",
               "spare MiB")  # fmt: skip
    return Table(f"restarts: seconds, medians of {runs}; memory as its proportional set size",
                 columns, tuple(rows))  # fmt: skip


def _until_ready(client: Client) -> None:
    until = time.monotonic() + WAIT_SECONDS
    while not status(client)["engine"].startswith("ready"):
        if time.monotonic() > until:
            raise TimeoutError("the engine isn't ready")
        time.sleep(0.02)


def _load(client: Client) -> None:
    client.request("/clip/load", "o", "original.wav")
    client.request("/clip/load", "c", "reference.wav")
    client.request("/reference/remember", "r", "c", "low drone")
    client.request("/fuse", 1, "o", "r", "@recall", 0.0)


def _wait_for_spare(client: Client, is_kept: bool) -> None:
    time.sleep(STABLE_SECONDS)
    until = time.monotonic() + WAIT_SECONDS
    while is_kept and "a spare waits" not in status(client)["engine"]:
        if time.monotonic() > until:
            raise TimeoutError("there is no spare")
        time.sleep(0.2)
    if is_kept:
        time.sleep(2 * STABLE_SECONDS)  # it is there from its first moment; now it has imported


def _sizes(daemon: Daemon) -> tuple[float, float]:
    """Memory of the engine and of the spare, in MiB."""
    engine = daemon.engine().pid
    found = {each.pid: each.memory_full_info().pss / (1 << 20)
             for each in daemon.children("eutectic.engine")}  # fmt: skip
    spares = [size for pid, size in found.items() if pid != engine]
    return found[engine], spares[0] if spares else float("nan")


def _kill(daemon: Daemon, client: Client, seed: int) -> tuple[float, float]:
    """Kill the engine and ask for a new fusion at once; seconds until both."""
    client.events(0.0)
    daemon.engine().kill()
    began, ready, fusion = time.monotonic(), 0.0, 0.0
    number = client.begin("/fuse", 2, "o", "r", "@recall", 0.0, "@seed", seed)
    while not (ready and fusion):
        answer = client.receive(WAIT_SECONDS)
        if isinstance(answer, EngineState) and answer.state == "ready" and not ready:
            ready = time.monotonic() - began
        elif isinstance(answer, Started) and answer.id == number:
            fusion = time.monotonic() - began
    return ready, fusion


@dataclass
class _Counted:
    """Requests of a performance, and how they ended."""

    answers: dict[int, int] = field(default_factory=dict[int, int])
    ready: set[int] = field(default_factory=set[int])
    latencies_ms: list[float] = field(default_factory=list[float])
    ended: Counter[str] = field(default_factory=Counter[str])

    def take(self, answer: Answer) -> None:
        if isinstance(answer, Started) and answer.id in self.ready:
            self.latencies_ms.append(answer.latency_ms)
        elif isinstance(answer, Done | Fail) and answer.id in self.answers:
            self.answers[answer.id] += 1
            kind = "ready" if answer.id in self.ready else "new"
            self.ended[f"{kind} {'done' if isinstance(answer, Done) else answer.code}"] += 1


def kills(
    model: str, count: int, progress: Callable[[int, int], None],
    pauses_seconds: tuple[float, float] = PAUSES_SECONDS,
) -> Table:  # fmt: skip
    """Kill the engine at random moments while ready fusions are played in a sequence."""
    with tempfile.TemporaryDirectory() as temporary, Jack(PERIOD):
        folder = Path(temporary)
        make_clips(folder)
        # an input's memory would be there all the time
        options = ("--model", model, "--device", "system", "--clips", temporary, "--rate",
                   str(RATE_HZ), "--log-level", "error",
                   "--input", "off")  # fmt: skip
        with Daemon(folder, *options) as daemon, daemon.client() as client:
            _until_ready(client)
            _load(client)
            for blend in BLENDS:
                client.request("/fuse", 1, "o", "r", "@blend", blend, "@loop", 1)
            before = _own_mib(daemon, client)
            recording = Recording("PortAudio", folder)
            recording.start()
            counted = _Counted()
            _perform(daemon, client, count, counted, pauses_seconds, progress)
            samples = recording.stop()
            client.send("/panic")
            left = _shared_left(daemon.pid)
            grown = _own_mib(daemon, client) - before
            lines = status(client)
    gap_ms = 1000 * longest_silence(samples) / RATE_HZ
    twice = sum(each > 1 for each in counted.answers.values())
    never = sum(each == 0 for each in counted.answers.values())
    latest_ms = max(counted.latencies_ms, default=float("nan"))
    row = (str(count), len(counted.answers), never, twice, gap_ms, latest_ms, recording.xruns,
           grown, left)  # fmt: skip
    columns = ("kills", "requests", "unanswered", "answered twice", "longest silence, ms",
               "latest ready fusion, ms", "xruns of JACK", "daemon's growth, MiB",
               "shared memory left")  # fmt: skip
    ends = ", ".join(f"{how} {number}" for how, number in sorted(counted.ended.items()))
    notes = (f"requests: {ends}", *(f"{name}: {lines[name]}" for name in ("engine", "lost")))
    return Table("kills: of the engine, while ready fusions are played in a sequence", columns,
                 (row,), notes)  # fmt: skip


def _perform(
    daemon: Daemon, client: Client, count: int, counted: _Counted,
    pauses_seconds: tuple[float, float], progress: Callable[[int, int], None],
) -> None:  # fmt: skip
    """Play the sequence until the engine has been killed so often, and is ready once more."""
    chance, killed, step = random.Random(0), 0, 0
    began = time.monotonic()
    new, new_at, kill_at = 0, began, began + 1.0
    while killed < count or time.monotonic() < kill_at:
        number = client.begin(
            "/fuse", 1, "o", "r", "@blend", BLENDS[step % len(BLENDS)], "@loop", 1
        )
        counted.answers[number] = 0
        counted.ready.add(number)
        step += 1
        if counted.answers.get(new, 1) and time.monotonic() >= new_at:
            new = client.begin("/fuse", 2, "o", "r", "@recall", 0.0, "@seed", step)
            counted.answers[new] = 0
            new_at = time.monotonic() + NEW_SECONDS
        if time.monotonic() >= kill_at and killed < count and daemon.children("eutectic.engine"):
            daemon.engine().kill()
            killed += 1
            progress(killed, count)
            kill_at = time.monotonic() + chance.uniform(*pauses_seconds)
        for answer in client.events(max(0.0, began + step * STEP_SECONDS - time.monotonic())):
            counted.take(answer)
    _settle(client, counted, WAIT_SECONDS)


def _own_mib(daemon: Daemon, client: Client) -> float:
    """The daemon's memory but for the fusions that it keeps ready."""
    kept = re.search(r"([\d.]+) MiB of", status(client)["ready"])
    assert kept is not None
    return psutil.Process(daemon.pid).memory_info().rss / (1 << 20) - float(kept[1])


def _shared_left(pid: int) -> int:
    """Sounds in shared memory that stay there; those of fusions under way are soon gone."""
    until = time.monotonic() + WAIT_SECONDS
    while (left := len(list(SHARED.glob(f"{PREFIX}{pid}-*")))) and time.monotonic() < until:
        time.sleep(0.2)
    return left


def _settle(client: Client, counted: _Counted, seconds: float) -> None:
    """Wait for answers that are missing, and a moment for any that are too many."""
    until = time.monotonic() + seconds
    while 0 in counted.answers.values() and time.monotonic() < until:
        for answer in client.events(0.2):
            counted.take(answer)
    for answer in client.events(0.5):
        counted.take(answer)


def longest_silence(samples: NDArray[np.float32]) -> int:
    """Frames of the longest silence within a recording (frame, channel), its ends apart."""
    loud = np.flatnonzero(np.abs(samples).max(axis=1) > SILENT)
    return int(np.diff(loud).max(initial=1)) - 1
