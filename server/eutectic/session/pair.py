"""What fusions are made of: clips and references by name, and pairs of them with their settings."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields, replace
from functools import cached_property

from eutectic.config import Level, Place, SamplingSettings
from eutectic.link.protocol import ReferenceSpec, Source


@dataclass(frozen=True)
class Clip:
    """A loaded clip: its source, its key in the engine, its length at the model's rate."""

    name: str
    source: Source
    key: str
    frames: int
    rate_hz: int
    loudness_lufs: float

    @property
    def seconds(self) -> float:
        return self.frames / self.rate_hz


@dataclass(frozen=True)
class Reference:
    """A reference, remembered or learned; `model` is the digest of the model that it is for."""

    name: str
    clip: str
    source: Source
    spec: ReferenceSpec
    model: str

    @property
    def learned(self) -> bool:
        return self.spec.settings is not None


@dataclass(frozen=True)
class Pair:
    """Everything that makes up a fusion, except its place; its recall is settled."""

    original: Clip
    reference: Reference
    sampling: SamplingSettings
    level: Level

    @cached_property
    def key(self) -> str:
        """Identifies what is heard; clips' and references' names don't matter.

        At full recall no network is evaluated, so nothing matters that only guides it.
        """
        spec, sampling = self.reference.spec, self.sampling
        if sampling.recall == 1:
            sampling = replace(sampling, cfg=None, negative=None, apg=None)
            return _key(self.original.key, spec.clip, _Named(sampling), self.level)
        return _key(self.original.key, spec, _Named(sampling), self.level)

    def key_at(self, place: Place, rate_hz: int) -> str:
        """The fusion's name on the shelf."""
        return _key(self.key, place, rate_hz)

    def at_recall(self, recall: float | None) -> Pair:
        """The same at another recall."""
        return replace(self, sampling=replace(self.sampling, recall=recall))


LATER_SETTINGS = {"recall": (None, 0.0), "slack": (None,), "start": (0.0,), "apg": (None,)}
"""Settings that the first fusions on disk didn't have, and the values that stand for none."""


class _Named:
    """Sampling whose repr is as it was before it had the later settings, where it has none."""

    def __init__(self, sampling: SamplingSettings) -> None:
        self._sampling = sampling

    def __repr__(self) -> str:
        values = {each.name: getattr(self._sampling, each.name) for each in fields(self._sampling)}
        named = [
            f"{name}={value!r}" for name, value in values.items()
            if value not in LATER_SETTINGS.get(name, ())
        ]  # fmt: skip
        return f"SamplingSettings({', '.join(named)})"


def _key(*parts: object) -> str:
    """Hash of the parts' reprs, which name every field and are the same for values from a file.

    A ReferenceSpec still counts as `Known`, its name when the first fusions were kept on disk.
    """
    text = repr(parts).replace("ReferenceSpec(", "Known(")
    return hashlib.sha256(text.encode()).hexdigest()[:32]
