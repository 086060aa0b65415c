"""Distances between sounds, defined once for everything that measures them.

Mono mix, RMS-normalised, Hann 2048, hop 512, power spectrum, 64 mel bands from 40 to 16,000 Hz,
ln(x + 1e-6). *Log-mel distance*: mean absolute difference over the common length. *Texture
distance*: mean absolute difference of each band's mean over time plus that of its standard
deviation. Likeness to an original uses the log-mel distance (timing matters), likeness to a
reference the texture distance (timing doesn't).
"""

from __future__ import annotations

import numpy as np
import torch
import torchaudio
from numpy.typing import NDArray

from eutectic.audio import Waveform

WINDOW, HOP, BANDS, LOW_HZ, HIGH_HZ = 2048, 512, 64, 40.0, 16_000.0
LogMel = NDArray[np.float32]


def log_mel(waveform: Waveform) -> LogMel:
    """Log-mel spectrogram (band, time) in natural-log units."""
    mono = torch.from_numpy(waveform.samples.mean(axis=0))
    mono = mono / mono.square().mean().sqrt().clamp_min(1e-9)
    spectrum = torch.stft(
        mono,
        WINDOW,
        HOP,
        window=torch.hann_window(WINDOW),
        return_complex=True,
        pad_mode="constant",
    )
    bank = torchaudio.functional.melscale_fbanks(
        WINDOW // 2 + 1, LOW_HZ, HIGH_HZ, BANDS, waveform.rate_hz
    )
    return torch.log(bank.T @ spectrum.abs().square() + 1e-6).numpy()


def log_mel_distance(one: Waveform, other: Waveform) -> float:
    """Mean absolute difference over the common length."""
    return timed_distance(log_mel(one), log_mel(other))


def texture_distance(one: Waveform, other: Waveform) -> float:
    """Difference of the bands' means over time plus that of their standard deviations."""
    return timeless_distance(log_mel(one), log_mel(other))


def timed_distance(a: LogMel, b: LogMel) -> float:
    """The log-mel distance of two spectrograms."""
    frames = min(a.shape[1], b.shape[1])
    return float(np.abs(a[:, :frames] - b[:, :frames]).mean())


def timeless_distance(a: LogMel, b: LogMel) -> float:
    """The texture distance of two spectrograms."""
    means = np.abs(a.mean(axis=1) - b.mean(axis=1)).mean()
    deviations = np.abs(a.std(axis=1) - b.std(axis=1)).mean()
    return float(means + deviations)
