"""Interpolated log magnitudes: a weighted geometric mean of two spectrograms.

What both sounds have stays, what only one has is lowered.

The phases are those of the weighted sum. On twenty pairs of recordings the result's own magnitudes
then differ by 14 % from those asked for; 32 rounds of Griffin and Lim's iteration left 9 %, made no
difference to the likeness to either sound and took fifteen times as long.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from jaxtyping import Complex, Float

from eutectic.audio import Waveform, db_to_gain
from eutectic.morphs.pairing import paired
from eutectic.morphs.stft import Stft

Spectra: TypeAlias = Complex[np.ndarray, "channel frame bin"]

STFT = Stft(window=2048, hop=512, fft=2048)

FLOOR_DB = -50.0
"""Level over a sound's own under which a partial counts as silent.

Without a floor the mean of a partial and silence would be silence.
"""

TINY = 1e-9
"""Least RMS of a sound."""


def morph(original: Waveform, reference: Waveform, blend: float) -> Waveform:
    """Magnitudes between both sounds', at the phases of their sum (blend 1: the original)."""
    return frame_by_frame(_between, original, reference, blend)


def _between(kept: Spectra, guiding: Spectra, blend: float) -> Spectra:
    phases = np.angle(blend * kept + (1 - blend) * guiding)
    logs = blend * log_magnitudes(kept) + (1 - blend) * log_magnitudes(guiding)
    return np.sqrt(np.expm1(2 * logs)) * np.exp(1j * phases)


def log_magnitudes(spectra: Spectra) -> Float[np.ndarray, "channel frame bin"]:
    """ln √(1 + |X|²) in units of the floor: a logarithm well above it, and 0 for silence.

    So a sound comes back exactly from its own logarithms, and silence stays silent.
    """
    return 0.5 * np.log1p(np.square(np.abs(spectra)))


def frame_by_frame(
    between: Callable[[Spectra, Spectra, float], Spectra],
    original: Waveform,
    reference: Waveform,
    blend: float,
) -> Waveform:
    """A morph from a rule for the spectra of both sounds, each in units of its own floor.

    So the level of either sound changes nothing but the level of the morph.
    """
    kept, guiding = paired(original, reference)
    floors = _floor(kept), _floor(guiding)
    spectra = (
        between(STFT.spectra(own), STFT.spectra(others), blend)
        for own, others in zip(
            STFT.blocks(kept / floors[0]), STFT.blocks(guiding / floors[1]), strict=True
        )
    )
    level = floors[0] ** blend * floors[1] ** (1 - blend)
    samples = level * STFT.sound(spectra, original.frames)
    return Waveform(samples.astype(np.float32), original.rate_hz)


def _floor(samples: Float[np.ndarray, "channel sample"]) -> float:
    """Magnitude of a partial at FLOOR_DB, in the spectra of this sound."""
    rms = max(float(np.sqrt(np.square(samples).mean())), TINY)
    return rms * db_to_gain(FLOOR_DB) * float(STFT.hann.sum()) / np.sqrt(2)
