"""Signals that training scenes are made of: beats, random curves, levels, stereo."""

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE_HZ = 44100

Audio = NDArray[np.float32]
"""Sound: two rows of samples at SAMPLE_RATE_HZ, or one row if a function is documented as mono."""


def beat_starts(rng: np.random.Generator, samples: int) -> NDArray[np.int64]:
    """Onsets of a random pattern of eight or sixteen steps, repeated; in samples."""
    step = SAMPLE_RATE_HZ * 60 / rng.uniform(70, 170) / rng.choice([1, 2, 4])
    pattern = rng.random(int(rng.choice([8, 16]))) < rng.uniform(0.25, 0.8)
    pattern[0] = True
    places = np.arange(int(samples / step))
    return (places[pattern[places % len(pattern)]] * step).astype(np.int64)


def hits(audio: Audio, starts: NDArray[np.int64], samples: int) -> Audio:
    """A sound repeated at each start, cut off at the end."""
    out = np.zeros((2, samples), np.float32)
    for start in starts:
        end = min(start + audio.shape[1], samples)
        out[:, start:end] += audio[:, : end - start]
    return out


def stereo(rng: np.random.Generator, audio: Audio) -> Audio:
    """Randomise pan and width; a mono source may get a short delay on one side."""
    if rng.random() < 0.4 and np.array_equal(audio[0], audio[1]):
        audio = np.stack([audio[0], np.roll(audio[1], int(rng.integers(20, 900)))])
    mid, side = audio.mean(0), (audio[0] - audio[1]) / 2 * rng.uniform(0, 1.5)
    pan = float(np.clip(rng.normal(0, 0.25), -0.8, 0.8))
    return np.stack([(mid + side) * (1 - max(pan, 0)), (mid - side) * (1 + min(pan, 0))])


def wander(rng: np.random.Generator, samples: int, rate_hz: float) -> NDArray[np.float64]:
    """A random curve between 0 and 1 with about `rate_hz` turning points a second."""
    knots = rng.random(int(samples / SAMPLE_RATE_HZ * rate_hz) + 3)
    return np.interp(np.linspace(0, len(knots) - 1, samples), np.arange(len(knots)), knots)


def phase(
    frequency_hz: float, time: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """A sinusoid's phase over time, from a random one; radians."""
    return 2 * np.pi * (frequency_hz * time + rng.random())


def times(samples: int) -> NDArray[np.float64]:
    """Each sample's time, seconds."""
    return np.arange(samples) / SAMPLE_RATE_HZ


def rms(audio: Audio) -> float:
    return float(np.sqrt(np.mean(np.square(audio))))


def at_level(audio: Audio, level: float) -> Audio:
    """Scale a sound to an RMS level; silence stays silent."""
    return (audio * (level / max(rms(audio), 1e-6))).astype(np.float32)


def as_audio(sound: NDArray[np.floating]) -> Audio:
    return sound.astype(np.float32)
