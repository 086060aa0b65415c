"""Training scenes for the embedded model: seeded sound and the words that describe it.

A scene layers recordings (looped, patterned or scattered, resampled, reversed) and synthetic
abstract sounds. Its prompt joins the recordings' names, what was done to them or how they were
synthesised, and words for what is measured on the result.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eutectic.training.recordings import Recording, recorded_layer
from eutectic.training.signals import SAMPLE_RATE_HZ, Audio, as_audio, at_level, rms
from eutectic.training.synthesis import synthetic_layer


@dataclass(frozen=True)
class Scene:
    """Stereo sound and its prompt."""

    audio: Audio
    prompt: str


def make_scene(rng: np.random.Generator, recordings: Sequence[Recording], seconds: float) -> Scene:
    """A scene made of recordings, synthetic sounds or both."""
    samples = round(seconds * SAMPLE_RATE_HZ)
    kind = rng.choice(["recordings", "synthetic", "both"], p=[0.5, 0.3, 0.2])
    layers: list[tuple[Audio, str]] = []
    if kind != "synthetic":
        count = int(rng.choice([1, 2, 3], p=[0.55, 0.3, 0.15]))
        layers += [recorded_layer(rng, recordings, samples) for _ in range(count)]
    if kind != "recordings":
        layers += [
            synthetic_layer(rng, samples) for _ in range(int(rng.choice([1, 2], p=[0.7, 0.3])))
        ]
    mix = np.zeros((2, samples), np.float32)
    for place, (audio, _) in enumerate(layers):
        level_db = 0.0 if place == 0 else rng.uniform(-14, 0)
        mix += at_level(audio, 10 ** (level_db / 20))
    words = [words for _, words in layers]
    if rng.random() < 0.25:
        mix, reverb_words = reverberate(rng, mix)
        words.append(reverb_words)
    mix = _finish(rng, mix)
    return Scene(mix, " ".join([*words, *describe(mix)]))


def reverberate(rng: np.random.Generator, audio: Audio) -> tuple[Audio, str]:
    """Convolve with exponentially decaying noise."""
    seconds, wet = rng.uniform(0.4, 3), rng.uniform(0.2, 0.7)
    length = int(seconds * SAMPLE_RATE_HZ)
    tail = rng.normal(0, 1, (2, length)) * np.exp(-6 * np.arange(length) / length)
    size = audio.shape[1] + length
    reverb = np.fft.irfft(np.fft.rfft(audio, size) * np.fft.rfft(tail, size), size)
    wet_audio = at_level(reverb[:, : audio.shape[1]].astype(np.float32), rms(audio))
    mixed = as_audio((1 - wet) * audio + wet * wet_audio)
    return mixed, "distant reverb" if wet > 0.45 else "room"


def describe(audio: Audio) -> list[str]:
    """Words for what is measured: brightness, tonality, dynamics, width."""
    mid, side = audio.mean(0), (audio[0] - audio[1]) / 2
    blocks = mid[: len(mid) // 4096 * 4096].reshape(-1, 4096)
    power = np.abs(np.fft.rfft(blocks * np.hanning(4096))) ** 2 + 1e-12
    spectrum = power.mean(0)
    frequencies = np.fft.rfftfreq(4096, 1 / SAMPLE_RATE_HZ)
    centroid_hz = float((np.sqrt(spectrum) * frequencies).sum() / np.sqrt(spectrum).sum())
    flatness = float(np.exp(np.log(spectrum[2:900]).mean()) / spectrum[2:900].mean())
    levels_db = 10 * np.log10((blocks**2).mean(1) + 1e-10)
    spread_db = float(np.percentile(levels_db, 90) - np.percentile(levels_db, 15))
    words = ["dark" if centroid_hz < 1200 else "bright" if centroid_hz > 4500 else "warm"]
    words += ["noisy"] if flatness > 0.12 else ["tonal"] if flatness < 0.005 else []
    words += ["steady"] if spread_db < 4 else ["sparse"] if spread_db > 30 else []
    words += ["wide"] if rms(side) > 0.5 * rms(mid) else []
    return words


def _finish(rng: np.random.Generator, audio: Audio) -> Audio:
    """Fade some ends, and set a level of −28 to −14 dBFS RMS with peaks under 0.95."""
    samples = audio.shape[1]
    for end in (1, -1):
        if rng.random() < 0.3:
            length = int(rng.uniform(0.02, 0.4) * samples)
            audio[:, ::end][:, :length] *= np.linspace(0, 1, length, dtype=np.float32) ** 2
    audio = at_level(audio, 10 ** (rng.uniform(-28, -14) / 20))
    return audio * min(1.0, 0.95 / (float(np.abs(audio).max()) + 1e-9))
