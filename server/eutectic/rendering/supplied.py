"""An engine that is handed sounds and references which others opened and learned."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from eutectic.config import LearnSettings
from eutectic.engine.adapter import Adapter
from eutectic.engine.clips import Clip
from eutectic.engine.engine import Engine
from eutectic.engine.model import Model
from eutectic.engine.store import Store
from eutectic.engine.watch import UNWATCHED, Watch
from eutectic.link.errands import Known, Wanted
from eutectic.link.protocol import Source

Fetch = Callable[[], tuple[Clip | None, Adapter | None]]
"""Gets what was handed over, or nothing where it is lost; called again it gives the same."""


class Supplied(Engine):
    """Takes what it was handed, and does the rest itself; owned as an engine is."""

    def __init__(self, model: Model, store: Store) -> None:
        super().__init__(model, store)
        self._sounds: Mapping[Source, Fetch] = {}
        self._wanted: Wanted | None = None

    def supply(self, sounds: Mapping[Source, Fetch], wanted: Wanted) -> None:
        """Hand over what is next: sounds, and among them the reference with what was learned."""
        self._sounds, self._wanted = sounds, wanted

    def is_supplied(self, source: Source) -> bool:
        """Whether a sound needn't be read here."""
        return source in self._sounds and self._sounds[source]()[0] is not None

    def open(self, source: Source, watch: Watch = UNWATCHED) -> Clip:
        clip = self._sounds[source]()[0] if source in self._sounds else None
        if clip is None:
            return super().open(source, watch)
        self._cache_clip(self.clip_key(clip.waveform), clip)
        return clip

    def find_adapter(self, clip: Clip, prompt: str, settings: LearnSettings) -> Adapter | None:
        wanted = self._wanted
        if wanted is not None and (wanted.prompt, wanted.learning) == (prompt, settings):
            adapter = self._handed()
            if adapter is not None:
                return adapter
        return super().find_adapter(clip, prompt, settings)

    def open_lora(self, path: str, watch: Watch = UNWATCHED) -> tuple[str, Adapter]:
        adapter = self._handed() if self._wanted and self._wanted.lora == path else None
        return super().open_lora(path, watch) if adapter is None else ("", adapter)

    def learned(self, wanted: Wanted, known: Known) -> tuple[Clip, Adapter | None]:
        """A reference's clip and weights, once it is known."""
        clip = self.open(wanted.source)
        if known.about is None:
            return clip, None
        if wanted.lora is not None:
            return clip, self.open_lora(wanted.lora)[1]
        assert wanted.learning is not None
        return clip, self.find_adapter(clip, wanted.prompt, wanted.learning)

    def _handed(self) -> Adapter | None:
        """What was learned of the reference, if it came along."""
        if self._wanted is None or self._wanted.source not in self._sounds:
            return None
        return self._sounds[self._wanted.source]()[1]
