"""Runs the parts of `eutectic bench`, table by table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from eutectic.config import SamplingSettings
from eutectic.engine.precision import has_native_bfloat16
from eutectic.experiments.ear import comparison, distinct
from eutectic.experiments.quality import Part, codec, denoising, learning, prompts, windows
from eutectic.experiments.quality.setup import Setup
from eutectic.experiments.report import Table
from eutectic.experiments.speed import costs, faithful, ratios, recalls, scaling, throughput
from eutectic.experiments.speed.parts import Parts

TABLES: Mapping[Part, Callable[[Setup], list[Table]]] = {
    Part.CODEC: codec.measure,
    Part.DENOISING: denoising.measure,
    Part.PROMPTS: prompts.measure,
    Part.LEARNING: learning.measure,
    Part.WINDOW: windows.measure,
    Part.EAR: comparison.measure,
    Part.PRESETS: distinct.measure,
}


def run(part: Part, setup: Setup, timed_runs: int = 3, learn_steps: int = 100) -> Iterator[Table]:
    """Run one part; yields each table when it is done.

    Speed's ratios are in float32 on both sides, all else in the daemon's own precision.

    Raises:
        BadInput: the recordings, ffmpeg or a package are missing.
        Cancelled: the watch was asked to stop.
    """
    if part is Part.THROUGHPUT:
        many = throughput.Many(setup.engine, setup.seconds, setup.steps)
        yield throughput.measure(many, timed_runs, setup.watch)
        return
    if part is Part.SCALING:
        many = throughput.Many(setup.engine, setup.seconds, setup.steps)
        yield from scaling.measure(many, timed_runs, setup.watch)
        return
    if part is not Part.SPEED:
        yield from TABLES[part](setup)
        return
    parts = Parts(setup.engine, setup.seconds, SamplingSettings(steps=setup.steps))
    half = has_native_bfloat16(parts.model.device)  # as in the daemon
    parts.model.bfloat16 = half
    yield recalls.measure(parts, timed_runs, setup.watch)
    parts.model.bfloat16 = False
    yield ratios.measure(parts, timed_runs, setup.watch)
    yield faithful.measure(parts, setup.watch)
    parts.model.bfloat16 = half
    yield costs.measure(parts, timed_runs, learn_steps, setup.watch)
    parts.model.bfloat16 = False
