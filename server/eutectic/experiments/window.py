"""The fusion window (4.3): fuse across it, measure likeness to both sources, find the balance."""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from eutectic import audio
from eutectic.audio import Waveform
from eutectic.config import Level, Place, SamplingSettings
from eutectic.engine.engine import Clip, Engine, Fusion, Reference
from eutectic.engine.watch import UNWATCHED, Watch
from eutectic.experiments.distances import log_mel_distance, texture_distance
from eutectic.files.atomic import atomic_path

WIDTH_SHARE = 0.25
"""Of the greatest likeness to a source: with less of it, a fusion no longer resembles it."""

WIDTH_PLACES = 1001
"""Places, evenly, at which the curves are read for the window's width."""


@dataclass(frozen=True)
class Point:
    """One fusion of the window, and how far it is from the codec's round trip of each source."""

    fusion: Fusion
    from_original: float
    """Log-mel distance."""
    from_reference: float
    """Texture distance."""
    evaluations: int
    """Of the network, the prefix being there."""
    seconds: float
    """To compute it, decoding and levelling included."""


@dataclass(frozen=True)
class Curves:
    """Likeness to both sources at rising places: blends, or shares of the grid gone by."""

    places: tuple[float, ...]
    original: tuple[float, ...]
    reference: tuple[float, ...]

    @property
    def crossing(self) -> float | None:
        """The place at which both likenesses are equal (the paper's equilibrium)."""
        gap = np.array(self.original) - np.array(self.reference)
        for left in range(len(gap) - 1):
            if gap[left] <= 0 < gap[left + 1]:
                share = gap[left] / (gap[left] - gap[left + 1])
                return float(np.interp(share, [0, 1], self.places[left : left + 2]))
        return None

    @property
    def width(self) -> float:
        """Share of the places from the first to the last at which both sources are still there.

        The paper (4.3) finds the window wider at higher orders, and doesn't say how wide that is;
        here a source is there with `WIDTH_SHARE` of the greatest likeness along the window.
        """
        places = np.linspace(self.places[0], self.places[-1], WIDTH_PLACES)
        there = np.ones(len(places), bool)
        for curve in (self.original, self.reference):
            there &= np.interp(places, self.places, curve) >= WIDTH_SHARE * max(curve)
        return float(there.mean())


@dataclass(frozen=True)
class Window:
    """Fusions from reference to original, likenesses scaled so that the curves can be compared.

    Likeness to the original is 1 for its own round trip and 0 for the reference's own sample
    (blend 0), to the reference 1 at no distance and 0 for the original's round trip.
    """

    original: Waveform
    reference: Waveform
    points: tuple[Point, ...]
    original_span: float
    """Log-mel distance of the reference's own sample from the original's round trip."""
    reference_span: float
    """Texture distance of the original's round trip from the reference's."""

    @property
    def blends(self) -> list[float]:
        return [point.fusion.blend for point in self.points]

    @property
    def like_original(self) -> list[float]:
        return [likeness(point.from_original, self.original_span) for point in self.points]

    @property
    def like_reference(self) -> list[float]:
        return [likeness(point.from_reference, self.reference_span) for point in self.points]

    @property
    def curves(self) -> Curves:
        """Likeness over blend."""
        return Curves(tuple(self.blends), tuple(self.like_original), tuple(self.like_reference))


def likeness(distance: float, span: float) -> float:
    """Of a distance on a scale; not a number where both ends are the same sound."""
    return 1 - distance / span if span > 0 else math.nan


def measure(
    engine: Engine,
    original: Clip,
    reference: Reference,
    places: Sequence[Place],
    settings: SamplingSettings,
    level: Level = "match",
    watch: Watch = UNWATCHED,
) -> Window:
    """Fuse at each place, one at a time so that each can be timed, after the whole prefix."""

    def fuse(place: Place) -> Fusion:
        return engine.fuse(original, reference, [place], settings, level, watch)[0]

    own = fuse(Place(blend=0.0))
    original_trip, reference_trip = (
        round_trip(engine, original),
        round_trip(engine, reference.clip),
    )
    points: list[Point] = []
    for place in places:
        began, before = time.monotonic(), engine.model.evaluations
        fusion = fuse(place)
        seconds = time.monotonic() - began
        evaluations = engine.model.evaluations - before
        to_original = log_mel_distance(fusion.waveform, original_trip)
        to_reference = texture_distance(fusion.waveform, reference_trip)
        points.append(Point(fusion, to_original, to_reference, evaluations, seconds))
    return Window(
        original.waveform,
        reference.clip.waveform,
        tuple(points),
        log_mel_distance(own.waveform, original_trip),
        texture_distance(original_trip, reference_trip),
    )


def at_blends(blends: Sequence[float]) -> list[Place]:
    """The places of these blends."""
    return [Place(blend=blend) for blend in blends]


def round_trip(engine: Engine, clip: Clip) -> Waveform:
    """A clip through the codec, as `remaining` 0 gives it."""
    samples = engine.model.codec.decode(clip.latent, clip.waveform.frames)
    return Waveform(samples, engine.model.codec.rate_hz)


def save_sounds(window: Window, folder: Path) -> list[Path]:
    """Write original, reference and fusions as WAV; returns the fusions' paths."""
    audio.save_wav(folder / "original.wav", window.original)
    audio.save_wav(folder / "reference.wav", window.reference)
    paths: list[Path] = []
    for point in window.points:
        path = folder / f"fusion-{round(100 * point.fusion.blend):03d}.wav"
        audio.save_wav(path, point.fusion.waveform)
        paths.append(path)
    return paths


def save_table(window: Window, path: Path) -> None:
    """Write one line a fusion as CSV."""
    with atomic_path(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            ["blend", "remaining", "evaluations", "gain_db", "from_original", "from_reference",
             "like_original", "like_reference"]
        )  # fmt: skip
        for point, to_original, to_reference in zip(
            window.points, window.like_original, window.like_reference, strict=True
        ):
            fusion = point.fusion
            figures = (
                fusion.gain_db, point.from_original, point.from_reference,
                to_original, to_reference,
            )  # fmt: skip
            remaining = "" if fusion.remaining is None else fusion.remaining
            counts = [f"{fusion.blend:.4f}", remaining, point.evaluations]
            writer.writerow([*counts, *(f"{figure:.4f}" for figure in figures)])
