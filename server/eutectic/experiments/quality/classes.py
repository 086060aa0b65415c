"""Six classes of synthetic sound, told apart by nearest centroid, to see what a sample sounds like.

A sound's features are, for each mel band, its mean, its deviation, and the deviation of its
steps from frame to frame; level is taken out, and what is too faint to be heard.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eutectic.audio import Waveform
from eutectic.experiments.distances import log_mel
from eutectic.experiments.quality.measures import AUDIBLE_DB
from eutectic.training import scenes

FIRST_SEED = 900_000
"""Training's scenes are seeded from 0 up."""

Synthesiser = Callable[[np.random.Generator, int], tuple[scenes.Audio, str]]
Features = NDArray[np.float64]


@dataclass(frozen=True)
class SoundClass:
    """A synthesiser of the training scenes, and prompts for it: in its own words, and another's."""

    make: Synthesiser
    prompt: str
    natural: str


CLASSES: Mapping[str, SoundClass] = {
    "drone": SoundClass(scenes.drone, "low harmonic drone hum dark tonal steady", "a low drone"),
    "grains": SoundClass(scenes.grain_cloud, "dense granular cloud sine grains", "granular cloud"),
    "wind": SoundClass(scenes.noise_band, "filtered noise wind", "wind"),
    "bell": SoundClass(scenes.resonators, "struck bell resonance scattered", "bells"),
    "glitch": SoundClass(scenes.glitch, "glitch digital stutter clicks broken", "digital glitches"),
    "beat": SoundClass(
        scenes.pulse_texture, "synthetic beat rhythm electronic drums pulse", "a drum beat"
    ),
}


def synthesise(name: str, seed: int, seconds: float) -> Waveform:
    """A mono sound of a class that training never made."""
    number = list(CLASSES).index(name)
    rng = np.random.default_rng([FIRST_SEED, number, seed])
    mono, _ = CLASSES[name].make(rng, round(seconds * scenes.SAMPLE_RATE_HZ))
    return Waveform(mono[None], scenes.SAMPLE_RATE_HZ)


def features(waveform: Waveform) -> Features:
    """Of a sound, blind to its level."""
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
        """From features of examples by class."""
        every = np.concatenate([np.stack(list(each)) for each in examples.values()])
        mean, deviation = every.mean(axis=0), every.std(axis=0) + 1e-6
        centroids = [(np.mean(each, axis=0) - mean) / deviation for each in examples.values()]
        return cls(tuple(examples), mean, deviation, np.stack(centroids))

    def nearest(self, sound: Features) -> str:
        """The class whose centroid is nearest."""
        apart = np.linalg.norm(self.centroids - (sound - self.mean) / self.deviation, axis=1)
        return self.names[int(apart.argmin())]

    def accuracy(self, sounds: Mapping[str, Sequence[Features]]) -> float:
        """Share of the sounds nearest to their own class."""
        hits = [self.nearest(sound) == name for name, each in sounds.items() for sound in each]
        return sum(hits) / len(hits)
