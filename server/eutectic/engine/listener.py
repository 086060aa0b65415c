"""Pieces of what is heard, which are fused once and leave nothing behind.

No other fusion is made of the same sound, so what is kept of clips isn't kept of these: no file, no
place among what the engine has prepared of clips, no gain that others would be guessed from.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from eutectic.audio import Waveform, resample, to_channels
from eutectic.config import SamplingSettings
from eutectic.engine.clips import Clip
from eutectic.engine.engine import Engine
from eutectic.engine.fuser import Fuser
from eutectic.engine.graphs import to_device
from eutectic.engine.model import Model
from eutectic.engine.noise import Noise, normal
from eutectic.engine.render import Renderer
from eutectic.errors import Cancelled
from eutectic.link.protocol import Canvas
from eutectic.system.cache import Cache

BLOCK_FRAMES = 64
"""Latent frames of noise that are drawn at once."""


@dataclass(frozen=True)
class LastingNoise(Noise):
    """Noise that goes on for ever, from a latent frame on: what overlaps has the same."""

    at: int

    def _draw(self, stream: int) -> Float[Tensor, "1 channel frame"]:
        first, last = self.at // BLOCK_FRAMES, (self.at + self.frames - 1) // BLOCK_FRAMES
        shape = 1, self.channels, BLOCK_FRAMES
        blocks = [normal(shape, self.seed, stream, block) for block in range(first, last + 1)]
        start = self.at - first * BLOCK_FRAMES
        drawn = torch.cat(blocks, dim=-1)[..., start : start + self.frames]
        return to_device(drawn.contiguous(), self.device)


class PieceFuser(Fuser):
    """Fuses a piece that begins `at` a latent frame, of all that is heard; nothing is kept."""

    def __init__(self, model: Model, at: int) -> None:
        nothing: Cache[Hashable, Any] = Cache(0)
        super().__init__(model, nothing)
        self._at = at

    def noise(self, seed: int, frames: int, channels: int | None = None) -> Noise:
        channels = channels or self.model.codec.network_channels
        return LastingNoise(seed, channels, frames, self.model.device, self._at)


class Listener:
    """Turns samples into originals; owned by the thread that owns the model.

    Attributes:
        renderer: of pieces.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.renderer = Renderer(engine.model.codec)

    def fuser(self, settings: SamplingSettings) -> Fuser:
        """Of a piece, which is as far into what is heard as into the reference."""
        codec = self._engine.model.codec
        return PieceFuser(self._engine.model, round(settings.start * codec.rate_hz / codec.ratio))

    def clip(self, heard: Canvas) -> Clip:
        """The samples of a canvas as a clip, at the model's rate.

        Raises:
            Cancelled: the daemon has unlinked it.
        """
        codec = self._engine.model.codec
        try:
            samples = np.array(heard.map())
        except FileNotFoundError:
            raise Cancelled("cancelled") from None
        samples = resample(to_channels(samples, codec.channels), heard.rate_hz, codec.rate_hz)
        return self._engine.encode(Waveform(samples, codec.rate_hz))
