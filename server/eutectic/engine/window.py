"""Fuses along the fusion window (4.3), and measures how like both sources the fusions are."""

from __future__ import annotations

import time
from collections.abc import Sequence

from eutectic.audio import Waveform
from eutectic.config import Level, Place, SamplingSettings
from eutectic.engine.clips import Clip
from eutectic.engine.distances import log_mel_distance, texture_distance
from eutectic.engine.engine import Engine, Fusion
from eutectic.engine.fuser import Reference
from eutectic.engine.watch import UNWATCHED, Watch
from eutectic.window import Point, Window


def measure(
    engine: Engine,
    original: Clip,
    reference: Reference,
    places: Sequence[Place],
    settings: SamplingSettings,
    level: Level = "match",
    watch: Watch = UNWATCHED,
) -> Window:
    """Sample the whole prefix, then fuse at each place in turn, so that each can be timed.

    Other work that the watch lets run in between isn't counted.
    """
    others = _Others(engine, watch)

    def fuse(place: Place) -> Fusion:
        return engine.fuse(original, reference, [place], settings, level, others.watch)[0]

    own = fuse(Place(blend=0.0))
    original_trip, reference_trip = (
        round_trip(engine, original),
        round_trip(engine, reference.remembered),
    )
    points: list[Point] = []
    for place in places:
        began, before = time.monotonic(), engine.model.evaluations
        others.seconds, others.evaluations = 0.0, 0
        fusion = fuse(place)
        seconds = time.monotonic() - began - others.seconds
        evaluations = engine.model.evaluations - before - others.evaluations
        watch.checkpoint()
        to_original = log_mel_distance(fusion.waveform, original_trip)
        to_reference = texture_distance(fusion.waveform, reference_trip)
        points.append(Point(fusion, to_original, to_reference, evaluations, seconds))
    return Window(
        original.waveform,
        reference.remembered.waveform,
        tuple(points),
        log_mel_distance(own.waveform, original_trip),
        texture_distance(original_trip, reference_trip),
    )


class _Others:
    """Counts what other jobs take while a watch lets them run."""

    def __init__(self, engine: Engine, watch: Watch) -> None:
        self._model, self._cancelled = engine.model, watch.cancelled
        self.watch = Watch(self._cancelled_and_counted, watch.progress)
        self.seconds, self.evaluations = 0.0, 0

    def _cancelled_and_counted(self) -> bool:
        began, before = time.monotonic(), self._model.evaluations
        is_cancelled = self._cancelled()
        self.seconds += time.monotonic() - began
        self.evaluations += self._model.evaluations - before
        return is_cancelled


def round_trip(engine: Engine, clip: Clip) -> Waveform:
    """A clip through the codec: the fusion with `remaining` 0."""
    samples = engine.model.codec.decode(clip.latent, clip.waveform.frames)
    return Waveform(samples, engine.model.codec.rate_hz)
