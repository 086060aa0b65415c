"""The fusion window (4.3): what its fusions are like, the balance of both sources, its files.

`engine.window` measures it.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from eutectic import audio
from eutectic.audio import Waveform
from eutectic.config import Place
from eutectic.files.atomic import atomic_path

WIDTH_SHARE = 0.25
"""Share of the greatest likeness to a source below which a fusion no longer resembles it."""

WIDTH_PLACES = 1001
"""Evenly spaced places at which the curves are read for the window's width."""


@dataclass(frozen=True)
class Made:
    """A fused sound of the original's length, and how it was made."""

    waveform: Waveform
    blend: float
    remaining: int | None
    """Steps after the injection, the paper's i; 0: the codec's round trip; None: no injection."""
    gain_db: float


@dataclass(frozen=True)
class Point:
    """One fusion of the window, and its distance from the codec's round trip of each source."""

    fusion: Made
    from_original: float
    """Log-mel distance."""
    from_reference: float
    """Texture distance."""
    evaluations: int
    """Network evaluations, given the prefix."""
    seconds: float
    """Time to compute it, decoding and levelling included."""


@dataclass(frozen=True)
class Curves:
    """Likeness to both sources at rising places: blends, or shares of the grid already sampled."""

    places: tuple[float, ...]
    original: tuple[float, ...]
    reference: tuple[float, ...]

    @property
    def crossing(self) -> float | None:
        """The place where both likenesses are equal (the paper's equilibrium)."""
        gap = np.array(self.original) - np.array(self.reference)
        for left in range(len(gap) - 1):
            if gap[left] <= 0 < gap[left + 1]:
                share = gap[left] / (gap[left] - gap[left + 1])
                return float(np.interp(share, [0, 1], self.places[left : left + 2]))
        return None

    @property
    def width(self) -> float:
        """Share of the places, from first to last, where both sources are recognisable.

        The paper (4.3) finds the window wider at higher orders, but defines no width; here a
        source counts from `WIDTH_SHARE` of its greatest likeness along the window.
        """
        places = np.linspace(self.places[0], self.places[-1], WIDTH_PLACES)
        both = np.ones(len(places), bool)
        for curve in (self.original, self.reference):
            both &= np.interp(places, self.places, curve) >= WIDTH_SHARE * max(curve)
        return float(both.mean())


@dataclass(frozen=True)
class Window:
    """Fusions from reference to original, with likenesses scaled so that the curves compare.

    Likeness to the original is 1 for its own round trip and 0 for the reference's own sampling
    (blend 0); likeness to the reference is 1 at distance 0 and 0 for the original's round trip.
    """

    original: Waveform
    reference: Waveform
    points: tuple[Point, ...]
    original_span: float
    """Log-mel distance of the reference's own sampling from the original's round trip."""
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
    """Likeness of a distance on a scale; NaN if both ends are the same sound."""
    return 1 - distance / span if span > 0 else math.nan


def at_blends(blends: Sequence[float]) -> list[Place]:
    """These blends as places."""
    return [Place(blend=blend) for blend in blends]


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


def values(window: Window) -> dict[str, Any]:
    """The figures of a window as values for JSON; None where two sounds have no distance."""
    points = [
        {
            "blend": point.fusion.blend, "remaining": point.fusion.remaining,
            "evaluations": point.evaluations, "seconds": point.seconds,
            "gain_db": point.fusion.gain_db, "from_original": point.from_original,
            "from_reference": point.from_reference,
            "like_original": _finite(to_original), "like_reference": _finite(to_reference),
        }
        for point, to_original, to_reference in zip(
            window.points, window.like_original, window.like_reference, strict=True
        )
    ]  # fmt: skip
    return {"points": points, "crossing": window.curves.crossing}


def _finite(figure: float) -> float | None:
    return figure if math.isfinite(figure) else None


def save_table(window: Window, path: Path) -> None:
    """Write a line for each fusion as CSV."""
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
            writer.writerow([*counts, *(f"{round(figure, 4) + 0.0:.4f}" for figure in figures)])
