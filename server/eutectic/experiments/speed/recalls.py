"""What recall costs: time to a new fusion's first chunk at 1, 0.7 and 0; and a clip's memory."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

import psutil

from eutectic import audio
from eutectic.engine.watch import UNWATCHED, Watch
from eutectic.experiments.report import Table
from eutectic.experiments.speed.parts import PROMPT, Parts
from eutectic.experiments.speed.served import Served

RECALLS = (1.0, 0.7, 0.0)
"""The last, the network alone, is what the others are compared with."""

BLEND = 0.5


def measure(parts: Parts, runs: int, watch: Watch = UNWATCHED) -> Table:
    """Fuse at each recall in turn, each time with a seed of its own, so that nothing is known.

    Raises:
        Cancelled: the watch was asked to stop.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.wav"
        audio.save_wav(path, parts.clip.waveform)
        served = Served(parts.engine, path, PROMPT)
        times: dict[float, list[float]] = {recall: [] for recall in RECALLS}
        for run in range(runs + 1):  # the first doesn't count
            for recall in RECALLS:
                watch.checkpoint()
                times[recall].append(_to_first_chunk(served, recall, run, parts.steps))
            watch.progress(run + 1, runs + 1)
    network = times[RECALLS[-1]][1:]
    rows = []
    for recall in RECALLS:
        taken = times[recall][1:]
        ratios = [each / over for each, over in zip(taken, network, strict=True)]
        rows.append(
            (f"{recall:g}", 1000 * statistics.median(taken), statistics.median(ratios),
             min(ratios), max(ratios))
        )  # fmt: skip
    size = parts.clip.nbytes / 1e6
    return Table(
        "speed: time to a new fusion's first chunk", ("recall", "ms", "over 0", "least", "most"),
        tuple(rows),
        (f"blend {BLEND:g}; {parts.described}",
         f"a clip of {parts.clip.waveform.seconds:.1f} s takes {size:.2f} MB of memory, "
         f"this process {psutil.Process().memory_info().rss / 1e6:.0f} MB"),
    )  # fmt: skip


def _to_first_chunk(served: Served, recall: float, seed: int, steps: int | None) -> float:
    """Seconds until the first chunk is decoded."""
    (fused,) = served.fuse([BLEND], seed, steps, recall)
    return sum(fused.stages_ms[stage] for stage in ("queue", "denoise", "first chunk")) / 1000
