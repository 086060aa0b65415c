"""Sounds that play while they are still being decoded, and fans of them, of one or two axes."""

from __future__ import annotations

import bisect
import itertools
import math
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from eutectic.audio import Samples, equal_power, smoothstep

SIDES = 2
"""Channels of every sound: left and right."""

UNHEARD = 1e-9
"""A gain this low, left by rounding, isn't worth reading a sound for."""


class Sound:
    """One fusion at the device's rate, (2, frames + tail); one thread writes, another reads.

    Attributes:
        samples: float32, zero where nothing is written yet.
        frames: the loop's period; the tail after it is what the seam crossfades from.
        ready: frames written, from the start without a gap.
    """

    def __init__(self, frames: int, tail: int) -> None:
        self.samples: Samples = np.zeros((SIDES, frames + tail), np.float32)
        self.frames, self.tail = frames, tail
        self.ready = 0
        self._likeness: WeakKeyDictionary[Sound, float] = WeakKeyDictionary()

    @classmethod
    def of(cls, samples: Samples, tail: int = 0) -> Sound:
        """A complete sound."""
        sound = cls(samples.shape[1] - tail, tail)
        sound.write(0, samples)
        return sound

    @property
    def complete(self) -> bool:
        return self.ready == self.samples.shape[1]

    def write(self, start: int, chunk: Samples) -> None:
        """Append a chunk (2, frame).

        Raises:
            ValueError: it would leave a gap, or is too long.
        """
        stop = start + chunk.shape[1]
        if start != self.ready or stop > self.samples.shape[1]:
            raise ValueError(f"frames {start} to {stop} don't follow {self.ready}")
        self.samples[:, start:stop] = chunk
        self.ready = stop  # after the samples: the reader looks at this first

    def likeness(self, other: Sound) -> float:
        """Correlation with another of this length, 0 to 1; both complete. Measured once."""
        known = self._likeness.get(other)
        if known is None:
            known = self._likeness[other] = other._likeness[self] = self._correlation(other)
        return known

    def lasting(self, frames: int, loop: bool, seam: int) -> Sound:
        """The same, complete, over more frames: round and round in a loop, else silence at its end.

        `seam`: frames of the crossfade from its end into its start.
        """
        if frames == self.frames:
            return self
        period, tail = self.frames, self.tail
        out = np.zeros((SIDES, frames + tail), np.float32)
        if not loop:
            out[:, : period + tail] = self.samples[:, : frames + tail]
            out[:, period : period + tail] *= 1 - smoothstep((1 + np.arange(tail)) / (tail + 1))
            return Sound.of(out, tail)
        seam = min(seam, tail, period)
        rising, falling = equal_power((1 + np.arange(seam)) / (seam + 1))
        again = self.samples[:, :period].copy()
        again[:, :seam] = rising * again[:, :seam] + falling * self.samples[:, period:][:, :seam]
        for start in range(0, frames + tail, period):
            part = out[:, start : start + period]
            part[:] = (again if start else self.samples)[:, : part.shape[1]]
        return Sound.of(out, tail)

    def _correlation(self, other: Sound) -> float:
        a, b = self.samples.ravel(), other.samples.ravel()
        power = float(np.sqrt(np.dot(a, a) * np.dot(b, b)))
        return max(0.0, min(1.0, float(np.dot(a, b)) / power)) if power > 0 else 0.0


@dataclass(frozen=True)
class Row:
    """The playable sounds at one place of the second axis, y, by rising blend."""

    y: float
    indices: tuple[int, ...]
    blends: tuple[float, ...]


@dataclass(frozen=True)
class Nodes:
    """A fan's playable sounds, row by row with rising y, and how correlated neighbours are.

    Between two blends a row mixes the sounds at both, and between two rows both are mixed, each at
    equal power. So up to four sounds are heard, their gains g divided by √(g·C·g), where C holds
    their correlations: the level neither rises where they are alike nor dips where they aren't.
    """

    rows: tuple[Row, ...]
    correlations: Mapping[tuple[int, int], float]
    """By their indices, the lower first; 0 where there is none."""

    def gains(
        self, blends: NDArray[np.float64], ys: NDArray[np.float64]
    ) -> dict[int, NDArray[np.float32]]:
        """Gains over time (frame) of each audible sound, by index, for a course (frame)."""
        heard = [
            (self.rows[row].indices[node], of_row * gain)
            for row, of_row in _mixed([row.y for row in self.rows], ys)
            for node, gain in _mixed(self.rows[row].blends, blends)
        ]
        power = np.ones(len(blends))
        for (one, a), (other, b) in itertools.combinations(heard, 2):
            power += 2 * a * b * self._correlation(one, other)
        scale = 1 / np.sqrt(power)
        gains: dict[int, NDArray[np.float64]] = {}
        for index, gain in heard:
            gains[index] = gains.get(index, 0) + gain * scale
        return {index: gain.astype(np.float32) for index, gain in gains.items()}

    def neighbours(self) -> set[tuple[int, int]]:
        """Which sounds are ever mixed, as keys of correlations."""
        found = {pair for row in self.rows for pair in itertools.pairwise(row.indices)}
        for one, other in itertools.pairwise(self.rows):
            edges = sorted({*one.blends, *other.blends})
            for low, high in itertools.pairwise(edges if len(edges) > 1 else [*edges, 1.0]):
                middle = (low + high) / 2
                found |= set(itertools.product(_around(one, middle), _around(other, middle)))
        return {(min(pair), max(pair)) for pair in found if pair[0] != pair[1]}

    def _correlation(self, one: int, other: int) -> float:
        if one == other:  # a row that stands in for part of another
            return 1.0
        return self.correlations.get((min(one, other), max(one, other)), 0.0)


class Fan:
    """The fusions of one pair at many blends, as far as they exist; all of one length.

    With a second axis it has rows, each at its y; places go row by row, by rising blend. One thread
    adds sounds, another plays them.

    Attributes:
        frames, tail: the sounds' length and the longest of their tails; 0 without any.
    """

    def __init__(self, blends: Sequence[float], ys: Sequence[float] | None = None) -> None:
        self.blends = tuple(blends)
        self.ys = (0.0,) * len(self.blends) if ys is None else tuple(ys)
        self.sounds: list[Sound | None] = [None] * len(blends)
        self._correlations: dict[tuple[int, int], float] = {}
        self.frames = self.tail = 0
        self._changing = threading.Lock()
        self._changes = 0
        self._measured: list[int] = []
        """Sounds whose correlations are known."""
        self._last: tuple[int, tuple[int, ...], Nodes | None] = -1, (), None
        """Nodes as last arranged: after how many changes, and of which sounds."""
        self._settled: tuple[int, Nodes | None] = -1, None
        """Nodes that only another change will change, and after how many they are so."""

    @classmethod
    def of(cls, sound: Sound, blend: float = 0.5) -> Fan:
        """A fan of one sound."""
        fan = cls([blend])
        fan.put(0, sound)
        return fan

    def put(self, index: int, sound: Sound) -> None:
        """Add a sound, complete or not."""
        self.sounds[index] = sound
        self.frames, self.tail = max(self.frames, sound.frames), max(self.tail, sound.tail)
        with self._changing:
            self._changes += 1  # after the sound: the reader looks at this first

    def nearest(self, blend: float, y: float = 0.0) -> int | None:
        """The sound nearest to a place; None without any."""
        there = (k for k, sound in enumerate(self.sounds) if sound is not None)
        return min(
            there, key=lambda k: math.hypot(self.blends[k] - blend, self.ys[k] - y), default=None
        )

    def measure_correlations(self) -> None:
        """Measure how alike complete neighbours are; for any thread but the one that plays."""
        complete = [k for k, each in enumerate(self.sounds) if each and each.complete]
        if complete == self._measured:
            return
        self._measured, nodes = complete, self._arranged(complete)
        new = set() if nodes is None else nodes.neighbours() - self._correlations.keys()
        if new:
            measured = {pair: self._likeness(*pair) for pair in new}
            with self._changing:
                self._correlations = self._correlations | measured  # the reader keeps the other
                self._changes += 1

    def _likeness(self, one: int, other: int) -> float:
        a, b = self.sounds[one], self.sounds[other]
        assert a is not None
        assert b is not None
        return a.likeness(b)

    def nodes(self, position: int, margin: int) -> Nodes | None:
        """The sounds written to `margin` frames beyond a position; None without any."""
        changes = self._changes
        if self._settled[0] == changes:
            return self._settled[1]
        usable = tuple(
            k for k, sound in enumerate(self.sounds)
            if sound is not None and (sound.complete or sound.ready >= position + margin)
        )  # fmt: skip
        if self._last[:2] != (changes, usable):
            self._last = changes, usable, self._arranged(usable)
        if all(sound is None or sound.complete for sound in self.sounds):
            self._settled = changes, self._last[2]
        return self._last[2]

    def _arranged(self, usable: Sequence[int]) -> Nodes | None:
        """These sounds as nodes; None without any."""
        own = [list(row) for _, row in itertools.groupby(usable, key=self.ys.__getitem__)]
        rows = (self._extended(row, own) for row in own)
        nodes = tuple(
            Row(self.ys[row[0]], tuple(whole), tuple(self.blends[k] for k in whole))
            for row, whole in zip(own, rows, strict=True)
        )
        return Nodes(nodes, self._correlations) if nodes else None

    def _extended(self, row: list[int], rows: list[list[int]]) -> list[int]:
        """A row, with sounds of the nearest other one where that goes on and this one doesn't."""
        blends, y = self.blends, self.ys[row[0]]
        first, last = blends[row[0]], blends[row[-1]]
        others = sorted((each for each in rows if each is not row),
                        key=lambda each: abs(self.ys[each[0]] - y))  # fmt: skip
        before = next((each for each in others if blends[each[0]] < first), [])
        after = next((each for each in others if blends[each[-1]] > last), [])
        return [
            *(k for k in before if blends[k] < first), *row, *(k for k in after if blends[k] > last)
        ]  # fmt: skip


def _mixed(
    nodes: Sequence[float], at: NDArray[np.float64]
) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """The nodes that are heard on a course (frame) among them, and their gains (frame)."""
    if len(nodes) == 1:
        yield 0, np.ones(len(at))
        return
    grid = np.asarray(nodes)
    left = (np.searchsorted(grid, at, "right") - 1).clip(0, len(grid) - 2)
    b, a = equal_power(((at - grid[left]) / np.diff(grid)[left]).clip(0, 1))
    for node in range(int(left.min()), int(left.max()) + 2):
        gain = np.where(left == node, a, 0) + np.where(left == node - 1, b, 0)
        if gain.max() > UNHEARD:
            yield node, gain


def _around(row: Row, blend: float) -> tuple[int, ...]:
    """The sounds on both sides of a blend."""
    left = max(0, min(bisect.bisect_right(row.blends, blend) - 1, len(row.blends) - 2))
    return row.indices[left : left + 2]
