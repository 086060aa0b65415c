"""What is compared: whatever makes sounds between two, at given blends.

A contender returns what it makes as loud as it comes; `comparison` brings all to one level.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import torch

from eutectic.audio import Waveform
from eutectic.config import Place, SamplingSettings
from eutectic.engine.clips import Clip
from eutectic.engine.engine import Engine
from eutectic.engine.fuser import Reference
from eutectic.engine.watch import UNWATCHED, Watch
from eutectic.morphs import MORPHS, Morph

Contender: TypeAlias = Callable[[Waveform, Waveform, Sequence[float]], list[Waveform]]
"""Makes a sound for each blend from an original (blend 1) and a reference (blend 0)."""


@dataclass(frozen=True)
class Fusions:
    """The engine's own fusions, with a reference that `refer` makes of a clip."""

    engine: Engine
    refer: Callable[[Clip], Reference]
    settings: SamplingSettings
    watch: Watch = UNWATCHED

    def __call__(
        self, original: Waveform, reference: Waveform, blends: Sequence[float]
    ) -> list[Waveform]:
        """Fusions of the original with the learned reference.

        Raises:
            Cancelled: by the watch.
            BadSetting: a setting has no meaning with this model.
        """
        source, learned = self.engine.encode(original), self.refer(self.engine.encode(reference))
        places = [Place(blend=blend) for blend in blends]
        fusions = self.engine.fuse(
            source, learned, places, self.settings, level="raw", watch=self.watch
        )
        return [fusion.waveform for fusion in fusions]


@dataclass(frozen=True)
class Interpolation:
    """The codec's decoding of latents on the straight line between both sounds'."""

    engine: Engine

    def __call__(
        self, original: Waveform, reference: Waveform, blends: Sequence[float]
    ) -> list[Waveform]:
        """Decoded (1 - blend)·x_reference + blend·x0; a shorter reference is repeated."""
        codec = self.engine.model.codec
        x0, x_reference = codec.encode(original), codec.encode(reference)
        repeats = -(-x0.shape[-1] // x_reference.shape[-1])
        x_reference = x_reference.repeat(1, 1, repeats)[..., : x0.shape[-1]]
        return [
            Waveform(
                codec.decode(torch.lerp(x_reference, x0, blend), original.frames), codec.rate_hz
            )
            for blend in blends
        ]


def plain() -> dict[str, Contender]:
    """The plain morphs, by name."""
    return {name: partial(_each, morph) for name, morph in MORPHS.items()}


def _each(
    morph: Morph, original: Waveform, reference: Waveform, blends: Sequence[float]
) -> list[Waveform]:
    return [morph(original, reference, blend) for blend in blends]
