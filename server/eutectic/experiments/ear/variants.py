"""Settings under which fusions are compared, as text: `recall=1,budget=0`."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any

import msgspec

from eutectic.config import SamplingSettings
from eutectic.errors import BadSetting

BUDGET = "budget"
LONGEST_BUDGET_SECONDS = 3600.0


@dataclass(frozen=True)
class Variant:
    """How fusions are sampled, and for how long references are learned.

    Attributes:
        name: the text it was read from; empty for the model's defaults.
        settings: the sampling.
        budget_seconds: limit of learning; 0: not at all; None: as for all parts.
    """

    name: str = ""
    settings: SamplingSettings = field(default_factory=SamplingSettings)
    budget_seconds: float | None = None

    @classmethod
    def read(cls, text: str) -> Variant:
        """A variant of `name=value` pairs, separated by commas: fields of SamplingSettings, budget.

        Raises:
            BadSetting: a name is unknown, or a value is out of range.
        """
        chosen = dict(map(_pair, filter(None, text.split(","))))
        known = {BUDGET, *(each.name for each in fields(SamplingSettings))}
        for name in chosen:
            if name not in known:
                raise BadSetting(f"variant: unknown {name!r}; known: {', '.join(sorted(known))}")
        budget = chosen.pop(BUDGET, None)
        seconds = None if budget is None else _converted(BUDGET, budget, float)
        if seconds is not None and not 0 <= seconds <= LONGEST_BUDGET_SECONDS:
            raise BadSetting(f"budget must be 0 to {LONGEST_BUDGET_SECONDS:g}, not {seconds:g}")
        return cls(text, _converted("variant", chosen, SamplingSettings), seconds)

    @property
    def figures(self) -> dict[str, Any]:
        """All that its fusions depend on, as values for JSON."""
        return asdict(self.settings) | {BUDGET: self.budget_seconds}


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = (part.strip() for part in text.partition("="))
    if not (name and equals and value):
        raise BadSetting(f"variant: {text.strip()!r} isn't of the form name=value")
    return name.replace("-", "_"), value


def _converted(name: str, value: Any, kind: Any) -> Any:
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as error:
        raise BadSetting(f"{name}: {error}") from None
