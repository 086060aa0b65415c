"""Cepstral cross-synthesis: interpolated spectral envelopes on interpolated excitations.

The envelope is the low-quefrency part of the log spectrum (Oppenheim and Schafer, *Homomorphic
Analysis of Speech*, 1968); the excitation is what is left when it is divided out.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Complex, Float

from eutectic.audio import Waveform
from eutectic.morphs.mix import gains
from eutectic.morphs.pairing import paired
from eutectic.morphs.spectral import STFT, log_magnitudes

LIFTER_SECONDS = 0.002
"""Quefrencies up to this belong to the envelope: it doesn't follow partials under 500 Hz apart."""


def morph(original: Waveform, reference: Waveform, blend: float) -> Waveform:
    """Excitations mixed at equal power, envelopes interpolated in dB (blend 1: the original)."""
    coefficients = round(LIFTER_SECONDS * original.rate_hz)
    kept, guiding = (
        map(STFT.spectra, STFT.blocks(samples)) for samples in paired(original, reference)
    )
    between = (
        _between(*spectra, blend, coefficients) for spectra in zip(kept, guiding, strict=True)
    )
    samples = STFT.sound(between, original.frames)
    return Waveform(samples.astype(np.float32), original.rate_hz)


def _between(
    kept: Complex[np.ndarray, "channel frame bin"],
    guiding: Complex[np.ndarray, "channel frame bin"],
    blend: float,
    coefficients: int,
) -> Complex[np.ndarray, "channel frame bin"]:
    to_kept, to_guiding = gains(blend)
    own, others = envelope(kept, coefficients), envelope(guiding, coefficients)
    excitation = to_kept * kept * np.exp(-own) + to_guiding * guiding * np.exp(-others)
    return excitation * np.exp(blend * own + (1 - blend) * others)


def envelope(
    spectra: Complex[np.ndarray, "channel frame bin"], coefficients: int
) -> Float[np.ndarray, "channel frame bin"]:
    """Log magnitudes smoothed along frequency by their first cepstral coefficients."""
    cepstra = np.fft.irfft(log_magnitudes(spectra), STFT.fft)
    cepstra[..., coefficients + 1 : -coefficients] = 0
    return np.fft.rfft(cepstra).real
