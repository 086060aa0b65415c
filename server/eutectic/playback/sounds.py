"""Sounds as the player knows them: filled while they play, and gathered as the fan of a pair."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eutectic.audio import Samples, smoothstep

SIDES = 2
"""Channels of every sound: left and right."""


class Sound:
    """One fusion at the device's rate, (2, frames + tail); one thread writes, another reads.

    Attributes:
        samples: float32, silent where nothing is written yet.
        frames: the period of its loop; what follows is what the loop's seam fades out of.
        ready: frames that are written, from the start without a gap.
    """

    def __init__(self, frames: int, tail: int) -> None:
        self.samples: Samples = np.zeros((SIDES, frames + tail), np.float32)
        self.frames, self.tail = frames, tail
        self.ready = 0

    @classmethod
    def of(cls, samples: Samples, tail: int = 0) -> Sound:
        """A sound that is there at once."""
        sound = cls(samples.shape[1] - tail, tail)
        sound.write(0, samples)
        return sound

    @property
    def complete(self) -> bool:
        return self.ready == self.samples.shape[1]

    def write(self, start: int, chunk: Samples) -> None:
        """Write what follows what is there.

        Raises:
            ValueError: there would be a gap, or it is too long.
        """
        stop = start + chunk.shape[1]
        if start != self.ready or stop > self.samples.shape[1]:
            raise ValueError(f"frames {start} to {stop} don't follow {self.ready}")
        self.samples[:, start:stop] = chunk
        self.ready = stop  # after the samples: the reader looks at this first


@dataclass(frozen=True)
class Nodes:
    """Which of a fan's sounds can be heard, by rising blend, and how alike neighbours are.

    A blend between two nodes is a mixture of both, its gains divided by the root of
    a² + b² + 2abρ, so that the level has no bump where they are alike, nor a dip where not.
    """

    indices: tuple[int, ...]
    blends: tuple[float, ...]
    correlations: tuple[float, ...]

    def gains(self, blends: NDArray[np.float64]) -> dict[int, NDArray[np.float32]]:
        """Gain of each sound that is heard, over time, for a course (frame) of blends."""
        if len(self.blends) == 1:
            return {self.indices[0]: np.ones(len(blends), np.float32)}
        grid = np.asarray(self.blends)
        left = (np.searchsorted(grid, blends, "right") - 1).clip(0, len(grid) - 2)
        share = ((blends - grid[left]) / np.diff(grid)[left]).clip(0, 1)
        angle = 0.5 * np.pi * smoothstep(share)
        a, b = np.cos(angle), np.sin(angle)
        scale = 1 / np.sqrt(1 + 2 * a * b * np.asarray(self.correlations)[left])
        a, b = (a * scale).astype(np.float32), (b * scale).astype(np.float32)
        gains: dict[int, NDArray[np.float32]] = {}
        for node in range(int(left.min()), int(left.max()) + 2):
            gain = np.where(left == node, a, 0) + np.where(left == node - 1, b, 0)
            if gain.any():
                gains[self.indices[node]] = gain.astype(np.float32)
        return gains


class Fan:
    """The fusions of one pair at rising blends, as far as they are there; all of one length.

    One thread puts sounds in, another plays them.
    """

    def __init__(self, blends: Sequence[float]) -> None:
        self.blends = tuple(blends)
        self.sounds: list[Sound | None] = [None] * len(blends)
        self._correlations: dict[tuple[int, int], float] = {}

    @classmethod
    def of(cls, sound: Sound, blend: float = 0.5) -> Fan:
        """A fan of one."""
        fan = cls([blend])
        fan.put(0, sound)
        return fan

    @property
    def frames(self) -> int:
        """The length of the sounds; 0 where there is none."""
        return max((sound.frames for sound in self.sounds if sound is not None), default=0)

    def put(self, index: int, sound: Sound) -> None:
        """A sound begins to be there."""
        self.sounds[index] = sound

    def measure_correlations(self) -> None:
        """Measure how alike neighbours are that are whole; the writer's work."""
        whole = [k for k, sound in enumerate(self.sounds) if sound is not None and sound.complete]
        for pair in itertools.pairwise(whole):
            if pair not in self._correlations:
                self._correlations[pair] = _correlation(self.sounds[pair[0]], self.sounds[pair[1]])

    def nodes(self, position: int, margin: int) -> Nodes | None:
        """What can be heard at a position, `margin` frames beyond it being there."""
        heard = [
            k for k, sound in enumerate(self.sounds)
            if sound is not None and (sound.complete or sound.ready >= position + margin)
        ]  # fmt: skip
        if not heard:
            return None
        correlations = (self._correlations.get(pair, 0.0) for pair in itertools.pairwise(heard))
        return Nodes(tuple(heard), tuple(self.blends[k] for k in heard), tuple(correlations))


def _correlation(one: Sound | None, other: Sound | None) -> float:
    assert one is not None
    assert other is not None
    a, b = one.samples.ravel(), other.samples.ravel()
    power = float(np.sqrt(np.dot(a, a) * np.dot(b, b)))
    return max(0.0, min(1.0, float(np.dot(a, b)) / power)) if power > 0 else 0.0
