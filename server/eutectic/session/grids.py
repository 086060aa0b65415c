"""The places of fans: at which blends they are, and where a voice's knob finds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from eutectic.session.pair import Pair

DEFAULT_SIZE = 5
"""Places of a fan that nobody asked for, evenly from 0 to 1."""

MAX_PAIRS = 256
"""Whose places are remembered."""


def steady(size: int) -> list[float]:
    """Blends in equal steps from 0 to 1."""
    return [k / (size - 1) for k in range(size)]


class Grids:
    """The blends of pairs' fans, rising from 0 to 1, by the pairs' keys.

    A knob goes through a fan's places in equal steps, at whatever blends they are.
    """

    def __init__(self) -> None:
        self.kept: dict[str, list[float]] = {}

    def restore(self, kept: Mapping[str, Sequence[float]]) -> None:
        """Take what a session kept, as far as it is valid."""
        for key, blends in kept.items():
            steps = np.diff(blends)
            if len(steps) and blends[0] == 0 and blends[-1] == 1 and (steps > 0).all():
                self.kept[key] = list(blends)

    def of(self, pair: Pair | None) -> list[float]:
        """The places of a pair's fan."""
        known = None if pair is None else self.kept.get(pair.key)
        return known or steady(DEFAULT_SIZE)

    def keep(self, pair: Pair, blends: Sequence[float]) -> None:
        """A pair's fan has these places from now on."""
        self.kept.pop(pair.key, None)
        self.kept[pair.key] = list(blends)
        if len(self.kept) > MAX_PAIRS:
            del self.kept[next(iter(self.kept))]

    def follow(self, pair: Pair, before: Pair) -> None:
        """A pair's fan has the places that another's has, if that was asked for."""
        if before.key in self.kept:
            self.keep(pair, self.kept[before.key])

    def blend(self, pair: Pair | None, knob: float) -> float:
        """The blend at a knob's position, 0 to 1."""
        blends = self.of(pair)
        return float(np.interp(knob, steady(len(blends)), blends))

    def knob(self, pair: Pair | None, blend: float) -> float:
        """The position of a knob at a blend."""
        blends = self.of(pair)
        return float(np.interp(blend, blends, steady(len(blends))))
