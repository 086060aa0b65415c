"""How rendering scales with workers, and what handing out costs by itself (`eutectic bench`).

The clock runs from when all workers have made a few batches; what starts cost is in `throughput`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from eutectic.config import Place, SamplingSettings
from eutectic.engine.watch import UNWATCHED, Watch
from eutectic.errors import BadInput
from eutectic.experiments.report import Row, Table, median
from eutectic.experiments.speed import planned
from eutectic.experiments.speed.parts import processor
from eutectic.experiments.speed.throughput import BLENDS, RECALL, Many, write
from eutectic.link.protocol import Source
from eutectic.rendering import models, naming, sounds
from eutectic.rendering.gathering import Asked, Block, Gathered, Variant
from eutectic.rendering.plan import Plan, varied
from eutectic.rendering.pool import Setup
from eutectic.rendering.work import Batch
from eutectic.rendering.work import Row as RenderRow
from eutectic.system.limits import processors

POOLS = ("processes", "ray")

PIECES = 2
"""Originals of a batch."""

BATCHES = 4
"""Of each worker in a round, at least."""

FEW, MANY = 10_000, 1_000_000
"""Fusions that are planned; memory that grows from one to the other is held for each."""


def measure(many: Many, rounds: int, watch: Watch = UNWATCHED) -> Iterator[Table]:
    """Fusions per minute by workers; then the cost of handing out, with workers that make nothing.

    Raises:
        BadInput: a worker or a measurement fails.
        Cancelled: the watch was asked to stop.
    """
    yield _workers(many, rounds, watch)
    yield _handing_out(watch)


def _workers(many: Many, rounds: int, watch: Watch) -> Table:
    numbers, alone = range(1, processors() + 1), dict[str, float]()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as temporary:
        batches = _batches(many, rounds, Path(temporary))
        for count in numbers:
            for kind in POOLS:
                watch.checkpoint()
                rate = median(_rates(many, kind, count, batches, Path(temporary)))
                first = alone.setdefault(kind, rate)
                rows.append((kind, count, 60 * rate, rate / first, rate / first / count))
                watch.progress(len(rows), len(POOLS) * len(numbers))
    model = many.engine.model
    notes = (
        f"{model.name}, {many.seconds:g} s, recall {RECALL:g}, {len(BLENDS)} blends of {PIECES} "
        f"originals in a batch; {processor()}, {processors()} processors",
    )  # fmt: skip
    columns = ("workers are", "workers", "fusions/min", "over one", "efficiency")
    return Table("scaling: one model for each worker", columns, tuple(rows), notes)


def _rates(
    many: Many, kind: str, workers: int, batches: list[list[Batch]], folder: Path
) -> list[float]:  # fmt: skip
    """Fusions per second in each round but the first, before which nothing is ready."""
    model, rates = many.engine.model, list[float]()
    with tempfile.TemporaryDirectory(dir=folder) as out:
        setup = Setup(model.name, out, model.device.type)
        with planned.pool_of(kind, setup, workers) as pool:
            for some in batches:
                done: list[RenderRow] = []
                began = time.perf_counter()
                pool.run(iter(some), done.append)
                rates.append(len(done) / (time.perf_counter() - began))
                if reasons := [each.reason for each in done if each.reason]:
                    raise BadInput(f"a fusion failed: {reasons[0]}")
    return rates[1:]


def _batches(many: Many, rounds: int, folder: Path) -> list[list[Batch]]:
    """Batches of each round, whose seeds are its own, so that nothing is remembered of it."""
    written = write(folder, many.seconds, many.engine.model)
    sections = [Source(str(path)) for path in (*written.originals, written.reference)]
    heard = sounds.hear(sections, None, lambda _done, _total: None)
    originals = range(len(written.originals))
    seeds = -(-BATCHES * processors() * PIECES // len(originals))
    places = tuple(map(Place, BLENDS))
    variants = [
        Variant("", SamplingSettings(seed, steps=many.steps, recall=RECALL), "match", places)
        for seed in range(seeds * (rounds + 1))
    ]
    block = Block(array("I", originals), (0,), tuple(range(len(variants))))
    asked = Asked(len(originals), "a reference", None, None)
    gathered = Gathered(sections, [asked], variants, [block])
    template = naming.default_template(varied(gathered), ".flac")
    plan = Plan(gathered, heard, template, models.asked(many.engine.model.name, download=False))
    every: list[list[Batch]] = [[] for _ in range(rounds + 1)]
    for batch in plan.batches(PIECES):
        every[batch.sampling.seed // seeds].append(batch)
    return every


def _handing_out(watch: Watch) -> Table:
    """What a fusion costs where making it costs nothing, and the driver's memory."""
    rows, notes = list[Row](), list[str]()
    for kind in POOLS:
        found: list[dict[str, Any]] = []
        for count in (FEW, MANY):
            watch.checkpoint()
            found.append(_planned(count, kind, processors()))
            per = 1e6 / found[-1]["count"]
            rows.append((
                kind, found[-1]["count"], found[-1]["survey_seconds"] * per,
                found[-1]["run_seconds"] * per, found[-1]["peak_bytes"] / 2**20,
            ))  # fmt: skip
            watch.progress(len(rows), 2 * len(POOLS))
        few, many = found
        more = (many["peak_bytes"] - few["peak_bytes"]) / (many["count"] - few["count"])
        notes.append(f"{kind}: {more:.0f} bytes of memory for each fusion that is planned")
    columns = (
        "workers are", "planned", "µs to look at one", "µs to hand one out", "driver's peak MiB"
    )  # fmt: skip
    return Table("scaling: workers that make nothing", columns, tuple(rows), tuple(notes))


def _planned(count: int, kind: str, workers: int) -> dict[str, Any]:
    """A run in a process of its own.

    Raises:
        BadInput: it fails.
    """
    words = [sys.executable, "-m", planned.MODULE, str(count), kind, str(workers)]
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise BadInput(f"a run with simulated workers failed: {ended.stderr.strip()[-500:]}")
    return json.loads(ended.stdout)
