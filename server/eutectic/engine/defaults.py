"""Sampling and learning settings where the user chose none: the model's own, or its format's."""

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
    on_base: bool = False
    """Whether it learns with the weights that it was trained from (see `model_files.base_of`)."""


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
    apg: float = 0.0
    lowest_log_snr: float = -6.0
    """Where a log_snr grid starts, below its time 1."""


_V = Defaults(  # Stable Audio Open 1.0's card
    grid="polyexponential", s_min=0.3, s_max=500.0, rho=1.0, steps=100, order=2, eta=1.0, cfg=7.0,
    learn=LearnDefaults(method="lora", steps=300, learning_rate=1e-4),
)  # fmt: skip
_FLOW = replace(_V, grid="log_snr", steps=50, eta=0.0)
_FEW_STEPS = replace(  # Stable Audio Open Small's card
    _FLOW, steps=8, order=1, eta=1.0, solver="pingpong", cfg=1.0
)
_SA3_BASE = replace(_FLOW, order=1, lowest_log_snr=-6.2, apg=1.0)  # Stable Audio 3's documents
_SA3 = replace(_FEW_STEPS, lowest_log_snr=-6.2, learn=replace(_FEW_STEPS.learn, on_base=True))
BY_FORMAT = {
    ("diffusion_cond", "v"): _V,
    ("diffusion_cond", "rectified_flow"): _FLOW,
    ("diffusion_cond", "rf_denoiser"): _FEW_STEPS,
    ("diffusion_cond_inpaint", "rectified_flow"): _SA3_BASE,
    ("diffusion_cond_inpaint", "rf_denoiser"): _SA3,
}
"""By stable-audio-tools' model type and objective."""

TOY: dict[str, Any] = {
    "grid": "polyexponential", "s_min": 0.03, "s_max": 100.0, "rho": 1.0,
    "steps": 25, "order": 2, "eta": 1.0, "cfg": 1.0,
    "learn": {"method": "full", "steps": 60, "learning_rate": 0.05},
}  # fmt: skip
"""The toy's own settings."""


def defaults_of(kind: str, objective: str, own: Mapping[str, Any]) -> Defaults:
    """The format's defaults, with the model's own settings in their place.

    Raises:
        BadModel: a setting of the model's own has the wrong type.
    """
    try:
        return msgspec.convert(asdict(BY_FORMAT[kind, objective]) | dict(own), Defaults)
    except msgspec.ValidationError as error:
        raise BadModel(f"the model's own settings aren't usable: {error}") from None
