"""Six classes of synthetic sound, distinguished by nearest centroid: what does a sample sound like?

A sound's features are, for each mel band, its mean, its standard deviation and the standard
deviation of its steps from frame to frame, without level and without what is too faint to hear.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eutectic.audio import Waveform
from eutectic.engine.distances import log_mel
from eutectic.experiments.quality.measures import AUDIBLE_DB
from eutectic.training.signals import SAMPLE_RATE_HZ
from eutectic.training.synthesis import (
    Synthesiser,
    drone,
    glitch,
    grain_cloud,
    noise_band,
    pulse_texture,
    resonators,
)

FIRST_SEED = 900_000
"""Far above the seeds of the training scenes, which start at 0."""

Features = NDArray[np.float64]


@dataclass(frozen=True)
class SoundClass:
    """A synthesiser of the training scenes, with a prompt in training's words and a natural one."""

    make: Synthesiser
    prompt: str
    natural: str


CLASSES: Mapping[str, SoundClass] = {
    "drone": SoundClass(drone, "low harmonic drone hum dark tonal steady", "a low drone"),
    "grains": SoundClass(grain_cloud, "dense granular cloud sine grains", "granular cloud"),
    "wind": SoundClass(noise_band, "filtered noise wind", "wind"),
    "bell": SoundClass(resonators, "struck bell resonance scattered", "bells"),
    "glitch": SoundClass(glitch, "glitch digital stutter clicks broken", "digital glitches"),
    "beat": SoundClass(
        pulse_texture, "synthetic beat rhythm electronic drums pulse", "a drum beat"
    ),
}


def synthesise(name: str, seed: int, seconds: float) -> Waveform:
    """A mono sound of a class, made with a seed that training never used."""
    number = list(CLASSES).index(name)
    rng = np.random.default_rng([FIRST_SEED, number, seed])
    mono, _ = CLASSES[name].make(rng, round(seconds * SAMPLE_RATE_HZ))
    return Waveform(mono[None], SAMPLE_RATE_HZ)


def features(waveform: Waveform) -> Features:
    """A sound's features, independent of its level."""
    levels = log_mel(waveform).astype(np.float64)
    levels = np.maximum(levels - levels.max(), -AUDIBLE_DB * np.log(10) / 10)
    steps = np.diff(levels, axis=1)
    return np.concatenate([levels.mean(axis=1), levels.std(axis=1), steps.std(axis=1)])


@dataclass(frozen=True)
class Classifier:
    """Centroids (class, feature) of standardised features."""

    names: tuple[str, ...]
    mean: Features
    deviation: Features
    centroids: Features

    @classmethod
    def of(cls, examples: Mapping[str, Sequence[Features]]) -> Classifier:
        """Train on features of examples by class."""
        every = np.concatenate([np.stack(list(each)) for each in examples.values()])
        mean, deviation = every.mean(axis=0), every.std(axis=0) + 1e-6
        centroids = [(np.mean(each, axis=0) - mean) / deviation for each in examples.values()]
        return cls(tuple(examples), mean, deviation, np.stack(centroids))

    def nearest(self, sound: Features) -> str:
        """The class whose centroid is nearest."""
        apart = np.linalg.norm(self.centroids - (sound - self.mean) / self.deviation, axis=1)
        return self.names[int(apart.argmin())]

    def accuracy(self, sounds: Mapping[str, Sequence[Features]]) -> float:
        """Share of the sounds that are nearest to their own class."""
        hits = [self.nearest(sound) == name for name, each in sounds.items() for sound in each]
        return sum(hits) / len(hits)
