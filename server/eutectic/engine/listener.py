"""Pieces of what is heard, which are fused once and leave nothing behind.

No other fusion is made of the same sound, so what is kept of clips isn't kept of these: no file, no
place among what the engine has prepared of clips, no gain that others would be guessed from.
"""

from __future__ import annotations

import numpy as np

from eutectic.audio import Waveform, resample, to_channels
from eutectic.engine.clips import Clip
from eutectic.engine.engine import Engine
from eutectic.engine.fuser import Fuser
from eutectic.engine.render import Renderer
from eutectic.errors import Cancelled
from eutectic.link.protocol import Canvas
from eutectic.system.cache import Cache

KEPT_BYTES = 32 << 20
"""Of what a reference's own sampling comes to, where one piece's is the next one's, too."""


class Listener:
    """Turns samples into originals; owned by the thread that owns the model.

    Attributes:
        fuser, renderer: those of pieces.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.fuser = Fuser(engine.model, Cache(KEPT_BYTES))
        self.renderer = Renderer(engine.model.codec)

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

    def forget(self) -> None:
        """Free what is kept."""
        self.fuser.cache.clear()
