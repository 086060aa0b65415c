"""Settings a user chooses, frozen and checked when made. None: the model's own default."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

from eutectic.errors import BadSetting

Residual = Literal[
    "clean", "gaussian", "stochastic", "scaled", "ddim", "edit-friendly", "rf-inversion"
]  # fmt: skip
Solver = Literal["midpoint", "heun", "pingpong"]
Level = Literal["match", "raw"]
Method = Literal["lora", "full"]
Morphing = Literal["mix", "spectral", "cepstral", "transport"]
"""Plain signal processing that makes a sound between two, without a model."""
Fusing = Literal["fusion", "latent", "sdedit", Morphing]
"""What `eutectic fuse` makes: the engine's fusion, or something to compare it with."""
PadState = Literal["off", "ready", "working", "playing"]
"""Of a pad that fuses, as controllers and pages show it."""

_STABLE_AUDIO_3 = ("small-sfx", "small-music", "medium")
SHORT_NAMES = {
    f"sa3-{kind}{base}": f"stabilityai/stable-audio-3-{kind}{base}"
    for kind in _STABLE_AUDIO_3
    for base in ("", "-base")
}
"""Hub ids of published models by their short names."""

MAX_SEED = 2**32 - 1
MAX_VOICES = 16
MAX_STRENGTH = 2.0


def data_folder() -> Path:
    """Where references and other things a user made are kept (EUTECTIC_DATA overrides)."""
    chosen = os.environ.get("EUTECTIC_DATA")
    if chosen:
        return Path(chosen)
    import platformdirs

    return Path(platformdirs.user_data_dir("eutectic", appauthor=False))


def is_hub_id(model: str) -> bool:
    """Whether a model's name is that of a repository on the Hugging Face Hub, `owner/name`."""
    return model.count("/") == 1 and not model.startswith((".", "/", "~"))


def _between(name: str, value: float | None, low: float, high: float) -> None:
    if value is not None and not low <= value <= high:  # false for NaN, too
        raise BadSetting(f"{name} must be {low:g} to {high:g}, not {value:g}")


def _one_of(name: str, value: str | None, choices: tuple[str, ...]) -> None:
    if value is not None and value not in choices:
        raise BadSetting(f"{name} must be one of {', '.join(choices)}, not {value!r}")


def check_guided(negative: str | None, cfg: float) -> None:
    """Check that a negative prompt, if there is one, is heard.

    Raises:
        BadSetting: it isn't, as there is no guidance.
    """
    if negative is not None and cfg == 1:
        raise BadSetting("a negative prompt needs guidance: choose a cfg other than 1")


def check_remaining(remaining: int, highest: int) -> None:
    """Check that a grid has this many steps to be left after an injection.

    Raises:
        BadSetting: it hasn't.
    """
    if not 0 <= remaining <= highest:
        raise BadSetting(f"remaining must be 0 to {highest} with this grid, not {remaining}")


@dataclass(frozen=True)
class SamplingSettings:
    """How the reference is sampled and the original inverted; what a prefix depends on."""

    seed: int = 0
    cfg: float | None = None
    negative: str | None = None
    steps: int | None = None
    order: int | None = None
    solver: Solver | None = None
    eta: float | None = None
    residual: Residual = "clean"
    residual_amount: float = 1.0
    recall: float | None = None
    """Share of the memory of the reference's clip in each estimate; 0: the network alone."""
    slack: float | None = None
    """Deviation that the memory allows, in latent units."""
    start: float = 0.0
    """Seconds into the reference's clip at which its memory starts."""
    apg: float | None = None
    """Share of the guidance that is projected, so that a high cfg doesn't overdrive the sound."""
    strength: float | None = None
    """Of what was learned: 0 the model's own weights, 1 as learned (None)."""

    def __post_init__(self) -> None:
        _between("seed", self.seed, 0, MAX_SEED)
        _between("cfg", self.cfg, 0, 30)
        _between("steps", self.steps, 1, 1000)
        _between("order", self.order, 1, 3)
        _between("eta", self.eta, 0, 1)
        _between("residual-amount", self.residual_amount, 0, 1)
        _between("recall", self.recall, 0, 1)
        _between("slack", self.slack, 0.01, 10)
        _between("start", self.start, 0, 86_400)
        _between("apg", self.apg, 0, 1)
        _between("strength", self.strength, 0, MAX_STRENGTH)
        _one_of("solver", self.solver, get_args(Solver))
        _one_of("residual", self.residual, get_args(Residual))
        if self.residual == "edit-friendly" and (
            self.order not in (None, 1) or self.eta not in (None, 1.0) or self.solver
        ):
            raise BadSetting("residual edit-friendly samples at order 1 and eta 1 only")

    @property
    def strength_or_whole(self) -> float:
        return 1.0 if self.strength is None else self.strength


def interpolating(settings: SamplingSettings) -> SamplingSettings:
    """Settings that interpolate latents: from memory alone, without noise."""
    return replace(settings, recall=1.0, eta=0.0, order=1, solver=None)


def sdedit(settings: SamplingSettings) -> SamplingSettings:
    """Settings of audio-to-audio: sampling starts from the original under white noise.

    SDEdit (Meng et al., ICLR 2022), with the same network and reference, and no recall.
    """
    return replace(settings, residual="gaussian", residual_amount=1.0, recall=0.0)


@dataclass(frozen=True)
class Place:
    """Where the original enters: by blend or by the steps remaining, one of the two."""

    blend: float | None = None
    remaining: int | None = None

    def __post_init__(self) -> None:
        if (self.blend is None) == (self.remaining is None):
            raise BadSetting("choose either blend or remaining")
        _between("blend", self.blend, 0, 1)
        _between("remaining", self.remaining, 0, math.inf)

    def blend_or(self, resulting: float) -> float:
        """The blend that was asked for; the resulting one if it was asked for by steps."""
        return resulting if self.blend is None else self.blend


@dataclass(frozen=True)
class LearnSettings:
    """How a reference is learned. The budget only caps: steps make results repeat."""

    method: Method | None = None
    steps: int | None = None
    rank: int = 16
    learning_rate: float | None = None
    budget_seconds: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        _one_of("method", self.method, get_args(Method))
        _between("steps", self.steps, 1, 100_000)
        _between("rank", self.rank, 1, 256)
        _between("learning-rate", self.learning_rate, 1e-8, 1.0)
        _between("budget", self.budget_seconds, 0.1, 86_400)
        _between("seed", self.seed, 0, MAX_SEED)
