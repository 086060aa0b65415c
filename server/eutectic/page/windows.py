"""The fusion window of a pair, from the places of its fan that are ready."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from eutectic.page.distances import LogMel, log_mel_distance, texture_distance
from eutectic.window import Curves, likeness


@dataclass(frozen=True)
class Place:
    """A place of a fan that is ready, and the name that its fusion is kept by."""

    blend: float
    key: str


@dataclass(frozen=True)
class Found:
    """Rows of blend, likeness to the original and to the reference, and where both are equal."""

    rows: tuple[tuple[float, float, float], ...] = ()
    balance: float | None = None


def window_of(
    blends: Sequence[float], fusions: Sequence[LogMel], reference: LogMel | None
) -> Found:
    """Likenesses on the scale of `eutectic.window.Window`.

    The fusion at blend 1 stands for the original's own round trip, that at blend 0 for the
    reference if the sound of that isn't known. Nothing is found unless both are there, and differ.
    """
    if len(fusions) < 2 or blends[0] != 0 or blends[-1] != 1:
        return Found()
    own, trip = fusions[0], fusions[-1]
    remembered = own if reference is None else reference
    original_span = log_mel_distance(own, trip)
    reference_span = texture_distance(trip, remembered)
    rows = tuple(
        (blend, likeness(log_mel_distance(each, trip), original_span),
         likeness(texture_distance(each, remembered), reference_span))
        for blend, each in zip(blends, fusions, strict=True)
    )  # fmt: skip
    if not all(math.isfinite(figure) for row in rows for figure in row):
        return Found()
    places, original, references = zip(*rows, strict=True)
    return Found(rows, Curves(places, original, references).crossing)
