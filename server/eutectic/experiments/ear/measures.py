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

import numpy as np
import torchaudio
from jaxtyping import Float
from torch import Tensor

from eutectic.audio import Waveform, resample
from eutectic.engine.even import MEL_BANDS
from eutectic.experiments.ear import check_package
from eutectic.experiments.report import rank_correlation

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


def cepstrum(mel: Float[Tensor, "band frame"]) -> Float[Tensor, "coefficient frame"]:
    """MFCCs of a log-mel spectrogram."""
    return torchaudio.functional.create_dct(CEPSTRUM, MEL_BANDS, norm="ortho").T @ mel


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
