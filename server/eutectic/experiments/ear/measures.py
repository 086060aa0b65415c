"""What a series of morphs between two sounds is like, whatever made it.

The knob is `blend`, 0 at the reference and 1 at the original. Sources: SoundMorpher, Niu et al.,
arXiv 2410.02144; soundmm, Le Vaillant and Dutoit, *Latent Space Interpolation of Synthesizer
Parameters Using Timbre-Regularized Auto-Encoders*, IEEE/ACM TASLP 32 (2024); Zimtohrli, Google's
psychoacoustic metric of coded sound.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
import torchaudio
from jaxtyping import Float
from torch import Tensor

from eutectic.audio import Waveform, resample
from eutectic.experiments.distances import rank_correlation
from eutectic.experiments.ear import check_package

MEL_RATE_HZ, MEL_WINDOW, MEL_HOP, MEL_BANDS = 16_000, 2048, 256, 128
QUIETEST_POWER, RANGE_DB = 1e-10, 80.0
"""As in librosa's `power_to_db`, which SoundMorpher uses."""

CEPSTRUM = 20
"""Coefficients of an MFCC, librosa's default."""

STILL = 1e-3
"""A curve that goes no further doesn't move; rounding does this much."""

ZIMTOHRLI_RATE_HZ = 48_000
ZIMTOHRLI_FRAMES = ZIMTOHRLI_RATE_HZ
"""Shorter signals are padded: of very short ones it reads memory that isn't theirs."""


@dataclass(frozen=True)
class Likenesses:
    """Likeness of a series of morphs to both sources, at rising blends."""

    blends: tuple[float, ...]
    original: tuple[float, ...]
    reference: tuple[float, ...]

    @property
    def balance(self) -> float:
        """The greatest of the smaller of both likenesses: how much of both is in one sound."""
        return max(map(min, self.original, self.reference))

    @property
    def balanced_at(self) -> float:
        """The blend at which `balance` is."""
        smaller = list(map(min, self.original, self.reference))
        return self.blends[smaller.index(max(smaller))]

    @property
    def lean(self) -> list[float]:
        """Likeness to the original minus that to the reference; should rise with the blend."""
        return [a - b for a, b in zip(self.original, self.reference, strict=True)]

    @property
    def order(self) -> float:
        """Rank correlation of blend and lean: 1 if every turn of the knob goes the right way."""
        return rank_correlation(list(self.blends), self.lean)


def evenness(knob: Sequence[float], curve: Sequence[float]) -> float:
    """How evenly a curve rises over its knob: 1 for a straight line, 0 for a single jump.

    1 − Σ|s_i − w_i| / 2 over its largest value for a rising curve, where w_i are the knob's steps
    as shares of its range and s_i the curve's as shares of all the way that it goes, so that going
    back counts against it. NaN if the curve never moves.
    """
    turns = np.diff(np.asarray(knob, np.float64)) / (knob[-1] - knob[0])
    steps = np.diff(np.asarray(curve, np.float64))
    way = np.abs(steps).sum()
    if not way > STILL:
        return math.nan
    return float(1 - np.abs(steps / way - turns).sum() / 2 / (1 - turns.min()))


def nonsmoothness(curve: Sequence[float]) -> float:
    """RMS of the second differences over an even knob's squared step (soundmm)."""
    second = np.diff(np.asarray(curve, np.float64), 2) * (len(curve) - 1) ** 2
    return float(np.sqrt(np.square(second).mean()))


def nonlinearity(curve: Sequence[float]) -> float:
    """RMS distance from the straight line between the ends, over an even knob (soundmm)."""
    straight = np.linspace(curve[0], curve[-1], len(curve))
    return float(np.sqrt(np.square(np.asarray(curve, np.float64) - straight).mean()))


def decibel_mel(waveform: Waveform) -> Float[Tensor, "band frame"]:
    """L of SoundMorpher: log-mel spectrogram at 16 kHz, in dB over its largest value."""
    mono = waveform.samples.mean(axis=0, keepdims=True)
    mono = torch.from_numpy(resample(mono, waveform.rate_hz, MEL_RATE_HZ))[0]
    window = torch.hann_window(MEL_WINDOW)
    spectrum = torch.stft(
        mono, MEL_WINDOW, MEL_HOP, window=window, pad_mode="constant", return_complex=True
    )
    power = (_slaney().T @ spectrum.abs().square()).clamp_min(QUIETEST_POWER)
    return (10 * torch.log10(power / power.max())).clamp_min(-RANGE_DB)


def cepstrum(mel: Float[Tensor, "band frame"]) -> Float[Tensor, "coefficient frame"]:
    """MFCCs of a log-mel spectrogram."""
    return torchaudio.functional.create_dct(CEPSTRUM, MEL_BANDS, norm="ortho").T @ mel


def proportion(
    sound: Float[Tensor, "row frame"],
    near: Float[Tensor, "row frame"],
    far: Float[Tensor, "row frame"],
) -> float:
    """Distance from `far` over the distances from both, p of SoundMorpher: 1 at `near`, 0 at `far`.

    The distance is the Euclidean one over the common length. NaN if all three are equal.
    """
    frames = min(each.shape[1] for each in (sound, near, far))
    to_near, to_far = (float((sound[:, :frames] - each[:, :frames]).norm()) for each in (near, far))
    return to_far / (to_near + to_far) if to_near + to_far > 0 else math.nan


def zimtohrli(one: Waveform, other: Waveform) -> float:
    """Zimtohrli's distance of the mono mixes at full scale 80 dB SPL; 0 for equal sounds.

    Raises:
        BadInput: zimtohrli isn't installed.
    """
    check_package("zimtohrli")
    from zimtohrli import Pyohrli

    return float(Pyohrli().distance(*map(_at_48_khz, (one, other))))


def zimtohrli_mos(distance: float) -> float:
    """The mean opinion score that Zimtohrli predicts of a distance: 5 for none, 1 at least.

    Raises:
        BadInput: zimtohrli isn't installed.
    """
    check_package("zimtohrli")
    from zimtohrli import mos_from_zimtohrli

    return float(mos_from_zimtohrli(distance))


def _at_48_khz(waveform: Waveform) -> Float[np.ndarray, " sample"]:
    mono = resample(
        waveform.samples.mean(axis=0, keepdims=True), waveform.rate_hz, ZIMTOHRLI_RATE_HZ
    )[0]
    return np.pad(mono, (0, max(0, ZIMTOHRLI_FRAMES - len(mono))))


@cache
def _slaney() -> Float[Tensor, "bin band"]:
    """Mel filters as in librosa: Slaney's scale, each of unit area."""
    return torchaudio.functional.melscale_fbanks(
        MEL_WINDOW // 2 + 1, 0.0, MEL_RATE_HZ / 2, MEL_BANDS, MEL_RATE_HZ, "slaney", "slaney"
    )
