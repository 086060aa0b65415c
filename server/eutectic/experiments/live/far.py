"""What a wire adds: fusions of an engine on this machine, and of others at the end of a line.

All engines are processes of this machine, with the same model, and take turns, so that whatever
else it does slows them alike. The first is reached by its pipe, as ever; the second by the wire on
loopback; the others by the wire over a line that delays and loses (see `line`).
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from eutectic.config import Place, SamplingSettings
from eutectic.experiments.live.engine_machine import EngineMachine
from eutectic.experiments.live.line import Line, Way
from eutectic.experiments.live.stand import SECONDS, make_clips
from eutectic.experiments.report import Row, Table
from eutectic.link import protocol as link
from eutectic.link.host import Host
from eutectic.link.protocol import Canvas, Done, Failed, ReferenceSpec, Result, Source, Work
from eutectic.link.remote import Remote
from eutectic.link.spare import Spare
from eutectic.link.wire import Engines, Local, engine_arguments

RATE_HZ, SIDES = 48_000, 2
CACHE_BYTES = 1 << 30
POLL_SECONDS = 0.02

PIPE, WIRE = "pipe, this machine", "wire, loopback"
LINES = {
    WIRE: None,
    "wire, 5 ms": Way(0.005),
    "wire, 50 ms, 1 % lost": Way(0.05, 0.0, 0.01),
}
"""Each way of the line takes so long."""


class JobFailed(Exception):
    """An engine failed a job."""


@dataclass
class _Times:
    """Of fusions, in milliseconds, and the rates at which their chunks came, in MB/s."""

    first: list[float] = field(default_factory=list[float])
    whole: list[float] = field(default_factory=list[float])
    rates: list[float] = field(default_factory=list[float])
    round_trip: list[float] = field(default_factory=list[float])

    def row(self, name: str, base: _Times) -> Row:
        def figures(values: list[float]) -> Iterator[float]:
            yield from map(float, np.percentile(values, (50, 99)))

        added = [one - other for one, other in zip(figures(self.first), figures(base.first),
                                                   strict=True)]  # fmt: skip
        return (
            name, *figures(self.first), *added, *figures(self.whole),
            float(np.median(self.rates)), float(np.median(self.round_trip)),
        )  # fmt: skip


def measure(model: str, runs: int, progress: Callable[[int, int], None]) -> Table:
    """So many fusions by each engine, each with a seed of its own."""
    with tempfile.TemporaryDirectory() as temporary:
        times = asyncio.run(_measure(model, runs, Path(temporary), progress))
    base = times[PIPE]
    rows = tuple(each.row(name, base) for name, each in times.items())
    columns = (
        "", "first sample, ms", "its p99", "added, ms", "added p99", "whole, ms", "whole p99",
        "MB/s", "round trip, ms",
    )  # fmt: skip
    return Table(
        f"wire: fusions of {SECONDS:g} s, {runs} of each; medians and 99th percentiles", columns,
        rows, ("added: to that of the pipe; MB/s: from the first chunk to the last",),
    )  # fmt: skip


async def _measure(
    model: str, runs: int, folder: Path, progress: Callable[[int, int], None]
) -> dict[str, _Times]:
    make_clips(folder)
    (folder / "data").mkdir()
    async with contextlib.AsyncExitStack() as stack:
        ends = {PIPE: await stack.enter_async_context(_end(_local(model, folder)))}
        for number, (name, way) in enumerate(LINES.items()):
            data = folder / str(number)
            machine = stack.enter_context(EngineMachine(data, model))
            port = machine.port
            if way is not None:
                port = stack.enter_context(Line(port, way)).port
            there = Remote(f"127.0.0.1:{port}", model, folder)
            ends[name] = await stack.enter_async_context(_end(lambda _, there=there: there))
        for each in ends.values():
            await each.load(folder)
        times = {name: _Times() for name in ends}
        for run in range(-1, runs):  # the first of each isn't counted
            for name, each in ends.items():
                await each.fuse(run + 1, times[name] if run >= 0 else _Times())
            progress(run + 1, runs)
        return times


def _local(model: str, folder: Path) -> Callable[[Spare], Engines]:
    return lambda spare: Local(spare, engine_arguments(model, folder / "data", CACHE_BYTES))


@contextlib.asynccontextmanager
async def _end(engines: Callable[[Spare], Engines]) -> AsyncGenerator[_End]:
    spare = Spare()
    host = Host(engines(spare), lambda _: None, spare)
    host.start()
    try:
        while host.state != "ready":
            if host.state == "failed":
                raise JobFailed(host.failure)
            await asyncio.sleep(POLL_SECONDS)
        yield _End(host)
    finally:
        await host.stop()


class _End:
    """The daemon's end of an engine, which has two clips."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._original, self._reference = "", ReferenceSpec("", "low drone")

    async def load(self, folder: Path) -> None:
        keys = list[str]()
        for name in ("original.wav", "reference.wav"):
            async for result in self._do(link.Load(0, Source(str(folder / name)))):
                if isinstance(result, link.Loaded):
                    keys.append(result.key)
        self._original, self._reference = keys[0], ReferenceSpec(keys[1], "low drone")

    async def fuse(self, seed: int, times: _Times) -> None:
        """Fuse the two, and note when its chunks come."""
        canvas = Canvas.make(SIDES, round(SECONDS * RATE_HZ), 0, RATE_HZ)
        fuse = link.Fuse(
            0, self._original, self._reference, [Place(blend=0.5)],
            SamplingSettings(seed, recall=1.0), "match", [canvas],
        )  # fmt: skip
        chunks: list[tuple[float, int]] = []
        began = time.perf_counter()
        try:
            async for result in self._do(fuse):
                if isinstance(result, link.Chunk):
                    chunks.append((time.perf_counter(), result.stop))
        finally:
            canvas.unlink()
        (first, start), (last, stop) = chunks[0], chunks[-1]
        times.first.append(1000 * (first - began))
        times.whole.append(1000 * (last - began))
        times.rates.append(4e-6 * SIDES * (stop - start) / max(last - first, 1e-9))
        times.round_trip.append(self._host.round_trip_ms)

    async def _do(self, work: Work) -> AsyncGenerator[Result]:
        results: asyncio.Queue[Result] = asyncio.Queue()
        self._host.submit(work, results.put_nowait)
        while True:
            result = await results.get()
            if isinstance(result, Failed):
                raise JobFailed(result.text)
            yield result
            if isinstance(result, Done):
                return
