"""What steps, order and inversion cost and yield along the fusion window (4.3)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from eutectic.audio import save_wav
from eutectic.config import Level, Place, SamplingSettings
from eutectic.engine import window as window_
from eutectic.engine.clips import Clip
from eutectic.engine.distances import log_mel_distance, texture_distance
from eutectic.engine.engine import Engine
from eutectic.engine.fuser import Reference
from eutectic.engine.watch import UNWATCHED, Watch
from eutectic.experiments.report import Row, Table, median, rank_correlation
from eutectic.window import WIDTH_SHARE, Point, Window, likeness

COLUMNS = {
    "evaluations": "network evaluations for the fusion at mid-window, given the prefix",
    "seconds": "median time for a fusion, decoding included",
    "whole": "evaluations for all fusions, prefix and inversion included",
    "to original": "rank correlation of blend with likeness to the original",
    "to reference": "the same for the reference",
    "balance": "blend of equal likeness",
    "width": f"share of blends where both likenesses are at least {WIDTH_SHARE:g} of their maximum",
    "as most steps": "mean likeness to the fusions with the most steps, by log-mel distance",
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
    """Network evaluations for all of it, from empty caches."""
    again: bool = False
    """Repeated with another seed."""

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
    places: Sequence[Place],
    choices: Sequence[SamplingSettings],
    level: Level = "match",
    watch: Watch = UNWATCHED,
) -> list[Choice]:
    """A window for each choice, and a repetition of the one with the most steps, with another seed.

    The repetition shows the distance between samples that differ only by chance.

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
            engine, original, reference, places, settings, level, Watch(watch.cancelled)
        )
        whole = engine.model.evaluations - before
        again = number == len(choices)
        made.append(Choice(sampler.steps, sampler.order, settings, window, whole, again))
        watch.progress(number + 1, len(every))
    return made


def table(made: Sequence[Choice]) -> Table:
    """The figures of every choice, under the names in COLUMNS."""
    rows = tuple(_row(choice, _finest(choice, made)) for choice in made)
    notes = tuple(f"{name}: {meaning}" for name, meaning in COLUMNS.items())
    return Table("window: choices", ("choice", *COLUMNS), rows, notes)


def _finest(choice: Choice, made: Sequence[Choice]) -> Choice:
    """The choice with the most steps among those that differ only in their steps."""
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
        math.nan if window.curves.crossing is None else window.curves.crossing,
        window.curves.width,
        likeness(float(log_mel), finest.window.original_span),
        likeness(float(texture), finest.window.reference_span),
    )


def save_sounds(made: Sequence[Choice], folder: Path) -> None:
    """Write both sources and each choice's fusion at mid-window as WAV."""
    save_wav(folder / "original.wav", made[0].window.original)
    save_wav(folder / "reference.wav", made[0].window.reference)
    for choice in made:
        name = choice.name.replace(", ", "-").replace(" ", "-")
        save_wav(folder / f"{name}.wav", choice.middle.fusion.waveform)
