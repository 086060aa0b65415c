"""How loud a fusion is: between its sources, by the blend, or as the codec decodes it."""

from __future__ import annotations

import numpy as np

from eutectic import audio
from eutectic.audio import Samples, Waveform
from eutectic.config import Level
from eutectic.engine.clips import Clip


def target_lufs(blend: float, original: Clip, reference: Clip | None) -> float:
    """The loudness of a fusion at this blend; the original's if the reference has no clip."""
    if reference is None:
        return original.loudness_lufs
    return blend * original.loudness_lufs + (1 - blend) * reference.loudness_lufs


def bring_to_level(
    samples: Samples, frames: int, rate_hz: int, level: Level, target: float
) -> tuple[Samples, float]:
    """A decoded fusion at its level, and the gain in dB; limited, unless the level is `raw`.

    Args:
        samples: (channel, frame).
        frames: those whose loudness counts, the first; the tail after them gets the same gain.
        target: loudness in LUFS.
    """
    if level == "raw":
        return samples, 0.0
    _, gain = audio.match_loudness(Waveform(samples[:, :frames], rate_hz), target)
    return audio.limit(samples * np.float32(gain), rate_hz), audio.gain_to_db(gain)
