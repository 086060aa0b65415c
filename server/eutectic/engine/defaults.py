"""Sampling and learning settings where the user chose none: the model's own, or its objective's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import msgspec

from eutectic.config import Method, Solver
from eutectic.errors import BadModel


@dataclass(frozen=True)
class LearnDefaults:
    """How a model learns a reference."""

    method: Method
    steps: int
    learning_rate: float


@dataclass(frozen=True)
class Defaults:
    """How a model samples, and how it learns."""

    grid: Literal["polyexponential", "karras", "log_snr"]
    s_min: float
    s_max: float
    rho: float
    steps: int
    order: int
    eta: float
    cfg: float
    learn: LearnDefaults
    solver: Solver = "midpoint"
    recall: float = 0.0
    slack: float = 0.5


_V = Defaults(  # Stable Audio Open 1.0's card
    grid="polyexponential", s_min=0.3, s_max=500.0, rho=1.0, steps=100, order=2, eta=1.0, cfg=7.0,
    learn=LearnDefaults(method="lora", steps=300, learning_rate=1e-4),
)  # fmt: skip
_FLOW = replace(_V, grid="log_snr", steps=50, eta=0.0)
_FEW_STEPS = replace(  # Stable Audio Open Small's card
    _FLOW, steps=8, order=1, eta=1.0, solver="pingpong", cfg=1.0
)
BY_OBJECTIVE = {"v": _V, "rectified_flow": _FLOW, "rf_denoiser": _FEW_STEPS}


def defaults_of(objective: str, own: Mapping[str, Any]) -> Defaults:
    """The objective's defaults, with the model's own settings in their place.

    Raises:
        BadModel: a setting of the model's own has the wrong type.
    """
    try:
        return msgspec.convert(asdict(BY_OBJECTIVE[objective]) | dict(own), Defaults)
    except msgspec.ValidationError as error:
        raise BadModel(f"the model's own settings aren't usable: {error}") from None
