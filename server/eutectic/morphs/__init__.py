"""Plain signal processing that makes a sound between two: what fusions are compared with.

    mix         both sounds at once
    spectral    interpolated log magnitudes
    cepstral    interpolated envelopes on interpolated excitations
    transport   partials that glide from one sound's frequencies to the other's

At blend 1 each gives the original back, at blend 0 the reference, in mono or stereo. None of them
sets the level: a morph may be quieter than both its sounds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from eutectic.audio import Waveform
from eutectic.config import Morphing
from eutectic.morphs import cepstral, mix, spectral, transport

Morph: TypeAlias = Callable[[Waveform, Waveform, float], Waveform]
"""Of an original, a reference and a blend from 0 to 1: a sound of the original's rate and length.

A shorter reference is repeated, a longer one cut.
"""

MORPHS: dict[Morphing, Morph] = {
    "mix": mix.morph,
    "spectral": spectral.morph,
    "cepstral": cepstral.morph,
    "transport": transport.morph,
}
