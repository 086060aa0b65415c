"""From a request to what it names: default options filled in, clips and references looked up."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from eutectic.fusion_options import Options, place, sampling
from eutectic.osc.request import FusionOptions
from eutectic.osc.spec import given
from eutectic.osc.table import AskPair, Fuse, ListFan, MakeFan, Render, spec_of
from eutectic.session.jobs import Jobs
from eutectic.session.library import Library
from eutectic.session.options import check_for_model
from eutectic.session.pair import Clip, Pair, Reference
from eutectic.session.presets import Presets
from eutectic.session.references import References
from eutectic.session.voice import Voice

AnyFusion = TypeVar("AnyFusion", bound=FusionOptions)

FusionOfTwo = Fuse | MakeFan | ListFan | AskPair | Render
"""A request that names an original and a reference."""


class Resolver:
    """Completes requests; owned by the event loop.

    Attributes:
        defaults: options of all fusions that don't give them.
    """

    def __init__(
        self, jobs: Jobs, library: Library, references: References, presets: Presets
    ) -> None:
        self._jobs, self._library = jobs, library
        self._references, self._presets = references, presets
        self.defaults: Options = {}

    def with_defaults(self, request: AnyFusion, voice: Voice | None = None) -> AnyFusion:
        """A request with the options of its preset, its voice and the session where it has none.

        Raises:
            BadState: its preset is missing or damaged.
        """
        defaults: dict[str, Any] = dict(self.defaults)
        if voice is not None:
            defaults.pop("blend", None)  # the voice's own, which a knob may have moved since
            own = {"cfg": voice.cfg, "recall": voice.recall, "strength": voice.strength,
                   "eta": voice.eta}  # fmt: skip
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

    def check(self, request: FusionOfTwo) -> None:
        """Check all that can be checked at once, before anything is touched.

        Raises:
            Refused: a clip or a reference doesn't exist, nor is on its way.
            BadSetting: its options exclude each other, or have no meaning with this model.
        """
        sampling(request)
        place(request)
        facts = self._jobs.host.facts
        if facts is not None:
            check_for_model(request, facts)
        self._library.check(request.original)
        self._references.check(request.reference)

    def at_hand(self, request: FusionOfTwo) -> Pair | None:
        """The sources that a request names; None if `pair` would wait for one, or fail."""
        original = self._library.clips.get(request.original)
        reference = self._references.at_hand(request.reference)
        if original is None or reference is None or self._library.is_loading(request.original):
            return None
        return self._pair(request, original, reference)

    async def pair(self, request: FusionOfTwo) -> Pair:
        """The sources that a request names, after waiting for a clip that is being loaded.

        Raises:
            Refused: a clip or a reference doesn't exist, or is another model's.
        """
        reference = await self._references.named(request.reference)
        original = await self._library.clip(request.original)
        return self._pair(request, original, reference)

    def _pair(self, request: FusionOfTwo, original: Clip, reference: Reference) -> Pair:
        asked = Pair(original, reference, sampling(request), request.level or "match")
        return asked.at(asked.knobs.over(self._references.knobs_of(reference)))
