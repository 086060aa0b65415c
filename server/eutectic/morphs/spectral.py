"""Interpolated log magnitudes: a weighted geometric mean of two spectrograms.

What both sounds have stays, what only one has is lowered.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Complex, Float

from eutectic.audio import Waveform, db_to_gain
from eutectic.morphs.mix import gains
from eutectic.morphs.pairing import paired
from eutectic.morphs.stft import Stft

STFT = Stft(window=2048, hop=512, fft=2048)

FLOOR = STFT.window / 4 * db_to_gain(-60.0)
"""Magnitude under which a bin counts as silent: that of a partial at −60 dBFS."""


def morph(original: Waveform, reference: Waveform, blend: float) -> Waveform:
    """Magnitudes between both sounds', at the phases of their mix (blend 1: the original)."""
    kept, guiding = (
        map(STFT.spectra, STFT.blocks(samples)) for samples in paired(original, reference)
    )
    between = (_between(*spectra, blend) for spectra in zip(kept, guiding, strict=True))
    samples = STFT.sound(between, original.frames)
    return Waveform(samples.astype(np.float32), original.rate_hz)


def _between(
    kept: Complex[np.ndarray, "channel frame bin"],
    guiding: Complex[np.ndarray, "channel frame bin"],
    blend: float,
) -> Complex[np.ndarray, "channel frame bin"]:
    to_kept, to_guiding = gains(blend)
    phases = np.angle(to_kept * kept + to_guiding * guiding)
    logs = blend * log_magnitudes(kept) + (1 - blend) * log_magnitudes(guiding)
    return FLOOR * np.sqrt(np.expm1(2 * logs)) * np.exp(1j * phases)


def log_magnitudes(
    spectra: Complex[np.ndarray, "channel frame bin"],
) -> Float[np.ndarray, "channel frame bin"]:
    """ln √(1 + (|X| / FLOOR)²): a logarithm well above the floor, and 0 for silence.

    So a sound comes back exactly from its own logarithms, and silence stays silent.
    """
    return 0.5 * np.log1p(np.square(np.abs(spectra) / FLOOR))
