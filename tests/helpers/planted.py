"""Fusions planted in a daemon's data: tones and nothing else, so no model's noise hides a click."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from eutectic.config import Place, SamplingSettings
from eutectic.experiments.live.jack_server import RATE_HZ
from eutectic.playback.sounds import Sound
from eutectic.session.kept import KeptClip, KeptReference
from eutectic.session.pair import Clip, Pair, Reference
from eutectic.session.shelf import Ready, Shelf

TAIL = 2400


async def plant(
    data: Path, clip: KeptClip, reference: KeptReference, hz: float, blends: Iterable[float],
    rates_hz: Iterable[int] = (RATE_HZ,), seed: int = 0, recall: float | None = None,
    level: float = 1.0, fades_seconds: float = np.inf,
) -> None:  # fmt: skip
    """Tones that peak at 0.4 at the reference to 0.2 at the original, times `level`.

    Each fades by the factor e in `fades_seconds`.
    """
    pair = Pair(
        Clip("t", clip.source, clip.key, clip.frames, clip.rate_hz, clip.loudness_lufs),
        Reference("r", "t", reference.source, reference.spec, reference.model),
        SamplingSettings(seed=seed, recall=recall), "match",
    )  # fmt: skip
    shelf = Shelf(data / "fusions", 1 << 30)
    for rate_hz, blend in itertools.product(rates_hz, blends):
        frames = round(clip.frames * rate_hz / clip.rate_hz)
        at = np.arange(frames + TAIL) / rate_hz
        peak = level * (0.4 - 0.2 * blend)
        samples = peak * np.exp(-at / fades_seconds) * np.sin(2 * np.pi * hz * at + blend)
        samples[:480] *= np.sin(0.5 * np.pi * np.linspace(0, 1, 480)) ** 2
        sound = Sound.of(np.stack([samples, samples]).astype(np.float32), TAIL)
        shelf.put(pair.key_at(Place(blend), rate_hz), Ready(sound, blend))
    await shelf.close()
