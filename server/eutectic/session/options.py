"""From the options of a request to the settings of the engine."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Any

from eutectic.config import (
    LearnSettings,
    Place,
    SamplingSettings,
    check_guided,
    check_remaining,
)
from eutectic.errors import BadSetting
from eutectic.link.protocol import ModelFacts
from eutectic.osc.request import FusionOptions
from eutectic.osc.spec import given
from eutectic.osc.table import Fuse, Learn

Options = dict[str, int | float | str]
"""Options by name, as TOML files hold them."""

SILENT_DB = -120.0
"""The gain of velocity 0."""

SAMPLING = frozenset(field.name for field in fields(SamplingSettings))
NOT_KEPT = ("id", "voice", "at_ms", "velocity", "within_ms", "preset", "at_beat", "quantise")


def sampling(request: FusionOptions) -> SamplingSettings:
    """The sampling that a request asks for.

    Raises:
        BadSetting: two of its options exclude each other.
    """
    options = given(request)
    return SamplingSettings(**{name: options[name] for name in options if name in SAMPLING})


def place(request: FusionOptions, default: float = 0.5) -> Place:
    """Where a request puts the original; `default` is the blend if it gives none.

    Raises:
        BadSetting: it gives both a blend and the steps remaining.
    """
    blend, remaining = request.blend, request.remaining
    if blend is not None and remaining is not None:
        raise BadSetting("choose either blend or remaining")
    return Place(default if blend is None and remaining is None else blend, remaining)


def loops(request: Fuse, default: bool) -> bool:
    """Whether a fusion is played as a loop, on a voice whose setting is `default`."""
    asked = default or request.beats is not None
    return asked if request.loop is None else bool(request.loop)


def check_for_model(request: FusionOptions, facts: ModelFacts) -> None:
    """Check what depends on the model that fuses.

    Raises:
        BadSetting: more steps remain than there are, or a negative prompt has no guidance.
    """
    check_guided(request.negative, facts.cfg if request.cfg is None else request.cfg)
    if request.remaining is not None:
        steps = facts.steps if request.steps is None else request.steps
        check_remaining(request.remaining, steps - facts.infinite_levels)


def velocity_db(velocity: float | None) -> float:
    """The gain of a MIDI velocity; 127, or none, is full level."""
    if velocity is None:
        return 0.0
    return 40 * math.log10(velocity / 127) if velocity > 0 else SILENT_DB


def learning(request: Learn) -> LearnSettings:
    """How a request wants a reference learned."""
    rank = {} if request.rank is None else {"rank": request.rank}
    return LearnSettings(
        method=request.method, steps=request.steps, budget_seconds=request.budget_s, **rank
    )


def kept_options(request: Fuse) -> Options:
    """What a session or a preset keeps of a voice's newest fusion."""
    options = given(request)
    return {name: options[name] for name in options if name not in NOT_KEPT}


def fuse_request(options: Options, voice: int = 1) -> Fuse:
    """The request that kept options stand for; original and reference are empty if not kept."""
    known = {name: options[name] for name in options if name in Fuse.__struct_fields__}
    values: dict[str, Any] = {"original": "", "reference": ""} | known | {"id": 0, "voice": voice}
    return Fuse(**values)
