"""Synthetic sounds that each show one fault of a codec, and a measure of that fault.

All are seeded, and the same in every channel unless stated otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from eutectic.audio import Samples, Waveform, db_to_gain
from eutectic.experiments.quality.measures import level_db, power_db

PARTIAL_DB = -26.0
PARTIALS_FLOOR_DB = -70.0
CLARITY_CAP_DB = 40.0
"""A partial this far above its surroundings is as clear as can be heard."""

DRONE_HZ, DRONE_DB = 110.0, -16.0
SIDEBANDS = (1, 2, 3)
"""Multiples of the codec's frame rate at which its artefacts appear beside a partial."""
OWN_HZ = 12.0
"""Sidebands closer than this to another partial are ignored."""
ENDS_SECONDS = 0.5

SECONDS = 6.0
"""Length of the tones."""

HIT_FLOOR_DB = -90.0

Partials = NDArray[np.float64]
"""Frequencies of steady sinusoids, Hz, rising."""


@dataclass(frozen=True)
class Tones:
    """Steady sinusoids and their frequencies, Hz."""

    waveform: Waveform
    partials: Partials


def ten_partials(rate_hz: int, channels: int) -> Tones:
    """Ten sinusoids of PARTIAL_DB, about 700 Hz apart from 3.2 to 9.6 kHz, on faint noise."""
    rng = np.random.default_rng(1)
    partials = 3200 + 700 * np.arange(10) + rng.uniform(-100, 100, 10)
    frames = round(SECONDS * rate_hz)
    mono = db_to_gain(PARTIAL_DB) * _sines(partials, np.ones(10), rate_hz, frames, rng)
    noise = db_to_gain(PARTIALS_FLOOR_DB) * rng.standard_normal((channels, frames))
    return Tones(Waveform((mono + noise).astype(np.float32), rate_hz), partials)


def clarity_db(tones: Waveform, partials: Partials) -> NDArray[np.float64]:
    """Each partial's peak over the median level 150 to 400 Hz away from it, capped.

    Mean spectrum of the mono mix, Hann 8192.
    """
    hertz, power = signal.welch(
        tones.samples.mean(axis=0, dtype=np.float64), tones.rate_hz, "hann", 8192
    )
    away = np.abs(hertz - partials[:, None])
    peaks = np.array([power[row < 12].max() for row in away])
    around = np.array([np.median(power[(row > 150) & (row < 400)]) for row in away])
    ratio = 10 * np.log10((peaks + 1e-20) / (around + 1e-20))
    return np.minimum(ratio, CLARITY_CAP_DB)


def drone(rate_hz: int, channels: int, highest_hz: float) -> Tones:
    """Harmonics of DRONE_HZ up to a frequency, −3 dB per octave, in random phase, at DRONE_DB."""
    rng = np.random.default_rng(2)
    partials = np.arange(DRONE_HZ, highest_hz, DRONE_HZ)
    mono = _sines(partials, np.sqrt(DRONE_HZ / partials), rate_hz, round(SECONDS * rate_hz), rng)
    mono = mono * db_to_gain(DRONE_DB) / np.sqrt(np.square(mono).mean())
    return Tones(Waveform(np.tile(mono.astype(np.float32), (channels, 1)), rate_hz), partials)


def worst_sideband_db(tones: Waveform, partials: Partials, frame_rate_hz: float) -> float:
    """The highest level at a partial ± a multiple of the frame rate, over that partial's, dB.

    Blackman-Harris spectrum of the mono mix without its ends; a level is the power of 9 bins.
    """
    ends = round(ENDS_SECONDS * tones.rate_hz)
    mono = tones.samples.mean(axis=0, dtype=np.float64)[ends:-ends]
    _, power = signal.periodogram(mono, tones.rate_hz, "blackmanharris")
    lines = np.convolve(power, np.ones(9), "same")

    def level(hertz: float) -> float:
        return float(lines[round(hertz * len(mono) / tones.rate_hz)])

    levels = [
        power_db(level(hertz) / max(level(partial), 1e-20))
        for partial in partials
        for shift in SIDEBANDS
        for hertz in (partial - shift * frame_rate_hz, partial + shift * frame_rate_hz)
        if hertz > OWN_HZ and np.abs(partials - hertz).min() >= OWN_HZ
    ]
    return max(levels)


def hits(rate_hz: int, channels: int) -> tuple[Waveform, NDArray[np.int64]]:
    """Eight decaying noise bursts, half a second apart on a floor of HIT_FLOOR_DB; their onsets.

    They fall at different places within the codec's frames.
    """
    rng = np.random.default_rng(3)
    onsets = (rate_hz * (0.5 * np.arange(1, 9) + rng.uniform(0, 0.1, 8))).astype(np.int64)
    samples = db_to_gain(HIT_FLOOR_DB) * rng.standard_normal((channels, 5 * rate_hz))
    time = np.arange(rate_hz // 4) / rate_hz
    for onset in onsets:
        burst = 0.3 * rng.standard_normal(len(time)) * np.exp(-time / 0.03)
        samples[:, onset : onset + len(time)] += burst
    return Waveform(samples.astype(np.float32), rate_hz), onsets


def pre_echo_db(waveform: Waveform, onsets: NDArray[np.int64]) -> NDArray[np.float64]:
    """For each hit, the level 25 to 5 ms before it over that of its first 20 ms."""
    long, short = round(0.025 * waveform.rate_hz), round(0.005 * waveform.rate_hz)
    samples = waveform.samples
    return np.array([
        level_db(samples[:, at - long : at - short]) - level_db(samples[:, at : at + long - short])
        for at in onsets
    ])  # fmt: skip


def panned(mono: Samples, difference_db: float | None) -> Samples:
    """A mono sound (frame) in stereo, the right this much below the left (None: silent)."""
    gain = 0.0 if difference_db is None else db_to_gain(-difference_db)
    return np.stack([mono, np.float32(gain) * mono])


def level_difference_db(samples: Samples) -> float:
    """Level of the left over the right, dB."""
    return level_db(samples[0]) - level_db(samples[1])


def _sines(
    partials: Partials,
    amplitudes: NDArray[np.float64],
    rate_hz: int,
    frames: int,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    time = np.arange(frames) / rate_hz
    phases = rng.uniform(0, 2 * np.pi, len(partials))
    rows = zip(partials, amplitudes, phases, strict=True)
    return sum(
        (size * np.sin(2 * np.pi * hertz * time + phase) for hertz, size, phase in rows),
        start=np.zeros(frames),
    )
