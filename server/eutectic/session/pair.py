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
    """A reference, remembered or learned, or a LoRA file.

    Attributes:
        clip: that is remembered; empty for a LoRA alone, which then is the source.
        model: digest of the model that it is for.
        lora: the file's absolute path, empty for all others.
        strength: of what was learned, where a fusion asks for no other.
    """

    name: str
    clip: str
    source: Source
    spec: ReferenceSpec
    model: str
    lora: str = ""
    strength: float = 1.0

    @property
    def learned(self) -> bool:
        return self.spec.settings is not None or bool(self.lora)

    @property
    def known_by(self) -> str:
        """The clip it remembers; or else its file."""
        return self.spec.clip or self.lora


@dataclass(frozen=True)
class Knobs:
    """What can be turned while a fusion sounds; None where nothing is asked for."""

    recall: float | None = None
    strength: float | None = None

    def since(self, before: Knobs) -> Knobs:
        """Those that are elsewhere than before."""
        return Knobs(
            None if self.recall == before.recall else self.recall,
            None if self.strength == before.strength else self.strength,
        )

    def over(self, others: Knobs) -> Knobs:
        """The others, wherever these ask for nothing."""
        return Knobs(
            others.recall if self.recall is None else self.recall,
            others.strength if self.strength is None else self.strength,
        )


@dataclass(frozen=True)
class Pair:
    """Everything that makes up a fusion, except its place; its knobs are settled."""

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
            sampling = replace(sampling, cfg=None, negative=None, apg=None, strength=None)
            return _key(self.original.key, spec.clip, _Named(sampling), self.level)
        return _key(self.original.key, spec, _Named(sampling), self.level)

    def key_at(self, place: Place, rate_hz: int) -> str:
        """The fusion's name on the shelf."""
        return _key(self.key, place, rate_hz)

    def key_across(self, setting: str) -> str:
        """Identifies what is heard whatever a setting of its sampling is; or as `key`, of others.

        Pairs of one fan have the same, if that is its second axis.
        """
        known = self._keys_across.get(setting)
        if known is None:
            turned = setting in SamplingSettings.__dataclass_fields__
            sampling = replace(self.sampling, **{setting: None}) if turned else self.sampling
            known = _key(setting, replace(self, sampling=sampling).key)
            self._keys_across[setting] = known
        return known

    @cached_property
    def _keys_across(self) -> dict[str, str]:
        return {}

    @property
    def knobs(self) -> Knobs:
        return Knobs(self.sampling.recall, self.sampling.strength)

    def at(self, knobs: Knobs) -> Pair:
        """The same with its knobs elsewhere, those that have a meaning with its reference.

        Without a clip there is no memory to recall, without learning nothing that has a strength.
        """
        recall = knobs.recall if self.reference.spec.clip else 0.0
        strength = knobs.strength if self.reference.learned else None
        return replace(self, sampling=replace(self.sampling, recall=recall, strength=strength))


LATER_SETTINGS = {
    "recall": (None, 0.0), "slack": (None,), "start": (0.0,), "apg": (None,),
    "strength": (None, 1.0),
}  # fmt: skip
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

    A ReferenceSpec still counts as `Known`, its name when the first fusions were kept on disk, and
    had no LoRA then.
    """
    text = repr(parts).replace("ReferenceSpec(", "Known(").replace(", lora='')", ")")
    return hashlib.sha256(text.encode()).hexdigest()[:32]
