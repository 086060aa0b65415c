"""What the options of a request mean beyond its sampling: playing, learning, keeping."""

from __future__ import annotations

import math

from eutectic.config import LearnSettings, check_guided, check_remaining
from eutectic.fusion_options import Options
from eutectic.link.protocol import ModelFacts
from eutectic.osc.request import FusionOptions
from eutectic.osc.spec import given
from eutectic.osc.table import Fuse, Learn

SILENT_DB = -120.0
"""The gain of velocity 0."""

NOT_KEPT = ("id", "voice", "at_ms", "velocity", "within_ms", "preset", "at_beat", "quantise")


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
