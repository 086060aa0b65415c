"""What a sampler's choices cost and give along the fusion window (4.3): steps, order, inversion."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from eutectic.audio import atomic_path, save_wav
from eutectic.config import Level, SamplingSettings
from eutectic.engine.engine import Clip, Engine, Reference
from eutectic.engine.watch import UNWATCHED, Watch
from eutectic.experiments import window as window_
from eutectic.experiments.distances import log_mel_distance, rank_correlation, texture_distance
from eutectic.experiments.quality.report import Row, Table, median
from eutectic.experiments.window import Point, Window, likeness

WIDTH_SHARE = 0.25
"""Of the greatest likeness to a source: with less of it, a fusion no longer resembles it."""

WIDTH_BLENDS = 1001
"""Blends, evenly, at which the curves are read for the window's width."""

COLUMNS = {
    "evaluations": "of the network for a fusion amid the window, the prefix being there",
    "seconds": "median for a fusion, decoding included",
    "whole": "evaluations for all fusions, prefix and inversion included",
    "to original": "rank correlation of blend with likeness to the original",
    "to reference": "the same for the reference",
    "balance": "blend of equal likeness",
    "width": f"share of blends at which both likenesses are at least {WIDTH_SHARE:g} of their most",
    "as most steps": "likeness to the fusions of the most steps, by log-mel distance, mean",
    "its texture": "the same by texture distance",
}


@dataclass(frozen=True)
class Choice:
    """One window: how it was sampled, and what it cost."""

    steps: int
    order: int
    settings: SamplingSettings
    window: Window
    whole: int
    """Network evaluations for all of it, nothing being known before."""
    again: bool = False
    """The same with another seed."""

    @property
    def name(self) -> str:
        again = ", another seed" if self.again else ""
        return f"{self.steps} steps, order {self.order}, {self.settings.residual}{again}"

    @property
    def middle(self) -> Point:
        """The fusion nearest to blend 0.5."""
        return min(self.window.points, key=lambda point: abs(point.fusion.blend - 0.5))


def measure(
    engine: Engine,
    original: Clip,
    reference: Reference,
    blends: Sequence[float],
    choices: Sequence[SamplingSettings],
    level: Level = "match",
    watch: Watch = UNWATCHED,
) -> list[Choice]:
    """A window for each choice, and one of the most steps with another seed.

    That one shows how far two samples are apart which differ by chance alone.

    Raises:
        Cancelled: the watch was asked to stop.
        BadSetting: a choice has no meaning with this model.
    """
    most = max(choices, key=lambda choice: engine.model.sampler(choice).steps)
    made: list[Choice] = []
    every = [*choices, replace(most, seed=most.seed ^ 1)]
    for number, settings in enumerate(every):
        engine.cache.clear()
        sampler, before = engine.model.sampler(settings), engine.model.evaluations
        window = window_.measure(
            engine, original, reference, blends, settings, level, Watch(watch.cancelled)
        )
        whole = engine.model.evaluations - before
        again = number == len(choices)
        made.append(Choice(sampler.steps, sampler.order, settings, window, whole, again))
        watch.progress(number + 1, len(every))
    return made


def table(made: Sequence[Choice]) -> Table:
    """Figures of every choice, under the names of COLUMNS."""
    rows = tuple(_row(choice, _finest(choice, made)) for choice in made)
    notes = tuple(f"{name}: {meaning}" for name, meaning in COLUMNS.items())
    return Table("window: choices", ("choice", *COLUMNS), rows, notes)


def _finest(choice: Choice, made: Sequence[Choice]) -> Choice:
    """The choice of the most steps among those that differ from this one in nothing else."""
    alike = [
        other
        for other in made
        if other.order == choice.order and other.settings.residual == choice.settings.residual
    ]
    return max(alike, key=lambda other: other.steps)


def _row(choice: Choice, finest: Choice) -> Row:
    window = choice.window
    pairs = [
        (own.fusion.waveform, other.fusion.waveform)
        for own, other in zip(window.points, finest.window.points, strict=True)
    ]
    log_mel = np.mean([log_mel_distance(*pair) for pair in pairs])
    texture = np.mean([texture_distance(*pair) for pair in pairs])
    return (
        choice.name,
        choice.middle.evaluations,
        median(point.seconds for point in window.points),
        choice.whole,
        rank_correlation(window.blends, window.like_original),
        rank_correlation(window.blends, window.like_reference),
        float("nan") if window.crossing is None else window.crossing,
        width(window),
        likeness(float(log_mel), finest.window.original_span),
        likeness(float(texture), finest.window.reference_span),
    )


def width(window: Window) -> float:
    """Share of the blends from the first to the last at which both sources are still there.

    The paper (4.3) finds the window wider at higher orders, and doesn't say how wide that is;
    here a source is there with `WIDTH_SHARE` of the greatest likeness along the window.
    """
    blends = np.linspace(window.blends[0], window.blends[-1], WIDTH_BLENDS)
    there = np.ones(len(blends), bool)
    for curve in (window.like_original, window.like_reference):
        there &= np.interp(blends, window.blends, curve) >= WIDTH_SHARE * max(curve)
    return float(there.mean())


def save_table(figures: Table, path: Path) -> None:
    """Write one line a choice as CSV."""
    with atomic_path(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(figures.columns)
        writer.writerows(figures.rows)


def save_sounds(made: Sequence[Choice], folder: Path) -> None:
    """Write both sources, and of each choice the fusion amid the window, as WAV."""
    save_wav(folder / "original.wav", made[0].window.original)
    save_wav(folder / "reference.wav", made[0].window.reference)
    for choice in made:
        name = choice.name.replace(", ", "-").replace(" ", "-")
        save_wav(folder / f"{name}.wav", choice.middle.fusion.waveform)
