"""From a fused latent to sound in the daemon's shared memory, chunk by chunk, at its rate.

The gain is fixed before the first chunk goes out. If nobody is waiting to hear the sound, or all of
it decodes within WHOLE_SECONDS, its loudness is measured; otherwise the gain is that of a similar
fusion of the same sources, or is estimated from a few slices, and the player's limiter catches the
peaks.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import soxr

from eutectic import audio
from eutectic.audio import Samples, Waveform
from eutectic.config import Level
from eutectic.engine.clips import Clip
from eutectic.engine.codec import PIECE_FRAMES, Codec
from eutectic.engine.fuser import FusedLatent, Reference
from eutectic.engine.levels import bring_to_level, target_lufs
from eutectic.engine.watch import Watch
from eutectic.system.cache import Cache

WHOLE_SECONDS = 0.1
"""A sound that decodes within this time is decoded whole, before its first chunk goes out."""

SLICES, SLICE_FRAMES = 4, 16
"""Slices, evenly over the sound, from which loudness is estimated, and their latent frames."""

FADE_SHARE = 0.05
"""Share of a slice that is faded at each end, so that the joins don't affect the measurement."""

GAINS_CACHE_SIZE = 64
"""Pairs of sources whose gains are kept."""

NEARBY_BLEND = 0.15
"""Fusions of the same sources whose blends differ by no more need about the same gain."""


@dataclass(frozen=True)
class RenderTarget:
    """What a fusion of `frames` is rendered into, with its tail, at rate_hz."""

    samples: Samples
    """(channel, frames + tail)"""
    frames: int
    rate_hz: int


class Renderer:
    """Decodes, levels, resamples and writes; owned by the thread that owns the model."""

    def __init__(self, codec: Codec) -> None:
        self.codec = codec
        self.speed = 0.0
        """Seconds of sound decoded per second, by recent measurements; 0 before the first."""
        self._gains_db: Cache[Hashable, dict[float, float]] = Cache(GAINS_CACHE_SIZE)
        """Of recent fusions, by all that they are made of but the seed, and rounded blend."""

    def render(
        self,
        fused: FusedLatent,
        original: Clip,
        reference: Reference,
        level: Level,
        target: RenderTarget,
        written: Callable[[int, int], None],
        watch: Watch,
        awaited: bool = True,
    ) -> float:
        """Fill the target, reporting frames (start, stop) as they are written; returns gain in dB.

        `awaited`: the performer is waiting to hear it, so the first chunk matters most.

        Raises:
            Cancelled: by the watch.
        """
        rate_hz = self.codec.rate_hz
        tail = target.samples.shape[1] - target.frames
        frames = original.waveform.frames + round(tail * rate_hz / target.rate_hz)
        frames = min(frames, fused.latent.shape[-1] * self.codec.ratio)
        lufs = target_lufs(fused.blend, original, reference.clip)
        quick = self.speed * WHOLE_SECONDS >= frames / rate_hz
        if quick or not awaited:
            longest = fused.latent.shape[-1] if quick else PIECE_FRAMES
            samples = self._decode(fused, frames, longest, watch)
            whole, gain_db = bring_to_level(samples, original.waveform.frames, rate_hz, level, lufs)
            chunks = iter([whole])
        else:
            gain_db = (
                0.0 if level == "raw" else self._predicted_gain_db(fused, original, reference, lufs)
            )
            chunks = self._stream(fused, frames, np.float32(audio.db_to_gain(gain_db)), watch)
        _write(_resampled(chunks, rate_hz, target.rate_hz), target.samples, written)
        if level != "raw":
            pair = _pair(fused, original, reference)
            gains_db = self._gains_db.get(pair) or {}
            self._gains_db.put(pair, gains_db | {round(fused.blend, 2): gain_db})
        return gain_db

    def _decode(self, fused: FusedLatent, frames: int, longest: int, watch: Watch) -> Samples:
        """All of it, in pieces of `longest` latent frames at most."""
        seed = fused.settings.seed
        pieces = self.codec.stream(fused.latent, frames, first=longest, longest=longest, seed=seed)
        return np.concatenate(list(self._timed(pieces, watch)), axis=1)

    def _stream(
        self, fused: FusedLatent, frames: int, gain: np.float32, watch: Watch
    ) -> Iterator[Samples]:
        chunks = self.codec.stream(fused.latent, frames, seed=fused.settings.seed)
        for chunk in self._timed(chunks, watch):
            yield chunk * gain

    def _timed(self, chunks: Iterator[Samples], watch: Watch) -> Iterator[Samples]:
        """The chunks, with a checkpoint before each, timing how long each takes to decode."""
        while True:
            watch.checkpoint()
            began = time.perf_counter()
            chunk = next(chunks, None)
            if chunk is None:
                return
            self._measured(chunk.shape[1], began)
            yield chunk

    def _predicted_gain_db(
        self, fused: FusedLatent, original: Clip, reference: Reference, lufs: float
    ) -> float:
        near = self._gains_db.get(_pair(fused, original, reference)) or {}
        blend = min(near, key=lambda blend: abs(blend - fused.blend), default=None)
        if blend is not None and abs(blend - fused.blend) <= NEARBY_BLEND:
            return near[blend]
        slices = Waveform(self._slices(fused), self.codec.rate_hz)
        gain_db = lufs - audio.loudness_lufs(slices)
        return min(gain_db, audio.MAX_LEVEL_GAIN_DB) if np.isfinite(gain_db) else 0.0

    def _slices(self, fused: FusedLatent) -> Samples:
        frames, seed = fused.latent.shape[-1], fused.settings.seed
        starts = np.linspace(0, max(0, frames - SLICE_FRAMES), SLICES).astype(int)
        slices = [
            self.codec.decode_slice(fused.latent, start, min(frames, start + SLICE_FRAMES), seed)
            for start in starts.tolist()
        ]
        fade = round(FADE_SHARE * slices[0].shape[1])
        window = np.ones(slices[0].shape[1], np.float32)
        window[:fade] = np.sin(np.linspace(0, np.pi / 2, fade)) ** 2
        window[-fade:] = window[:fade][::-1]
        return np.concatenate([part * window for part in slices], axis=1)

    def _measured(self, frames: int, began: float) -> None:
        """Average in a decoding's speed, so that a single hiccup has little effect."""
        speed = frames / self.codec.rate_hz / max(time.perf_counter() - began, 1e-6)
        self.speed = speed if self.speed == 0 else 0.7 * self.speed + 0.3 * speed


def _write(
    chunks: Iterator[Samples], samples: Samples, written: Callable[[int, int], None]
) -> None:
    """Fill samples with chunks, and with silence where resampling rounded a frame down."""
    at, end = 0, samples.shape[1]
    for chunk in chunks:
        stop = min(at + chunk.shape[1], end)
        samples[:, at:stop] = chunk[:, : stop - at]
        if stop > at:
            written(at, stop)
        at = stop
    if at < end:
        samples[:, at:] = 0
        written(at, end)


def _pair(fused: FusedLatent, original: Clip, reference: Reference) -> Hashable:
    adapter = reference.adapter and reference.adapter.digest
    clip = reference.clip and reference.clip.waveform.digest
    settings = replace(fused.settings, seed=0)
    return original.waveform.digest, clip, adapter, reference.prompt, settings


def _resampled(chunks: Iterator[Samples], from_hz: int, to_hz: int) -> Iterator[Samples]:
    """Chunks (channel, frame) at another rate, aligned with the input by soxr."""
    if from_hz == to_hz:
        yield from chunks
        return
    first = next(chunks)
    stream = soxr.ResampleStream(from_hz, to_hz, first.shape[0], quality="VHQ")
    for chunk in itertools.chain([first], chunks):
        yield stream.resample_chunk(np.ascontiguousarray(chunk.T)).T
    end = np.zeros((0, first.shape[0]), np.float32)
    yield stream.resample_chunk(end, last=True).T
