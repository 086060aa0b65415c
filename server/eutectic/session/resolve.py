"""From a request to what it names: default options filled in, clips and references looked up."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

import msgspec

from eutectic.osc.request import FusionOptions
from eutectic.osc.spec import given
from eutectic.osc.table import Fuse, MakeFan, Render, spec_of
from eutectic.session.library import Library
from eutectic.session.options import Options, place, sampling
from eutectic.session.pair import Pair
from eutectic.session.presets import Presets
from eutectic.session.references import References
from eutectic.session.voices import Voice

AnyFusion = TypeVar("AnyFusion", bound=FusionOptions)


class Resolver:
    """Completes requests; owned by the event loop.

    Attributes:
        defaults: options of all fusions that don't give them.
    """

    def __init__(self, library: Library, references: References, presets: Presets) -> None:
        self._library, self._references, self._presets = library, references, presets
        self.defaults: Options = {}

    def with_defaults(self, request: AnyFusion, voice: Voice | None = None) -> AnyFusion:
        """A request with the options of its preset, its voice and the session where it has none.

        Raises:
            BadState: its preset is missing or damaged.
        """
        defaults: dict[str, Any] = dict(self.defaults)
        if voice is not None:
            defaults.pop("blend", None)  # the voice's own, which a knob may have moved since
            own = {"cfg": voice.cfg, "recall": voice.recall}
            defaults |= {name: value for name, value in own.items() if value is not None}
        if request.preset is not None:
            defaults |= self._presets.read(request.preset).fusion
        options = given(request)
        if "blend" in options or "remaining" in options:
            defaults = {name: defaults[name] for name in defaults
                        if name not in ("blend", "remaining")}  # fmt: skip
        known = {option.name for option in spec_of(request.address).options}
        missing = {name: defaults[name] for name in defaults
                   if name in known and name not in options}  # fmt: skip
        return msgspec.structs.replace(request, **missing)

    def check(self, request: Fuse | MakeFan | Render) -> None:
        """Check all that can be checked at once, before anything is touched.

        Raises:
            Refused: a clip or a reference doesn't exist, nor is on its way.
            BadSetting: its options exclude each other.
        """
        sampling(request)
        place(request)
        self._library.check(request.original)
        self._references.check(request.reference)

    async def pair(self, request: Fuse | MakeFan | Render) -> Pair:
        """The sources that a request names, after waiting for a clip that is being loaded.

        Raises:
            Refused: a clip or a reference doesn't exist, or is another model's.
        """
        settings = sampling(request)
        reference = await self._references.named(request.reference)
        original = await self._library.clip(request.original)
        if settings.recall is None:
            settings = replace(settings, recall=self._references.recall_of(reference))
        return Pair(original, reference, settings, request.level or "match")
