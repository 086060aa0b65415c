"""Differences between sounds, and restlessness; all but `level_db` are independent of level."""

from __future__ import annotations

import math

import numpy as np
import torch
import torchaudio
from numpy.typing import NDArray

from eutectic.audio import Samples, Waveform
from eutectic.engine.distances import HIGH_HZ, LOW_HZ, log_mel

SILENT_DB = -200.0
"""Stands for minus infinity."""

AUDIBLE_DB = 60.0
"""Bands further than this below the loudest count as inaudible."""

FLATNESS_WINDOW, FLATNESS_HOP = 2048, 512

UNREST_WINDOW, UNREST_HOP, UNREST_BANDS = 2048, 1024, 20


def power_db(power: float) -> float:
    """A power in dB, at least SILENT_DB."""
    return max(SILENT_DB, 10 * math.log10(power)) if power > 0 else SILENT_DB


def level_db(samples: Samples) -> float:
    """RMS over all channels, dBFS (a full-scale square is 0)."""
    return (
        power_db(float(np.square(samples, dtype=np.float64).mean())) if samples.size else SILENT_DB
    )


def si_sdr_db(original: Samples, other: Samples) -> float:
    """Scale-invariant signal to distortion ratio (Le Roux et al. 2019, Eq. 4), channels as one."""
    target, estimate = (each.ravel().astype(np.float64) for each in (original, other))
    target, estimate = target - target.mean(), estimate - estimate.mean()
    target = target * (target @ estimate) / max(target @ target, 1e-20)
    error = target - estimate
    return power_db(float((target @ target) / max(error @ error, 1e-20)))


def audible_distance(original: Waveform, other: Waveform) -> float:
    """Log-mel distance of what is within AUDIBLE_DB of the original's loudest band.

    The plain distance counts every band down to 117 dB below a sine, and so penalises a codec that
    rightly omits the inaudible.
    """
    a, b = log_mel(original), log_mel(other)
    frames = min(a.shape[1], b.shape[1])
    floor = a.max() - AUDIBLE_DB * math.log(10) / 10
    return float(np.abs(np.maximum(a, floor)[:, :frames] - np.maximum(b, floor)[:, :frames]).mean())


def spectral_flatness_db(waveform: Waveform) -> float:
    """Geometric over arithmetic mean of the power spectrum, dB: 0 at most, −2.5 for white noise.

    The mono mix from LOW_HZ to HIGH_HZ, Hann windows; the mean over those within AUDIBLE_DB of
    the loudest. Power further than that below a window's mean is raised to that floor.
    """
    mono = torch.from_numpy(waveform.samples.mean(axis=0, dtype=np.float64))
    window = torch.hann_window(FLATNESS_WINDOW, dtype=torch.float64)
    spectrum = torch.stft(mono, FLATNESS_WINDOW, FLATNESS_HOP, window=window, return_complex=True)
    hertz = torch.linspace(0, waveform.rate_hz / 2, spectrum.shape[0])
    power = spectrum[(hertz >= LOW_HZ) & (hertz <= HIGH_HZ)].abs().square()
    mean = power.mean(dim=0)
    heard = mean >= max(float(mean.max()) * 10 ** (-AUDIBLE_DB / 10), 1e-20)
    share = (power / mean)[:, heard].clamp_min(10 ** (-AUDIBLE_DB / 10))
    return float(10 * share.log10().mean()) if heard.any() else math.nan


def band_levels_db(waveform: Waveform) -> NDArray[np.float32]:
    """Level (band, time) of the mono mix in UNREST_BANDS mel bands, dB."""
    mono = torch.from_numpy(waveform.samples.mean(axis=0))
    window = torch.hann_window(UNREST_WINDOW)
    spectrum = torch.stft(mono, UNREST_WINDOW, UNREST_HOP, window=window, return_complex=True)
    bank = torchaudio.functional.melscale_fbanks(
        UNREST_WINDOW // 2 + 1, LOW_HZ, HIGH_HZ, UNREST_BANDS, waveform.rate_hz
    )
    return (10 * torch.log10(bank.T @ spectrum.abs().square() + 10 ** (SILENT_DB / 10))).numpy()


def unrest(waveform: Waveform) -> float:
    """Variance of the bands' steps from frame to frame, dB²: high for a blotchy sound.

    A step counts if both its frames are within AUDIBLE_DB of the sound's loudest; NaN if none does.
    """
    levels = band_levels_db(waveform)
    heard = levels > max(levels.max() - AUDIBLE_DB, SILENT_DB)
    steps = np.diff(levels, axis=1)[heard[:, 1:] & heard[:, :-1]]
    return float(steps.var()) if steps.size else math.nan
