"""What the clients' methods take as keywords, by kind of request; types alone."""

from __future__ import annotations

from os import PathLike
from typing import Literal, TypedDict

from eutectic.config import Level, Method, Residual, Solver
from eutectic.osc.requests.fusions import Across

Name = int | str
PathName = str | PathLike[str]


class SamplingOptions(TypedDict, total=False):
    """How a fusion is made; defaults are those of the preset, the session and the model."""

    seed: int
    cfg: float
    apg: float
    negative: str
    steps: int
    order: int
    solver: Solver
    eta: float
    residual: Residual
    residual_amount: float
    recall: float
    slack: float
    start: float
    strength: float
    level: Level
    preset: Name


class FusionOptions(SamplingOptions, total=False):
    """`blend`, 0 the reference … 1 the original; or `remaining` steps after the injection."""

    blend: float
    remaining: int


class MomentOptions(TypedDict, total=False):
    """When it happens, in beats of the tempo: at one, or the next multiple of so many."""

    at_beat: float
    quantise: float


class PlayingOptions(FusionOptions, MomentOptions, total=False):
    """`at_ms`: from now; `velocity`: 127 is full level; `within_ms`: dropped if it is later.

    `beats`: the loop's length.
    """

    loop: int
    beats: float
    at_ms: float
    velocity: float
    within_ms: float


class FanOptions(SamplingOptions, total=False):
    """`even`: 1 for equal steps to the ear.

    `across` recall, cfg, eta or reference2: `m` places of a second axis, from `low` to `high`.
    """

    even: int
    across: Across
    m: int
    low: float
    high: float
    reference2: Name


class PairOptions(FusionOptions, total=False):
    """`voice`: whose settings it would have."""

    voice: int


class PlacesOptions(SamplingOptions, total=False):
    """`voice`: of the fan that it plays, if that is of these two."""

    voice: int


class LearningOptions(TypedDict, total=False):
    """How a reference is learned; `budget_s` limits the time."""

    steps: int
    budget_s: float
    rank: int
    method: Method


class LoraOptions(TypedDict, total=False):
    """`strength`: of fusions that give none; `clip`: one that is remembered, too."""

    strength: float
    prompt: str
    clip: Name


class ClipOptions(TypedDict, total=False):
    """The section of a file, in seconds."""

    start: float
    duration: float


class LiveOptions(TypedDict, total=False):
    """Of pieces of the input, in seconds or beats; `gate` in dB."""

    length: float
    every: float
    unit: Literal["s", "beats"]
    gate: float
    blend: float
    seed: int
    recall: float
    preset: str
    at_beat: float
    quantise: float


class HeardOptions(TypedDict, total=False):
    """What is recorded, and `trim`: 1 without the silence at both ends."""

    trim: int
    from_: Literal["input", "output"]


class RecordOptions(HeardOptions, MomentOptions, total=False):
    """`threshold`: it starts by itself at this level in dB."""

    threshold: float


class GrabOptions(HeardOptions, total=False):
    """`ago`: seconds from its end to now."""

    ago: float


class NoteOptions(MomentOptions, total=False):
    """`gate`: seconds after which it lets itself go."""

    gate: float


class RecordingOptions(MomentOptions, total=False):
    """`stems`: 1, a file for each voice, too."""

    stems: int


class SessionOptions(TypedDict, total=False):
    """`keep`: 1 for what plays to play on; else it fades out."""

    keep: int
