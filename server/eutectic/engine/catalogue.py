"""Clips and references by key, as the daemon names them."""

from __future__ import annotations

from eutectic.engine.adapter import Adapter
from eutectic.engine.clips import Clip
from eutectic.engine.engine import Engine
from eutectic.engine.fuser import Reference
from eutectic.engine.watch import UNWATCHED, Watch
from eutectic.errors import EutecticError
from eutectic.link.protocol import ReferenceSpec, Source


class Stale(EutecticError):
    """A clip or a reference that isn't available under this model."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class Catalogue:
    """Finds clips and references in memory or on disk; owned by the thread that owns the model."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sources: dict[str, Source] = {}
        """Where to read this session's clips again if neither memory nor disk has them."""

    def load(self, source: Source, key: str | None, watch: Watch = UNWATCHED) -> tuple[str, Clip]:
        """A clip and its key; with its key from an earlier session, its file may be gone.

        Raises:
            BadAudio: the file can't be read or used.
        """
        clip = None if key is None else self._engine.find_clip(key)
        if clip is None or self._engine.clip_key(clip.waveform) != key:  # another model's
            clip = self._engine.open(source, watch)
            key = self._engine.clip_key(clip.waveform)
        assert key is not None
        self._sources[key] = source
        return key, clip

    def clip(self, key: str, watch: Watch = UNWATCHED) -> Clip:
        """The clip of a key; `watch` is checked while its file is read anew.

        Raises:
            Stale: it is gone, or its file has changed.
        """
        clip = self._engine.find_clip(key)
        if clip is None and key in self._sources:
            clip = self._engine.open(self._sources[key], watch)
            if self._engine.clip_key(clip.waveform) != key:
                clip = None
        if clip is None:
            raise Stale("stale_clip", "the clip's file is gone or has changed: load it again")
        return clip

    def reference(self, spec: ReferenceSpec, watch: Watch = UNWATCHED) -> Reference:
        """A reference: one that has been learned, a LoRA, or one that is only remembered.

        Raises:
            Stale: it hasn't been learned under this model, or its clip is gone.
        """
        cached: Reference | None = self._engine.cache.get(spec)
        if cached is not None:
            return cached
        clip = self.clip(spec.clip, watch) if spec.clip else None
        if spec.lora:
            adapter = self._engine.find_lora(spec.lora)
            if adapter is None:
                raise Stale("stale_reference", "its LoRA file isn't in the store: load it again")
            return self.keep(spec, clip, adapter)
        if spec.settings is None or clip is None:
            return Reference(spec.prompt, clip, None)
        adapter = self._engine.find_adapter(clip, spec.prompt, spec.settings)
        if adapter is None:
            raise Stale("stale_reference", "not learned under this model: learn it again")
        return self.keep(spec, clip, adapter)

    def forget(self, spec: ReferenceSpec) -> dict[str, int]:
        """Delete what was learned of a reference; returns the bytes it took, by key.

        Raises:
            Stale: its clip is gone.
            BadOutput: it can't be deleted.
        """
        sizes = dict[str, int]()
        if spec.lora:
            sizes = self._engine.forget_lora(spec.lora)
        elif spec.settings is not None:
            sizes = self._engine.forget(self.clip(spec.clip), spec.prompt, spec.settings)
        self._engine.cache.discard(spec)
        return sizes

    def keep(self, spec: ReferenceSpec, clip: Clip | None, adapter: Adapter) -> Reference:
        """Keep a reference in memory while there is room."""
        reference = Reference(spec.prompt, clip, adapter)
        self._engine.cache.put(spec, reference, adapter.nbytes)
        return reference
