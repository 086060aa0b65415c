"""Sounds that play while they are still being decoded, and the fan of sounds of one pair."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eutectic.audio import Samples, equal_power

SIDES = 2
"""Channels of every sound: left and right."""


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


@dataclass(frozen=True)
class Nodes:
    """A fan's playable sounds by rising blend, and how correlated neighbours are.

    A blend between two nodes mixes both, with gains a and b divided by √(a² + b² + 2abρ), so that
    the level neither rises where they are alike nor dips where they aren't.
    """

    indices: tuple[int, ...]
    blends: tuple[float, ...]
    correlations: tuple[float, ...]

    def gains(self, blends: NDArray[np.float64]) -> dict[int, NDArray[np.float32]]:
        """Gains over time (frame) of each audible sound, by index, for blends over time (frame)."""
        if len(self.blends) == 1:
            return {self.indices[0]: np.ones(len(blends), np.float32)}
        grid = np.asarray(self.blends)
        left = (np.searchsorted(grid, blends, "right") - 1).clip(0, len(grid) - 2)
        b, a = equal_power(((blends - grid[left]) / np.diff(grid)[left]).clip(0, 1))
        scale = 1 / np.sqrt(1 + 2 * a * b * np.asarray(self.correlations)[left])
        a, b = (a * scale).astype(np.float32), (b * scale).astype(np.float32)
        gains: dict[int, NDArray[np.float32]] = {}
        for node in range(int(left.min()), int(left.max()) + 2):
            gain = np.where(left == node, a, 0) + np.where(left == node - 1, b, 0)
            if gain.any():
                gains[self.indices[node]] = gain.astype(np.float32)
        return gains


class Fan:
    """The fusions of one pair at rising blends, as far as they exist; all of one length.

    One thread adds sounds, another plays them.
    """

    def __init__(self, blends: Sequence[float]) -> None:
        self.blends = tuple(blends)
        self.sounds: list[Sound | None] = [None] * len(blends)
        self._correlations: dict[tuple[int, int], float] = {}

    @classmethod
    def of(cls, sound: Sound, blend: float = 0.5) -> Fan:
        """A fan of one sound."""
        fan = cls([blend])
        fan.put(0, sound)
        return fan

    @property
    def frames(self) -> int:
        """The sounds' length; 0 without any."""
        return max((sound.frames for sound in self.sounds if sound is not None), default=0)

    @property
    def tail(self) -> int:
        """The longest of the sounds' tails."""
        return max((sound.tail for sound in self.sounds if sound is not None), default=0)

    def put(self, index: int, sound: Sound) -> None:
        """Add a sound, complete or not."""
        self.sounds[index] = sound

    def measure_correlations(self) -> None:
        """Measure how alike complete neighbours are; for the thread that adds sounds."""
        complete = [k for k, sound in enumerate(self.sounds) if sound and sound.complete]
        for pair in itertools.pairwise(complete):
            if pair not in self._correlations:
                self._correlations[pair] = _correlation(self.sounds[pair[0]], self.sounds[pair[1]])

    def nodes(self, position: int, margin: int) -> Nodes | None:
        """The sounds written to `margin` frames beyond a position; None without any."""
        usable = [
            k for k, sound in enumerate(self.sounds)
            if sound is not None and (sound.complete or sound.ready >= position + margin)
        ]  # fmt: skip
        if not usable:
            return None
        correlations = (self._correlations.get(pair, 0.0) for pair in itertools.pairwise(usable))
        return Nodes(tuple(usable), tuple(self.blends[k] for k in usable), tuple(correlations))


def _correlation(one: Sound | None, other: Sound | None) -> float:
    assert one is not None
    assert other is not None
    a, b = one.samples.ravel(), other.samples.ravel()
    power = float(np.sqrt(np.dot(a, a) * np.dot(b, b)))
    return max(0.0, min(1.0, float(np.dot(a, b)) / power)) if power > 0 else 0.0
