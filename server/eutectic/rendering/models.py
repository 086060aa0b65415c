"""What a plan has to know of a model, by its files alone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from eutectic.config import LearnSettings
from eutectic.engine import model_files
from eutectic.engine.defaults import BY_FORMAT, TOY, Defaults, defaults_of
from eutectic.errors import BadModel

V = ("diffusion_cond", "v")


@dataclass(frozen=True)
class ModelAsked:
    """A model: what identifies it, the longest sound that it takes, and what it does by itself."""

    identity: str
    max_seconds: float | None
    defaults: Defaults

    @property
    def learning(self) -> LearnSettings:
        """How it learns."""
        return LearnSettings(self.defaults.learn.method, self.defaults.learn.steps)


def asked(name: str, download: bool) -> ModelAsked:
    """A model by its name; on request it is downloaded if it isn't on this machine.

    Raises:
        BadModel: there is no such model.
    """
    model_files.check(name)
    if name == "toy":
        return ModelAsked(name, None, defaults_of(*V, TOY))
    files = model_files.find(name) if download else model_files.here(name)
    if files is None:
        return ModelAsked(name, None, BY_FORMAT[V])
    try:
        config: dict[str, Any] = json.loads(files.config.read_text(encoding="utf-8"))
        objective = config["model"]["diffusion"].get("diffusion_objective", "v")
        defaults = defaults_of(config["model_type"], objective, config.get("eutectic", {}))
        longest = float(config["sample_size"]) / float(config["sample_rate"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ArithmeticError):
        raise BadModel(f"{files.config}: isn't the configuration of a model") from None
    return ModelAsked(files.digest, longest, defaults)
