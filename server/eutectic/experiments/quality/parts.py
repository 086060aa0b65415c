"""Runs the parts of the measurement, each with text for the terminal and values for JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from eutectic.config import SamplingSettings
from eutectic.experiments import bench
from eutectic.experiments.quality import Part, codec, denoising, learning, prompts, windows
from eutectic.experiments.quality.report import Table
from eutectic.experiments.quality.setup import Setup

TABLES: Mapping[Part, Callable[[Setup], list[Table]]] = {
    Part.CODEC: codec.measure,
    Part.DENOISING: denoising.measure,
    Part.PROMPTS: prompts.measure,
    Part.LEARNING: learning.measure,
    Part.WINDOW: windows.measure,
}


def run(part: Part, setup: Setup, timed_runs: int = 3) -> tuple[list[str], Any]:
    """One part's lines and values.

    Denoising asks the network as it is: run it before the parts that learn.

    Raises:
        BadInput: the recordings, or ffmpeg, are missing.
        Cancelled: the watch was asked to stop.
    """
    if part is Part.SPEED:
        settings = SamplingSettings(steps=setup.steps)
        report = bench.run(setup.engine, setup.seconds, settings, timed_runs, setup.watch)
        return report.lines(), asdict(report)
    tables = TABLES[part](setup)
    lines = [line for table in tables for line in (*table.lines(), "")]
    return lines, [table.values() for table in tables]
