"""The places of fans: at which blends they are, across what else, and where a hand finds them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta

from eutectic.errors import BadSetting
from eutectic.osc.requests.fusions import Across, MakeFan
from eutectic.osc.requests.voices import VOICE_RANGES
from eutectic.session.pair import Knobs, Pair, Reference

DEFAULT_SIZE = 5
"""Places of a fan that nobody asked for, evenly from 0 to 1."""

MAX_PAIRS = 256
"""Whose places are remembered."""

DEFAULT_ROWS = 3
"""Of a second axis; two of one across reference2, between which both are heard."""

ENDS: dict[Across, tuple[float, float]] = {
    "recall": (0.0, 1.0), "cfg": (1.0, 7.0), "eta": (0.0, 1.0), "reference2": (0.0, 1.0),
}  # fmt: skip
"""What is turned, at y 0 and at y 1, where nothing else is asked for."""

TURNED: tuple[Across, ...] = ("recall", "cfg", "eta")
"""What is a setting of the voice, too."""

DIGITS = 6
"""Of the values between an axis's ends, so that they are the same after a restart."""


class Axis(msgspec.Struct, frozen=True):
    """The second axis of a fan, y: what it turns, its values at y 0 and 1, and how many rows."""

    across: Across
    size: Annotated[int, Meta(ge=2, le=9)]
    low: float
    high: float
    reference2: str = ""

    def __post_init__(self) -> None:
        lowest, highest = VOICE_RANGES.get(self.across, (0.0, 1.0))
        if not all(lowest <= each <= highest for each in (self.low, self.high)):
            raise BadSetting(f"{self.across} must be {lowest:g} to {highest:g}")
        if self.low == self.high:
            raise BadSetting(f"{self.across} must differ between low and high")

    @classmethod
    def of(cls, request: MakeFan) -> Axis | None:
        """The one that a request asks for.

        Raises:
            BadSetting: it asks for half of one, or for one without extent.
        """
        across, other = request.across, request.reference2
        if across is None:
            if any(each is not None for each in (request.m, request.low, request.high, other)):
                raise BadSetting("m, low, high and reference2 are of a second axis: give across")
            return None
        if (across == "reference2") != (other is not None):
            raise BadSetting("across reference2 needs reference2, and no other across has one")
        low, high = ENDS[across]
        if across == "reference2":
            if request.m not in (None, 2) or request.low is not None or request.high is not None:
                raise BadSetting("across reference2 is from one reference to the other: m is 2")
            return cls(across, 2, low, high, other or "")
        low = low if request.low is None else round(request.low, DIGITS)
        high = high if request.high is None else round(request.high, DIGITS)
        return cls(across, request.m or DEFAULT_ROWS, low, high)

    def value(self, y: float) -> float:
        """What is turned, at a y."""
        return round(self.low + (self.high - self.low) * y, DIGITS)

    def y(self, value: float) -> float:
        """Where a value is; at an end if it is beyond that."""
        return min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)

    def has(self, value: float | None) -> bool:
        return value is not None and min(self.low, self.high) <= value <= max(self.low, self.high)


def steady(size: int) -> list[float]:
    """Blends in equal steps from 0 to 1."""
    return [k / (size - 1) for k in range(size)]


class Grids:
    """The places of pairs' fans: their blends, rising from 0 to 1, and maybe a second axis.

    A knob goes through a fan's blends in equal steps, wherever they are. What an axis turns tells
    no pairs apart: one of any recall finds the fan across recall. `reference` finds one by its
    name, `default` the value of a setting that a pair leaves to the model.
    """

    def __init__(
        self, reference: Callable[[str], Reference | None],
        default: Callable[[str], float | None] = lambda _: None,
    ) -> None:  # fmt: skip
        self._reference, self._default = reference, default
        self.kept: dict[str, list[float]] = {}
        """Blends by names of fans."""
        self.axes: dict[str, Axis] = {}
        """Second axes by the same names, of fans that have one."""

    def restore(
        self, kept: Mapping[str, Sequence[float]], axes: Mapping[str, Axis] | None = None
    ) -> None:
        """Take what a session kept, as far as it is valid."""
        for name, blends in kept.items():
            steps = np.diff(blends)
            if len(steps) and blends[0] == 0 and blends[-1] == 1 and (steps > 0).all():
                self.kept[name] = list(blends)
        self.axes |= {name: axis for name, axis in (axes or {}).items() if name in self.kept}

    def clear(self) -> None:
        """Forget all."""
        self.kept.clear()
        self.axes.clear()

    def name(self, pair: Pair) -> str:
        """What a pair's fan is kept under, whether it is or not; the same for all in one fan."""
        across = {axis.across for axis in self.axes.values()}
        names = (pair.key_across(each) for each in sorted(across))
        return next((name for name in names if name in self.axes), pair.key)

    def of(self, pair: Pair | None) -> list[float]:
        """The blends of a pair's fan."""
        known = None if pair is None else self.kept.get(self.name(pair))
        return known or steady(DEFAULT_SIZE)

    def axis(self, pair: Pair | None) -> Axis | None:
        """The second axis of a pair's fan."""
        return self.axes.get(self.name(pair)) if self.axes and pair is not None else None

    def rows(self, pair: Pair) -> list[tuple[float, Pair]]:
        """Each y of a pair's fan, and the pair that is fused there."""
        return self.rows_across(pair, self.axis(pair))

    def rows_across(self, pair: Pair, axis: Axis | None) -> list[tuple[float, Pair]]:
        """Each y of an axis, and the pair that is fused there; of none, the pair itself."""
        if axis is None:
            return [(0.0, pair)]
        found = ((y, self.at(pair, axis, y)) for y in steady(axis.size))
        return [(y, row) for y, row in found if row is not None]

    def places(self, pair: Pair) -> list[tuple[float, Pair, float]]:
        """All places of a pair's fan, row by row: y, the pair that is fused there, blend."""
        return [(y, row, blend) for y, row in self.rows(pair) for blend in self.of(pair)]

    def at(self, pair: Pair, axis: Axis, y: float) -> Pair | None:
        """The pair at an end of an axis, or between; None without the other reference.

        Raises:
            BadSetting: it can't be fused with that.
        """
        if axis.across == "reference2":
            other = self._reference(axis.reference2)
            if y == 0:
                return pair
            return None if other is None else replace(pair, reference=other).at(pair.knobs)
        value = axis.value(y)
        if axis.across == "recall":
            return pair.at(replace(pair.knobs, recall=value))
        return replace(pair, sampling=replace(pair.sampling, **{axis.across: value}))

    def keep(self, pair: Pair, blends: Sequence[float], axis: Axis | None = None) -> None:
        """A pair's fan has these places from now on."""
        self._forget(self.name(pair))
        name = pair.key if axis is None else pair.key_across(axis.across)
        self._forget(name)
        self.kept[name] = list(blends)
        if axis is not None:
            self.axes[name] = axis
        if len(self.kept) > MAX_PAIRS:
            self._forget(next(iter(self.kept)))

    def follow(self, pair: Pair, before: Pair) -> None:
        """A pair's fan has the places that another's has, if that was asked for."""
        name = self.name(before)
        if name in self.kept:
            self.keep(pair, self.kept[name], self.axes.get(name))

    def blend(self, pair: Pair | None, knob: float) -> float:
        """The blend at a knob's position, 0 to 1."""
        blends = self.of(pair)
        return float(np.interp(knob, steady(len(blends)), blends))

    def knob(self, pair: Pair | None, blend: float) -> float:
        """The position of a knob at a blend."""
        blends = self.of(pair)
        return float(np.interp(blend, blends, steady(len(blends))))

    def place(self, pair: Pair) -> float:
        """The y at which a pair itself stands in its fan."""
        axis = self.axis(pair)
        if axis is None or axis.across == "reference2":
            return 0.0
        value = getattr(pair.sampling, axis.across)
        value = self._default(axis.across) if value is None else value
        return 0.0 if value is None else axis.y(value)

    def hand(self, pair: Pair, y: float) -> float:
        """Where a hand that was at y is once a pair is triggered: there, where y is a setting."""
        axis = self.axis(pair)
        return self.place(pair) if axis is not None and axis.across in TURNED else y

    def off_axis(self, pair: Pair, knobs: Knobs) -> Knobs:
        """Knobs without what a hand on the second axis turns."""
        axis = self.axis(pair)
        is_turned = axis is not None and axis.across == "recall" and axis.has(knobs.recall)
        return replace(knobs, recall=pair.knobs.recall) if is_turned else knobs

    def _forget(self, name: str) -> None:
        self.kept.pop(name, None)
        self.axes.pop(name, None)
