"""Runs the parts of `eutectic bench`: text for the terminal, values for JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from eutectic.config import SamplingSettings
from eutectic.engine.precision import has_native_bfloat16
from eutectic.experiments.ear import comparison, distinct
from eutectic.experiments.quality import Part, codec, denoising, learning, prompts, windows
from eutectic.experiments.quality.setup import Setup
from eutectic.experiments.report import Table
from eutectic.experiments.speed import costs, faithful, ratios, recalls
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


def run(
    part: Part, setup: Setup, timed_runs: int = 3, learn_steps: int = 100
) -> tuple[list[str], Any]:
    """Run one part; returns its lines and values.

    Speed's ratios are in float32 on both sides, its costs in the daemon's own precision.

    Raises:
        BadInput: the recordings, ffmpeg or a package are missing.
        Cancelled: the watch was asked to stop.
    """
    if part is Part.SPEED:
        parts = Parts(setup.engine, setup.seconds, SamplingSettings(steps=setup.steps))
        tables = [
            ratios.measure(parts, timed_runs, setup.watch),
            faithful.measure(parts, setup.watch),
        ]
        parts.model.bfloat16 = has_native_bfloat16(parts.model.device)  # as in the daemon
        tables.append(recalls.measure(parts, timed_runs, learn_steps, setup.watch))
        tables.append(costs.measure(parts, timed_runs, learn_steps, setup.watch))
        parts.model.bfloat16 = False
    else:
        tables = TABLES[part](setup)
    lines = [line for table in tables for line in (*table.lines(), "")]
    return lines, [table.values() for table in tables]
