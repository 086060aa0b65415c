"""Ratios of times, measured in one run."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

import torch

from eutectic.engine.watch import UNWATCHED, Watch
from eutectic.experiments.report import Row, Table
from eutectic.experiments.speed.floors import timed
from eutectic.experiments.speed.parts import FAN_BLENDS, WIDE_FAN_BLENDS, Parts

Timed = Callable[[], Any]
Comparison = tuple[str, Timed, str, Timed]


def measure(parts: Parts, runs: int, watch: Watch = UNWATCHED) -> Table:
    """Make every comparison that the engine's claims rest on.

    Raises:
        Cancelled: the watch was asked to stop.
    """
    rows: list[Row] = []
    every = _comparisons(parts)
    for number, comparison in enumerate(every):
        watch.checkpoint()
        rows.append(_compare(*comparison, runs, parts.model.device))
        watch.progress(number + 1, len(every))
    columns = ("part", "over", "ratio", "least", "most", "part ms", "over ms")
    return Table("speed: ratios in one run", columns, tuple(rows), (parts.described,))


def _comparisons(parts: Parts) -> list[Comparison]:
    fan, wide = f"fan of {len(FAN_BLENDS)}", f"fan of {len(WIDE_FAN_BLENDS)}"
    comparisons: list[Comparison] = [
        ("fusion at 0.5 from a warm prefix", parts.fuse_warm, "Algorithm 1 run whole",
         parts.fuse_whole),
        (fan, parts.fan, "its single fusions", parts.fan_singly),
        (wide, lambda: parts.fan(WIDE_FAN_BLENDS), "its single fusions",
         lambda: parts.fan_singly(WIDE_FAN_BLENDS)),
        ("inversion", parts.invert, "DDIM inversion", parts.invert_ddim),
        ("inversion", parts.invert, "edit-friendly inversion", parts.invert_edit_friendly),
    ]  # fmt: skip
    if parts.pipeline is not None:
        peer = "StableAudioPipeline, latents"
        comparisons[:0] = [
            ("full sampling, latents", parts.sample_latent, peer, parts.generate_latent),
            ("trigger at 0.5, latents", parts.fuse_warm, peer, parts.generate_latent),
        ]
    if not parts.has_peer:
        return comparisons
    peer = "generate_diffusion_cond"
    return [
        ("full sampling", parts.sample, peer, parts.generate),
        ("trigger at 0.5, first chunk", parts.trigger, peer, parts.generate),
        ("trigger at 0.5, whole", parts.trigger_whole, peer, parts.generate),
        *comparisons,
    ]


def _compare(
    part: str, function: Timed, over: str, other: Timed, runs: int, device: torch.device
) -> Row:
    for warm in (function, other):
        warm()
    times = [(timed(function, device), timed(other, device)) for _ in range(runs)]
    ratios = [a / b for a, b in times]
    return (
        part, over, statistics.median(ratios), min(ratios), max(ratios),
        1000 * statistics.median(a for a, _ in times),
        1000 * statistics.median(b for _, b in times),
    )  # fmt: skip
