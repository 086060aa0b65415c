"""What fusions are made of: clips and references by name, and pairs of them with their settings."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
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
    """A learned reference; `model` is the digest of the model that learned it."""

    name: str
    clip: str
    source: Source
    spec: ReferenceSpec
    model: str


@dataclass(frozen=True)
class Pair:
    """Everything that makes up a fusion, except its place."""

    original: Clip
    reference: Reference
    sampling: SamplingSettings
    level: Level

    @cached_property
    def key(self) -> str:
        """Identifies what is heard; clips' and references' names don't matter."""
        return _key(self.original.key, self.reference.spec, self.sampling, self.level)

    def key_at(self, place: Place, rate_hz: int) -> str:
        """The fusion's name on the shelf."""
        return _key(self.key, place, rate_hz)


def _key(*parts: object) -> str:
    """Hash of the parts' reprs, which name every field and are the same for values from a file.

    A ReferenceSpec still counts as `Known`, its name when the first fusions were kept on disk.
    """
    text = repr(parts).replace("ReferenceSpec(", "Known(")
    return hashlib.sha256(text.encode()).hexdigest()[:32]
