"""The order in which a fan's places are made: the farthest apart first, from the hand outwards."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence

At = tuple[float, float]
"""A blend and a y."""

GROUP = 4
"""Places of a fan that the engine makes at once."""


class Order:
    """Of the places of a fan with these blends and ys, row by row."""

    def __init__(self, blends: Sequence[float], ys: Sequence[float]) -> None:
        self._blends, self._ys = blends, ys
        self._columns, self._lines = _levels(len(blends)), _levels(len(ys))

    def sorted(self, places: Iterable[int], hand: At, is_near_first: bool = False) -> list[int]:
        """Places by how soon they are wanted; maybe first those around the hand."""
        return sorted(places, key=lambda k: self._urgency(k, hand, is_near_first))

    def group(self, ordered: Sequence[int], hand: At, is_near_first: bool = False) -> list[int]:
        """What to make at once: of one row, and, if there are several, as urgent as the first."""
        first = self._urgency(ordered[0], hand, is_near_first)[0]
        return [
            k for k in ordered if self._row(k) == self._row(ordered[0])
            and (len(self._ys) == 1 or self._urgency(k, hand, is_near_first)[0] == first)
        ][:GROUP]  # fmt: skip

    def _row(self, k: int) -> int:
        return k // len(self._blends)

    def _urgency(self, k: int, hand: At, is_near_first: bool) -> tuple[int, float]:
        line, column = divmod(k, len(self._blends))
        across, along = abs(self._blends[column] - hand[0]), abs(self._ys[line] - hand[1])
        is_near = across * (len(self._blends) - 1) < 1 and along * (len(self._ys) - 1) < 1
        level = max(self._columns[column], self._lines[line])
        return -1 if is_near and is_near_first else level, math.hypot(across, along)


def _levels(size: int) -> list[int]:
    """How often gaps were halved until each of 0 to size - 1 was reached; both ends are 0."""
    levels = {0: 0, size - 1: 0}
    for level in itertools.count(1):
        gaps = [(a, b) for a, b in itertools.pairwise(sorted(levels)) if b - a > 1]
        if not gaps:
            return [levels[k] for k in range(size)]
        levels |= {a + (b - a) // 2: level for a, b in gaps}
    raise AssertionError  # counting doesn't end
