"""Everything one model does: opens clips, learns references, fuses.

It has no process and no queue of its own; one thread owns it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from eutectic import audio
from eutectic.audio import Samples, Waveform, fade_end, load_clip
from eutectic.config import LearnSettings, Level, Place, SamplingSettings
from eutectic.engine import clips, even, lora
from eutectic.engine.adapter import Adapter
from eutectic.engine.clips import Clip
from eutectic.engine.codec import Codec
from eutectic.engine.fuser import FusedLatent, Fuser, Reference
from eutectic.engine.learn import Learned, learn
from eutectic.engine.levels import bring_to_level, target_lufs
from eutectic.engine.model import Model
from eutectic.engine.store import Store
from eutectic.engine.watch import UNWATCHED, Watch
from eutectic.errors import BadOutput
from eutectic.files import stalls
from eutectic.link.protocol import Source
from eutectic.link.stored import FORMAT_OF_KEYS, reference_key, reference_keys
from eutectic.system.cache import Cache
from eutectic.window import Made

log = logging.getLogger("eutectic.engine")

BUCKET_FRAMES, BUCKET_SAMPLES = 16, 16 * 2048
"""Latent lengths are multiples of the former, or of the latter's if that is less.

So clips of similar length share a prefix, and kernels.
"""

CACHE_BYTES = 1 << 30
"""Memory for clips, prefixes and inversions, unless the daemon sets another limit."""

TAIL_SECONDS = 0.05
"""Sound that a latent holds past its clip's end: a loop's seam crossfades into it."""


def bucket_frames(codec: Codec) -> int:
    """What a codec's latent lengths are multiples of."""
    return min(BUCKET_FRAMES, BUCKET_SAMPLES // codec.ratio)


@dataclass(frozen=True)
class Fusion(Made):
    """A fused sound, and its latent."""

    latent: Float[Tensor, "1 channel frame"]


class Engine:
    """One model, with its store on disk and its cache in memory."""

    def __init__(self, model: Model, store: Store) -> None:
        self.model, self.store = model, store
        self.cache: Cache[Hashable, Any] = Cache(CACHE_BYTES)
        self.fuser = Fuser(model, self.cache)

    def open(self, source: Source, watch: Watch = UNWATCHED) -> Clip:
        """A section of a sound file as a clip, encoded if it hasn't been before.

        The only way from a file to a clip: a reference's key in the store holds the digest of what
        is read here, so the daemon finds what the command line learned. While the disk is waited
        for, `watch` is checked.

        Raises:
            BadAudio: the file can't be read or used.
            Cancelled: by the watch.
        """
        waveform = stalls.wait_for(
            source.path, lambda alive: self._read(source, alive), watch.checkpoint
        )
        waveform = fade_end(waveform)  # a cut clicks, and so would every fusion of it
        key = self.clip_key(waveform)
        clip = self.find_clip(key)
        if clip is None:
            clip = self.encode(waveform)
            self._cache_clip(key, clip)
            try:
                self.store.put_clip(key, clip)
            except BadOutput as error:  # the clip is usable all the same
                log.warning("%s", error)
        return clip

    def _read(self, source: Source, alive: Callable[[], None]) -> Waveform:
        codec = self.model.codec
        return load_clip(
            Path(source.path), codec.rate_hz, codec.channels,
            source.start_seconds, source.duration_seconds, self.model.max_seconds, alive,
        )  # fmt: skip

    def clip_key(self, waveform: Waveform) -> str:
        """The name of an encoded clip in the store."""
        multiple = bucket_frames(self.model.codec)
        unusual = {} if multiple == BUCKET_FRAMES else {"multiple": multiple}
        digests = {"model": self.model.digest, "audio": waveform.digest}
        return Store.key(format=clips.FORMAT, **digests, **unusual)

    def find_clip(self, key: str) -> Clip | None:
        """An encoded clip by its key, from memory or disk."""
        clip: Clip | None = self.cache.get(("clip", key))
        if clip is None:
            clip = self.store.get_clip(key, self.model.device)
            if clip is not None:
                self._cache_clip(key, clip)
        return clip

    def _cache_clip(self, key: str, clip: Clip) -> None:
        self.cache.put(("clip", key), clip, clip.nbytes)

    def encode(self, waveform: Waveform) -> Clip:
        """A waveform with its latent and loudness."""
        longest = self.model.max_frames  # resampling may have rounded up by a frame
        waveform = Waveform(waveform.samples[:, :longest], waveform.rate_hz)
        codec = self.model.codec
        with_tail = codec.latent_frames(waveform.frames + round(TAIL_SECONDS * codec.rate_hz))
        multiple = bucket_frames(codec)
        bucket = -(-with_tail // multiple) * multiple
        bucket = max(codec.latent_frames(waveform.frames), min(bucket, longest // codec.ratio))
        latent = codec.encode(waveform, bucket)
        return Clip(waveform, latent, audio.loudness_lufs(waveform))

    @torch.no_grad()
    def prepare(self, clip: Clip) -> None:
        """Record the network evaluations of this clip's length before a fusion needs them."""
        if self.model.graphs is not None:
            settings = SamplingSettings()
            noise = self.fuser.noise(settings.seed, clip.latent.shape[-1])
            denoiser = self.fuser.denoiser(clip, Reference("", clip, None), settings)
            denoiser(noise.initial(), torch.ones(1, dtype=torch.float64))

    def find_adapter(self, clip: Clip, prompt: str, settings: LearnSettings) -> Adapter | None:
        """What was learned with these settings before, from the store."""
        for key in self._keys(clip, prompt, settings):
            found = self.store.get(key)
            if found is not None:
                return found.on(self.model.device)
        return None

    def stored_as(self, clip: Clip, prompt: str, settings: LearnSettings) -> str:
        """The key of what was learned with these settings; empty if it couldn't be stored."""
        return next((each for each in self._keys(clip, prompt, settings) if each in self.store), "")

    def forget(self, clip: Clip, prompt: str, settings: LearnSettings) -> dict[str, int]:
        """Delete what was learned with these settings; returns the bytes it took, by key.

        Raises:
            BadOutput: it can't be deleted.
        """
        return {key: self.store.delete(key) for key in self._keys(clip, prompt, settings)}

    def open_lora(self, path: str, watch: Watch = UNWATCHED) -> tuple[str, Adapter]:
        """A LoRA file as an adapter, and its key in the store, which keeps it.

        Raises:
            BadReference: the file can't be read, or is for another model.
            BadModel: an `-xs` file needs the weights that this model was trained from, and they
                aren't on this machine.
            Cancelled: by the watch.
        """
        there = Path(path)
        digest = stalls.wait_for(path, lambda alive: lora.digest(there, alive), watch.checkpoint)
        key = Store.key(format=FORMAT_OF_KEYS, model=self.model.digest, lora=digest)
        found = self.find_lora(key)
        if found is None:
            file, switch = lora.read(there), self.model.switch
            about = {
                "model": self.model.digest, "model_name": self.model.name, "file": there.name,
                "file_digest": digest,
            }  # fmt: skip
            origin = self.model.trained_from() if file.small else switch.base
            found = lora.adapter(file, switch.shapes, origin, about, watch)
            try:
                self.store.put(key, found)
            except BadOutput as error:
                log.warning("%s; the LoRA is kept in memory alone", error)
            found = self._keep_lora(key, found)
        return key, found

    def find_lora(self, key: str) -> Adapter | None:
        """A LoRA by its key, from memory or the store."""
        known: Adapter | None = self.cache.get(("lora", key))
        if known is None:
            found = self.store.get(key)
            known = None if found is None else self._keep_lora(key, found)
        return known

    def _keep_lora(self, key: str, adapter: Adapter) -> Adapter:
        adapter = adapter.on(self.model.device)
        self.cache.put(("lora", key), adapter, adapter.nbytes)
        return adapter

    def forget_lora(self, key: str) -> dict[str, int]:
        """Delete a LoRA from the store; returns the bytes it took, by its key.

        Raises:
            BadOutput: it can't be deleted.
        """
        self.cache.discard(("lora", key))
        return {key: self.store.delete(key)}

    def learn(
        self,
        clip: Clip,
        prompt: str,
        settings: LearnSettings,
        watch: Watch = UNWATCHED,
        must_store: bool = True,
    ) -> Learned:
        """Learn a reference and store it; if its budget cut it short, under a key with the budget.

        Without `must_store`, one that can't be stored is returned all the same, with a warning.

        Raises:
            Cancelled: by the watch.
            BadOutput: the store can't be written.
        """
        if must_store:
            self.store.prepare()
        learned = self.memorise(clip, prompt, settings, watch)
        key = self.reference_key(clip, prompt, settings, capped=learned.capped)
        try:
            self.store.put(key, learned.adapter)
        except BadOutput as error:
            if must_store:
                raise
            log.warning("%s; what was learned is kept in memory alone", error)
        stored = self.store.get(key)  # mapped from its file, so that it leaves no hole in the heap
        return replace(learned, adapter=(stored or learned.adapter).on(self.model.device))

    def memorise(
        self, clip: Clip, prompt: str, settings: LearnSettings, watch: Watch = UNWATCHED
    ) -> Learned:
        """Learn a reference without storing it.

        Raises:
            Cancelled: by the watch.
        """
        self.model.switch.activate(None)  # learning copies the network as it is
        own_frames = self.model.codec.latent_frames(clip.waveform.frames)
        return learn(
            self.model, clip.latent, own_frames, prompt, self.fuser.seconds(clip), settings,
            {"audio": clip.waveform.digest, "model_name": self.model.name}, watch,
        )  # fmt: skip

    def settled(self, settings: LearnSettings) -> LearnSettings:
        """The same settings, with the model's wherever they leave it open."""
        defaults = self.model.defaults.learn
        return replace(
            settings, method=settings.method or defaults.method,
            steps=settings.steps or defaults.steps,
        )  # fmt: skip

    def reference_key(
        self, clip: Clip, prompt: str, settings: LearnSettings, capped: bool = False
    ) -> str:
        """The name of a reference in the store; the budget counts only where it cut steps short."""
        used = self.settled(settings)
        return reference_key(self.model.digest, clip.waveform.digest, prompt, used, capped)

    def _keys(self, clip: Clip, prompt: str, settings: LearnSettings) -> tuple[str, ...]:
        used = self.settled(settings)
        return reference_keys(self.model.digest, clip.waveform.digest, prompt, used)

    def fuse(
        self,
        original: Clip,
        reference: Reference,
        places: Sequence[Place],
        settings: SamplingSettings,
        level: Level = "match",
        watch: Watch = UNWATCHED,
        apart: bool = False,
    ) -> list[Fusion]:
        """Fuse at each place, as one fan over a shared prefix (Algorithm 1).

        `apart`: as of `Fuser.latents`.

        Raises:
            Cancelled: by the watch.
            BadSetting: a place is off the grid.
        """
        return [
            levelled(self.decode(fused, original, watch), fused, original, reference, level)
            for fused in self.fuser.latents(original, reference, places, settings, watch, apart)
        ]

    def even_blends(
        self,
        original: Clip,
        reference: Reference,
        size: int,
        settings: SamplingSettings,
        watch: Watch = UNWATCHED,
    ) -> list[float]:
        """`size` rising blends from 0 to 1 that are equal steps apart to the ear (see `even`).

        Raises:
            Cancelled: by the watch.
            BadSetting: a setting has no meaning with this model.
        """

        def mels(blends: Sequence[float]) -> list[Float[Tensor, "band frame"]]:
            places = [Place(blend=blend) for blend in blends]
            fusions = self.fuse(original, reference, places, settings, "raw", watch)
            return [even.decibel_mel(fusion.waveform) for fusion in fusions]

        far, near = mels([0.0, 1.0])
        return even.even_blends(
            size, lambda blends: [even.proportion(mel, near, far) for mel in mels(blends)]
        )

    def decode(self, fused: FusedLatent, original: Clip, watch: Watch = UNWATCHED) -> Samples:
        """A fusion's sound (channel, frame), as loud as the codec makes it.

        Raises:
            Cancelled: by the watch.
        """
        codec = self.model.codec
        pieces: list[Samples] = []
        for piece in codec.pieces(fused.latent, original.waveform.frames, fused.settings.seed):
            watch.checkpoint()
            pieces.append(piece)
        return np.concatenate(pieces, axis=1)


def levelled(
    samples: Samples, fused: FusedLatent, original: Clip, reference: Reference, level: Level
) -> Fusion:
    """A decoded fusion at its level; any thread may do this."""
    rate_hz, target = original.waveform.rate_hz, target_lufs(fused.blend, original, reference.clip)
    samples, gain_db = bring_to_level(samples, samples.shape[1], rate_hz, level, target)
    waveform = Waveform(samples, rate_hz)
    return Fusion(waveform, fused.blend, fused.remaining, gain_db, fused.latent)
