"""Cepstral cross-synthesis: interpolated spectral envelopes on interpolated excitations.

The envelope is the low-quefrency part of the log spectrum (Oppenheim and Schafer, *Homomorphic
Analysis of Speech*, 1968); the excitation is what is left when it is divided out.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from eutectic.audio import Waveform
from eutectic.morphs.mix import gains
from eutectic.morphs.spectral import STFT, Spectra, frame_by_frame, log_magnitudes

COEFFICIENTS = 44
"""Of the envelope's cepstrum, 1 ms at 44.1 kHz: it passes over partials under 1 kHz apart.

On twenty pairs of recordings 0.5 to 4 ms made no difference to the likeness to either sound.
"""


def morph(original: Waveform, reference: Waveform, blend: float) -> Waveform:
    """Excitations mixed at equal power, envelopes interpolated in dB (blend 1: the original)."""
    return frame_by_frame(_between, original, reference, blend)


def _between(kept: Spectra, guiding: Spectra, blend: float) -> Spectra:
    to_kept, to_guiding = gains(blend)
    own, others = envelope(kept), envelope(guiding)
    excitation = to_kept * kept * np.exp(-own) + to_guiding * guiding * np.exp(-others)
    return excitation * np.exp(blend * own + (1 - blend) * others)


def envelope(spectra: Spectra) -> Float[np.ndarray, "channel frame bin"]:
    """Log magnitudes smoothed along frequency by their first cepstral coefficients."""
    cepstra = np.fft.irfft(log_magnitudes(spectra), STFT.fft)
    cepstra[..., COEFFICIENTS + 1 : -COEFFICIENTS] = 0
    return np.fft.rfft(cepstra).real
